"""The comparison screen: what would be compared, arms while they train, then verdict, intervals, slices; its page."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import planted
import pytest
from jq_lines import documented, traced
from planted import screen_text, workbench
from textual.pilot import Pilot

from engine.errors import TrainingError
from engine.model import Act
from engine.training.compare.live import LiveComparison
from engine.training.compare.metrics import result_of
from engine.training.compare.store import Comparison, Trial, save_comparison, save_result
from workbench.cli import compare as cli_compare
from workbench.cli.main import main
from workbench.render.comparison import compare_lines, comparison_paragraphs
from workbench.render.comparison_page import html_page, markdown
from workbench.text.escape import ascii_text
from workbench.ui.app import TamisApp

COMPARISON = "20260101T000000Z-compare"
SEEDS, ROWS = 3, 24
ARMS = {"raw": 0.5, "curated": 0.2}
HOSTILE = "<img src=x onerror=alert(1)> \x1b[31m"


def make_run(runs: Path, arm: str, seed: int, *, whole: bool = True) -> str:
    """A run of 10 steps whose held-out rows lose what its arm does, the curated ones 0.3 nats less a token."""
    run = runs / f"20260101T000000Z-compare-{arm}-seed{seed}"
    (run / "data").mkdir(parents=True)
    values = {"model": {"value": "built-in"}, "steps": {"value": 10}}
    (run / "spec.json").write_text(json.dumps({"v": 1, "name": run.name, "group": "compare", "values": values}))
    held = [
        {"id": f"r{n}", "messages": [{"role": "user", "content": f"q {n}"}, {"role": "assistant", "content": HOSTILE}]}
        for n in range(ROWS)
    ]
    (run / "data" / "heldout.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    nll = ARMS[arm] + 0.01 * seed
    lines: list[dict[str, Any]] = []
    if arm == "curated" and seed == 0:
        lines += [{"step": 0, "id": f"r{n}", "nll": 20.0, "tokens": 10} for n in range(ROWS)]
    lines += [
        {"step": 10, "id": f"r{n}", "nll": 10 * (nll + 0.002 * n), "tokens": 10, "exact": n % 2 == 0, "answer": HOSTILE}
        for n in range(ROWS)
    ]
    events = [{"ev": "log", "step": 4, "of": 10, "loss": 1.25}]
    if whole:
        (run / "eval.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        result = {"outcome": "finished", "step": 10, "nll": nll, "exact": 0.5, "completion_tokens": 900, "seconds": 3.5}
        (run / "result.json").write_text(json.dumps(result))
        events += [{"ev": "eval", "step": 10, "nll": nll, "rows": ROWS}, {"ev": "exit", "outcome": "finished"}]
    else:
        (run / "status.json").write_text(json.dumps({"step": 4, "max_steps": 10, "phase": "train"}))
    (run / "events.jsonl").write_text("".join(json.dumps({"v": 1, "t": 0, **event}) + "\n" for event in events))
    return run.name


def make_comparison(folder: Path, *, whole: bool = True) -> Comparison:
    runs = folder / "runs"
    (runs / COMPARISON).mkdir(parents=True)
    trials = [
        Trial(arm, seed, make_run(runs, arm, seed, whole=whole or seed == 0)) for seed in range(SEEDS) for arm in ARMS
    ]
    comparison = Comparison(
        dir=runs / COMPARISON,
        model="built-in",
        steps=10,
        seeds=SEEDS,
        arms=(("base", 0), ("raw", 40), ("curated", 30)),
        trials=tuple(trials),
        heldout={"drawn": 30, "measured": ROWS, "edited": 0, "left_out": {"rejected": 4, "undecided": 2}},
        slices={f"r{n}": {"year": str(2019 + n % 2)} for n in range(ROWS)},
        estimate={"seconds": {"value": 90.0, "reason": "as before"}, "cost": {"value": None, "reason": "no price"}},
    )
    save_comparison(comparison)
    return comparison


async def shown(app: TamisApp, pilot: Pilot[int], sight: Callable[[str], bool]) -> list[str]:
    """Wait until the screen shows it."""
    for _ in range(600):
        await pilot.pause()
        text = screen_text(app)
        if sight("\n".join(text)):
            return text
        await asyncio.sleep(0.02)
    raise AssertionError("\n".join(text))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return planted.make_folder(tmp_path)


async def test_without_held_out_rows_the_reason_is_shown(folder: Path) -> None:
    async with workbench(folder) as (app, pilot):
        await pilot.press("V")
        text = await shown(app, pilot, lambda text: "nothing to train on" in text)
        assert "A new comparison" in text[1]
        # Enter looks again, at what has been decided since, here or elsewhere.
        with planted.opened(folder, "bob") as other:
            other.decide([Act("accept", tuple(map(other.rows.id, range(12, 20))))])
        await pilot.press("enter")
        await shown(app, pilot, lambda text: "no held-out row" in text)


async def test_arms_seeds_and_settings_are_chosen_on_the_screen(folder: Path) -> None:
    with planted.opened(folder) as project:
        # Fewer held-out rows than measure anything: the reason tells that the arms were looked at.
        project.decide([Act("holdout", (project.rows.id(12), project.rows.id(13)))])
        project.decide([Act("accept", tuple(project.rows.id(number) for number in range(12, 20)))])
    async with workbench(folder) as (app, pilot):
        await pilot.press("V")
        await shown(app, pilot, lambda text: "2 held-out rows cannot measure anything" in text)
        await pilot.press("c", *"seeds=none", "enter")
        assert "seeds is a number" in "\n".join(screen_text(app))
        await pilot.press("escape", "c", *"arms=nowhere seeds=2 steps=5", "enter")
        await shown(app, pilot, lambda text: "unknown arm" in text)
        assert app.screen.wishes == {"arms": ["nowhere"], "seeds": 2, "settings": {"steps": 5}}  # type: ignore[attr-defined]
        await pilot.press("c")
        assert app.screen.line.value == "arms=nowhere seeds=2 steps=5"  # type: ignore[attr-defined]


async def test_arms_are_shown_while_they_train_and_the_verdict_when_they_have(folder: Path) -> None:
    comparison = make_comparison(folder, whole=False)
    running = folder / "runs" / "20260101T000000Z-compare-raw-seed1"
    lock = os.open(running / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    async with workbench(folder) as (app, pilot):
        await pilot.press("V")
        text = await shown(app, pilot, lambda text: "held-out NLL" in text)
        raw = next(line for line in text if line.startswith(" raw  "))
        assert raw.split() == ["raw", "40", "1/3", "18/30", "1.250", "0.500", *raw.split()[6:]]
        assert "24 as reviewed (accepted); not measured: 4 rejected, 2 undecided" in " ".join(" ".join(text).split())
        await pilot.press("s")
        assert "same key again" in screen_text(app)[-2]
        for seed in (1, 2):
            for arm in ARMS:
                run = folder / "runs" / f"20260101T000000Z-compare-{arm}-seed{seed}"
                for path in sorted(run.rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()
                run.rmdir()
                make_run(folder / "runs", arm, seed)
        os.close(lock)
        text = await shown(app, pilot, lambda text: "better. curated is better than" in text)
        joined = "\n".join(text)
        assert "curated           30     10       900" in joined
        assert "-0.300 (-0.300 to -0.300)" in joined
        assert "┊" in joined
        await pilot.press("J")
        assert "year 2019" in "\n".join(screen_text(app))
        await pilot.press("w")
        assert (comparison.dir / "comparison.html").is_file()
        assert "alert(1)" not in (comparison.dir / "comparison.html").read_text()
    # What the screen shows stands in event lines.
    events = [json.loads(line) for line in (comparison.dir / "events.jsonl").read_text().splitlines()]
    assert [event["ev"] for event in events] == ["arm", "arm", "arm", "pair", "pair", "slice", "slice", "verdict"]
    assert events[4]["difference"] == pytest.approx(-0.3)


def test_in_sixty_columns_no_line_of_figures_is_broken(folder: Path) -> None:
    live = LiveComparison(make_comparison(folder).dir)
    live.read()
    live.result = result_of(live.comparison, 1.0)
    told = ["".join(part for part, _ in item.styled) for item in comparison_paragraphs(live, narrow=True)]
    figures = [line for line in told if line[:1] != " " and any(char.isdigit() for char in line)]
    tables = [line for line in figures if line.split()[0] in ("base", "raw", "curated", "year", "arm")]
    assert len(tables) == 5
    # One column of the reader stays blank at either end.
    assert max(map(len, tables)) <= 58


def test_every_glyph_of_the_document_has_a_plain_one_as_wide(folder: Path) -> None:
    live = LiveComparison(make_comparison(folder).dir)
    live.read()
    live.result = result_of(live.comparison, 1.0)
    for paragraph in comparison_paragraphs(live):
        text = "".join(part for part, _ in paragraph.styled)
        assert ascii_text(text).isascii()
        assert len(ascii_text(text)) == len(text)


def test_the_page_needs_nothing_beside_itself_and_has_no_text_unless_asked(folder: Path) -> None:
    result = result_of(make_comparison(folder), 1.0)
    page = html_page(result, folder / "runs", with_text=False)
    assert "<script" not in page
    assert "http" not in page
    assert "alert(1)" not in page
    assert (page.count("<circle"), page.count("<path")) == (1, 1)  # the base lies beyond the axis
    with_text = html_page(result, folder / "runs", with_text=True)
    assert "&lt;img src=x onerror=alert(1)&gt;" in with_text
    assert "<img" not in with_text
    assert "\x1b" not in with_text


def test_a_run_that_diverged_is_named_and_no_fault(folder: Path) -> None:
    comparison = make_comparison(folder)
    result = result_of(comparison, 1.0)
    run = comparison.run_dir(comparison.of_arm("raw")[0])
    lines = (run / "eval.jsonl").read_text().splitlines()
    lines[-1] = json.dumps(json.loads(lines[-1]) | {"nll": "nan"})
    (run / "eval.jsonl").write_text("\n".join(lines))
    with pytest.raises(TrainingError, match=f"{run.name}: the loss of .* is nan: its training diverged"):
        result_of(comparison, 1.0)
    # A page is drawn of what there is, where a line is gone since the result was known.
    (run / "eval.jsonl").write_text("\n".join(lines[:-1]))
    assert json.loads(lines[-1])["id"] == f"r{ROWS - 1}"
    assert f"<li>r{ROWS - 1}:" not in html_page(result, folder / "runs", with_text=True)


def test_a_base_that_lost_a_row_is_told_and_no_fault(folder: Path) -> None:
    comparison = make_comparison(folder)
    run = comparison.run_dir(comparison.of_arm("curated")[0])
    lines = (run / "eval.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["step"] == 0
    (run / "eval.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(TrainingError, match="a run of base measured other rows"):
        result_of(comparison, 1.0)


def test_the_block_for_a_pull_request_is_two_tables(folder: Path) -> None:
    result = result_of(make_comparison(folder), 1.0)
    result["arms"][1]["name"] = "a|b `x` <b>"
    block = markdown(result)
    assert block.startswith("**tamis compare: better**")
    assert r"| a\|b \`x\` &lt;b> | 40 | 10 | 900 |" in block
    assert "| raw | -0.300 | -0.300 to -0.300 |" in block
    lines = compare_lines(result)
    assert lines[-1].startswith("verdict: better. curated is better than base")
    assert "30 rows as drawn, 24 as reviewed" in lines[-2]


def test_what_people_judged_blind_is_part_of_the_page(folder: Path) -> None:
    comparison = make_comparison(folder)
    result = result_of(comparison, 1.0)
    assert "judged blind" not in html_page(result, folder / "runs", with_text=False)
    mine, theirs = (comparison.of_arm(arm)[0].run for arm in ("curated", "raw"))
    kept = folder / "runs" / "judgements" / f"{mine}~{theirs}.jsonl"
    kept.parent.mkdir()
    lines = [
        {"v": 1, "n": n, "t": 0, "by": "ann", "row": f"r{n}", "left": theirs, "choice": "right"} for n in (1, 2, 3)
    ]
    kept.write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = html_page(result, folder / "runs", with_text=False)
    assert "<td>curated against raw</td>" in page
    assert '<td class="n">3</td><td class="n">0</td><td class="n">0</td>' in page


def test_every_figure_is_found_by_the_question_that_the_docs_name(folder: Path) -> None:
    comparison = make_comparison(folder)
    save_result(comparison.dir, result_of(comparison, 1.0))
    questions = [question for question in documented("C") if "point" not in question and '"curve"' not in question]
    assert len(questions) >= 9
    for question in questions:
        (value,) = traced(comparison.dir / "events.jsonl", question)
        assert value is not None or ".format_valid" in question, question


def test_one_seed_is_labelled_and_gives_no_verdict(folder: Path) -> None:
    comparison = make_comparison(folder)
    one = replace(comparison, seeds=1, trials=tuple(trial for trial in comparison.trials if trial.seed == 0))
    result = result_of(one, 1.0)
    assert (result["verdict"], result["seed_variance"]) == ("no difference shown", "no seed variance")
    assert result["against"][1]["smallest_detectable"] is None
    assert "no seed variance" in result["reason"]
    words = "\n".join(compare_lines(result))
    assert words.count(" (-)") == 3
    assert "no seed variance" in markdown(result)


@pytest.mark.parametrize(("swapped", "word", "code"), [(False, "better", 0), (True, "worse", 1)])
def test_the_command_prints_the_contracts_object_and_exits_with_1_where_curation_lost(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    swapped: bool,
    word: str,
    code: int,
) -> None:
    comparison = make_comparison(folder)
    if swapped:
        names = {"raw": "curated", "curated": "raw"}
        trials = tuple(replace(trial, arm=names[trial.arm]) for trial in comparison.trials)
        comparison = replace(comparison, trials=trials, arms=(("raw", 30), ("curated", 40)))
        first = comparison.run_dir(comparison.of_arm("curated")[0]) / "eval.jsonl"
        lines = [json.loads(line) | {"step": 0} for line in first.read_text().splitlines()]
        first.write_text("".join(json.dumps(line) + "\n" for line in lines) + first.read_text())
    # The runs are there: what is left of the command is measuring, judging, printing.
    monkeypatch.setattr(cli_compare, "compare_project", lambda *_, **__: result_of(comparison, 1.0))
    assert main(["compare", str(folder), "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["verdict"] == word
    assert {"arms", "verdict", "reason"} <= told.keys()
    asked = {"name", "rows", "steps", "tokens", "nll", "nll_spread", "exact_match", "runs"}
    assert all(asked <= arm.keys() for arm in told["arms"])
