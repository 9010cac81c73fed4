"""What can be wrong with a row, one file a signal, and the one ordered table of them all.

To add one: write a file with a `Signal` (name, severity, what it is about, `find`), and put it into SIGNALS.
"""

from __future__ import annotations

from engine.scan.signals.conversation import EMPTY_TURN, ENDS_ON_USER, ROLE_ORDER
from engine.scan.signals.empty import EMPTY_OUTPUT
from engine.scan.signals.format_majority import FORMAT_MAJORITY
from engine.scan.signals.off_topic import OFF_TOPIC
from engine.scan.signals.placeholder import PLACEHOLDER_INPUT, PLACEHOLDER_OUTPUT
from engine.scan.signals.refusal import REFUSAL
from engine.scan.signals.signal import Found, Signal
from engine.scan.signals.stale import STALE
from engine.scan.signals.truncated import TRUNCATED

SIGNALS: tuple[Signal, ...] = (
    EMPTY_OUTPUT,
    PLACEHOLDER_OUTPUT,
    PLACEHOLDER_INPUT,
    REFUSAL,
    TRUNCATED,
    FORMAT_MAJORITY,
    ROLE_ORDER,
    EMPTY_TURN,
    ENDS_ON_USER,
    OFF_TOPIC,
    STALE,
)
"""In the order in which they are shown: what is surest first."""

__all__ = ["SIGNALS", "Found", "Signal"]
