"""Two answers to one request, side by side, and which of them won."""

from __future__ import annotations

from typing import Literal

from engine.model import Row
from engine.sources.mapping import parse_path, value_at
from engine.sources.names import SIGNED_WINNERS, plain_name

Verdict = Literal["first", "second", "tie", "neither"]
_NEITHER = frozenset({"neither", "none", "bothbad", "tie(bothbad)"})
_PLACES: tuple[tuple[Verdict, tuple[str, ...]], ...] = (
    ("first", ("a", "first", "left")),
    ("second", ("b", "second", "right", "2")),
)
_HOLDERS = ("", "model", "response", "answer", "assistant", "output", "conversation", "completion")


def is_winner(row: Row, field: str, rivals: tuple[str, str]) -> bool:
    """Whether a field can say which of two rivals won: a score only where there is one of each."""
    return "score" not in plain_name(field) or _twin(row, field, rivals) is not None


def verdict(row: Row, field: str, rivals: tuple[str, str]) -> Verdict:
    """Which of the answers at the two paths won, by what the row says in `field`. What says it in words that nobody
    knows is no verdict: both stand."""
    value = value_at(row, parse_path(field))
    ends = (rivals[0][-1:].lower(), rivals[1][-1:].lower())
    twin = _twin(row, field, rivals)
    if twin is not None:
        return _by_number(value - twin)
    if isinstance(value, int | float) and plain_name(field) in SIGNED_WINNERS:
        return _by_number(-value)
    if isinstance(value, int | float):
        # `1` is the name of one of two numbered answers; of two with letters it says "yes" or "no" of the first.
        number = str(int(value)) if value in (0, 1, 2) else ""
        if not ends[0].isdigit() and number != "2":
            return {"1": "first", "0": "second"}.get(number, "tie")  # type: ignore[return-value]
        return "first" if number == ends[0] else "second" if number in (ends[1], "2") else "tie"
    return _by_word(row, value, rivals, ends) if isinstance(value, str) else "tie"


def _by_number(ahead: float) -> Verdict:
    return "first" if ahead > 0 else "second" if ahead < 0 else "tie"


def _by_word(row: Row, value: str, rivals: tuple[str, str], ends: tuple[str, str]) -> Verdict:
    word = plain_name(value.strip())
    if word in _NEITHER:
        return "neither"
    for place, (found, known) in enumerate(_PLACES):
        names = {f"{holder}{end}" for holder in _HOLDERS for end in (ends[place], *known)}
        # The winner may be told by the name of its model.
        model = next((held for name, held in row.items() if plain_name(name) == f"model{ends[place]}"), None)
        if word in names or word == plain_name(rivals[place]) or (value == model and value.strip()):
            return found
    return "tie"


def _twin(row: Row, field: str, rivals: tuple[str, str]) -> float | None:
    """What the same field says of the second answer, where there is one of each: `score_a` and `score_b`."""
    if field[-1:].lower() != rivals[0][-1:].lower() or not isinstance(row.get(field), int | float):
        return None
    value = row.get(field[:-1] + rivals[1][-1:], row.get(field[:-1] + rivals[1][-1:].swapcase()))
    return value if isinstance(value, int | float) else None
