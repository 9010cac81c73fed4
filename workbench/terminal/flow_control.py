"""No more frames on their way than the terminal keeps up with: each asks for an answer, a third waits for the first.

Whatever comes in while a frame waits is drawn into it, so a held key ends with the newest state and not with a queue of
old ones. Inside tmux the tmux server answers at once: what the client's screen shows cannot be known.
"""

from __future__ import annotations

import re

# "Device status report": the oldest question terminals answer.
QUESTION = "\x1b[5n"
ANSWER = re.compile(rb"\x1b\[[03]n")
# What the beginning of an answer may look like at the end of a read.
PARTIAL = (b"\x1b[0", b"\x1b[3", b"\x1b[", b"\x1b")
MOST_IN_FLIGHT = 2
# A terminal that left so many questions without an answer is not asked again.
UNANSWERED = 4
# An answer that takes longer than this is not coming: rather a queue than a frozen screen.
PATIENCE_SECONDS = 5.0


class FlowControl:
    """Counts frames on their way. Until the first answer came nothing is held back."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._answers = False
        self._asked = 0
        self._last_sent = 0.0

    def may_send(self, now: float) -> bool:
        """Whether a frame may go out at `now` (seconds of any clock)."""
        if self._in_flight >= MOST_IN_FLIGHT and now - self._last_sent > PATIENCE_SECONDS:
            self._in_flight = 0
        return not self._answers or self._in_flight < MOST_IN_FLIGHT

    def sent(self, now: float) -> str:
        """A frame goes out; what to send behind it."""
        self._last_sent = now
        if not self._answers and self._asked >= UNANSWERED:
            return ""
        self._asked += 1
        self._in_flight += 1
        return QUESTION

    def answered(self) -> None:
        self._answers = True
        self._in_flight = max(0, self._in_flight - 1)

    def forget(self) -> None:
        """Another program had the terminal: what was on its way is gone."""
        self._in_flight = 0

    @property
    def answers(self) -> bool:
        """Whether the terminal is known to answer."""
        return self._answers

    @property
    def waits(self) -> bool:
        """Whether an answer may still come in."""
        return self._in_flight > 0


def without_answers(content: bytes, waits: bool, escape_too: bool = True) -> tuple[bytes, int, bytes]:
    """(the keys in what was read, how many answers were among them, the beginning of an answer to be read on).

    A lone escape is taken for such a beginning only with `escape_too`: it is a key of its own.
    """
    keys, count = ANSWER.subn(b"", content)
    if waits:
        for beginning in PARTIAL if escape_too else PARTIAL[:-1]:
            if keys.endswith(beginning):
                return keys[: -len(beginning)], count, beginning
    return keys, count, b""
