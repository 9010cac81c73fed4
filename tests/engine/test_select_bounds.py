"""No selector is too long, too deep or too slow to be answered: a bound for each, and one clear line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.errors import UsageError
from engine.numerals import decimal_number, whole_number
from engine.project.heldout import parse_amount
from engine.project.project import Project, open_project
from engine.select import parse_selector, select
from engine.select.regex import RegexProcess

NINES = "9" * 5_000
SLOW = "/(a+)+$/"
ROWS = [alpaca("b", "short"), alpaca("a" * 34 + "!", "slow"), alpaca("refunded", "REFUND \ud800")]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    source = tmp_path / "raw.jsonl"
    return open_project(make_project(source.parent, [row | {"x": 10**300} for row in ROWS[:2]]), readonly=True)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 3_000 + "a" + ")" * 3_000,
        "not " * 3_000 + "a",
        " or ".join(["a"] * 20_000),
        " ".join(["a"] * 100_000),
        " ".join(["a"] * 5_000),
        "x" * 1_000_000,
        f"row:{NINES}",
        f"row:1-{NINES}",
        f"tokens>{NINES}",
        f"tokens>{'9' * 400}",
        f"shard:1/{NINES}",
        f"batch:x/{NINES}",
        "row:²",
        "row:٣",
        "shard:1/²",
        "shard:1/2+²%",
        "batch:x/²",
        "tokens>²",
        "tokens>nan",
        "tokens>inf",
        "tokens>1e999",
        "tokens>1_000",
        "/" + "(" * 499 + ")" * 499 + "/",
        "/" + "a" * 5_000 + "/",
        "/a{1,100000}{1,100000}/",
        "/(?<=a+)b/",
        "/" + "[\x00-\U0010ffff]" * 300 + "/i",
    ],
    ids=lambda text: text[:20],
)
def test_a_selector_beyond_all_bounds_is_one_line_at_once(project: Project, text: str) -> None:
    begun = time.process_time()
    with pytest.raises(UsageError) as error:
        select(project, text)
    assert time.process_time() - begun < 0.1
    assert len(str(error.value)) < 300


def test_fifty_brackets_and_a_thousand_terms_are_understood(project: Project) -> None:
    assert select(project, "(" * 50 + "slow" + ")" * 50) == [1]
    assert select(project, "not " * 50 + "slow") == [1]
    assert select(project, " or ".join(["row:1"] * 1_000)) == [1]
    assert select(project, "field.x>1") == select(project, f"field.x<{'9' * 30}e300 or row:0-1") == [0, 1]


def test_numbers_are_ascii_digits_of_a_length_that_can_be_meant() -> None:
    assert [whole_number(text) for text in ("0", "17", "007")] == [0, 17, 7]
    refused = ("", "²", "٣", "-1", "1.0", " 1", "1_0", NINES)
    assert [whole_number(text) for text in refused] == [None] * len(refused)
    assert [decimal_number(text) for text in ("4", "-0.5", ".5", "1e3", "2.")] == [4.0, -0.5, 0.5, 1000.0, 2.0]
    refused = ("", ".", "²", "٣", "nan", "inf", "1e999", "1e9999", "1_0", " 1", "0x1", NINES)
    assert [decimal_number(text) for text in refused] == [None] * len(refused)


@pytest.mark.parametrize("text", ["²", "²%", "1e400", NINES, "9" * 400, "1..2", "-1", "١٢", "0", "0.0001%", "200%"])
def test_what_is_meant_for_an_amount_to_hold_out_is_no_file(text: str) -> None:
    with pytest.raises(UsageError, match="cannot hold out"):
        parse_amount(text, 100)


def test_an_amount_to_hold_out() -> None:
    assert [parse_amount(text, 200) for text in ("120", "20%", "12.5%", "heldout.jsonl", "nan")] == [
        *(120, 40, 25),
        *(None, None),
    ]


# Patterns.


def test_a_pattern_that_never_ends_is_stopped_and_names_its_row(project: Project) -> None:
    begun = time.monotonic()
    with pytest.raises(UsageError, match=r"takes too long on row 1\b"):
        select(project, SLOW)
    assert time.monotonic() - begun < 5
    # The next pattern is looked for as ever, and what stands before a slow one may spare it the row.
    assert select(project, "/^SLOW$/i") == [1]
    assert select(project, f"row:0 {SLOW}") == []


@pytest.mark.parametrize(
    "pattern",
    [r"(a|aa)+$", r"(a|a)*b", r"(?=(a+)+b)a", r"(x+x+)+y|(a*a*)*b", r"((a{1,60000}){1,60000})b", r"(.*a){25}b"],
)
def test_other_patterns_that_never_end(project: Project, pattern: str) -> None:
    with pytest.raises(UsageError, match="takes too long on row 1"):
        select(project, f"/{pattern}/")


@pytest.mark.parametrize("slow", [0, 63, 64])
def test_the_row_that_takes_too_long_is_named_wherever_it_lies(tmp_path: Path, slow: int) -> None:
    rows = [alpaca("a" * 40 + "!" if row == slow else f"row {row}", "b" if row % 3 else "ca") for row in range(200)]
    project = open_project(make_project(tmp_path, rows), readonly=True)
    with pytest.raises(UsageError, match=rf"on row {slow}\b"):
        select(project, SLOW)
    assert select(project, f"not row:{slow} /^ca$/") == [row for row in range(0, 200, 3) if row != slow]
    assert select(project, "/^ca$/") == list(range(0, 200, 3))


def test_patterns_are_those_of_python(project: Project) -> None:
    assert select(project, r"/\bsl(?=ow)/") == [1]
    assert select(project, r"/([a-z])\1/") == [1]
    with pytest.raises(UsageError, match="no regular expression"):
        select(project, r"/\p{L}/")


def test_texts_of_any_characters_are_searched() -> None:
    process = RegexProcess()
    assert process.ask("\ud800$", 0, [("a", "b\ud800")]) == [True]
    assert process.ask(r"\bпри", 0, [("сказал привет",), ("a",)]) == [True, False]
    assert process.ask("é", 2, [("É",)]) == [True]
    assert process.ask("x", 0, [("a" * 3_000_000,)]) == [False]
    process.close()


def test_a_process_that_was_killed_is_started_again() -> None:
    process = RegexProcess()
    assert process.ask("a", 0, [("a",)]) == [True]
    assert process._process is not None
    os.kill(process._process.pid, signal.SIGKILL)
    process._process.wait()
    assert process.ask("a", 0, [("b",)]) == [False]
    process.close()


def test_nothing_is_left_when_the_search_is_killed(tmp_path: Path) -> None:
    """kill -9 of whoever searches: the process that a pattern keeps busy ends by itself."""
    code = (
        "from engine.select.regex import _REGEX, RegexProcess\n"
        "assert _REGEX.ask('a', 0, [('a',)])\n"
        "print(_REGEX._process.pid, flush=True)\n"
        "import marshal\n"
        "request = marshal.dumps(('(a+)+$', 0, ((('a' * 40 + '!',), 1.0),)))\n"
        "_REGEX._process.stdin.write(len(request).to_bytes(4, 'big') + request)\n"
        "input()\n"
    )
    pipe = subprocess.PIPE
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=pipe, stdin=pipe, cwd=root) as search:
        assert search.stdout is not None
        child = int(search.stdout.readline())
        search.kill()
    end = time.monotonic() + 20
    while _runs(child):
        assert time.monotonic() < end
        time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_selector_is_read_without_the_rows() -> None:
    assert parse_selector("  ").root is None
    assert parse_selector("refund /a/").is_slow
    assert not parse_selector("not (refund or kind:near)").is_slow
