"""A verb means the same by key and typed: both write the same acts, and leave the same rows alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import planted
import pytest
from planted import CONFLICT, EXACT, NEAR

from workbench.actions import decide, groups, tags
from workbench.actions.typed_commands import run_headless
from workbench.state.session import Session

Key = Callable[[Session], None]


def on_header(identifier: str, key: Key) -> Key:
    """The key pressed on the header of a group."""

    def press(session: Session) -> None:
        place = session.place.entries.find(-1, identifier, is_header=True)
        assert place is not None
        session.place.cursor = place
        key(session)

    return press


def on_row(row: int, key: Key, *, marked: tuple[int, ...] = ()) -> Key:
    """The key pressed on a row, with others marked."""

    def press(session: Session) -> None:
        place = session.place.entries.find(row, None)
        assert place is not None
        session.place.cursor = place
        session.selection.marked |= set(marked)
        key(session)

    return press


def on_line(selector: str, key: Key) -> Key:
    """The key pressed twice on a line of the overview: the first time it asks."""

    def press(session: Session) -> None:
        session.place.screen = "overview"
        session.overview.cursor = [item.filter_text for item in session.overview.items].index(selector)
        key(session)
        assert session.message.tone == "refused", session.message
        key(session)

    return press


PAIRS: dict[str, tuple[Key, str]] = {
    "accept a row": (on_row(12, lambda session: decide.decide_here(session, "accept")), "accept row:12"),
    "skip a group": (on_header(EXACT, lambda session: decide.decide_here(session, "skip")), f"skip cluster:{EXACT}"),
    "reject rows": (
        on_row(12, lambda session: decide.decide_here(session, "reject"), marked=(8, 13, 14)),
        "reject row:8 or row:13 or row:14",
    ),
    "keep a keeper": (on_header(NEAR, decide.keep), f"keep cluster:{NEAR}"),
    "keep a member": (on_row(5, decide.keep), "keep row:5"),
    "keep an answer": (on_row(7, decide.keep), "keep row:7"),
    "keep one of each": (on_line("kind:exact", decide.keep_all), "keep kind:exact"),
    "both fine": (on_header(CONFLICT, groups.both_fine), f"both-fine cluster:{CONFLICT}"),
    "drop both": (on_header(CONFLICT, groups.drop_both), f"drop-both cluster:{CONFLICT}"),
    "no duplicates": (on_header(EXACT, groups.not_duplicates), "not-duplicates row:0 or row:1 or row:2"),
    "split": (on_row(2, groups.split_off, marked=(2,)), "split row:2"),
    "tag": (on_row(12, lambda session: tags.tag(session, "good -draft")), "tag good,-draft row:12"),
    "note": (on_row(12, lambda session: tags.note(session, "ask Ann")), "note row:12 ask Ann"),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_key_and_a_typed_line_write_the_same_acts(name: str, tmp_path: Path) -> None:
    key, line = PAIRS[name]
    written = []
    for way in ("key", "typed"):
        place = tmp_path / way
        place.mkdir()
        folder = planted.make_folder(place)
        with planted.opened(folder) as project:
            if way == "key":
                session = Session(project)
                session.place.screen = "triage"
                key(session)
            else:
                run_headless(project, line)
        (one,) = planted.journal(folder)
        written.append(one["acts"])
    assert written[0] == written[1]


def test_both_leave_the_same_rows_alone(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        typed = run_headless(project, "reject row:8 or row:13", dry_run=True)
        session = Session(project)
        session.place.screen = "triage"
        on_row(12, lambda session: decide.decide_here(session, "reject"), marked=(8, 13))(session)
        assert typed.text == "would have rejected row 13; 1 unseen variant row left alone"
        assert session.message.text.startswith("rejected row 13; 1 unseen variant row left alone")
