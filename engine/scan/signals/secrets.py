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
    if not kinds:
        return None
    for number, turn in enumerate(row.messages):
        found = secrets_in(turn.text, kinds)
        if found:
            kind, start, end = found[0]
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            return Found(
                f'a {kind.replace("-", " ")}: "{turn.text[start : start + 4]}…"{more}', Span(number, start, end)
            )
    return None


SECRETS = Signal("secrets", "check", "a key, token or password", _secrets, repair=mask_secrets)
