"""How well the loss of single rows tells planted faults in the sample, without a label of the rows it ranks.

A person is played who has accepted N clean rows (drawn by seed) and looked at nothing else. Re-scoring tunes the
built-in model on them and measures every untouched row; the area under the ROC curve (AUC) says how often a planted row
stands before a clean one. The oracle (`support.answers.jsonl`) is read for the choice of the accepted rows and for the
figures alone. Last line: a model tuned on all raw rows, judged by what it says of the rows it was trained on.

`python -m tests.benchmarks.rows [--quick]`: JSON on stdout, a table on stderr. Goals: 0.75 for contradictions, 0.95 for
format, off-topic and truncated rows.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.model import Act
from engine.paths import shipped_dir
from engine.project.create import create_project
from engine.project.heldout import reserve_file
from engine.project.project import Project
from engine.training.eval.row_losses import RowLoss, places, read_row_losses, surprise
from engine.training.runs.launch import Job, launch_queue
from engine.training.runs.status import read_run
from engine.workflows.rescore import untouched
from engine.workflows.train import planned_run

ACCEPTED = (60, 90, 120, 160)
SEEDS = (0, 1, 2)
KINDS = ("contradiction", "wrong format", "off-topic", "truncated", "typos", "refusal", "stale", "near duplicate")
GOALS = {"contradiction": 0.75, "wrong format": 0.95, "off-topic": 0.95, "truncated": 0.95}
WHOLE = "all raw rows"


def auc(faulty: Sequence[float], clean: Sequence[float]) -> float:
    """How often a faulty row's score lies above a clean one's; equal scores count half (Mann-Whitney)."""
    place = places({str(index): score for index, score in enumerate((*faulty, *clean))})
    most = len(faulty) + len(clean) - 1
    ranks = sum(place[str(index)] * most + 1 for index in range(len(faulty)))
    return (ranks - len(faulty) * (len(faulty) + 1) / 2) / (len(faulty) * len(clean))


def make(folder: Path) -> Project:
    """The sample with its held-out rows, all of these accepted."""
    samples = shipped_dir("sample_data")
    folder = create_project(samples / "support.jsonl", folder / "support.tamis")
    project, _ = reserve_file(folder, samples / "support.heldout.jsonl", "bench")
    project.decide([Act("accept", tuple(project.rows.id(number) for number in sorted(project.heldout)))])
    return project


def job_for(project: Project, accepted: Sequence[int], seed: int, *, others: bool) -> Job:
    """The run that re-scoring would start, with these rows accepted and nothing else decided."""
    project.decide([Act("accept", tuple(project.rows.id(number) for number in accepted))])
    job = planned_run(project, settings={"seed": seed, "generate_rows": 0})
    job = replace(job, others=untouched(project) if others else ())
    project.undo()
    return job


def measures(losses: Mapping[str, RowLoss]) -> dict[str, dict[str, float]]:
    """The scores by name: mean loss, largest token loss, and what tamis orders by."""
    return {
        "mean": {identifier: row.after for identifier, row in losses.items()},
        "peak": {identifier: row.peak for identifier, row in losses.items()},
        "surprise": surprise(losses),
    }


def figures(scores: Mapping[str, float], planted: Mapping[str, str]) -> dict[str, float]:
    """AUC per planted kind."""
    clean = [score for identifier, score in scores.items() if planted[identifier] == "clean"]
    found = {kind: [score for name, score in scores.items() if planted[name] == kind] for kind in KINDS}
    return {kind: round(auc(faulty, clean), 4) for kind, faulty in found.items() if faulty}


def main(arguments: Sequence[str]) -> int:
    sizes, seeds = ((120,), (0,)) if "--quick" in arguments else (ACCEPTED, SEEDS)
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as scratch:
        project = make(Path(scratch))
        answers = (shipped_dir("sample_data") / "support.answers.jsonl").read_text().splitlines()
        kinds = [str(json.loads(line)["planted"]) for line in answers]
        planted = {project.rows.id(number): kind for number, kind in enumerate(kinds)}
        clean = [number for number, kind in enumerate(kinds) if kind == "clean"]
        jobs: dict[tuple[str, int], Job] = {}
        for seed in seeds:
            for size in sizes:
                accepted = random.Random(seed).sample(clean, size)
                jobs[f"{size} accepted", seed] = job_for(project, accepted, seed, others=True)
            jobs[WHOLE, seed] = job_for(project, range(len(kinds)), seed, others=False)
        runs = launch_queue(list(jobs.values()), Path(scratch) / "runs")
        while any(read_run(run.dir).alive for run in runs):
            time.sleep(1)
        found: dict[str, dict[str, dict[str, list[float]]]] = {}
        for (name, _), run in zip(jobs, runs, strict=True):
            losses = read_row_losses(run.dir, "train" if name == WHOLE else "others")
            for measure, scores in measures(losses).items():
                for kind, value in figures(scores, planted).items():
                    found.setdefault(name, {}).setdefault(measure, {}).setdefault(kind, []).append(value)
        cpu = [read_run(run.dir).result["cpu_seconds"] for run in runs]
        project.close()
    print(json.dumps({"seeds": list(seeds), "auc": found, "cpu_seconds_per_run": statistics.median(cpu)}))
    tell(found)
    return 0 if met(found) else 1


def tell(found: Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]) -> None:
    """The table: mean over the seeds, lowest in brackets."""
    print(f"{'':<16}{'score':<10}" + "".join(f"{kind:>18}" for kind in KINDS), file=sys.stderr)
    for name, by_measure in found.items():
        for measure, by_kind in by_measure.items():
            cells = [f"{statistics.mean(by_kind[kind]):.3f} ({min(by_kind[kind]):.3f})" for kind in KINDS]
            print(f"{name:<16}{measure:<10}" + "".join(f"{cell:>18}" for cell in cells), file=sys.stderr)


def met(found: Mapping[str, Any]) -> bool:
    """Whether what tamis orders by reaches the goals, in the mean over the seeds, from 120 accepted rows on."""
    enough = [found[name]["surprise"] for name in ("120 accepted", "160 accepted") if name in found]
    return all(statistics.mean(by_kind[kind]) >= goal for by_kind in enough for kind, goal in GOALS.items())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
