"""Durations, shares, counts and sizes have one notation."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.phrases import counted, duration, share, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.0341, "0.034 s"), (1, "1 s"), (1.24, "1.2 s"), (9.94, "9.9 s"), (9.96, "10 s"),
        (119.4, "119 s"), (119.6, "2 min"), (200, "3 min 20 s"), (599.4, "9 min 59 s"), (599.6, "10 min"),
        (2040, "34 min"), (7169, "119 min"), (7200, "2 h"), (7500, "2 h 5 min"), (36_000, "10 h"), (52_000, "14 h"),
        (4_000_000, "1,111 h"),
    ],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_shares() -> None:
    assert [share(0.12), share(1), share(0), share(0.0488, 1), share(None)] == ["12 %", "100 %", "0 %", "4.9 %", "-"]


def test_counts() -> None:
    assert [counted(0, "row"), counted(1, "row"), counted(1904, "held-out row")] == [
        "0 rows",
        "1 row",
        "1,904 held-out rows",
    ]
    assert counted(2, "family of variants", "families of variants") == "2 families of variants"


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1000, "1 kB"), (4_512, "4.51 kB"), (999_600, "1 MB"),
        (600e6, "600 MB"), (1.58e9, "1.58 GB"), (139.8e9, "140 GB"), (2.5e12, "2.5 TB"),
    ],
)  # fmt: skip
def test_sizes(n_bytes: float, text: str) -> None:
    assert size(n_bytes) == text


def test_a_hint_that_begins_with_a_key_a_path_or_a_command_keeps_its_letters() -> None:
    hints = ("e edits it", "a tag is one word", "docs/x.md", "tamis do")
    assert [str(UsageError("no", "", hint)) for hint in hints] == [
        "no. e edits it",
        "no. A tag is one word",
        "no. docs/x.md",
        "no. tamis do",
    ]
