"""The loss of single training rows before, during and after training, and of rows that are not trained on.

`rows.jsonl`, one line a row and measurement: `{"step", "set": "train|others", "id", "nll", "tokens", "peak"}`. `nll` is
summed over `tokens`; `peak` is the largest loss of one token: one wrong word in an answer that is right otherwise hides
in a mean and not in a peak. A `rows` event says what was measured. Also here: the alert at a loss that spikes.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from transformers import TrainerCallback

from . import evaluate
from .alerts import SpikeAlerts
from .events import LineFile, plain
from .rows import LabelledRow
from .run_context import RunContext
from .spec import Spec
from .stopping import Stopped
from .time_left import READ

MEASURED_BETWEEN = 2
"""How often between the first and the last step: a third and two thirds of the way."""


class RowLosses(TrainerCallback):  # type: ignore[misc]  # an untyped class
    """Measures the rows of one run. Of more rows than the spec's `row_losses` a part is measured, by chance."""

    def __init__(
        self, spec: Spec, context: RunContext, pad_id: int, rows: Sequence[LabelledRow], others: Sequence[LabelledRow]
    ) -> None:
        most = int(spec["row_losses"])
        self._sets = {"train": drawn(rows, most), "others": tuple(others)}
        self._of = {"train": len(rows), "others": len(others)}
        self._batch = int(spec["eval_batch"])
        self._context, self._pad_id = context, pad_id
        self._file = LineFile(context.run_dir / "rows.jsonl") if any(self._sets.values()) and context.is_first else None
        self._spike_alerts = SpikeAlerts()
        self.trainer: Any = None

    def tokens(self, name: str) -> int:
        """Tokens of a set's rows that are measured."""
        return sum(len(row.input_ids) for row in self._sets[name])

    def before(self) -> None:
        """The training rows at step 0."""
        self._measure("train", 0)

    def after(self, step: int) -> None:
        """The training rows and the others at the end. Raises Stopped."""
        for name in self._sets:
            self._measure(name, step)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the closing summary
            return
        alert = self._spike_alerts.step(logs["loss"])
        if alert is not None:
            self._context.log.emit("alert", kind=alert.kind, step=state.global_step, detail=alert.detail)
        if state.global_step in between(state.max_steps):
            with contextlib.suppress(Stopped):  # the end of the next step heeds it, with a checkpoint
                self._measure("train", state.global_step)
            # Measuring is no training time: a step after it is not a stall.
            self._context.beat.tell(phase="train", last_step_t=time.time())

    def _measure(self, name: str, step: int) -> None:
        rows = self._sets[name]
        if not rows:
            return
        self._context.phase("rows", set=name)
        with self._context.left.doing(READ, self.tokens(name)):
            measured = evaluate.row_losses(
                self.trainer.model, rows, pad_id=self._pad_id, batch=self._batch, check=self._counting(name, len(rows))
            )
        if self._file is not None:
            self._file.append(b"".join(row_line(name, step, row) for row in measured))
        tokens = sum(row.tokens for row in measured)
        nll = evaluate.nll_per_token(measured)
        self._context.log.emit("rows", step=step, set=name, rows=len(rows), of=self._of[name], nll=nll, n_tokens=tokens)

    def _counting(self, name: str, of: int) -> Callable[[], None]:
        """Called before every batch: how far it is, and whether to give up."""
        batches = 0

        def check() -> None:
            nonlocal batches
            self._context.beat.tell(measuring=name, measured=min(batches * self._batch, of), measured_of=of)
            batches += 1
            self._context.watch.check()

        return check


def between(steps: int) -> set[int]:
    """The steps between the first and the last at which training rows are measured."""
    parts = MEASURED_BETWEEN + 1
    return {steps * part // parts for part in range(1, parts)} - {0, steps}


def drawn(rows: Sequence[LabelledRow], most: int) -> tuple[LabelledRow, ...]:
    """At most `most` rows in their order, the same ones in every run that holds them."""
    if len(rows) <= most:
        return tuple(rows)
    chosen = set(sorted((row.id for row in rows), key=lambda name: blake2b(name.encode()).digest())[:most])
    return tuple(row for row in rows if row.id in chosen)


def row_line(name: str, step: int, row: evaluate.Measured) -> bytes:
    """One line of `rows.jsonl`."""
    values = {"nll": round(row.nll, 5), "tokens": row.tokens, "peak": round(row.peak, 5)}
    line = {"step": step, "set": name, "id": row.id, **{key: plain(value) for key, value in values.items()}}
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
