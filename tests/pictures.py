"""Pictures of the screens, as SVG: `python -m tests.pictures` makes those of the guide, `--all DIR` every screen.

Taken from the workbench itself on scratch projects of the shipped samples, driven by the keys that stand here.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

GUIDE = Path(__file__).parent.parent / "docs" / "pictures"
SIZES = ((80, 24), (60, 20), (140, 40))
THEMES = ("night", "day")
PLACE = '{"v":1,"asked":["heldout","mapping"]}'


@dataclass(frozen=True, slots=True)
class Picture:
    """One screen: the sample it shows, the keys that lead there."""

    name: str
    sample: str
    keys: tuple[str, ...] = ()


def typed(selector: str) -> tuple[str, ...]:
    """The keys of a filter."""
    names = {" ": "space", ":": "colon", "_": "underscore", "=": "equals_sign"}
    return ("slash", *(names.get(character, character) for character in selector), "enter")


SCREENS = (
    Picture("overview", "support"),
    Picture("bulk", "support", ("right_square_bracket", "right_square_bracket", "j", "j", "j", "x")),
    Picture("group", "support", typed("kind:near")),
    Picture("conflict", "support", typed("kind:conflict")),
    Picture("merge", "support", (*typed("kind:conflict"), "M")),
    Picture("row", "support", typed("flag:truncated")),
    Picture("why", "support", (*typed("flag:refusal"), "w")),
    Picture("edit", "support", (*typed("flag:placeholder_input"), "e")),
    Picture("filter", "support", typed("flag:stale and refund")[:-1]),
    Picture("command", "support", ("colon", "r", "e")),
    Picture("chat", "chats", typed("role:tool")),
    Picture("turn", "chats", (*typed("role:tool"), "j", "l", "l", "l")),
    Picture("raw", "chats", (*typed("role:tool"), "z")),
    Picture("slices", "support", ("H",)),
    Picture("export", "support", ("K", "K", "E")),
    Picture("train", "support", ("K", "K", "T")),
    Picture("runs", "support", ("R",)),
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
    from engine.project.create import create_project
    from engine.project.folder import open_project
    from engine.project.heldout import reserve_file
    from engine.shipped import shipped_dir

    shutil.copyfile(shipped_dir("sample_data") / f"{sample}.jsonl", place / f"{sample}.jsonl")
    folder = create_project(place / f"{sample}.jsonl")
    heldout = shipped_dir("sample_data") / f"{sample}.heldout.jsonl"
    if heldout.exists():
        reserve_file(folder, heldout, "ann")[0].close()
    with open_project(folder, reviewer="ann") as project:
        scan_project(project)
    return folder


async def taken(folder: Path, picture: Picture, columns: int, rows: int, theme: str, only_ascii: bool) -> str:
    """The SVG of a screen; the project is left as it was."""
    from engine.project.folder import open_project
    from workbench.app import TamisApp

    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / folder.name
        shutil.copytree(folder, copy)
        (copy / "session.json").write_text(PLACE)
        with open_project(copy, reviewer="ann") as project:
            app = TamisApp(project, theme=theme, only_ascii=only_ascii)
            async with app.run_test(size=(columns, rows)) as pilot:
                await app.workers.wait_for_complete()
                await pilot.press(*picture.keys)
                await pilot.pause(0.5)
                return plain(app.export_screenshot(title=f"tamis {picture.sample}.jsonl"))


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
    if words[:1] == ["--all"] and len(words) == 2:
        wanted = [(p.name, *size, theme, False) for theme in THEMES for size in SIZES for p in SCREENS]
        asyncio.run(make(wanted, Path(words[1])))
    elif not words:
        asyncio.run(make(list(IN_THE_GUIDE), GUIDE))
    else:
        print("usage: python -m tests.pictures [--all DIR]", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
