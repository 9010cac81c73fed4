"""The trainer's callback: steps become event lines, requests to stop become a checkpoint and an end."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Any

from transformers import TrainerCallback

from .desk import Desk, NonFinite
from .measure import Measure
from .stopping import Stopped


class Recorder(TrainerCallback):  # type: ignore[misc]  # an untyped class
    """Turns what the trainer does into event lines, and requests to stop into a checkpoint and an end."""

    def __init__(self, desk: Desk, measure: Measure, eval_every: int) -> None:
        self._desk = desk
        self._measure = measure
        self._eval_every = eval_every
        self._step_began = 0.0
        self.trainer: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._desk.beat.tell(max_steps=state.max_steps)
        self._desk.beat.write()

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._desk.beat.tell(step=state.global_step, last_step_t=time.time())
        self._stop_if_asked(state, control)

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
        if not logs or "loss" not in logs:  # the closing summary; result.json has it
            return
        took = round(time.monotonic() - self._step_began, 4)
        self._desk.log.emit("log", step=state.global_step, of=state.max_steps, dt=took, **logs)
        norm = logs.get("grad_norm", 0.0)
        if not math.isfinite(norm) and not args.fp16:  # float16 scales its loss by trial: a first overflow is normal
            raise NonFinite(f"the gradient of step {state.global_step} is {norm}")
        last = state.global_step >= state.max_steps
        if self._eval_every and state.global_step % self._eval_every == 0 and not last:
            self._desk.beat.tell(phase="eval")
            with contextlib.suppress(Stopped):  # the end of the next step heeds it, with a checkpoint
                self._measure.losses(self.trainer.model, state.global_step)
            self._desk.beat.tell(phase="train")

    def _stop_if_asked(self, state: Any, control: Any) -> None:
        reason = self._desk.watch.why()
        if reason is not None and state.global_step < state.max_steps:
            self.trainer.stopped_by = reason
            self._desk.log.emit("stop_requested", step=state.global_step, reason=reason)
            control.should_training_stop = True
            control.should_save = True
