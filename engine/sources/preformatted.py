"""placeholder"""

from __future__ import annotations

import re

from engine.model import Message

_T = re.compile(r"\s*<(think|thinking)>(.*?)</\1>\s*(.*)", re.S)


def reasoning_in(text: str) -> tuple[str, str]:
    found = _T.fullmatch(text)
    return (found[2].strip(), found[3]) if found and found[2].strip() else ("", text)


def messages_of_text(text: str) -> tuple[Message, ...] | None:
    return None
