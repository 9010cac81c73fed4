"""The rows that duplicates are looked for in: Alpaca with planted rows, larger sets grown from it, conversations."""

from __future__ import annotations

import gzip
import itertools
import json
import random
from pathlib import Path

from tests.benchmarks.injected import Planted, plant

Row = tuple[str, str]
"""A prompt and its answer."""


def alpaca_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        contents = [json.loads(line) for line in lines]
    return [
        (row["instruction"] + (f"\n\n{row['input']}" if row["input"].strip() else ""), row["output"])
        for row in contents
    ]


def with_planted(rows: list[Row], each: int, seed: int = 0, hard: bool = False) -> tuple[list[Row], list[Planted]]:
    """A planted row keeps the answer of its source: nothing but the request can tell a near miss."""
    texts, planted = plant([prompt for prompt, _ in rows], each, seed, hard)
    return [*rows, *((text, rows[one.source][1]) for text, one in zip(texts, planted, strict=True))], planted


def grown(rows: list[Row], count: int) -> list[Row]:
    """The first rows, or more than there are: further copies have 45 % of their longer words replaced."""
    rng = random.Random(0)
    words = [word for prompt, _ in rows[:20_000] for word in prompt.split() if len(word) >= 4]
    found = rows[:count]
    while len(found) < count:
        prompt, answer = rows[len(found) % len(rows)]
        changed = [rng.choice(words) if len(word) >= 4 and rng.random() < 0.45 else word for word in prompt.split(" ")]
        found.append((" ".join(changed), answer))
    return found


def conversations(count: int) -> list[list[tuple[str, str]]]:
    """Conversations of about 8 kB as (role, text): three shared system prompts, tools, programs, one in ten a
    duplicate.
    """
    rng = random.Random(0)
    consonants, vowels = "bcdfghjklmnprstvz", "aeiou"
    words = [
        "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(1, 4))) for _ in range(9000)
    ]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    systems = [" ".join(rng.choices(words, weights, k=260)) for _ in range(3)]
    pool = rng.choices(words, weights, k=400_000)

    def say(count: int) -> str:
        start = rng.randrange(len(pool) - count)
        return " ".join(pool[start : start + count])

    def program() -> str:
        names = rng.sample(words, 6)
        lines = [f"    {a} = {b}({n}) + {rng.randint(0, 99)}" for n, (a, b) in enumerate(itertools.pairwise(names))]
        return f"```python\ndef {names[0]}(x):\n" + "\n".join(lines * 3) + f"\n    return {names[-1]}\n```"

    found: list[list[tuple[str, str]]] = []
    for number in range(count):
        if number % 10 == 9:
            source = found[rng.randrange(len(found))]
            role, text = source[1]
            found.append(
                [source[0], (role, rng.choice(("Please ", "")) + text + rng.choice(("", "!", " "))), *source[2:]]
            )
            continue
        turns = [("system", systems[number % 3])]
        for _ in range(3):
            turns += [("user", f"{say(90)}\n{program()}"), ("assistant", say(140))]
            turns.append(("tool", json.dumps({"result": say(40), "code": rng.randint(0, 9)})))
        turns += [("user", say(60)), ("assistant", say(120))]
        found.append(turns)
    return found
