"""What is worth an alert while a run goes on, told from its numbers alone. Standard library only."""

from __future__ import annotations

import math
import statistics
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

WINDOW = 10
FIRST_LOGS = 20
IN_A_ROW = 3
CHANCE_LOGS = 8
SPIKES = 5
MOST_SPIKES = 5
ZERO_STEPS = 3
FEW_EVALS = 3
FEW_LOGS = 12
STALL_SECONDS = 60.0
WELL_TRAINED = 0.1
"""Nats a token: a model that begins below has little left to learn, and is not told that it learnt nothing."""
NEAR_ZERO = 0.05

RowSums = Mapping[str, tuple[float, int]]
"""Of each held-out row by its id: its loss summed over its tokens, and how many those are."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A kind and a sentence: what, the figures, what to do."""

    kind: str
    detail: str


class LossAlerts:
    """Watches loss, gradient norm, learning rate and token accuracy step by step. Each kind is told once a run;
    `told` are those that were before."""

    def __init__(self, told: Collection[str] = ()) -> None:
        self._losses: deque[float] = deque(maxlen=WINDOW)
        self._norms: deque[float] = deque(maxlen=50)
        self._all: list[float] = []
        self._spikes = self._zeros = self._far = self._dead = self._at_chance = self._learning = 0
        self._best = float("inf")
        self._began: float | None = None
        self._knows_base = False
        self._accuracy: float | None = None
        self._chance = float("inf")
        self._allowed = float("inf")
        self._told = set(told)

    def knows(self, vocabulary: int) -> None:
        """How many tokens the model chooses from: one that knows nothing has a loss of that number's logarithm."""
        self._chance = math.log(vocabulary) if vocabulary > 1 else float("inf")

    def base(self, nll: float) -> None:
        """The held-out loss before the first step: a first batch of easy rows is no measure of the model."""
        self._began, self._knows_base = max(self._began or 0.0, nll), True

    @property
    def recent(self) -> float | None:
        """Mean loss of the last steps, None before there are a few."""
        return fmean(list(self._losses)[-IN_A_ROW:]) if len(self._losses) >= IN_A_ROW else None

    def step(
        self, step: int, of: int, loss: float, norm: float | None, rate: float | None, accuracy: float | None = None
    ) -> list[Alert]:
        """The alerts this step gives cause for. `accuracy`: the share of tokens whose likeliest was the right one."""
        if not self._all:
            self._began, self._accuracy = max(self._began or 0.0, loss), accuracy
        self._all.append(loss)
        self._losses.append(loss)
        self._learning += rate is None or rate > 0
        found = [
            *self._exploded(loss, accuracy),
            *self._rising(),
            *self._steep(norm),
            *self._without_gradient(step, loss, norm, rate),
            *self._knows_nothing(loss, accuracy),
        ]
        self._zeros = self._zeros + 1 if rate == 0 else 0
        if self._zeros == ZERO_STEPS and step < of:
            found.append(Alert("zero_lr", f"the learning rate is zero since step {step - ZERO_STEPS + 1} of {of}"))
        return fresh(found, self._told)

    def _exploded(self, loss: float, accuracy: float | None) -> list[Alert]:
        """Far above where it began and most of what was right now wrong, a few steps in a row. Rows that are harder
        than the first ones raise the loss as well, yet the model is still right about many of their tokens."""
        began = self._began or 0.0
        if accuracy is None or self._accuracy is None:
            far = loss > 2 * began + 2
        else:
            blind = loss >= 0.95 * self._chance > 1.05 * began
            # One batch says less of a model than its held-out rows do.
            limit = 1.5 * began + 1 if self._knows_base else 2 * began + 3
            far = (blind or loss > limit) and accuracy < 0.5 * self._accuracy
        self._far = self._far + 1 if far else 0
        if self._far != IN_A_ROW or len(self._all) > FIRST_LOGS:
            return []
        self._allowed = min(self._allowed, began)
        right = ""
        if accuracy is not None and self._accuracy is not None:
            right = f", {accuracy:.0%} of the tokens right, it was {self._accuracy:.0%}"
        words = f"loss {fmean(self._all[-IN_A_ROW:]):.3g} over {IN_A_ROW} steps, it began at {began:.3g}{right}"
        return [Alert("diverging", f"{words}: start again at a tenth of the learning rate")]

    def _rising(self) -> list[Alert]:
        if len(self._losses) < WINDOW:
            return []
        mean, best = fmean(self._losses), self._best
        self._best = min(best, mean)
        # The median as well: one batch of odd rows lifts the mean of ten.
        if len(self._all) <= FIRST_LOGS or min(mean, statistics.median(self._losses)) <= 2 * max(best, 0.1) + 0.5:
            return []
        self._allowed = min(self._allowed, 1.5 * best + 0.25)
        words = f"mean loss {mean:.3g} over the last {WINDOW} steps, it was {best:.3g} before"
        return [Alert("diverging", f"{words}: a lower learning rate")]

    def _steep(self, norm: float | None) -> list[Alert]:
        if norm is None:
            return []
        usual = statistics.median(self._norms) if len(self._norms) >= WINDOW else None
        self._norms.append(norm)
        if usual is None or norm <= 10 * usual:
            return []
        self._spikes += 1
        if self._spikes != SPIKES:
            return []
        words = f"the gradient was {SPIKES} times above ten times its usual {usual:.3g}"
        return [Alert("diverging", f"{words}: a lower learning rate")]

    def _without_gradient(self, step: int, loss: float, norm: float | None, rate: float | None) -> list[Alert]:
        """Exactly zero: nothing the loss says reaches a weight. Where nothing is left to learn it may be."""
        self._dead = self._dead + 1 if norm == 0 and rate and loss > 1e-3 else 0
        if self._dead != IN_A_ROW:
            return []
        words = f"the gradient is exactly 0 since step {step - IN_A_ROW + 1}, at loss {loss:.3g} and rate {rate:.3g}"
        return [Alert("zero_gradient", f"{words}: no weight moves; a lower learning rate, or other target_modules")]

    def _knows_nothing(self, loss: float, accuracy: float | None) -> list[Alert]:
        right = accuracy is not None and accuracy > 0.005
        lost = loss >= 0.95 * self._chance or (loss >= 0.75 * self._chance and accuracy is not None and not right)
        self._at_chance = self._at_chance + 1 if lost else 0
        if self._at_chance != CHANCE_LOGS or "diverging" in self._told:
            return []
        figures = f"loss {loss:.3g} for {CHANCE_LOGS} steps, guessing blindly gives {self._chance:.3g}"
        if (self._began or 0.0) >= 0.95 * self._chance:
            return [
                Alert("at_chance", f"{figures}: from its beginning; do weights, tokenizer and model belong together?")
            ]
        return [Alert("at_chance", f"{figures}, it began at {self._began:.3g}: a lower learning rate")]

    @property
    def could_learn(self) -> bool:
        """Whether a step had a learning rate above zero."""
        return bool(self._learning) or not self._all

    def ended(self, *, measured: bool) -> list[Alert]:
        """What only the end tells. `measured`: held-out rows were, before and after, and say better what was learnt."""
        found = []
        if not self.could_learn:
            found.append(Alert("learnt_nothing", "no step had a learning rate above zero: nothing was learnt"))
        elif not measured and len(self._all) >= FEW_LOGS and not self._told & {"diverging", "zero_gradient"}:
            count = max(4, len(self._all) // 20)
            first, last = self._all[:count], self._all[-max(count, len(self._all) // 3) :]
            noise = math.sqrt(statistics.variance(first) / len(first) + statistics.variance(last) / len(last))
            # Only where noise cannot hide that it fell by a twentieth.
            fall = fmean(first) - fmean(last) + students_t(count - 1) * noise
            if fmean(first) >= WELL_TRAINED and fall < 0.05 * fmean(first):
                figures = (
                    f"{fmean(first):.3g} over the first {len(first)} steps, {fmean(last):.3g} over the last {len(last)}"
                )
                found.append(Alert("learnt_nothing", f"the loss did not fall: {figures}: a higher learning rate"))
        return fresh(found, self._told)

    @property
    def holding(self) -> set[str]:
        """The kinds told that still hold at the last step: a run may recover."""
        last = self.recent
        still = {
            "diverging": last is not None and last > self._allowed,
            "zero_gradient": self._dead >= IN_A_ROW,
            "at_chance": self._at_chance >= IN_A_ROW,
            "learnt_nothing": True,
        }
        return {kind for kind in self._told if still.get(kind)}


def fresh(found: Sequence[Alert], told: set[str]) -> list[Alert]:
    """The alerts of kinds not told before, one a kind; now they are."""
    new = []
    for alert in found:
        if alert.kind not in told:
            told.add(alert.kind)
            new.append(alert)
    return new


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

    def __init__(self, told: Collection[str] = ()) -> None:
        self._seen: list[tuple[int, float]] = []
        self._rows: dict[int, RowSums] = {}
        self._told = set(told)
        self._last: set[str] = set()

    @property
    def best(self) -> tuple[int, float] | None:
        """Step and loss of the lowest measurement."""
        return min(self._seen, key=lambda seen: seen[1]) if self._seen else None

    @property
    def base(self) -> float | None:
        """The loss before the first step, where it was measured."""
        return self._seen[0][1] if self._seen and self._seen[0][0] == 0 else None

    @property
    def holding(self) -> set[str]:
        """The kinds told that hold at the last measurement."""
        return self._last & self._told

    def measured(
        self, step: int, nll: float, rows: RowSums | None = None, trained: float | None = None, *, last: bool = False
    ) -> list[Alert]:
        """The alerts this measurement gives cause for.

        `rows`: what it is made of, so that a difference can be told from chance. `trained`: the mean loss of the last
        training steps. `last`: no step follows.
        """
        before = list(self._seen)
        self._seen.append((step, nll))
        self._rows[step] = rows or {}
        found = [*self._against_base(nll, step, last=last), *self._memorised(before, step, nll, trained)]
        self._last = {alert.kind for alert in found}
        if len(self._seen) > FEW_EVALS:
            found += self._course()
        return fresh(found, self._told)

    def _against_base(self, nll: float, step: int, *, last: bool) -> list[Alert]:
        base = self.base
        if base is None or step == 0:
            return []
        chance = self._chance(0, step)
        figures = f"the held-out loss is {nll:.4g}, the base's was {base:.4g}"
        if nll - base > max(0.02 * base, chance):
            return [Alert("above_base", f"{figures}: worse than before training; a lower learning rate or other rows")]
        if last and base >= WELL_TRAINED and base - nll < 0.02 * base and base - nll <= chance:
            return [Alert("learnt_nothing", f"{figures}: no more than chance; a higher learning rate or more steps")]
        return []

    def _memorised(
        self, before: Sequence[tuple[int, float]], step: int, nll: float, trained: float | None
    ) -> list[Alert]:
        if trained is None or trained > NEAR_ZERO or not before:
            return []
        lowest_step, lowest = min(before, key=lambda seen: seen[1])
        if nll - lowest <= max(0.1 * lowest, 0.05, self._chance(lowest_step, step)):
            return []
        words = f"the training rows are known by heart (loss {trained:.2g}) and the held-out loss rose to {nll:.4g}"
        return [Alert("memorised", f"{words}, lowest at step {lowest_step} ({lowest:.4g}): fewer epochs or more rows")]

    def _chance(self, one: int, other: int) -> float:
        """How far apart two measurements of the same rows may lie by chance; a twentieth where rows are not known."""
        rows, others = self._rows.get(one, {}), self._rows.get(other, {})
        both = rows.keys() & others.keys()
        if len(both) < 2:
            return 0.05 * next(nll for step, nll in self._seen if step == one)
        return paired_noise([rows[row] for row in both], [others[row] for row in both])

    def _course(self) -> list[Alert]:
        lowest_step, lowest = min(self._seen[:-FEW_EVALS], key=lambda seen: seen[1])
        recent = [value for _, value in self._seen[-FEW_EVALS:]]
        if all(value > 1.01 * lowest for value in recent):
            words = f"the held-out loss is more than 1 % above its lowest for {FEW_EVALS} measurements"
            return [Alert("eval_rising", f"{words}: best was step {lowest_step} ({lowest:.4g})")]
        if min(recent) > 0.995 * lowest:
            words = f"less than 0.5 % gained over {FEW_EVALS} measurements"
            return [Alert("plateau", f"{words}: more rows would help more than more steps")]
        return []


def paired_noise(before: Sequence[tuple[float, int]], after: Sequence[tuple[float, int]]) -> float:
    """Half the width of the 95 % interval of a difference of two losses a token, measured on the same rows.

    The ratio estimator's error, rows as units: tokens of a row are not independent.
    """
    tokens = sum(count for _, count in after)
    gained = [new - old for (new, _), (old, _) in zip(after, before, strict=True)]
    mean, free = sum(gained) / max(1, tokens), len(gained) - 1
    squares = sum((gain - mean * count) ** 2 for gain, (_, count) in zip(gained, after, strict=True))
    return students_t(free) * math.sqrt(squares * (free + 1) / free) / max(1, tokens)


def students_t(free: int) -> float:
    """The two-sided 95 % quantile of Student's t by its expansion in 1/free, somewhat above below three."""
    return 1.96 + 2.4 / free + 5 / free**2


FATAL = ("diverging", "zero_gradient", "at_chance", "above_base", "learnt_nothing")
"""What takes the worth from a run that has ended otherwise well, the gravest first."""


def stalled(since_step: float, step_seconds: list[float]) -> bool:
    """Whether the time since the last step is out of all proportion to what steps took."""
    usual = statistics.median(step_seconds) if step_seconds else 0.0
    return since_step > max(STALL_SECONDS, 10 * usual)
