"""Keys, tokens and passwords that ended up in the text (`engine/secret_patterns.py` knows what they look like)."""

from __future__ import annotations

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.secret_patterns import PATTERNS, mask_secrets, secrets_in

_LONG = 16
_NAMED = ("password", "private-key")


def _possible(row: Reading) -> list[str]:
    """The kinds whose literals stand in the row. A token is a long run without a blank; what may hold blanks, or be
    short, stands behind its name."""
    text, long = row.text, " ".join([word for word in row.words if len(word) >= _LONG])
    return [
        kind
        for kind, literals, _ in PATTERNS
        if any(map((text if kind in _NAMED else long).__contains__, literals))
        if kind != "url-password" or "@" in long
    ]


def _secrets(row: Reading, survey: None) -> Found | None:
    kinds = _possible(row)
    for number, turn in enumerate(row.messages) if kinds else ():
        found = secrets_in(turn.text, kinds)
        if found:
            return Found(_told(turn.text, found, ""), Span(number, *found[0][1:]))
    # What stands beside the turns leaves with the row as well.
    beside = "\n".join(row.example.beside_turns)
    found = secrets_in(beside) if beside else []
    return Found(_told(beside, found, " beside the text of the turns")) if found else None


def _told(text: str, found: list[tuple[str, int, int]], where: str) -> str:
    kind, start, _ = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f'a {kind.replace("-", " ")}{where}: "{text[start : start + 4]}…"{more}'


SECRETS = Signal("secrets", "check", "a key, token or password", _secrets, repair=mask_secrets)
