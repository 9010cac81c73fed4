"""How far the work is: accepted rows and tokens against the goal, the pace of this sitting, the time left; how far a
scan is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import compress
from pathlib import PurePath
from time import monotonic

from engine.model import VERDICTS, VerdictName
from engine.phrases import duration, share
from engine.project.project import Project
from engine.project.token_counts import TokenCounts
from engine.scan.columns import marked
from engine.tokens import about_tokens

# A longer pause is a pause, not work.
LONGEST_THOUGHT = 60.0
# Acts on more rows than this are a machine's pace, not a person's.
BY_HAND = 20
FEWEST_ACTS = 5
SAMPLE = 60
# Before this a guess at the time a scan still takes is worth nothing.
FEWEST_SECONDS = 1.0


class Pace:
    """Rows decided by hand in a minute of work; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._worked = 0.0
        self._rows = 0
        self._acts = 0

    def note(self, rows: int) -> None:
        """An act on so many rows was done now."""
        now = self._clock()
        self._worked += min(now - self._last, LONGEST_THOUGHT)
        self._last = now
        if 0 < rows <= BY_HAND:
            self._rows += rows
            self._acts += 1

    @property
    def rows_a_minute(self) -> float | None:
        """None before there is enough to go by."""
        return self._rows / self._worked * 60 if self._acts >= FEWEST_ACTS and self._worked > 0 else None


class TokenCount:
    """How many tokens rows hold: as the chosen model's tokenizer counted them, else about, told from the size of their
    lines: no row is read but a sample of them. `model` is whose tokenizer it was at the last look, "" where none;
    `is_about`: some of the rows at least were not counted."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.model = ""
        self.is_about = True

    @cached_property
    def _a_byte(self) -> float:
        """Tokens in a byte of a line."""
        project = self._project
        rows = range(0, len(project.rows), max(1, len(project.rows) // SAMPLE))
        tokens = sum(about_tokens(project.example(row).conversation.content_texts) for row in rows)
        size = sum(map(project.rows.size, rows))
        return tokens / size if size else 0.0

    def accepted(self) -> int:
        """The tokens of all accepted rows that are not held out."""
        project, heldout = self._project, self._project.heldout
        codes = project.verdict_codes
        accepted = list(compress(range(len(codes)), marked(codes, (VERDICTS.index("accepted"),))))
        if heldout:
            accepted = [row for row in accepted if row not in heldout]
        tokens, missing = self._counts.total(accepted)
        self.model = self._counts.model if missing < len(accepted) / 2 else ""
        if self.model:
            self.is_about = missing > 0
            return tokens
        self.is_about = True
        return round(project.rows.size_of(accepted) * self._a_byte) if accepted else 0

    def reload(self) -> None:
        """Take in what was counted since."""
        self.__dict__.pop("_counts", None)

    @cached_property
    def _counts(self) -> TokenCounts:
        return TokenCounts(self._project)


@dataclass(frozen=True, slots=True)
class ScanProgress:
    """`done` of `of` rows in `phase`, which began at `since` (seconds of a monotonic clock), looked at `now`."""

    phase: str = "reading"
    done: int = 0
    of: int = 0
    since: float = 0.0
    now: float = 0.0

    def moved(self, phase: str, done: int, of: int) -> ScanProgress:
        """The same, a moment later."""
        now = monotonic()
        if phase != self.phase or not self.since:
            return ScanProgress(phase, done, of, now, now)
        return replace(self, done=done, of=of, now=now)

    @property
    def seconds_left(self) -> float | None:
        """Of this step, at its pace so far; None before there is enough to go by."""
        worked = self.now - self.since
        if worked < FEWEST_SECONDS or not 0 < self.done < self.of:
            return None
        return worked * (self.of - self.done) / self.done


class Progress:
    """Of a project. `tally` are rows by verdict, without the held-out set, which is judged in a sitting of its own and
    is no part of what is left. `goal` are the accepted rows and tokens one is after; `accepted_tokens` is None until
    they are counted; `tokens_of` is the model whose tokenizer counted them, "" where none did, and `tokens_about`
    whether they are only about so many. `job` says in words what runs beside the keys, `scanning` how far a scan is.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._tokens = TokenCount(project)
        self.tally: Counter[VerdictName] = Counter()
        self.pace = Pace()
        self.goal: tuple[int | None, int | None] = (None, None)
        self.accepted_tokens: int | None = None
        self.tokens_of, self.tokens_about = "", True
        self.job = ""
        self.scanning: ScanProgress | None = None
        self.count_verdicts()

    def count_verdicts(self) -> None:
        """Count all rows afresh."""
        project = self._project
        self.tally = Counter(project.tally())
        self.tally.subtract(project.verdict(row) for row in project.heldout)

    def verdicts_of(self, rows: Iterable[int]) -> Counter[VerdictName]:
        """These rows by verdict, without those held out."""
        return Counter(self._project.verdict(row) for row in rows if not self._project.is_heldout(row))

    def note_act(self, rows: Sequence[int], before: Counter[VerdictName]) -> None:
        """An act on these rows was done now, which had the verdicts `before`: a pass over all rows is not paid for with
        every key."""
        self.tally.subtract(before)
        self.tally.update(self.verdicts_of(rows))
        self.pace.note(len(rows))

    def count_tokens(self) -> None:
        """Tell the accepted tokens from now on. Rows are read for it, so the first paint does not wait for them."""
        self.accepted_tokens = self._tokens.accepted()
        self.tokens_of, self.tokens_about = self._tokens.model, self._tokens.is_about

    def take_token_counts(self) -> None:
        """Take in what a job has counted with the chosen model's tokenizer."""
        self._tokens.reload()
        self.count_tokens()

    def recount_tokens(self) -> None:
        """Count again, where they were counted before."""
        if self.accepted_tokens is not None:
            self.count_tokens()


def progress_words(
    accepted: int,
    tokens: int | None,
    goal: int | None,
    goal_tokens: int | None,
    pace: float | None,
    left: int,
    tokens_of: str = "",
    *,
    about: bool = True,
) -> str:
    """`accepted 24 of 300 (8 %) · ~2,100 tokens · 12 rows a minute by hand: about 35 min for the 411 left`;
    tokens are None while they are not counted; `tokens_of` is the model whose tokenizer counted them, `about`
    whether some are not counted."""
    of_rows = f" of {goal:,} ({share(accepted / goal)})" if goal else ""
    of_tokens = f" of {goal_tokens:,} ({share((tokens or 0) / goal_tokens)})" if goal_tokens else ""
    words = [f"accepted {accepted:,}{of_rows}" if accepted or goal else "no goal set: goal = 300 in config.toml"]
    if tokens is not None and (tokens or goal_tokens):
        of_model = f" of {PurePath(tokens_of).name}" if tokens_of else ""
        words.append(f"{'~' if about else ''}{tokens:,}{of_tokens} tokens{of_model}")
    if pace is not None and left:
        words.append(f"{pace:.0f} rows a minute by hand: about {duration(60 * left / pace)} for the {left:,} left")
    return " \u00b7 ".join(words)
