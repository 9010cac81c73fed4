"""The names a selector is made of, and what is said of one that is none of them: the nearest that is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from engine.errors import UsageError

STATES = (
    *("undecided", "accepted", "edited", "rejected", "skipped", "disputed", "heldout", "seen"),
    *("leak", "open", "changed", "recheck", "suspect", "proposed"),
)
KEYS = (
    *("row", "cluster", "kind", "bucket", "flag", "is", "by", "tag", "shard", "role", "why", "batch", "source"),
    "proposed",
)
"""Written with a colon behind them."""
COMPARED = ("turns", "tokens", "chars", "date")
"""Compared with a number or a date."""
OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
SLIPS_OF_OPERATORS = {"=>": ">=", "=<": "<=", "==": "=", "<>": "!=", "~": "=", "~=": "=", "=~": "="}
FIELD = "field."
# What people write whose word is not among ours, and no spelling of it.
_WRITTEN = {
    "chars": "len length size characters",
    "tokens": "words tok",
    "turns": "messages",
    "date": "year created created_at timestamp time",
    "is": "state status verdict",
    "flag": "signal issue",
    "kind": "type",
    "cluster": "group duplicates",
    "row": "number line",
    "by": "reviewer who",
    "tag": "label",
    "source": "file origin",
    "why": "reason",
    "proposed": "proposal suggestion suggested",
}
OTHER_NAMES = {other: name for name, others in _WRITTEN.items() for other in others.split()}
# Of a text that is wrong, so much is repeated in what is said of it.
MOST_REPEATED = 60
MOST_NAMED = 15
# Among more names than these the nearest is not looked for: nobody waits for it while typing.
MOST_COMPARED = 5_000


def wrong(what: str, hint: str = "") -> UsageError:
    """The error that says so of a selector."""
    return UsageError(f"selector: {what}", "", hint)


def shown(text: str) -> str:
    """A text as it is repeated to the person: in quotation marks, every control escaped, cut where it is long."""
    return repr(text if len(text) <= MOST_REPEATED else f"{text[: MOST_REPEATED - 1]}\u2026")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that this one is most likely meant for."""
    names = list(known)
    lowered = {other.lower(): other for other in reversed(names)}
    if name.lower() in lowered:
        return lowered[name.lower()]
    if len(names) > MOST_COMPARED or len(name) > MOST_REPEATED:
        return None
    near = get_close_matches(name.lower(), lowered, n=1)
    return lowered[near[0]] if near else None


def unknown(key: str, value: str, known: Iterable[str], otherwise: str = "") -> UsageError:
    """`kind:neer`: a value that its key does not know. `otherwise` is the hint where none is near."""
    names = list(known)
    near = nearest(value, names)
    known_names = ", ".join(map(cut, names[:MOST_NAMED]))
    hint = f"did you mean {key}{cut(near)}?" if near else otherwise or f"known: {known_names}"
    return wrong(f"{key}{shown(value)} is unknown", hint)


def unknown_name(token: str, name: str, operator: str, value: str) -> UsageError:
    """`token>50`, `output=x`, `http://x`: a name that no selector has, in front of one of `:` `<` `>` `=` `~`."""
    meant = OTHER_NAMES.get(name.lower()) or nearest(name, (*KEYS, *COMPARED, "field")) if name else None
    hints = [f"did you mean {_as_written(meant, operator, value)}?"] if meant else []
    if name and operator != ":":
        hints.append(f"A field of the rows is written {_as_written(f'{FIELD}{cut(name)}', operator, value)}.")
    quoted = token.replace('"', "")
    hints.append(f'In quotation marks, "{cut(quoted)}", the words are searched for')
    return wrong(f"{shown(token)}: there is no selector {shown(name)}", " ".join(hints))


def wrong_operator(name: str, operator: str, value: str) -> UsageError:
    """`tokens=>5`, `bucket=drop`, `turns:4`: a name of ours, written in a way that it is not."""
    written = _as_written(name, operator, value)
    if written == f"{name}{operator}{cut(value)}":
        return wrong(f"{shown(name + operator + value)} makes no sense", f"known: {' '.join(OPERATORS)}")
    return wrong(f"{shown(name + operator + value)} is not how {cut(name)} is written", f"write {written}")


def _as_written(name: str, operator: str, value: str) -> str:
    if name in KEYS:
        return f"{name}:{cut(value)}"
    operator = "=" if operator == ":" else SLIPS_OF_OPERATORS.get(operator, operator)
    return f"{f'{FIELD}NAME' if name == 'field' else name}{operator}{cut(value)}"


def cut(text: str) -> str:
    """The same without the quotation marks."""
    return shown(text)[1:-1]
