"""Faults that are put into real answers, and how many of them the signals see."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from engine.model import Example
from tests.benchmarks.quality_data import flags_by_row, plain, read_alpaca, read_gsm8k

Fault = Callable[[Example, random.Random], str | None]
"""An example to its answer with the fault in it, or None where it cannot have this one."""


def _cut_word(example: Example, draw: random.Random) -> str | None:
    words = example.answer.split(" ")
    return " ".join(words[: draw.randrange(15, len(words))]) if len(words) >= 30 else None


def _cut_char(example: Example, draw: random.Random) -> str | None:
    text = example.answer.rstrip()
    return text[: draw.randrange(len(text) // 2, len(text) - 1)] if len(text.split()) >= 30 else None


def _sentence_again(example: Example, draw: random.Random) -> str | None:
    sentences = re.findall(r"[^.!?\n]+[.!?]", example.answer)
    return (
        example.answer.rstrip() + 2 * (" " + sentences[-1].strip())
        if sentences and len(sentences[-1].split()) > 2
        else None
    )


def _loop(example: Example, draw: random.Random) -> str | None:
    words = example.answer.split()
    return example.answer + (" " + " ".join(words[-draw.randrange(3, 9) :])) * 6 if len(words) >= 12 else None


def _mojibake(example: Example, draw: random.Random) -> str | None:
    if example.answer.isascii():
        return None
    content = example.answer.encode("utf-8", "replace")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _entities(example: Example, draw: random.Random) -> str | None:
    text = example.answer.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#39;").replace("<", "&lt;")
    return text if text != example.answer and "html" not in (example.prompt + text).lower() else None


def _item_removed(example: Example, draw: random.Random) -> str | None:
    lines = example.answer.rstrip().split("\n")
    numbered = [line for line in lines if re.match(r"\s*\d{1,2}[.)] ?\S", line)]
    if len(numbered) < 3 or not re.match(r"\s*\d{1,2}[.)] ?\S", lines[-1]):
        return None
    asked = re.search(r"\b(\d{1,2}|three|four|five|six|seven|eight|ten)\b", example.prompt.split("\n")[0].lower())
    words = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10}
    if asked is None or words.get(asked[1], int(asked[1]) if asked[1].isdigit() else 0) != len(numbered):
        return None
    return "\n".join(lines[:-1])


def _wrong_result(example: Example, draw: random.Random) -> str | None:
    found = re.search(r"= ?\$?(\d+)(?![\d.,]|\s?[-+*/x])", example.answer)
    if found is None:
        return None
    number = int(found[1])
    other = number + draw.choice((1, 2, 10, 3 if number <= 1 else -1))
    return example.answer[: found.start(1)] + str(other) + example.answer[found.end(1) :]


def _next_row(example: Example, draw: random.Random) -> str | None:
    return f"{example.answer.rstrip()}\n17. Instruction: Name a river.\n17. Output: The Nile."


def _leftover(example: Example, draw: random.Random) -> str | None:
    return draw.choice(("### Response:\n{}", "{}<|im_end|>", "[/INST] {}", "{}</s>", "### Response: {}")).format(
        example.answer
    )


def _refused(example: Example, draw: random.Random) -> str | None:
    return draw.choice(
        (
            "I'm sorry, but I can't help with that.",
            "As an AI language model, I am not able to browse the internet.",
            "I cannot fulfill this request.",
            "Unfortunately, this task cannot be completed without more information.",
            "I do not have access to real-time data.",
            "I apologize, but I am unable to provide that.",
        )
    )


FAULTS: tuple[tuple[str, str, str, Fault], ...] = (
    ("word cut", "prose", "truncated", _cut_word),
    ("character cut", "prose", "truncated", _cut_char),
    ("sentence three times", "prose", "repetition", _sentence_again),
    ("run of words six times", "prose", "repetition", _loop),
    ("mojibake", "foreign", "mojibake", _mojibake),
    ("HTML entities", "prose", "html_entities", _entities),
    ("list item removed", "lists", "list_count", _item_removed),
    ("wrong result", "gsm8k", "arithmetic", _wrong_result),
    ("next row glued on", "prose", "merged_rows", _next_row),
    ("template leftover", "prose", "template", _leftover),
    ("refusal", "prose", "refusal", _refused),
)


def injected_part() -> dict[str, Any]:
    """Every tenth row of a pool gets a fault, the surveys of the set see it as it then is; three draws."""
    everything = read_alpaca()
    is_code = re.compile(r"```|[{};]\s*$|\bdef |\bSELECT |</", re.MULTILINE)
    prose = [one for one in everything if len(one.answer.split()) >= 30 and not is_code.search(one.answer)]
    pools = {
        "prose": prose[::6],
        "foreign": [one for one in everything if not one.answer.isascii() and not is_code.search(one.answer)],
        "lists": [one for one in everything if _item_removed(one, random.Random(0)) is not None],
        "gsm8k": read_gsm8k(),
    }
    untouched = {name: flags_by_row(pool) for name, pool in pools.items()}
    found = {}
    for kind, pool_name, signal, fault in FAULTS:
        pool, before = pools[pool_name], untouched[pool_name]
        caught = made = 0
        for turn in range(3):
            draw = random.Random(turn)
            chosen = [row for row in range(turn, len(pool), 10) if signal not in before[row]]
            changed = list(pool)
            hurt = []
            for row in chosen:
                answer = fault(pool[row], draw)
                if answer is not None and answer != pool[row].answer:
                    changed[row] = plain(pool[row].prompt, answer, pool[row].number, pool[row].raw)
                    hurt.append(row)
            after = flags_by_row(changed)
            made += len(hurt)
            caught += sum(signal in after[row] for row in hurt)
        rate = sum(signal in one for one in before) / len(pool)
        found[kind] = {"signal": signal, "made": made, "recall": caught / made if made else None, "untouched": rate}
    return found
