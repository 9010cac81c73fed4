"""The names of all signals, in the order of the table.

By themselves, because a selector must know them and must not wait for the signals to be imported. A test holds them to
`table.SIGNALS`.
"""

from __future__ import annotations

SIGNAL_NAMES = (
    "empty_output",
    "placeholder_output",
    "placeholder_input",
    "refusal",
    "link",
    "attachment",
    "template",
    "merged_rows",
    "mojibake",
    "html_entities",
    "control_chars",
    "escapes",
    "secrets",
    "personal_data",
    "truncated",
    "repetition",
    "arithmetic",
    "list_count",
    "length_limit",
    "requested_format",
    "format_majority",
    "language_mismatch",
    "missing_input",
    "not_text_task",
    "described_only",
    "copied_prompt",
    "vague_prompt",
    "no_turns",
    "unknown_role",
    "role_order",
    "tool_result",
    "unbalanced",
    "empty_turn",
    "ends_on_user",
    "no_system_prompt",
    "typos",
    "repeated_output",
    "length_outlier",
    "off_topic",
    "stale",
)
