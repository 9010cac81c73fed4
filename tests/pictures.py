"""Pictures of the screens, as SVG: `python -m tests.pictures` makes those of the guide, `--all DIR [NAME ...]` others.

Taken from the workbench itself on scratch projects of the shipped samples, driven by the keys that stand here.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

    from workbench.ui.screens.base import WorkScreen

GUIDE = Path(__file__).parent.parent / "docs" / "pictures"
SIZES = ((80, 24), (60, 20), (140, 40))
THEMES = ("night", "day")
PLACE = '{"v":1,"asked":["heldout","mapping"]}'


@dataclass(frozen=True, slots=True)
class Picture:
    """One screen: the sample it shows, the keys that lead there, and a word that is there when it has come.

    `prepare` lays something into a copy of the project first, `opening` makes a screen that lies on top; `place` is the
    session.json to begin with.
    """

    name: str
    sample: str
    keys: tuple[str, ...] = ()
    wait_for: str = ""
    prepare: Callable[[Path], object] | None = None
    opening: Callable[[Path], WorkScreen] | None = None
    place: str = PLACE


def typed(selector: str) -> tuple[str, ...]:
    """The keys of a filter."""
    names = {" ": "space", ":": "colon", "_": "underscore", "=": "equals_sign"}
    return ("slash", *(names.get(character, character) for character in selector), "enter")


def second_reviewer(folder: Path) -> None:
    """Two persons who differ on a few rows and agree on others."""
    from engine.project.project import open_project
    from workbench.actions.typed_commands import run_headless

    for name, words in (("bea", "accept row:0-30"), ("ann", "reject row:3-7")):
        with open_project(folder, reviewer=name) as project:
            run_headless(project, words)
    with open_project(folder, reviewer="ann") as project:
        run_headless(project, "accept row:8-30")


def runs(folder: Path) -> None:
    from tests.planted_runs import plant_runs

    plant_runs(folder)


def comparison(folder: Path) -> None:
    from tests.planted_runs import plant_comparison

    plant_comparison(folder)


def try_screen(folder: Path) -> WorkScreen:
    from tests.planted_runs import CURATED
    from workbench.ui.screens.try_run import TryScreen

    return TryScreen(folder / "runs" / CURATED)


def judge_screen(folder: Path) -> WorkScreen:
    from engine.training.eval.pairwise import Judging
    from tests.planted_runs import CURATED, RAW
    from workbench.ui.screens.judge import JudgeScreen

    return JudgeScreen(Judging(folder / "runs" / CURATED, folder / "runs" / RAW, by="ann"))


NEXT = "right_square_bracket"
SCREENS = (
    Picture("overview", "support"),
    Picture("bulk", "support", (NEXT, NEXT, "j", "j", "j", "x")),
    Picture("group", "support", typed("kind:near")),
    Picture("member", "support", (*typed("kind:near"), "j", "j", "j", "j")),
    Picture("conflict", "support", typed("kind:conflict")),
    Picture("answer", "support", (*typed("kind:conflict"), "j")),
    Picture("merge", "support", (*typed("kind:conflict"), "M"), "merging"),
    Picture("row", "support", typed("flag:truncated")),
    Picture("why", "support", (*typed("flag:refusal"), "w")),
    Picture("edit", "support", (*typed("flag:placeholder_input"), "e"), "editing"),
    Picture("edited", "support", (*typed("flag:placeholder_input"), "e", "H", "i", "ctrl+s", "k", "w")),
    Picture("filter", "support", typed("flag:stale and refund")[:-1]),
    Picture("command", "support", ("colon", "r", "e")),
    Picture("chat", "chats", typed("role:tool")),
    Picture("turn", "chats", (*typed("role:tool"), "j", "l", "l", "l")),
    Picture("raw", "chats", (*typed("role:tool"), "z")),
    Picture("slices", "support", ("H",), "10 rows at random"),
    Picture("offer", "support", (*typed("flag:placeholder_input"), "c"), "one undo"),
    Picture("offers", "support", (NEXT, NEXT, *"jjjjj", "c"), "one undo"),
    Picture("pick", "support", ("P",), "topics"),
    Picture("disagreements", "support", typed("is:disputed"), "", second_reviewer),
    Picture("mapping", "guess", (), "a guess", place='{"v":1}'),
    Picture("heldout", "guess", (), "held out", place='{"v":1,"asked":["mapping"]}'),
    Picture("export", "support", ("K", "K", "E")),
    Picture("train", "support", ("K", "K", "T"), "start"),
    Picture("run", "support", ("T", "j", "enter"), "loss", runs),
    Picture("runs", "support", ("R",), "", runs),
    Picture("no-runs", "support", ("R",)),
    Picture("compare", "support", ("V",), "better", comparison),
    Picture("try", "support", (), "reference", runs, try_screen),
    Picture("judge", "support", (), "judged", runs, judge_screen),
    Picture("help", "support", ("question_mark",)),
)
# (picture, columns, rows, theme, ascii) of the guide.
IN_THE_GUIDE = (
    ("overview", 80, 24, "night", False),
    ("bulk", 80, 24, "night", False),
    ("group", 80, 24, "night", False),
    ("conflict", 80, 24, "night", False),
    ("why", 80, 24, "night", False),
    ("turn", 80, 24, "night", False),
    ("group", 140, 36, "day", False),
    ("row", 80, 24, "mono", True),
)


def scratch_project(place: Path, sample: str) -> Path:
    """A scanned project on a copy of a sample, its held-out rows reserved where there are any."""
    from engine.jobs.scan import scan_project
    from engine.paths import shipped_dir
    from engine.project.create import create_project
    from engine.project.heldout import reserve_file
    from engine.project.project import open_project

    if sample == "guess":
        _with_other_names(shipped_dir("sample_data") / "support.jsonl", place / "guess.jsonl")
    else:
        shutil.copyfile(shipped_dir("sample_data") / f"{sample}.jsonl", place / f"{sample}.jsonl")
    folder = create_project(place / f"{sample}.jsonl")
    heldout = shipped_dir("sample_data") / f"{sample}.heldout.jsonl"
    if heldout.exists():
        reserve_file(folder, heldout, "ann")[0].close()
    with open_project(folder, reviewer="ann") as project:
        scan_project(project)
    return folder


def _with_other_names(source: Path, to: Path) -> None:
    """The sample with field names that leave something to guess."""
    names = {"instruction": "query", "input": "context", "output": "response"}
    with source.open(encoding="utf-8") as lines, to.open("w", encoding="utf-8") as out:
        for line in lines:
            row = {names.get(name, name): value for name, value in json.loads(line).items()}
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


async def taken(folder: Path, picture: Picture, columns: int, rows: int, theme: str, only_ascii: bool) -> str:
    """The SVG of a screen; the project is left as it was."""
    from engine.project.project import open_project
    from workbench.ui.app import TamisApp

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / folder.name
        shutil.copytree(folder, copy)
        (copy / "session.json").write_text(picture.place)
        if picture.prepare is not None:
            picture.prepare(copy)
        with open_project(copy, reviewer="ann") as project:
            opening = picture.opening
            top = (lambda: opening(copy)) if opening is not None else None
            app = TamisApp(project, theme=theme, only_ascii=only_ascii, opening=top)
            async with app.run_test(size=(columns, rows)) as pilot:
                await app.workers.wait_for_complete() if top is None else await pilot.pause()
                await pilot.press(*picture.keys)
                await shown(app, pilot, picture.wait_for)
                return plain(app.export_screenshot(title=f"tamis {picture.sample}.jsonl"))


async def shown(app: App[int], pilot: Pilot[int], word: str) -> None:
    """Wait until a word is on the screen, and the screen at rest; it is taken as it is after a few seconds."""
    for turn in range(100):
        await pilot.pause(0.05)
        strips = app.screen._compositor.render_strips(app.size)
        if word and any(word in "".join(segment.text for segment in strip) for strip in strips):
            break
        if not word and turn >= 5:
            break
    await pilot.pause(0.2)


def plain(svg: str) -> str:
    """The picture with the reader's own fonts: nothing is fetched to show it."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return re.sub(r"font-family: [^;]*;", "font-family: ui-monospace, Menlo, 'DejaVu Sans Mono', monospace;", svg)


async def make(wanted: list[tuple[str, int, int, str, bool]], out: Path) -> None:
    """Write the wanted pictures to `out`, named for screen, size and theme."""
    by_name = {picture.name: picture for picture in SCREENS}
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folders: dict[str, Path] = {}
        for name, columns, rows, theme, only_ascii in wanted:
            picture = by_name[name]
            if picture.sample not in folders:
                folders[picture.sample] = scratch_project(Path(scratch), picture.sample)
            svg = await taken(folders[picture.sample], picture, columns, rows, theme, only_ascii)
            path = out / f"{name}-{columns}x{rows}-{theme}{'-ascii' if only_ascii else ''}.svg"
            path.write_text(svg, encoding="utf-8")
            print(path)


def main(words: list[str]) -> int:
    os.environ.update(COLORTERM="truecolor", TERM="xterm-256color")
    os.environ.pop("NO_COLOR", None)
    # Nobody's settings, themes and runs get into a picture.
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(XDG_CONFIG_HOME=home, XDG_STATE_HOME=home)
        return _main(words)


def _main(words: list[str]) -> int:
    if words[:1] == ["--all"] and len(words) >= 2:
        names = words[2:] or [picture.name for picture in SCREENS]
        wanted = [(name, *size, theme, False) for theme in THEMES for size in SIZES for name in names]
        asyncio.run(make(wanted, Path(words[1])))
    elif not words:
        asyncio.run(make(list(IN_THE_GUIDE), GUIDE))
    else:
        print("usage: python -m tests.pictures [--all DIR [NAME ...]]", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
