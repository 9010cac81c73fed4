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
from pathlib import Path
from typing import Any

from engine.training.launch import choose_spec
from engine.training.survey import row_line
from engine.training.worker.events import EventLog
from tests.benchmarks.training_rows import rows

ROUNDS, STEPS, SKIPPED = 12, 30, 5


def paired(rounds: int) -> dict[str, Any]:
    """CPU ms a step of both, the median ratio with its quartiles, and the callback's own CPU microseconds a step."""
    import torch
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    from engine.training.worker import builtin
    from engine.training.worker.desk import Desk
    from engine.training.worker.heartbeat import Heartbeat
    from engine.training.worker.measure import Measure
    from engine.training.worker.models import choose_precision, load
    from engine.training.worker.packing import ROWS, as_dataset
    from engine.training.worker.rows import choose_masking, prepare, read_rows
    from engine.training.worker.run import make_trainer
    from engine.training.worker.spec import read_spec
    from engine.training.worker.stopping import StopWatch

    torch.set_num_threads(1)

    class Clock(TrainerCallback):  # type: ignore[misc]  # an untyped class
        """CPU time at the beginning of every step."""

        def __init__(self) -> None:
            self.at: list[float] = []

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            self.at.append(time.process_time())

        def step(self) -> float:
            """Median CPU seconds of the steps since the last call, the first few left out."""
            at, self.at = self.at[SKIPPED:], []
            return statistics.median(later - earlier for earlier, later in itertools.pairwise(at))

    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder = Path(name)
        settings = {"steps": STEPS, "save_strategy": "no", "keep_best": False, "generate_rows": 0, "samples": 0}
        chosen = choose_spec(name="bench", rows=400, settings=settings).to_json()
        (folder / "spec.json").write_text(json.dumps(chosen))
        (folder / "train.jsonl").write_text("".join(map(row_line, rows(400))))
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
            clocks[who].step()
        found: dict[str, list[float]] = {"tamis": [], "bare": []}
        for number in range(rounds):
            order = (("tamis", ours), ("bare", bare))
            for who, trainer in order if number % 2 else reversed(order):
                trainer.train()
                found[who].append(clocks[who].step())
        callback = callback_cost(ours)
        beat.stop()
    ratios = [one / other for one, other in zip(found["tamis"], found["bare"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "rounds": rounds,
        "tamis_ms": statistics.median(found["tamis"]) * 1000,
        "bare_ms": statistics.median(found["bare"]) * 1000,
        "ratio": middle,
        "ratio_quartiles": [low, high],
        "callback_us": callback * 1e6,
        "callback_share": callback / statistics.median(found["bare"]),
    }


def callback_cost(trainer: Any) -> float:
    """CPU seconds a step that the recorder takes: event line, row ids, alerts, the look for a stop."""
    recorder, spent = trainer.recorder, [0.0]

    def timed(method: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                spent[0] += time.thread_time() - began

        return call

    for name in ("on_step_begin", "on_step_end", "on_log"):
        setattr(recorder, name, timed(getattr(recorder, name)))
    trainer.train()
    return spent[0] / STEPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    print(json.dumps(paired(parser.parse_args().rounds), indent=1))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
