"""Files of a run and of a comparison with anything in them: every reader says what it can, or one clear error."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import planted_runs
from fuzzing import CASES, fuzz, mutated, odd_json
from projects import make_project, numbered

from engine.errors import TamisError
from engine.model import Act
from engine.project.project import open_project
from engine.training.compare.live import LiveComparison
from engine.training.compare.metrics import result_of
from engine.training.compare.stopping import comparisons_in, standing_of
from engine.training.compare.store import list_comparisons
from engine.training.eval.heldout_outputs import heldout_rows, recorded_answers
from engine.training.eval.row_losses import suspects_of
from engine.training.runs.data_files import rows_by_step
from engine.training.runs.follow import FollowedRuns
from engine.training.runs.live import LiveRun
from engine.training.runs.registry import all_runs, register
from engine.training.runs.status import list_runs, run_folders
from engine.training.worker.checkpoints import last_good_checkpoint
from workbench.cli.main import main
from workbench.render import comparison, training_run
from workbench.render.comparison_page import html_page, markdown
from workbench.render.run_lines import run_line, run_line_anywhere
from workbench.text import braille

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

EVENTS = (
    {"v": 1, "t": 1.0, "ev": "spawn", "pid": 3, "micro_batch": 4, "accum": 1, "attempt": 1, "from_step": 0},
    {"v": 1, "t": 1.0, "ev": "data", "rows": 9, "kept": 8, "completion_tokens": 70, "truncated": 1, "refused": 0},
    {"v": 1, "t": 1.0, "ev": "phase", "phase": "train"},
    {"v": 1, "t": 2.0, "ev": "log", "step": 1, "of": 3, "dt": 0.2, "loss": 2.5, "num_tokens": 10, "grad_norm": 1.0},
    {"v": 1, "t": 3.0, "ev": "log", "step": 2, "of": 3, "dt": 0.2, "loss": "nan", "num_tokens": 20},
    {"v": 1, "t": 3.0, "ev": "mem", "rss_mb": 40, "gpu_reserved_mb": 3, "gpu_total_mb": 9, "util": 50},
    {"v": 1, "t": 3.0, "ev": "eval", "step": 2, "nll": 0.5, "exact": 0.5, "rows": 3,
     "samples": [{"id": "a", "answer": "b", "reference": "c"}]},
    {"v": 1, "t": 3.0, "ev": "ckpt", "step": 2},
    {"v": 1, "t": 3.0, "ev": "alert", "kind": "loss_spike", "detail": "x"},
    {"v": 1, "t": 3.0, "ev": "error", "phase": "train", "msg": "x"},
    {"v": 1, "t": 3.0, "ev": "retry", "reason": "out of memory", "micro_batch": 2, "from_step": 1},
    {"v": 1, "t": 3.0, "ev": "stop_requested", "by": "x"},
    {"v": 1, "t": 4.0, "ev": "exit", "outcome": "finished", "attempt": 2, "error": ""},
)  # fmt: skip
STATUS = {"t": 5.0, "phase": "train", "step": 2, "max_steps": 3, "attempt": 1}
ROWS = tuple(
    {"step": step, "set": of, "id": f"r{number}", "nll": 9.0 / (1 + step), "tokens": 5, "peak": 2.0}
    for step in (0, 3) for of in ("train", "others") for number in range(4)
)  # fmt: skip
JUDGEMENTS = (
    {"v": 1, "n": 1, "t": 1.0, "by": "ann", "row": "r1", "left": "a", "choice": "left"},
    {"v": 1, "n": 2, "t": 1.0, "by": "ann", "row": "r2", "left": "b", "choice": "tie"},
    {"v": 1, "n": 3, "t": 1.0, "by": "ann", "undo": 1},
)
BATCHES = ({"step": 1, "rows": ["a", "b"]}, {"step": 2, "rows": ["c"]})
FILES = (
    "spec.json", "status.json", "result.json", "end.1.json", "events.jsonl", "eval.jsonl", "rows.jsonl",
    "batch.jsonl", "data/heldout.jsonl", "ckpt/checkpoint-2/tamis.json", "ckpt/checkpoint-2/trainer_state.json",
    "console.log", "comparison/comparison.json", "comparison/result.json", "judgements",
)  # fmt: skip


def lines(values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)  # type: ignore[attr-defined]


class Planted:
    """A project with runs and a comparison; one file of them after the other is replaced and put back."""

    def __init__(self, place: Path) -> None:
        self.project = make_project(place, numbered(30))
        with open_project(self.project, reviewer="ann") as project:
            project.decide([Act("holdout", tuple(project.rows.id(number) for number in range(8)))])
            project.decide([Act("accept", tuple(project.rows.id(number) for number in range(8)))])
        self.comparison = planted_runs.plant_comparison(self.project)
        # The page of a comparison tells the answers of the first seed.
        self.run = self.project / "runs" / next(trial.run for trial in self.comparison.trials if trial.arm == "curated")
        (self.run / "events.jsonl").write_bytes(lines(EVENTS))
        (self.run / "status.json").write_text(json.dumps(STATUS))
        (self.run / "rows.jsonl").write_bytes(lines(ROWS))
        (self.run / "batch.jsonl").write_bytes(lines(BATCHES))
        (self.run / "end.1.json").write_text(json.dumps({"outcome": "stopped", "step": 2, "error": "x"}))
        (self.run / "console.log").write_text("one\ntwo \x1b[31m\n")
        checkpoint = self.run / "ckpt" / "checkpoint-2"
        checkpoint.mkdir(parents=True)
        (checkpoint / "model").write_text("x")
        (checkpoint / "tamis.json").write_text(json.dumps({"files": {"model": 1}}))
        (checkpoint / "trainer_state.json").write_text("{}")
        register([self.run])
        others = next(trial.run for trial in self.comparison.trials if trial.arm != "curated")
        self.judgements = self.run.parent / "judgements" / f"{'~'.join(sorted((self.run.name, others)))}.jsonl"
        self.judgements.parent.mkdir()
        self.judgements.write_bytes(lines(JUDGEMENTS))

    def path(self, name: str) -> Path:
        if name.startswith("comparison/"):
            return self.comparison.dir / name.partition("/")[2]
        return self.judgements if name == "judgements" else self.run / name


def told(*words: object) -> None:
    """A command ends well, or with one line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    said = err.getvalue()
    assert "a fault inside" not in said, said
    assert "Traceback" not in said, said
    assert code in (0, 1, 2), code


def spent(pieces: Iterator[object]) -> None:
    for _ in pieces:
        pass


def read_everything(planted: Planted) -> None:
    """Each on its own: what one refuses another may read."""
    run, runs_dir = planted.run, planted.project / "runs"

    def watch_live() -> None:
        live = LiveRun(run)
        live.read()
        live.read()
        for make in (training_run.title, training_run.learning, training_run.pace):
            make(live)
        for view in training_run.VIEWS:
            spent(training_run.view_document(live, view))
            training_run.most_pressing(live, view)
        curves = training_run.curves(live, [live], smooth=True)
        frame = braille.frame_for(curves, live.state.max_steps)
        if frame is not None:
            for curve in curves:
                braille.draw(curve, frame, 40, 8)

    def follow_runs() -> None:
        followed = FollowedRuns(lambda: run_folders(runs_dir))
        followed.look()
        for state in (*followed.states, *list_runs(runs_dir), *all_runs()):
            run_line(state, "> ")
            run_line_anywhere(state)

    def compare() -> None:
        for each in list_comparisons(runs_dir):
            standing_of(each)
            with contextlib.suppress(TamisError):
                result_of(each, 1.0)
            live = LiveComparison(each.dir)
            live.read()
            for narrow in (False, True):
                spent(comparison.comparison_paragraphs(live, narrow=narrow))
            if live.result is not None:
                comparison.compare_lines(dict(live.result))
                markdown(dict(live.result))
                html_page(dict(live.result), runs_dir, with_text=True)
        comparisons_in(runs_dir)

    def losses() -> None:
        suspects_of(run)
        rows_by_step(run)
        recorded_answers(run)
        last_good_checkpoint(run)
        for row in heldout_rows(run):
            assert isinstance(row.request, str)

    for part in (watch_live, follow_runs, compare, losses):
        with contextlib.suppress(TamisError):
            part()
    told("runs", planted.project)
    told("runs", "--json")
    told("watch", run)
    told("watch", run, "--json")


@pytest.mark.parametrize("name", FILES)
def test_files_of_a_run_hold_anything(name: str, tmp_path: Path) -> None:
    planted = Planted(tmp_path)
    path = planted.path(name)
    whole = path.read_bytes()

    def act(case: bytes) -> None:
        path.write_bytes(case)
        try:
            read_everything(planted)
        finally:
            path.write_bytes(whole)

    ways = (mutated, odd_json, odd_json, odd_json)
    fuzz(f"run {name}", [whole], act, ways=ways, cases=max(1, CASES // len(FILES)))
