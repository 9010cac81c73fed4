"""Reports to trackio, wandb or tensorboard, where asked for: losses, held-out losses and settings, never a row's text.

Their callbacks come with transformers. Here they stand behind one of our own: what is measured after the last step
still reaches them, several runs of one process become several of theirs, and a report that fails costs the report,
not the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from transformers import TrainerCallback
from transformers.integrations import WandbCallback, get_reporting_integration_callbacks

from .run_context import RunContext


class Reports(TrainerCallback):  # type: ignore[misc]  # an untyped class
    """Takes the place of the trainer's reporting callbacks. Used as a context: their runs end with it."""

    def __init__(self, context: RunContext, trainer: Any) -> None:
        self._context = context
        self._trainer = trainer
        kinds = tuple(get_reporting_integration_callbacks(trainer.args.report_to))
        self._open = [each for each in trainer.callback_handler.callbacks if isinstance(each, kinds)]
        for each in self._open:
            trainer.remove_callback(each)
            if getattr(each, "logging_dir", "") is None:  # tensorboard's, where the user's environment names no other
                each.logging_dir = str(context.run_dir / "tensorboard")
        trainer.add_callback(self)

    def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._each(lambda report: report.on_train_begin(args, state, control, **more))

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        self._each(lambda report: report.on_log(args, state, control, logs=dict(logs or {}), **more))

    def heldout(self, nll: float) -> None:
        """Report a held-out loss, in nats a token, at the step the trainer is at."""
        self.on_log(self._trainer.args, self._trainer.state, self._trainer.control, {"eval_nll": nll})

    def __enter__(self) -> Reports:
        self._each(self._begin)
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, _: TracebackType | None) -> None:
        trainer, failed = self._trainer, int(fault is not None)
        self._each(lambda report: report.on_train_end(trainer.args, trainer.state, trainer.control, model=None))
        self._each(lambda report: report._wandb.finish(exit_code=failed) if isinstance(report, WandbCallback) else None)

    def _begin(self, report: Any) -> None:
        """Open wandb's run: its callback takes the open one, and would put all runs of a process into one folder."""
        if isinstance(report, WandbCallback) and self._trainer.is_first:
            place, project = (os.environ.get(name) for name in ("WANDB_DIR", "WANDB_PROJECT"))
            name = self._trainer.args.run_name
            report._wandb.init(dir=place or str(self._context.run_dir), project=project or "tamis", name=name)

    def _each(self, act: Callable[[Any], None]) -> None:
        for report in tuple(self._open):
            try:
                act(report)
            except Exception as fault:  # noqa: BLE001  each tool fails in its own way, and the run must go on
                self._open.remove(report)
                name = type(report).__name__.removesuffix("Callback").lower()
                step = self._trainer.state.global_step
                words = " ".join(str(fault).split())[:300] or type(fault).__name__
                detail = f"{name} takes no more reports, the run goes on without: {words}"
                self._context.log.emit("alert", kind="report_failed", step=step, detail=detail)
