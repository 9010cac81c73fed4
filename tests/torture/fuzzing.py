"""Thousands of damaged inputs of one kind through the real code: each ends well or with one clear error, and soon.

A case is made by seed and number alone, so that it can be made again; one that fails is made smaller before it is told.
`TAMIS_FUZZ_CASES` and `TAMIS_FUZZ_SEED` say how many and which.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import TamisError

CASES = int(os.environ.get("TAMIS_FUZZ_CASES", "10000"))
SEED = int(os.environ.get("TAMIS_FUZZ_SEED", "1"))
MOST_SECONDS = 20.0
TOLD = "told"
SHRINKING_TRIES = 400
SHRINKING_SECONDS = 60.0

Act = Callable[[bytes], None]


def deep(levels: int, opening: str = "[", inner: str = "", closing: str = "]") -> str:
    return opening * levels + inner + closing * levels


# What a value may be that nobody expected there, as JSON text.
VALUES = (
    "null", "true", "false", "0", "-1", "1", "0.5", "-0.0", "1e999", "-1e999", "NaN", "Infinity", "-Infinity",
    str(2**31), str(2**63), str(-(2**63) - 1), str(2**64), "9" * 400, "9" * 5000, "1e-400", "1e308", "253402300800",
    '""', '" "', '"x"', '"²"', '"٣"', '"0"', '"-1"', '"1e400"', '"nan"', '"\\ud800"', '"\\udfff x"', '"\\u0000"',
    '"\\u001b]52;c;aGk=\\u0007"', '"\\u202ex"', '"../../../etc/passwd"', '"/dev/null"', '"a/b"', '"[/]"', '"%s%n{0}"',
    '"2200-01-01T00:00:00Z"', '"0001-01-01"', '"e\\u0301\\u0301\\u0301"', '"' + "x" * 300 + '"', '"\\n\\r\\u2028"',
    "[]", "{}", "[null]", "[[]]", "[1]", '["x"]', "[{}]", '{"":null}', '{"a":{"a":1}}', '{"a.b":[1]}', '{"²":1}',
    '{"\\ud800":1}', "[1,[2,[3]]]", "[NaN]", '[["x"],{"y":0}]', deep(150), deep(300), deep(300, '{"a":', "1", "}"),
    "[true,false]", '["user","assistant"]', '{"role":"user","content":"x"}', '[{"role":"user","content":["x"]}]',
    '{"value":null}', '{"text":5}', '{"type":"text","text":["x"]}', '"=1+1"', '"\\ufeff"', "[0,0,0]", "[-1]", "[1e999]",
)  # fmt: skip
KEYS = ('""', '"."', '"a.b"', '"²"', '"__class__"', '"\\ud800"', '"\\u0000"', '"\\u001b[2J"', '" "', '"0"', '"role"')
TOKENS = (
    b"\x00", b"\xff", b"\n", b"\r\n", b'"', b"{", b"}", b"[", b"]", b",", b":", b"\\", b"\xed\xa0\x80", b"1e999",
    b"\xef\xbb\xbf", b"NaN", b"\\ud800", b"=", b"'", b"#", b"\x1b[", b"-1", b"9" * 30, b"\xe2\x80\xae", b"null",
    b"[" * 300,
    b"\xc2\xb2", b"\x85", b"\xe2\x80\xa8", b"\x80", b"\xfe\xff", b"\t", b" ", b".", b"/", b"e", b"true",
)  # fmt: skip


def mutated(content: bytes, dice: random.Random, most: int = 4) -> bytes:
    """Bytes that are put in, taken out, changed, repeated, cut or moved."""
    damaged = bytearray(content)
    for _ in range(dice.randint(1, most)):
        place = dice.randrange(len(damaged) + 1)
        match dice.randrange(7):
            case 0:
                damaged[place:place] = dice.choice(TOKENS)
            case 1:
                del damaged[place : place + dice.randint(1, 30)]
            case 2 if place < len(damaged):
                damaged[place] = dice.randrange(256)
            case 3 if place < len(damaged):
                damaged[place] ^= 1 << dice.randrange(8)
            case 4:
                damaged[place:] = damaged[place : place + dice.randint(0, 40)]
            case 5:
                damaged[place : place + dice.randint(0, 12)] = dice.choice(VALUES).encode()
            case _:
                start = dice.randrange(len(damaged) + 1)
                damaged[place:place] = damaged[start : start + dice.randint(1, 60)]
    return bytes(damaged)


CONFIG = b"""reviewer = "ann"
theme = "night"
keymap = "vim"
blind = true
ascii = false
goal = 100
goal_tokens = 5000
embedding = "model"
[training]
model = "built-in"
steps = 3
epochs = 1.5
learning_rate = 1e-3
batch = 4
seed = 7
[signals]
typos = "off"
secrets = "info"
"""


class _Raw(str):
    """JSON text that stands for itself."""


def odd_json(content: bytes, dice: random.Random, most: int = 3) -> bytes:
    """JSON (a value a line) in which values are replaced by others of any kind, keys renamed, doubled or gone."""
    lines = content.split(b"\n")
    for _ in range(dice.randint(1, most)):
        at = dice.randrange(len(lines))
        try:
            lines[at] = _text(_changed(json.loads(lines[at]), dice)).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):  # no JSON any more, or too deep for us
            continue
    return b"\n".join(lines)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _changed(value: Any, dice: random.Random) -> Any:
    places = list(_places(value))
    if not places or dice.random() < 0.03:
        return _Raw(dice.choice(VALUES))
    inside, key = dice.choice(places)
    what = dice.randrange(8)
    if what == 0:
        del inside[key]
    elif what == 1 and isinstance(inside, dict):
        inside[_Raw(dice.choice(KEYS))] = inside.pop(key)
    elif what == 2 and isinstance(inside, list):
        inside *= dice.randint(2, 5)
    elif what == 3:
        other, there = dice.choice(places)
        if there in other if isinstance(other, dict) else there < len(other):
            inside[key] = _Raw(_text(other[there]))
    elif what == 4 and isinstance(inside[key], str | int | float):
        inside[key] = [inside[key]] if dice.random() < 0.5 else {"x": inside[key]}
    else:
        inside[key] = _Raw(dice.choice(VALUES))
    return value


def _text(value: Any) -> str:
    if isinstance(value, _Raw):
        return str(value)
    if isinstance(value, dict):
        pairs = ((str(key) if isinstance(key, _Raw) else json.dumps(key), _text(inner)) for key, inner in value.items())
        return "{" + ",".join(f"{key}:{inner}" for key, inner in pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    return json.dumps(value)


def odd_toml(content: bytes, dice: random.Random) -> bytes:
    """A line whose value is another, whose name is another, twice, or gone."""
    made = content.splitlines(keepends=True)
    at = dice.randrange(len(made))
    name, equals, _ = made[at].partition(b"=")
    match dice.randrange(5):
        case 0:
            made[at:at] = [made[dice.randrange(len(made))]]
        case 1:
            del made[at]
        case 2:
            made[at] = dice.choice((b'""', b"a.b", b'"\\u001b[2J"', b"__class__", b"others")) + b" = 1\n"
        case _ if equals:
            value = dice.choice(
                (*VALUES, "2020-01-01", "1979-05-27T07:32:00Z", "07:32:00", "'x'", "inf", "nan", "0x7f", "[[1]]")
            )
            made[at] = name + b"= " + value.encode("utf-8", "surrogatepass") + b"\n"
    return b"".join(made)


class TooLong(Exception):
    """A case was not done in time."""


@contextmanager
def time_limit(seconds: float = MOST_SECONDS) -> Iterator[None]:
    """Raises TooLong where what is inside computes for longer, or waits for six times as long on a busy machine."""

    def ring(*_: object) -> None:
        raise TooLong(f"not done after {seconds:g} s")

    assert threading.current_thread() is threading.main_thread()
    clocks = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, 6 * seconds))
    before = [signal.signal(number, ring) for _, number, _ in clocks]
    for clock, _, most in clocks:
        signal.setitimer(clock, most)
    try:
        yield
    finally:
        for (clock, number, _), handler in zip(clocks, before, strict=True):
            signal.setitimer(clock, 0)
            signal.signal(number, handler)


def fault_of(act: Act, case: bytes) -> str:
    """What went wrong: the kind of fault and where it was raised; "" where all went well, TOLD where a TamisError told
    why not."""
    try:
        with time_limit():
            act(case)
    except TamisError as told:
        if "\n" in str(told).strip() or not str(told).strip():
            return f"TamisError of more or less than a line: {str(told)!r}"
        return TOLD
    except BaseException as fault:
        if isinstance(fault, KeyboardInterrupt):
            raise
        where = traceback.extract_tb(fault.__traceback__)[-1]
        ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(fault.__traceback__)]
        place = f"{Path(where.filename).name}:{where.lineno}"
        return f"{type(fault).__name__} in {place} {fault!s:.200} ({' '.join(ours[-5:])})"
    return ""


def smaller(act: Act, case: bytes, kind: str) -> bytes:
    """The case with all left out that the fault does not need: lines first, then ever smaller pieces."""
    tries, step, end = 0, max(1, len(case) // 2), time.monotonic() + SHRINKING_SECONDS
    while step and tries < SHRINKING_TRIES and time.monotonic() < end:
        at = 0
        while at < len(case) and tries < SHRINKING_TRIES and time.monotonic() < end:
            without = case[:at] + case[at + step :]
            tries += 1
            if fault_of(act, without).split(" (")[0] == kind:
                case = without
            else:
                at += step
        step //= 2
    return case


def fuzz(
    kind: str,
    seeds: Sequence[bytes],
    act: Act,
    *,
    ways: Sequence[Callable[[bytes, random.Random], bytes]] = (mutated,),
    cases: int = CASES,
) -> None:
    """Run `cases` of them. At the end the faults that were found are told, each kind once, with its smallest input."""
    found: dict[str, str] = {}
    refused = 0
    for number in range(cases):
        dice = random.Random(f"{kind} {SEED} {number}")
        case = dice.choice(ways)(dice.choice(seeds), dice)
        fault = fault_of(act, case)
        name = fault.split(" (")[0]
        refused += fault == TOLD
        if fault and fault != TOLD and name not in found:
            found[name] = f"{fault}\n   case {number} of {kind}, seed {SEED}: {smaller(act, case, name)[:3000]!r}"
            print(found[name], file=sys.stderr, flush=True)
    print(f"{kind}: {cases:,} cases of seed {SEED}, {refused:,} of them refused", file=sys.stderr)
    assert not found, f"{len(found)} kinds of faults\n" + "\n".join(found.values())
