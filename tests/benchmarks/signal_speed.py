"""How long all signals take, and which of them take the most."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter, process_time
from typing import Any

from engine.model import Conversation, Example, Message
from engine.scan.flagging import find_flags
from engine.scan.signals.table import SIGNALS
from tests.benchmarks.quality_data import read_alpaca


def _conversations(examples: Sequence[Example], count: int, size: int) -> list[Example]:
    """Made of real requests and answers, one after another, until each holds `size` characters."""
    found, at = [], 0
    for number in range(count):
        turns: list[Message] = []
        held = 0
        while held < size:
            one = examples[at % len(examples)]
            at += 1
            turns += one.messages
            held += sum(len(turn.text) for turn in one.messages)
        found.append(Example(f"{number:016x}", number, Conversation(tuple(turns)), "benchmark", number + 1, {}))
    return found


def speed_part() -> dict[str, Any]:
    import resource

    examples = read_alpaca()
    started, worked = perf_counter(), process_time()
    flags = find_flags(examples, lambda done, of: None)
    alone, work = perf_counter() - started, process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slowest = _slowest(examples[:8000])
    chats = _conversations(examples, 12_000, 8_000)
    started, worked = perf_counter(), process_time()
    find_flags(chats, lambda done, of: None)
    chat_work = process_time() - worked
    return {
        "rows": len(examples),
        "seconds": alone,
        "cpu_seconds": work,
        "flags": len(flags),
        "peak_mb": peak,
        "conversations": len(chats),
        "conversation_characters": sum(len(turn.text) for one in chats for turn in one.messages) // len(chats),
        "conversation_seconds": perf_counter() - started,
        "conversation_cpu_seconds": chat_work,
        "slowest_us_per_row": slowest,
        "slowest_us_per_conversation": _slowest(chats[:1000]),
    }


def _slowest(examples: Sequence[Example]) -> dict[str, float]:
    took = {}
    for signal in SIGNALS:
        started = perf_counter()
        find_flags(examples, lambda done, of: None, (signal,))
        took[signal.name] = (perf_counter() - started) * 1e6 / len(examples)
    return dict(sorted(took.items(), key=lambda item: -item[1])[:8])
