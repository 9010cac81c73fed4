"""Which of two runs answers better, by a person who does not know which is which.

Pairs are the rows both runs hold out, in an order and with sides drawn by a seed that follows from the two runs, so
that a judging taken up again goes on where it was left. Answers that are the same to the letter are ties without being
shown. One line a judgement is appended and synced before it counts; undo is a line of its own.

    runs/judgements/<run a>~<run b>.jsonl       {"v":1,"n","t","by","row","left":run id,"choice"} or {…,"undo":n}
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from engine.errors import ProjectError, TrainingError
from engine.files import append_durable, make_private_folder, open_private
from engine.json_form import is_count, is_text, object_with
from engine.training.eval.heldout_outputs import HeldoutRow, heldout_rows, recorded_answers
from engine.training.runs.data_files import lines_of

Choice = Literal["left", "right", "tie", "skip"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "skip")
VERSION = 1
FOLDER = "judgements"
_is_judgement = object_with({"n": is_count, "row": is_text, "left": is_text, "choice": is_text}, {"by": is_text})
_is_undo = object_with({"n": is_count, "undo": is_count}, {"by": is_text})
Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Pair:
    """One row with both answers, as they are shown: `left_run` is the id of the run whose answer stands left."""

    row: HeldoutRow
    left: str
    right: str
    left_run: str


class Judging:
    """The pairs of two runs and what was said of them so far. `a` and `b` are run ids, `a` the first named."""

    def __init__(
        self,
        run_a: Path,
        run_b: Path,
        *,
        by: str = "",
        answers: tuple[Mapping[str, str], Mapping[str, str]] | None = None,
    ) -> None:
        """`answers`: row id -> answer of run a and of run b; None: those the runs wrote down. Raises TrainingError."""
        self.a, self.b, self.by = run_a.name, run_b.name, by
        if self.a == self.b:
            raise TrainingError("a run is not judged against itself", "", "name two runs")
        said_a, said_b = answers or (recorded_answers(run_a), recorded_answers(run_b))
        rows = {row.id: row for row in heldout_rows(run_a)}
        others = {row.id: row for row in heldout_rows(run_b)}
        both = [i for i, row in rows.items() if i in others and row == others[i] and i in said_a and i in said_b]
        if not both:
            raise TrainingError(
                f"{self.a} and {self.b} have no held-out row in common that both answered",
                f"{len(rows)} and {len(others)} held-out rows, {len(said_a)} and {len(said_b)} answers",
                "judge two runs of one project and one held-out set",
            )
        self.held_out = len(rows.keys() & others.keys())
        self.identical = tuple(identifier for identifier in both if said_a[identifier] == said_b[identifier])
        self.pairs = shown_pairs([rows[i] for i in both if said_a[i] != said_b[i]], self.a, self.b, said_a, said_b)
        # The same place whichever run is named first, should they lie in two folders.
        self.path = (
            min(run_a, run_b, key=lambda run: run.name).parent / FOLDER / f"{'~'.join(sorted((self.a, self.b)))}.jsonl"
        )
        self._lines = read_judgements(self.path)

    @property
    def judged(self) -> dict[str, dict[str, Any]]:
        """Row id -> the standing judgement."""
        return standing(self._lines)

    def next_pair(self) -> Pair | None:
        """The next pair nobody has judged; None where all are."""
        done = self.judged
        return next((pair for pair in self.pairs if pair.row.id not in done), None)

    def judge(self, pair: Pair, choice: Choice) -> None:
        """Keep a judgement. Raises ProjectError where it cannot be written; nothing is then counted."""
        self._append({"row": pair.row.id, "left": pair.left_run, "choice": choice})

    def undo(self) -> str | None:
        """Take the last standing judgement of this person back: the id of its row, or None."""
        mine = [line for line in standing(self._lines).values() if line.get("by", "") == self.by]
        if not mine:
            return None
        last = max(mine, key=lambda line: int(line["n"]))
        self._append({"undo": last["n"]})
        return str(last["row"])

    def summary(self) -> dict[str, Any]:
        """See `summary_of`."""
        return summary_of(self.a, self.b, self.judged, len(self.identical), len(self.pairs))

    def _append(self, values: Mapping[str, Any]) -> None:
        number = max((int(line["n"]) for line in self._lines), default=0) + 1
        line = {"v": VERSION, "n": number, "t": round(time.time(), 3), "by": self.by, **values}
        content = json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        try:
            make_private_folder(self.path.parent, exist_ok=True)
            descriptor = open_private(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW)
            try:
                size = os.fstat(descriptor).st_size
                torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
                append_durable(descriptor, b"\n" * torn + content)
            finally:
                os.close(descriptor)
        except OSError as fault:
            raise ProjectError(f"cannot write {self.path}", fault.strerror or str(fault), "free some space") from fault
        self._lines.append(line)


def shown_pairs(
    rows: Sequence[HeldoutRow], a: str, b: str, said_a: Mapping[str, str], said_b: Mapping[str, str]
) -> tuple[Pair, ...]:
    """The pairs in the order shown, sides drawn by chance; both follow from the names of the runs alone."""
    names = "~".join(sorted((a, b)))
    chance = random.Random(int.from_bytes(blake2b(os.fsencode(names), digest_size=8).digest(), "big"))
    ordered = sorted(rows, key=lambda row: row.id)
    chance.shuffle(ordered)
    pairs = []
    for row in ordered:
        first = min(a, b) if chance.random() < 0.5 else max(a, b)
        left, right = (said_a, said_b) if first == a else (said_b, said_a)
        pairs.append(Pair(row, left[row.id], right[row.id], first))
    return tuple(pairs)


def read_judgements(path: Path) -> list[dict[str, Any]]:
    """The lines of a judgement file; a line torn by a crash was never acknowledged and is passed over, as is one that
    is no judgement. Raises OSError."""
    try:
        return list(lines_of(path, lambda line: _is_judgement(line) or _is_undo(line)))
    except FileNotFoundError:
        return []


def standing(lines: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Row id -> its judgement after all undos; of several persons on one row the last counts."""
    undone = {(line.get("by", ""), line["undo"]) for line in lines if "undo" in line}
    kept = (dict(line) for line in lines if "row" in line and (line.get("by", ""), line["n"]) not in undone)
    return {str(line["row"]): line for line in kept if line.get("choice") in CHOICES}


def summary_of(
    a: str, b: str, judged: Mapping[str, Mapping[str, Any]], identical: int = 0, pairs: int | None = None
) -> dict[str, Any]:
    """What the judgements say, as plain JSON.

    `wins`, `ties`, `losses` are those of `a` over `b`; identical answers are counted beside the ties, skipped pairs not
    at all. `share` is wins among the decided (wins and losses) with its 95 % Wilson interval (Wilson 1927); `p` is the
    exact two-sided sign test. `pairs` is how many there are to judge, None where that is not known.
    """
    counts = {"wins": 0, "ties": 0, "losses": 0, "skipped": 0}
    for line in judged.values():
        counts[_counted_as(a, b, line)] += 1
    decided = counts["wins"] + counts["losses"]
    low, high = wilson(counts["wins"], decided)
    result: dict[str, Any] = {"a": a, "b": b, **counts, "identical": identical, "pairs": pairs}
    result["left"] = None if pairs is None else pairs - sum(counts.values())
    result["share"] = counts["wins"] / decided if decided else None
    result["interval"] = [low, high] if decided else None
    result["p"] = sign_test(counts["wins"], counts["losses"]) if decided else None
    result["method"] = "95 % Wilson interval of wins among decided pairs; exact two-sided sign test"
    result["by"] = sorted({str(line.get("by", "")) for line in judged.values()})
    result["verdict"], result["reason"] = _verdict(result)
    return result


def _counted_as(a: str, b: str, line: Mapping[str, Any]) -> str:
    if line["choice"] in ("tie", "skip"):
        return "ties" if line["choice"] == "tie" else "skipped"
    right = b if line["left"] == a else a
    return "wins" if (line["left"] if line["choice"] == "left" else right) == a else "losses"


def _verdict(result: Mapping[str, Any]) -> tuple[str, str]:
    if result["interval"] is None:
        return "no difference shown", "no pair was decided yet"
    low, high = result["interval"]
    words = "better" if low > 0.5 else "worse" if high < 0.5 else "no difference shown"
    decided = result["wins"] + result["losses"]
    figures = (
        f"{result['wins']} of {decided} decided pairs, 95 % interval {low:.0%} to {high:.0%}, p = {result['p']:.3g}"
    )
    return words, f"{result['a']} won {figures}"


def wilson(wins: int, decided: int) -> tuple[float, float]:
    """The 95 % score interval of a share (E. B. Wilson 1927); (0, 1) where nothing was decided."""
    if not decided:
        return 0.0, 1.0
    share, square = wins / decided, Z95 * Z95
    middle = (share + square / (2 * decided)) / (1 + square / decided)
    half = Z95 / (1 + square / decided) * math.sqrt(share * (1 - share) / decided + square / (4 * decided**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def sign_test(wins: int, losses: int) -> float:
    """The chance of a split at least as uneven were both sides equally good: exact, two-sided."""
    decided = wins + losses
    tail = sum(math.comb(decided, count) for count in range(min(wins, losses) + 1))
    return float(min(1.0, 2 * tail / 2**decided))


def judged_pairs(runs_dir: Path) -> list[dict[str, Any]]:
    """The summary of every two runs of a folder that were judged against each other: a table for the compare page.

    `pairs`, `left` and `identical` are None or 0: the answers are not read.
    """
    summaries = []
    for path in sorted((runs_dir / FOLDER).glob("*~*.jsonl")):
        a, _, b = path.stem.partition("~")
        judged = standing(read_judgements(path))
        if judged:
            summaries.append(summary_of(a, b, judged))
    return summaries
