"""No more frames on their way than the terminal keeps up with: each asks for an answer, a third waits for the first.

Whatever comes in while a frame waits is drawn into it, so a held key ends with the newest state and not with a queue of
old ones. Inside tmux the tmux server answers at once: what the client's screen shows cannot be known.
"""

from __future__ import annotations

from collections import deque

# "Device status report": the oldest question terminals answer.
QUESTION = "\x1b[5n"
MOST_IN_FLIGHT = 2
# A terminal that left so many questions without an answer is not asked again.
UNANSWERED = 4
# An answer that takes longer than this is not coming: rather a queue than a frozen screen.
PATIENCE_SECONDS = 5.0
# Of so many round trips the longest counts.
ROUND_TRIPS = 8
# How long an escape waits for the rest of a sequence over a network, and where no round trip is known yet.
SHORTEST_OVER_SSH, LONGEST_ESCAPE, UNMEASURED_ESCAPE = 0.1, 0.5, 0.3


def escape_seconds(shortest: float, over_ssh: bool, round_trip: float | None) -> float:
    """How long an escape waits for the rest of a sequence before it is a key: two round trips, 0.1 to 0.5 seconds over
    SSH, not less than `shortest` elsewhere. The two parts of a key that was cut in two are a retransmission apart."""
    if over_ssh:
        shortest = max(shortest, SHORTEST_OVER_SSH)
    if round_trip is None:
        return max(shortest, UNMEASURED_ESCAPE) if over_ssh else shortest
    return max(shortest, min(2 * round_trip, LONGEST_ESCAPE))


class FlowControl:
    """Counts frames on their way. Until the first answer came nothing is held back."""

    def __init__(self) -> None:
        self._in_flight = 0
        self._answers = False
        self._asked = 0
        self._last_sent = 0.0
        self._asked_at: deque[float] = deque(maxlen=UNANSWERED)
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)

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
        self._asked_at.append(now)
        return QUESTION

    def answered(self, now: float) -> None:
        """An answer was read at `now`."""
        self._answers = True
        if self._asked_at:
            self._round_trips.append(now - self._asked_at.popleft())
        self._in_flight = max(0, self._in_flight - 1)

    def forget(self) -> None:
        """Another program had the terminal: what was on its way is gone."""
        self._in_flight = 0
        self._asked_at.clear()

    @property
    def round_trip(self) -> float | None:
        """How long a question and its answer took lately, in seconds; None before the first answer."""
        return max(self._round_trips, default=None)
