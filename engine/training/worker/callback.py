"""The trainer's callback: steps become event lines and alerts, requests to stop become a checkpoint and an end."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from transformers import TrainerCallback

from .alerts import FATAL, Alert, HeldoutAlerts, LossAlerts
from .evaluate import Measured, nll_per_token
from .events import LineFile, read_json, write_json
from .measure import Measure
from .past_steps import PastSteps, past_steps
from .run_context import NonFinite, RunContext
from .saving import NoRoom
from .spec import Spec
from .stopping import Stopped
from .time_left import STEP


class RunCallback(TrainerCallback):  # type: ignore[misc]  # an untyped class
    """Turns what the trainer does into event lines, and requests to stop into a checkpoint and an end."""

    def __init__(self, spec: Spec, context: RunContext, measure: Measure, row_ids: Sequence[str]) -> None:
        self._spec = spec
        self._context = context
        self._measure = measure
        self._eval_every = int(spec["eval_every"])
        self._step_began = self.before_steps = 0.0
        past = past_steps(context.run_dir, spec.from_step) if spec.from_step else PastSteps()
        self._past = past
        self._told = list(past.alerts)
        kinds = {alert.kind for _, alert in past.alerts}
        self._loss_alerts = LossAlerts(told=kinds)
        self._heldout_alerts = HeldoutAlerts(told=kinds)
        self._diverged = ""
        self._row_ids = row_ids
        self._batches: LineFile
        self.best: dict[str, Any] = {}
        self.trainer: Any = None
        self.reports: Any = None

    def shorten_epoch(self, before: int, now: int) -> None:
        """Rows were packed: where held-out rows are measured once an epoch of `before` steps, it has `now`."""
        if self._eval_every == before:
            self._eval_every = now

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        rank = int(os.environ.get("RANK", "0"))
        self._batches = LineFile(self._context.run_dir / (f"batch.rank{rank}.jsonl" if rank else "batch.jsonl"))
        self.before_steps = self._context.seconds()
        self._context.beat.tell(max_steps=state.max_steps)
        self._context.beat.write()

    def take_up(self) -> None:
        """Watch on from where the run was cut short, the model being there: nothing is told a second time."""
        self._loss_alerts.knows(vocabulary_of(self.trainer.model))
        for step, nll in self._past.heldout:
            self._heldout_alerts.measured(step, nll, self._past.base if step == 0 else None)
        for log in self._past.logs:
            self._heed(log, int(log["step"]), int(log.get("of") or 0))
        if self._heldout_alerts.base is not None:
            self._loss_alerts.base(self._heldout_alerts.base)
        kept = read_json(self._context.run_dir / "best" / "best.json")
        if self._past.heldout and kept:
            self.best = {**kept, "dir": "best"}

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._step_began = time.monotonic()
        self._context.left.began(STEP, 1)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._context.beat.tell(step=state.global_step, last_step_t=time.time())
        self._name_rows(state.global_step)
        self._stop_if_asked(state, control)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the closing summary; result.json has it
            return
        took = round(time.monotonic() - self._step_began, 4)
        self._context.left.took(STEP, took, 1)
        left = self._context.left.seconds()
        self._context.log.emit("log", step=state.global_step, of=state.max_steps, dt=took, left_s=left, **logs)
        norm = logs.get("grad_norm")
        # float16 scales its loss by trial: a first overflow is normal.
        if not math.isfinite(norm or 0.0) and not args.fp16:
            raise NonFinite(f"the gradient of step {state.global_step} is {norm}")
        alerts = self._heed(logs, state.global_step, state.max_steps)
        self._tell(alerts, state.global_step)
        if self._spec["stop_on_divergence"]:
            self._diverged = next((alert.detail for alert in alerts if alert.kind == "diverging"), self._diverged)
        last = state.global_step >= state.max_steps
        if self._eval_every and state.global_step % self._eval_every == 0 and not last:
            self._context.beat.tell(phase="eval")
            with contextlib.suppress(Stopped):  # the end of the next step heeds it, with a checkpoint
                self.weigh(self._measure.losses(self.trainer.model, state.global_step), state.global_step)
            # Measuring is no training time: a step after it is not a stall.
            self._context.beat.tell(phase="train", last_step_t=time.time())

    def _heed(self, logs: Mapping[str, Any], step: int, of: int) -> list[Alert]:
        norm, rate, accuracy = (logs.get(name) for name in ("grad_norm", "learning_rate", "mean_token_accuracy"))
        finite = norm if isinstance(norm, float | int) and math.isfinite(norm) else None
        return self._loss_alerts.step(step, of, float(logs["loss"]), finite, rate, accuracy)

    def _name_rows(self, step: int) -> None:
        """One line of `batch.jsonl`: which rows this step was made of. Of several processes each names its own."""
        ids = [self._row_ids[place] for place in self.trainer.rows_of_step]
        self.trainer.rows_of_step = []
        self._batches.append(json.dumps({"step": step, "rows": ids}, separators=(",", ":")).encode() + b"\n")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._batches.close()

    def weigh(self, measured: Sequence[Measured], step: int, *, last: bool = False) -> None:
        """Alerts on the held-out loss; the lowest one's weights are kept in `best/`. The base and
        the last ones are there anyway."""
        if not measured:
            return
        nll = nll_per_token(measured)
        self.reports.heldout(nll)
        before = self._heldout_alerts.best
        rows = {row.id: (row.nll, row.tokens) for row in measured}
        ended = last and self._loss_alerts.could_learn  # else that is what is to be told
        self._tell(self._heldout_alerts.measured(step, nll, rows, self._loss_alerts.recent, last=ended), step)
        if step == 0:
            self._loss_alerts.base(nll)
        if not step or not self._spec["keep_best"] or (before is not None and before[1] <= nll):
            return
        if last:
            self.best = {"step": step, "nll": nll, "dir": "model"}
            return
        try:
            folder = self.trainer.save_whole("best")
            if self.trainer.is_first:
                write_json(self._context.run_dir / folder / "best.json", {"step": step, "nll": nll})
            self.best = {"step": step, "nll": nll, "dir": folder}
        except NoRoom as fault:
            self._context.log.emit("alert", kind="disk_full", step=step, detail=str(fault))

    def ended(self, step: int) -> dict[str, Any]:
        """The alerts told of a run that took all its steps, and which of them takes the worth from it, for its result.

        A run that recovered from what was told is worth what it is.
        """
        self._tell(self._loss_alerts.ended(measured=self._heldout_alerts.base is not None), step)
        holding = self._loss_alerts.holding | self._heldout_alerts.holding
        fatal = [alert.detail for kind in FATAL for _, alert in self._told if alert.kind == kind and kind in holding]
        told = [{"kind": alert.kind, "step": at, "detail": alert.detail} for at, alert in self._told]
        return ({"alerts": told} if told else {}) | ({"but": fatal[0]} if fatal else {})

    def _tell(self, alerts: Sequence[Alert], step: int) -> None:
        for alert in alerts:
            self._context.log.emit("alert", kind=alert.kind, step=step, detail=alert.detail)
            self._context.beat.tell(alert=alert.detail)
            self._told.append((step, alert))

    def _stop_if_asked(self, state: Any, control: Any) -> None:
        reason = self.trainer.agreed(self._context.watch.why() or self._diverged or self._budget_used())
        if reason and state.global_step < state.max_steps:
            self.trainer.stopped_by = reason
            self._context.log.emit("stop_requested", step=state.global_step, reason=reason)
            control.should_training_stop = True
            control.should_save = True

    def _budget_used(self) -> str:
        """Why time or money is at an end, or "". Earlier attempts of this run count."""
        spent = self._context.seconds() + self._spec.spent_seconds
        limit, most, price = (float(self._spec[name]) for name in ("budget_seconds", "max_cost", "price_per_hour"))
        if limit and spent >= limit:
            return f"the budget of {limit:.0f} s is used up"
        if most and spent / 3600 * price >= most:
            return f"the cost of {most:g} is reached after {spent:.0f} s at {price:g} an hour"
        return ""


def vocabulary_of(model: Any) -> int:
    """How many tokens the model chooses from; 0 where its embedding does not say (spread over processes)."""
    return int(getattr(model.get_input_embeddings(), "num_embeddings", 0))
