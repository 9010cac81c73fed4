"""Several answers to one request, side by side: which of two won, and what each says behind the request they share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from engine.model import Message, Row
from engine.sources.mapping import parse_path, value_at
from engine.sources.shapes.names import SIGNED_WINNERS, by_plain_name, plain_name

Branch = tuple[Message, ...]
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
        if not number and ends == ("1", "2") and 1 < value < 2:
            # Some judges say how sure they are: 1.02 is all but 1, and 1.5 knows nothing.
            return _by_number(1.5 - value)
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


_ANSWER_KEYS = ("answer", "response", "completion", "generation", "output", "text", "body", "content")
_LOWER_IS_BETTER = ("rank",)
_HIGHER_IS_BETTER = (
    "isaccepted",
    "accepted",
    "isbest",
    "overallscore",
    "score",
    "pmscore",
    "rating",
    "reward",
    "votes",
)


def ranked_answers(value: Any) -> list[tuple[int, str]]:
    """Several answers in objects of their own, as `(place, key of its text)`, the best one first by rank, score or
    verdict; [] where a value is not that."""
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        return []
    by_name = list(map(by_plain_name, value))
    keys = [next((held[key] for key in _ANSWER_KEYS if key in held), "") for held in by_name]
    speaks = any(held.keys() & {"role", "from", "speaker", "type"} for held in by_name)
    if speaks or not all(
        isinstance(one.get(key), str) and one[key].strip() for one, key in zip(value, keys, strict=True)
    ):
        return []
    told = [name for name in (*_LOWER_IS_BETTER, *_HIGHER_IS_BETTER) if all(name in held for held in by_name)]
    order = list(range(len(value)))
    for name in told[:1]:
        marks = [one[held[name]] for one, held in zip(value, by_name, strict=True)]
        if all(isinstance(mark, int | float) for mark in marks):
            order.sort(key=lambda place: marks[place] if name in _LOWER_IS_BETTER else -marks[place])
    return [(place, keys[place]) for place in order]


def asked_and_said(asked: Branch, wanted: Branch, unwanted: Sequence[Branch]) -> tuple[Branch, Branch]:
    """Request and answer, where the answer may repeat the request or hold it all."""
    if not any(message.role == "user" for message in wanted[:-1]):
        return asked, wanted
    shared = 0
    others = [one for one in unwanted if one] or [wanted]
    while shared < len(wanted) - 1 and all(shared < len(one) - 1 and one[shared] == wanted[shared] for one in others):
        shared += 1
    whole = wanted[:shared]
    # The request beside the answers is told twice, or comes before them.
    told = {message.text.strip() for message in whole}
    before = tuple(message for message in asked if message.text.strip() not in told)
    return (*before, *whole), wanted[shared:]


def behind(messages: Branch, answer: Branch) -> Branch:
    """A further answer that is written with the conversation before it, without that."""
    if not any(message.role == "user" for message in answer):
        return answer
    if messages[:1] and messages[0].role == "system" and answer[0].role != "system":
        # The system prompt stands in a field of its own, and is told once.
        messages = messages[1:]
    shared = 0
    while shared < min(len(messages), len(answer) - 1) and messages[shared].text == answer[shared].text:
        shared += 1
    return answer[shared:]


def tail_of(answer: Branch, asked: Branch) -> Branch:
    """An answer without the request that stands at its head."""
    head = next((size for size in range(len(asked), 0, -1) if answer[:size] == asked[-size:]), 0)
    return answer[head:] or answer[-1:]
