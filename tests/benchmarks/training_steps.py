"""What a step costs beside bare TRL: both trainers in one process, on one model and one data set, turn by turn.

Rounds of a few dozen steps alternate, so that other work on the machine meets both; CPU time of the process is compared
(one thread), not the clock on the wall. Then the callback alone, by the CPU time of its thread.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from engine.training.runs.data_files import row_lines
from engine.training.runs.launch import choose_spec
from engine.training.worker.events import EventLog
from tests.benchmarks.training_rows import rows

ROUNDS, STEPS, SKIPPED = 12, 30, 5


def paired(rounds: int) -> dict[str, Any]:
    """CPU ms a step of both, the median ratio with its quartiles, and the callback's own CPU microseconds a step."""
    import torch
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    from engine.training.worker import builtin
    from engine.training.worker.heartbeat import Heartbeat
    from engine.training.worker.measure import Measure
    from engine.training.worker.models import choose_precision, load
    from engine.training.worker.packing import ROWS, as_dataset
    from engine.training.worker.rows import choose_masking, prepare, read_rows
    from engine.training.worker.run import make_trainer
    from engine.training.worker.run_context import Desk
    from engine.training.worker.spec import read_spec
    from engine.training.worker.stopping import StopWatch

    torch.set_num_threads(1)

    class Clock(TrainerCallback):  # type: ignore[misc]  # an untyped class
        """CPU time at the beginning of every step."""

        def __init__(self) -> None:
            self.at: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.at.append(time.process_time())

        def steps(self) -> list[float]:
            """CPU seconds of the steps since the last call, the first few left out."""
            at, self.at = self.at[SKIPPED:], []
            return [later - earlier for earlier, later in itertools.pairwise(at)]

    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder = Path(name)
        settings = {"steps": STEPS, "save_strategy": "no", "keep_best": False, "generate_rows": 0, "samples": 0}
        chosen = choose_spec(name="bench", rows=400, settings=settings).to_json()
        (folder / "spec.json").write_text(json.dumps(chosen))
        (folder / "train.jsonl").write_bytes(row_lines(rows(400)))
        (folder / "control").mkdir()
        spec = read_spec(folder, 1)
        precision = choose_precision(spec["method"])
        model, tokenizer, _ = load(spec, precision, lambda done, of: None)
        labelled = prepare(
            read_rows(folder / "train.jsonl"), tokenizer, choose_masking(tokenizer), spec["max_length"]
        ).rows
        log, watch = EventLog(folder), StopWatch()
        watch.watch(folder)
        beat = Heartbeat(folder, 1, log)
        desk = Desk(folder, log, beat, watch, time.monotonic())
        beat.start()
        ours = make_trainer(spec, desk, precision, model, tokenizer, labelled, Measure(spec, desk, tokenizer, ()))
        arguments = copy.copy(ours.args)
        arguments.output_dir = str(folder / "bare")
        bare = SFTTrainer(
            model=builtin.new_model(len(tokenizer)),
            args=arguments,
            processing_class=tokenizer,
            train_dataset=as_dataset(labelled).remove_columns([ROWS]),
        )
        bare.remove_callback(PrinterCallback)
        clocks = {"tamis": Clock(), "bare": Clock()}
        for who, trainer in (("tamis", ours), ("bare", bare)):
            trainer.add_callback(clocks[who])
            trainer.train()
            clocks[who].steps()
        found: dict[str, list[list[float]]] = {"tamis": [], "bare": []}
        for number in range(rounds):
            order = (("tamis", ours), ("bare", bare))
            for who, trainer in order if number % 2 else reversed(order):
                trainer.train()
                found[who].append(clocks[who].steps())
        own = own_cost(ours)
        beat.stop()
    medians = {who: [statistics.median(block) for block in blocks] for who, blocks in found.items()}
    ratios = [one / other for one, other in zip(medians["tamis"], medians["bare"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    quiet = {who: quiet_step([step for block in blocks for step in block]) for who, blocks in found.items()}
    return {
        "rounds": rounds,
        "tamis_ms": statistics.median(medians["tamis"]) * 1000,
        "bare_ms": statistics.median(medians["bare"]) * 1000,
        "ratio_of_blocks": middle,
        "quartiles": [low, high],
        "ratio_of_quiet_steps": quiet["tamis"] / quiet["bare"],
        "own_code_us": {name: seconds * 1e6 for name, seconds in own.items()},
        "own_code_share": sum(own.values()) / quiet["bare"],
    }


def quiet_step(steps: list[float]) -> float:
    """The 10th percentile: a step while nothing else had the caches."""
    return statistics.quantiles(steps, n=10)[0]


def own_cost(trainer: Any) -> dict[str, float]:
    """CPU seconds a step in tamis's own code, by the clock of its thread: the callback (event line, row ids, alerts,
    the look for a stop), the training step around TRL's, and the collator around TRL's.
    """
    from trl import SFTTrainer

    spent: Counter[str] = Counter()

    def timed(name: str, method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                spent[name] += time.thread_time() - began

        return call

    for name in ("on_step_begin", "on_step_end", "on_log"):
        setattr(trainer.run_callback, name, timed("callback", getattr(trainer.run_callback, name)))
    collator, bare_step = trainer.data_collator, SFTTrainer.training_step
    trainer.training_step = timed("step", trainer.training_step)
    collator._collate = timed("bare collator", collator._collate)
    trainer.data_collator = timed("collator", collator)
    SFTTrainer.training_step = timed("bare step", bare_step)
    try:
        trainer.train()
    finally:
        SFTTrainer.training_step = bare_step
    return {
        "callback": spent["callback"] / STEPS,
        "step": (spent["step"] - spent["bare step"]) / STEPS,
        "collator": (spent["collator"] - spent["bare collator"]) / STEPS,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(json.dumps(paired(parser.parse_args().rounds), indent=1))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
