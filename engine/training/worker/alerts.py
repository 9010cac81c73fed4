"""What is worth an alert while a run goes on, told from its numbers alone. Standard library only."""

from __future__ import annotations

import statistics
from collections import deque
from dataclasses import dataclass

WINDOW = 10
FIRST_LOGS = 20
SPIKES = 5
MOST_SPIKES = 5
ZERO_STEPS = 3
FEW_EVALS = 3
STALL_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A kind and a sentence."""

    kind: str
    detail: str


class LossAlerts:
    """Watches loss, gradient norm and learning rate step by step. Each kind is told once a run."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=WINDOW)
        self._norms: deque[float] = deque(maxlen=50)
        self._logs = self._spikes = self._zeros = 0
        self._best = float("inf")
        self._told: set[str] = set()

    def step(self, step: int, of: int, loss: float, norm: float | None, rate: float | None) -> list[Alert]:
        """The alerts this step gives cause for."""
        found = []
        self._logs += 1
        self._losses.append(loss)
        mean = sum(self._losses) / len(self._losses)
        if len(self._losses) == WINDOW:
            if self._logs > FIRST_LOGS and mean > 2 * max(self._best, 0.1) + 0.5:
                words = f"mean loss {mean:.3g} over the last {WINDOW} steps, it was {self._best:.3g} before"
                found.append(Alert("diverging", f"{words}: a lower learning rate"))
            self._best = min(self._best, mean)
        if norm is not None:
            usual = statistics.median(self._norms) if len(self._norms) >= WINDOW else None
            self._spikes += usual is not None and norm > 10 * usual
            if self._spikes == SPIKES:
                words = f"the gradient was {SPIKES} times above ten times its usual {usual or 0.0:.3g}"
                found.append(Alert("diverging", f"{words}: a lower learning rate"))
            self._norms.append(norm)
        self._zeros = self._zeros + 1 if rate == 0 else 0
        if self._zeros == ZERO_STEPS and step < of:
            found.append(Alert("zero_lr", f"the learning rate is zero since step {step - ZERO_STEPS + 1} of {of}"))
        return self._fresh(found)

    def _fresh(self, found: list[Alert]) -> list[Alert]:
        fresh = [alert for alert in found if alert.kind not in self._told]
        self._told |= {alert.kind for alert in fresh}
        return fresh


class SpikeAlerts:
    """Watches for a single step whose loss stands out from those before it: its batch is worth a look."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=FIRST_LOGS)
        self._told = self._quiet = 0

    def step(self, loss: float) -> Alert | None:
        """The alert this step gives cause for. At most `MOST_SPIKES` a run, none right behind another."""
        usual = statistics.median(self._losses) if len(self._losses) == FIRST_LOGS else None
        self._losses.append(loss)
        self._quiet = max(0, self._quiet - 1)
        if usual is None or self._quiet or self._told == MOST_SPIKES or loss <= 3 * usual + 0.3:
            return None
        self._told, self._quiet = self._told + 1, WINDOW
        return Alert("spike", f"loss {loss:.3g} at one step, usually {usual:.3g}: look at the rows of its batch")


class HeldoutAlerts:
    """Watches the held-out loss from one evaluation to the next. Each kind is told once a run."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, float]] = []
        self._told: set[str] = set()

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and loss of the lowest measurement."""
        return min(self._seen, key=lambda seen: seen[1]) if self._seen else None

    def measured(self, step: int, nll: float) -> list[Alert]:
        """The alerts this measurement gives cause for."""
        self._seen.append((step, nll))
        if len(self._seen) <= FEW_EVALS:
            return []
        before = self._seen[:-FEW_EVALS]
        lowest_step, lowest = min(before, key=lambda seen: seen[1])
        recent = [value for _, value in self._seen[-FEW_EVALS:]]
        found = []
        if all(value > 1.01 * lowest for value in recent):
            words = f"the held-out loss is more than 1 % above its lowest for {FEW_EVALS} measurements"
            found.append(Alert("eval_rising", f"{words}: best was step {lowest_step} ({lowest:.4g})"))
        elif min(recent) > 0.995 * lowest:
            words = f"less than 0.5 % gained over {FEW_EVALS} measurements"
            found.append(Alert("plateau", f"{words}: more rows would help more than more steps"))
        fresh = [alert for alert in found if alert.kind not in self._told]
        self._told |= {alert.kind for alert in fresh}
        return fresh


def stalled(since_step: float, step_seconds: list[float]) -> bool:
    """Whether the time since the last step is out of all proportion to what steps took."""
    usual = statistics.median(step_seconds) if step_seconds else 0.0
    return since_step > max(STALL_SECONDS, 10 * usual)
