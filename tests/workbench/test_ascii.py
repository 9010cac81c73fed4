"""`--ascii`: no glyph beyond ASCII comes to stand anywhere, on any screen, whatever the data hold."""

from __future__ import annotations

import ast
from pathlib import Path

import planted
import pytest
from planted import CONFLICT, shown, workbench
from textual.pilot import Pilot

from engine.model import Act, Cluster, Findings
from engine.project.create import create_project
from engine.training.eval.pairwise import Judging
from tests.planted_runs import CURATED, RAW, plant_comparison, plant_runs
from workbench.text.escape import ascii_text
from workbench.ui.app import TamisApp
from workbench.ui.screens.judge import JudgeScreen
from workbench.ui.screens.try_run import TryScreen

STRANGE = "caf\u00e9 \u2018so\u2019 \u4f60\u597d \U0001f469\u200d\U0001f4bb \x1b]52;c;aGk=\x07 \u202eabc [/x] \ttab"
HELD_OUT = (13, 16, 17)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The planted project with strange texts, held-out rows, a reviewer more, runs and a comparison."""
    content = planted.rows()
    for number in (1, 4, 7, 12, 13, 14):
        content[number]["output"] = f"{content[number]['output']} {STRANGE}"
    content[11]["output"] += " &amp; so on"
    folder = planted.make_folder(tmp_path, content, planted.findings())
    with planted.opened(folder, "bea") as project:
        project.decide([Act("accept", (project.rows.id(14),))])
    with planted.opened(folder) as project:
        project.decide([Act("holdout", tuple(project.rows.id(number) for number in HELD_OUT))])
        project.decide([Act("reject", (project.rows.id(14),))])
        found = planted.findings()
        flags = tuple(
            flag if flag.row != 11 else type(flag)(11, "html_entities", "fix", "an entity") for flag in found.flags
        )
        # Findings that fit the rows as they are now: no scan starts by itself.
        project.save_findings(Findings(found.clusters, flags, found.buckets, found.seconds))
    plant_runs(folder)
    plant_comparison(folder)
    return folder


# The keys that lead to a screen (a text is a filter), and what to wait for there. Each begins where the last one ended.
TOUR: tuple[tuple[str, tuple[str, ...] | str, str], ...] = (
    ("the overview", (), "What can be settled"),
    ("a group", ("enter",), "keeper"),
    ("its evidence", ("j", "j", "w"), "why"),
    ("a conflict", "kind:conflict", "disagree"),
    ("the answers merged", ("M",), "merging 2 answers"),
    ("back from the merge", ("escape",), "left without merging"),
    ("a row with strange text", "row:12", "caf\\xe9"),
    ("its bytes", ("z",), "as it was read"),
    ("a turn", ("z", "l", "l"), "turn 2 of 2"),
    ("a mark and a range", ("m", "v"), "range"),
    ("no mark", ("escape",), "no row is marked"),
    ("the filter", ("slash",), "earlier filters"),
    ("its count", (*"cafe",), "0 rows"),
    ("the palette", ("escape", "ctrl+p"), "reject bucket:drop"),
    ("a complaint", (*"nosuch", "enter"), "no command"),
    ("tags", ("escape", "t"), "tag:"),
    ("the editor", ("escape", "e"), "editing row 12"),
    ("back from the editor", ("escape",), "nothing was changed"),
    ("disagreements", "is:disputed", "bea accepted"),
    ("no row", "row:12 and row:13", "no row matches"),
    ("a repair", "row:11", "Count to three"),
    ("its difference", ("c",), "u takes it back"),
    ("help", ("escape", "question_mark"), "Triage"),
    ("more help", ("pagedown",), "pgdn next page"),
    ("the export", ("q", "E"), "What enter would write"),
    ("the training", ("q", "T"), "start a new run"),
    ("a run", ("j", "enter"), "held-out 0.53"),
    ("its answers", ("v",), "step"),
    ("the runs", ("q", "R"), "runs"),
    ("a comparison", ("q", "V"), "curated"),
    ("the slices", ("q", "H"), "rows at random"),
    ("the overview again", ("q", "o"), "What can be settled"),
    ("an accepted bucket", ("right_square_bracket", "a", "a"), "accepted"),
)


async def check(app: TamisApp, pilot: Pilot[int], name: str, sign: str) -> None:
    text = await shown(app, pilot, lambda text: sign in text)
    assert text.isascii(), (name, [line for line in text.splitlines() if not line.isascii()])


@pytest.mark.parametrize("size", [(80, 24), (150, 40)])
async def test_every_screen_is_ascii(folder: Path, size: tuple[int, int]) -> None:
    async with workbench(folder, size, only_ascii=True) as (app, pilot):
        for name, keys, sign in TOUR:
            if isinstance(keys, str):
                app.session.set_filter(keys)
                app.sync_screen()
            else:
                await pilot.press(*keys)
            await check(app, pilot, name, sign)
        runs = folder / "runs"
        app.push_screen(TryScreen(runs / CURATED))
        await check(app, pilot, "a run tried", "otherwise than the reference")
        await pilot.press("t")
        await check(app, pilot, "a prompt written", "ctrl+s")
        await pilot.press("escape", "escape")
        app.push_screen(JudgeScreen(Judging(runs / CURATED, runs / RAW, by="ann")))
        await check(app, pilot, "two runs judged", "Which answer is better?")


async def test_the_pick_is_ascii(folder: Path) -> None:
    async with workbench(folder, only_ascii=True) as (app, pilot):
        await pilot.press("P")
        await check(app, pilot, "the pick", "topics")
        await pilot.press("J", "J")
        await check(app, pilot, "its topics", "Topics:")


async def test_what_a_first_open_asks_is_ascii(tmp_path: Path) -> None:
    rows = [f'{{"query": "What is {n}?", "response": "{n} caf\u00e9."}}\n' for n in range(240)]
    (tmp_path / "raw.jsonl").write_text("".join(rows), encoding="utf-8")
    folder = create_project(tmp_path / "raw.jsonl")
    async with workbench(folder, only_ascii=True) as (app, pilot):
        await check(app, pilot, "the mapping", "Guessed by the names of the fields")
        await pilot.press("enter")
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.press("x")
        await check(app, pilot, "the held-out set", "hold out 40 of 240 rows to measure with")


async def test_without_it_the_same_screens_are_not(folder: Path) -> None:
    """What the story above shows is not true by itself."""
    async with workbench(folder) as (app, pilot):
        assert not (await shown(app, pilot, lambda text: "What can be settled" in text)).isascii()
    assert CONFLICT in {cluster.id for cluster in planted.findings().clusters if isinstance(cluster, Cluster)}


def test_every_glyph_of_ours_has_one_of_ascii_that_is_as_wide() -> None:
    """Whatever a string of the workbench holds beyond ASCII is mapped, one for one: a new glyph must not become an
    escape."""
    exempt = {"escape.py", "safe_cells.py", "output.py", "braille.py", "comparison_page.py", "demo.py"}
    found: dict[str, str] = {}
    for path in sorted((Path(planted.__file__).parents[2] / "workbench").rglob("*.py")):
        if path.name in exempt:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                shown = (character for character in node.value if character.isprintable())
                found |= {character: path.name for character in shown if not character.isascii()}
    assert len(found) > 20
    assert {glyph: name for glyph, name in found.items() if len(ascii_text(glyph)) != 1} == {}
