"""A small project whose findings are planted, so that each story knows what lies where.

Rows 0-2 are one exact group (keeper 0), 3-5 a near group (keeper 4), 6-7 a conflict, 8-9 a family of variants,
10 is flagged to drop, 11 to check, the rest has no issue.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine.model import BucketName, Cluster, Findings, Flag, Span
from engine.project.create import create_project
from engine.project.project import Project, open_project
from workbench.ui.app import TamisApp

EXACT, NEAR, CONFLICT, VARIANT = "ce0001", "cn0002", "cc0003", "cv0004"
REQUESTS = [
    *(("Name a fruit.", "Apple."),) * 3,
    ("Say hello to Ann in French", "Bonjour Ann."),
    ("Say hello to Ann in French.", "Bonjour Ann."),
    ("Say hello to Ann in french!", "Bonjour Ann."),
    ("Is the shop open on Sunday?", "Yes, from nine."),
    ("Is the shop open on Sunday?", "No, never."),
    ("Add 2 and 2.", "4"),
    ("Add 2 and 3.", "5"),
    ("Write a poem.", "I am sorry, I cannot"),
    ("Count to three.", "one two thre"),
    *((f"Question {number}?", f"Answer {number}.") for number in range(12, 20)),
]


def rows() -> list[dict[str, Any]]:
    return [
        {"instruction": request, "input": "", "output": answer, "year": 2018 + number % 3}
        for number, (request, answer) in enumerate(REQUESTS)
    ]


def findings() -> Findings:
    buckets: list[BucketName] = ["clean"] * len(REQUESTS)
    for row, bucket in ((1, "drop"), (2, "drop"), (3, "drop"), (5, "drop"), (10, "drop"), (11, "check")):
        buckets[row] = bucket  # type: ignore[call-overload]
    for row in (6, 7, 8, 9):
        buckets[row] = "check"
    clusters = (
        Cluster(EXACT, "exact", (0, 1, 2), 0, ("3 rows hold the same text", "row 0 is kept: it comes first")),
        Cluster(NEAR, "near", (3, 4, 5), 4, ("97 % alike", "row 4 is kept: its sentence ends"), (97.0, 100.0, 95.0)),
        Cluster(CONFLICT, "conflict", (6, 7), 6, ("the same request, answers that disagree",)),
        Cluster(VARIANT, "variant", (8, 9), 8, ("a number differs: 2, 3",)),
    )
    flags = (
        Flag(10, "refusal", "drop", 'the answer refuses: "I am sorry"', Span(1, 0, 10)),
        Flag(11, "truncated", "check", 'the answer breaks off: "thre"'),
    )
    return Findings(clusters, flags, tuple(buckets), {"total": 0.1})


def make_folder(
    place: Path, content: list[dict[str, Any]] | None = None, found: Findings | None = None, *, scanned: bool = True
) -> Path:
    """A project folder; `found` replaces the planted findings."""
    source = place / "raw.jsonl"
    lines = (json.dumps(row, ensure_ascii=False) for row in content or rows())
    source.write_text("".join(line + "\n" for line in lines), encoding="utf-8", errors="surrogatepass")
    folder = create_project(source, place / "raw.tamis")
    if scanned:
        with open_project(folder, readonly=True) as project:
            empty = Findings.empty(len(project.rows)) if content is not None else findings()
            project.save_findings(found or empty)
    return folder


def opened(folder: Path, reviewer: str = "ann") -> Project:
    return open_project(folder, reviewer=reviewer)


def journal(folder: Path) -> list[dict[str, Any]]:
    """The lines of the one journal there is."""
    paths = list((folder / "decisions").glob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@asynccontextmanager
async def workbench(
    folder: Path, size: tuple[int, int] = (80, 24), theme: str | None = None, **options: Any
) -> AsyncIterator[tuple[TamisApp, Pilot[int]]]:
    """The application on a folder, driven by keys; closed and unlocked at the end."""
    with opened(folder) as project:
        app = TamisApp(project, theme=theme, **options)
        async with app.run_test(size=size) as pilot:
            await app.workers.wait_for_complete()
            await pilot.pause()
            yield app, pilot


def screen_text(app: TamisApp) -> list[str]:
    """What is on the screen, line by line, as the compositor holds it."""
    width, height = app.size
    strips = app.screen._compositor.render_strips(app.size)
    return ["".join(segment.text for segment in strips[y]).rstrip()[:width] for y in range(height)]


def opened_id(folder: Path, row: int) -> str:
    """The id of a row, read beside whoever has the project open."""
    with open_project(folder, readonly=True) as project:
        return project.rows.id(row)


async def shown(app: TamisApp, pilot: Pilot[int], sight: Callable[[str], bool]) -> str:
    """The screen as text, once it shows what is waited for."""
    for _ in range(400):
        await pilot.pause()
        text = "\n".join(screen_text(app))
        if sight(text):
            return text
        await asyncio.sleep(0.02)
    raise AssertionError(text)


async def type_filter(pilot: Pilot[int], text: str) -> None:
    await pilot.press("slash", *text, "enter")
