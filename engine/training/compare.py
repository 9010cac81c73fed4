"""What did curation buy: the same model trained on each set of rows at equal cost, measured on rows none has seen.

Every arm takes the same number of optimizer steps from the same base, once per seed. The verdict compares the curated
arm with each other arm, row by row on the held-out set.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.model import TrainingRow
from engine.training.choices import Chosen
from engine.training.launch import Job, Run, launch_queue
from engine.training.runs import RunState, is_alive, read_run, stop, tail_events
from engine.training.spec import BUILT_IN, choose_spec, cores
from engine.training.verdict import Losses, Paired, paired, sentence, together

Progress = Callable[[str, int, int], None]
"""Called with a phase (load, train, eval), optimizer steps done over all runs, and steps in all."""

CURATED = "curated"
POLL_SECONDS = 0.2
LAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Trial:
    """One started run of the comparison."""

    arm: str
    seed: int
    run: Run


def compare(
    arms: Mapping[str, Sequence[TrainingRow]],
    heldout: Sequence[TrainingRow],
    *,
    runs_dir: Path,
    model: str | None = None,
    steps: int | None = None,
    seeds: int = 2,
    workers: int | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train every arm with every seed and say whether `curated` is better than the others.

    `arms` are training rows by name, one of them "curated". `workers` runs go on at once (None: two for the built-in
    model, one for a real one, which wants the GPU for itself). Returns the object `tamis compare --json` prints, with
    `against` (one entry per other arm) and `base_nll` beside what the contract names. Losses are nats per answer
    token; `nll_spread` is the largest less the smallest over the seeds.

    Raises TrainingError for an unfit held-out set and for a run that fails; KeyboardInterrupt stops the runs, each
    with a checkpoint, before it goes on.
    """
    check_arms(arms, heldout)
    if seeds < 1:
        raise TrainingError("a comparison needs at least one seed", "", "give --seeds 2 or more")
    built_in = model in (None, BUILT_IN)
    queues = min(workers or (2 if built_in else 1), len(arms) * seeds)
    jobs = make_jobs(arms, heldout, model, equal_steps(arms, model, steps, settings), seeds, queues, settings or {})
    began = time.monotonic()
    trials: list[Trial] = []
    try:
        for number in range(queues):
            mine = jobs[number::queues]
            runs = launch_queue([job for _, _, job in mine], runs_dir)
            trials += [Trial(arm, seed, run) for (arm, seed, _), run in zip(mine, runs, strict=True)]
        ended = wait(trials, progress or (lambda phase, done, of: None))
    except BaseException:
        stop_all([trial.run.dir for trial in trials])
        raise
    return report(arms, heldout, trials, ended, round(time.monotonic() - began, 2))


def check_arms(arms: Mapping[str, Sequence[TrainingRow]], heldout: Sequence[TrainingRow]) -> None:
    """Refuse what no honest verdict can come of: no control, an empty arm, held-out rows that are trained on."""
    if CURATED not in arms or len(arms) < 2:
        raise TrainingError("a comparison needs the curated rows and at least one other arm", "", "accept rows first")
    for name, rows in arms.items():
        if not rows:
            raise TrainingError(f"arm {name} has no rows", "", "accept rows first")
    if len(heldout) < 2:
        raise TrainingError(f"{len(heldout)} held-out rows cannot measure anything", "", "reserve some: tamis holdout")
    ids = {row.id for row in heldout}
    words = {content_key(row) for row in heldout}
    for name, rows in arms.items():
        leaked = [row.id for row in rows if row.id in ids or content_key(row) in words]
        if leaked:
            named = ", ".join(leaked[:3]) + (", …" if len(leaked) > 3 else "")
            raise TrainingError(
                f"{len(leaked)} rows of arm {name} are also held out",
                named,
                "take them out of one of the two",
            )


def content_key(row: TrainingRow) -> tuple[tuple[str, str], ...]:
    """The conversation itself, white space around each turn aside."""
    return tuple((message["role"], message["content"].strip()) for message in row.messages)


def equal_steps(
    arms: Mapping[str, Sequence[TrainingRow]], model: str | None, steps: int | None, settings: Mapping[str, Any] | None
) -> Chosen:
    """The number of optimizer steps every arm takes."""
    if steps is not None:
        return Chosen(steps, "as you set it; the same for every arm")
    spec = choose_spec(name="steps", rows=len(arms[CURATED]), model=model, settings=settings)
    if spec.steps.value:
        return Chosen(spec.steps.value, f"{spec.steps.reason}; the same for every arm")
    passes = math.ceil(len(arms[CURATED]) / spec.batch.value * spec.epochs.value)
    return Chosen(max(20, passes), f"{spec.epochs.value:g} epochs of the curated rows; the same for every arm")


def make_jobs(
    arms: Mapping[str, Sequence[TrainingRow]],
    heldout: Sequence[TrainingRow],
    model: str | None,
    steps: Chosen,
    seeds: int,
    queues: int,
    settings: Mapping[str, Any],
) -> list[tuple[str, int, Job]]:
    """One job per arm and seed, seeds outermost: dealt out in turn, the queues come out about equally long."""
    group = f"compare-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    jobs: list[tuple[str, int, Job]] = []
    for seed in range(seeds):
        for arm, rows in arms.items():
            first = not jobs
            values = {
                "save_strategy": Chosen("no", "an arm is repeated from its seed faster than it is taken up again"),
                "threads": Chosen(cores() // queues or 1, f"{cores()} cores for {queues} runs at once"),
                "eval_every": Chosen(0, "at the end only: what is compared is the last step"),
                "samples": Chosen(0, "answers to all held-out rows are measured at the end"),
                "eval_at_start": Chosen(first, "the base is measured once"),
                **settings,
                "steps": steps,
                "seed": Chosen(seed, f"seed {seed + 1} of {seeds}"),
                "group": group,
            }
            spec = choose_spec(name=f"compare-{arm}-seed{seed}", rows=len(rows), model=model, settings=values)
            jobs.append((arm, seed, Job(spec, rows, heldout)))
    return jobs


def wait(trials: Sequence[Trial], progress: Progress) -> list[RunState]:
    """Watch the runs until all have ended. Raises TrainingError as soon as one fails."""
    offsets = dict.fromkeys(range(len(trials)), 0)
    steps = dict.fromkeys(range(len(trials)), 0)
    phases = dict.fromkeys(range(len(trials)), "load")
    of = 0
    while True:
        alive = [is_alive(trial.run.dir) for trial in trials]  # before the events, so that none is missed
        for number, trial in enumerate(trials):
            fresh, offsets[number] = tail_events(trial.run.dir, offsets[number])
            for event in fresh:
                if event["ev"] == "log":
                    steps[number], of = event["step"], event["of"]
                elif event["ev"] == "phase":
                    phases[number] = event["phase"]
                elif event["ev"] == "exit" and event["outcome"] != "finished":
                    raise_failed(read_run(trial.run.dir))
        running = {phases[number] for number in range(len(trials)) if alive[number]}
        if of:
            phase = "eval" if running <= {"eval", "save"} else "train"
            progress(phase, sum(steps.values()), of * len(trials))
        else:
            progress("load", 0, 0)
        if not any(alive):
            ended = [read_run(trial.run.dir) for trial in trials]
            for state in ended:
                if state.state != "finished":
                    raise_failed(state)
            return ended
        time.sleep(POLL_SECONDS)


def raise_failed(state: RunState) -> None:
    """A run of the comparison that did not finish ends the comparison, unless memory is being tried anew."""
    if state.alive and not state.result:
        return
    raise TrainingError(
        f"run {state.id} {'was ' if state.state in ('stopped', 'killed') else ''}{state.state} at step {state.step}",
        state.error,
        f"its words are in {state.dir / 'console.log'}",
    )


def stop_all(folders: Sequence[Path]) -> None:
    """Ask every run that is alive to stop, the queued ones first, and wait until they have; firm with the slow."""
    for asking in range(2):
        for folder in reversed(folders):
            if is_alive(folder):
                try:
                    stop(folder)
                except TrainingError:
                    continue  # it ended in between
        deadline = time.monotonic() + LAST_SECONDS
        while time.monotonic() < deadline or asking:
            if not any(is_alive(folder) for folder in folders):
                return
            time.sleep(POLL_SECONDS)


def report(
    arms: Mapping[str, Sequence[TrainingRow]],
    heldout: Sequence[TrainingRow],
    trials: Sequence[Trial],
    ended: Sequence[RunState],
    seconds: float,
) -> dict[str, Any]:
    """The comparison as one JSON object."""
    losses = {(trial.arm, trial.seed): read_losses(trial.run.dir) for trial in trials}
    by_arm: dict[str, list[RunState]] = {name: [] for name in arms}
    for trial, state in zip(trials, ended, strict=True):
        by_arm[trial.arm].append(state)
    seeds = sorted({trial.seed for trial in trials})
    against = [
        paired(name, [losses[CURATED, seed] for seed in seeds], [losses[name, seed] for seed in seeds])
        for name in arms
        if name != CURATED
    ]
    return {
        "arms": [arm_json(name, len(rows), by_arm[name]) for name, rows in arms.items()],
        "verdict": together(against),
        "reason": sentence(against, len(seeds), len(heldout)),
        "against": [pair_json(pair) for pair in against],
        "base_nll": base_nll(trials),
        "seeds": len(seeds),
        "heldout_rows": len(heldout),
        "seconds": seconds,
    }


def arm_json(name: str, rows: int, states: Sequence[RunState]) -> dict[str, Any]:
    """One arm: means over its seeds."""
    results = [state.result for state in states]
    losses = [float(result["nll"]) for result in results]
    exact = [float(result["exact"]) for result in results if result.get("exact") is not None]
    return {
        "name": name,
        "rows": rows,
        "steps": states[0].step,
        "tokens": round(sum(int(result["completion_tokens"]) for result in results) / len(results)),
        "nll": sum(losses) / len(losses),
        "nll_spread": max(losses) - min(losses),
        "exact_match": sum(exact) / len(exact) if exact else None,
        "runs": [state.id for state in states],
    }


def pair_json(pair: Paired) -> dict[str, Any]:
    """Curated less the other arm, in nats per token: below zero is better."""
    return {
        "arm": pair.control,
        "verdict": pair.verdict,
        "difference": pair.difference,
        "interval": [pair.low, pair.high],
        "by_seed": list(pair.by_seed),
    }


def read_losses(run_dir: Path) -> Losses:
    """Summed loss and tokens of every held-out row after the last step, from `eval.jsonl`."""
    lines = [json.loads(line) for line in (run_dir / "eval.jsonl").read_text(encoding="utf-8").splitlines()]
    last = max(line["step"] for line in lines)
    return {line["id"]: (float(line["nll"]), int(line["tokens"])) for line in lines if line["step"] == last}


def base_nll(trials: Sequence[Trial]) -> float | None:
    """The base's loss on the held-out rows, from the one run that measured it before its first step."""
    for trial in trials:
        for event in tail_events(trial.run.dir)[0]:
            if event["ev"] == "eval" and event["step"] == 0:
                return float(event["nll"])
    return None
