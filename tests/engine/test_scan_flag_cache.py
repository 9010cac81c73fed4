"""Signals that were asked about a row are not asked again; what is found is what a scan from nothing finds."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

import pytest
from scan_rows import row

from engine.model import Conversation, Example, Flag
from engine.scan.cache import load_cache, save_cache
from engine.scan.flag_cache import FlagCache, from_json, row_keys, to_json
from engine.scan.flagging import find_flags
from engine.scan.signals.reading import Reading
from engine.scan.signals.settings import configured
from engine.scan.signals.signal import Found, Signal, sees_rows_alone
from engine.scan.signals.table import SIGNALS

ANSWERS = (
    "",
    "I'm sorry, but I can't help with that.",
    "Salt &amp; pepper are on the table, and the bread is in the oven.",
    "The bridge was built in 1920. It spans the river and carries two lanes of traffic into the",
    "2 + 2 = 5",
    "Call me at 555-123-4567, or write to ann.lee@mail.org.",
    "A plain answer that is as it should be.",
)
ALONE = [signal for signal in SIGNALS if sees_rows_alone(signal)]


def made(seed: int, count: int = 60) -> list[Example]:
    draw = random.Random(seed)
    return [
        row(number, f"Tell me about bridge {draw.randrange(40)} of the old town", draw.choice(ANSWERS), year=2020)
        for number in range(count)
    ]


def flags(
    examples: list[Example], kept: FlagCache | None = None, signals: tuple[Signal, ...] = SIGNALS
) -> tuple[Flag, ...]:
    return find_flags(examples, lambda done, of: None, signals, kept=kept)


def test_a_second_scan_of_the_same_rows_asks_no_signal() -> None:
    now, kept = made(1), FlagCache()
    first = flags(now, kept)
    assert (kept.looked_up, kept.worked_out) == (0, 60 * len(SIGNALS))
    assert flags(now, kept) == first == flags(now)
    assert (kept.looked_up, kept.worked_out) == (60 * len(SIGNALS), 0)


def test_new_rows_ask_all_signals_and_known_rows_only_those_that_compare_with_the_set() -> None:
    now, kept = made(1), FlagCache()
    flags(now, kept)
    more = [*now, row(60, "Name a tower", "I cannot fulfill this request."), row(61, "Name a gate", "Gate.")]
    assert flags(more, kept) == flags(more)
    assert kept.looked_up == 60 * len(ALONE)
    assert kept.worked_out == 62 * len(SIGNALS) - 60 * len(ALONE)


@pytest.mark.parametrize("seed", range(5))
def test_after_changes_the_same_is_found_as_from_nothing(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    cache = load_cache(tmp_path)
    now = made(seed)
    for step in range(4):
        assert flags(now, cache.flags) == flags(now)
        cache.flags = from_json(to_json(cache.flags))
        left = [one for one in now if draw.random() > 0.2]
        edited = [
            dataclasses.replace(one, conversation=made(step, 1)[0].conversation) if draw.random() < 0.1 else one
            for one in left
        ]
        draw.shuffle(edited)
        now = [dataclasses.replace(one, number=place) for place, one in enumerate([*edited, *made(seed + step + 9, 8)])]


def test_an_edit_under_the_same_id_is_another_row() -> None:
    now = made(2)
    kept = FlagCache()
    flags(now, kept)
    asked, said = now[0].messages
    mended = dataclasses.replace(now[0], conversation=Conversation((asked, dataclasses.replace(said, content="Fine."))))
    assert row_keys([mended]) != row_keys([now[0]])
    assert flags([mended, *now[1:]], kept) == flags([mended, *now[1:]])


def test_settings_change_what_is_told_without_asking_again() -> None:
    now, kept = made(3), FlagCache()
    flags(now, kept)
    other = configured({"refusal": "info", "truncated": "off"})
    assert flags(now, kept, other) == flags(now, None, other)
    assert kept.worked_out == 0
    # `truncated` was not asked this time, so it is asked anew once it is back.
    assert flags(now, kept) == flags(now)
    assert kept.worked_out == 60


def test_answers_of_other_rules_are_dropped() -> None:
    now, kept = made(4), FlagCache()
    flags(now, kept)
    kept.rules = "another version"
    assert flags(now, kept) == flags(now)
    assert kept.looked_up == 0


def test_a_signal_that_is_new_is_asked_about_every_row() -> None:
    def _loud(reading: Reading, survey: None) -> Found | None:
        return Found("it is loud") if reading.answer.isupper() else None

    now, kept = [*made(5), row(60, "Name it", "LOUD")], FlagCache()
    flags(now, kept)
    more = (*SIGNALS, Signal("loud", "info", "loud", _loud))
    assert [flag.row for flag in flags(now, kept, more) if flag.signal == "loud"] == [60]
    assert kept.worked_out == 61


def test_they_lie_in_the_cache_of_the_scan(tmp_path: Path) -> None:
    from engine.scan.cache import ScanCache
    from engine.scan.pipeline import scan

    now, cache = made(6), ScanCache()
    scan(now, cache=cache)
    save_cache(tmp_path, cache)
    again = load_cache(tmp_path)
    assert again.flags.found == cache.flags.found
    findings = scan(now, cache=again)
    assert again.flags.worked_out == 0
    assert findings.flags == scan(now).flags


def test_two_processes_find_what_one_finds() -> None:
    now = made(7, 2400)
    kept = FlagCache()
    both = find_flags(now, lambda done, of: None, both=True, kept=kept)
    assert both == flags(now)
    assert kept.found.keys() <= kept.rows
