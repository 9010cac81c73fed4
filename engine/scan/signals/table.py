"""The one ordered table of all signals.

Apart from the package, whose parts others use (what a refusal looks like) without importing every signal.
"""

from __future__ import annotations

from engine.scan.signals.arithmetic import ARITHMETIC
from engine.scan.signals.attachment import ATTACHMENT
from engine.scan.signals.conversation import (
    EMPTY_TURN,
    ENDS_ON_USER,
    NO_SYSTEM,
    ROLE_ORDER,
    TOOL_RESULT,
    UNBALANCED,
    UNKNOWN_ROLE,
)
from engine.scan.signals.copied_prompt import COPIED_PROMPT
from engine.scan.signals.described import DESCRIBED
from engine.scan.signals.empty import EMPTY_OUTPUT, NO_TURNS
from engine.scan.signals.encoding import CONTROL_CHARS, ESCAPES, HTML_ENTITIES, MOJIBAKE
from engine.scan.signals.format_majority import FORMAT_MAJORITY
from engine.scan.signals.language import LANGUAGE
from engine.scan.signals.length_limit import LENGTH_LIMIT
from engine.scan.signals.link import LINK
from engine.scan.signals.list_count import LIST_COUNT
from engine.scan.signals.markers import MERGED_ROWS, TEMPLATE
from engine.scan.signals.missing_input import MISSING_INPUT
from engine.scan.signals.not_text import NOT_TEXT
from engine.scan.signals.off_topic import OFF_TOPIC
from engine.scan.signals.personal import PERSONAL
from engine.scan.signals.placeholder import PLACEHOLDER_INPUT, PLACEHOLDER_OUTPUT
from engine.scan.signals.refusal import REFUSAL
from engine.scan.signals.repetition import REPETITION
from engine.scan.signals.requested_format import REQUESTED_FORMAT
from engine.scan.signals.secrets import SECRETS
from engine.scan.signals.set_level import LENGTH_OUTLIER, REPEATED_OUTPUT
from engine.scan.signals.signal import Signal
from engine.scan.signals.stale import STALE
from engine.scan.signals.truncated import TRUNCATED
from engine.scan.signals.typos import TYPOS
from engine.scan.signals.vague_prompt import VAGUE_PROMPT

SIGNALS: tuple[Signal, ...] = (
    EMPTY_OUTPUT,
    PLACEHOLDER_OUTPUT,
    PLACEHOLDER_INPUT,
    REFUSAL,
    LINK,
    ATTACHMENT,
    TEMPLATE,
    MERGED_ROWS,
    MOJIBAKE,
    HTML_ENTITIES,
    CONTROL_CHARS,
    ESCAPES,
    SECRETS,
    PERSONAL,
    TRUNCATED,
    REPETITION,
    ARITHMETIC,
    LIST_COUNT,
    LENGTH_LIMIT,
    REQUESTED_FORMAT,
    FORMAT_MAJORITY,
    LANGUAGE,
    MISSING_INPUT,
    NOT_TEXT,
    DESCRIBED,
    COPIED_PROMPT,
    VAGUE_PROMPT,
    NO_TURNS,
    UNKNOWN_ROLE,
    ROLE_ORDER,
    TOOL_RESULT,
    UNBALANCED,
    EMPTY_TURN,
    ENDS_ON_USER,
    NO_SYSTEM,
    TYPOS,
    REPEATED_OUTPUT,
    LENGTH_OUTLIER,
    OFF_TOPIC,
    STALE,
)
"""In the order in which they are shown: what is surest first."""
