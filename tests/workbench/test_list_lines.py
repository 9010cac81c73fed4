"""The lines of the list: each row is read once, and read again when what it says has changed."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest

from engine.sources.mapping import Mapping
from workbench.actions.edit import save_edits
from workbench.render.list_lines import EntryLines
from workbench.state.session import Session


def page(lines: EntryLines) -> str:
    return "\n".join("".join(text for text, _ in lines.line(index, 60)) for index in range(len(lines)))


def test_a_row_is_parsed_once_and_anew_when_it_was_edited_or_is_read_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        session = Session(project)
        parsed: list[int] = []
        made = session.shared_text.headline

        def counted(row: int) -> str:
            parsed.append(row)
            return made(row)

        monkeypatch.setattr(session.shared_text, "headline", counted)
        lines = EntryLines(session)
        first = page(lines)
        # The two of the conflict are told apart by their answers.
        assert set(parsed) == set(range(20)) - {7}
        parsed.clear()
        session.place.move(1)
        assert page(lines) == first
        assert parsed == []
        save_edits(session, {12: {("instruction",): "Something else"}})
        assert "Something else" in page(lines)
        assert set(parsed) == {12}
        project.undo()
        assert "Question 12?" in page(lines)
        project.read_by(Mapping(project.mapping.shape, {"instruction": "output", "output": "instruction"}))
        session.reload()
        assert "Answer 13." in page(lines)
