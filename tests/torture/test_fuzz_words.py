"""Whatever a person types: selectors, words of `--map` and `--set`, commands of `do`, amounts, whole command lines."""

from __future__ import annotations

import contextlib
import io
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "workbench"))
import planted
from fuzzing import VALUES, fuzz, mutated

from engine.errors import TamisError
from engine.project.heldout import parse_amount
from engine.project.project import open_project
from engine.select import select, select_to_decide
from engine.sources.conversation.conversation import conversation_of
from engine.sources.shapes.map_words import mapping_from_words
from engine.training.spec.parse import parse_duration, parse_settings
from workbench.actions.typed_commands import run_headless
from workbench.cli.main import main
from workbench.cli.options import WORDS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

PIECES = (
    "row:", "²", "٣", "1", "-", "(", ")", "not ", "or ", "and ", "/", "a+", "\\", '"', "field.", "a", "b.", ".", "0",
    ">",
    "<=", "=", "~", "tokens", "turns", "date", "is:", "open", "shard:", "/2", "+5%", "batch:", "cluster:", "kind:",
    "near",
    " ", "\t", "tag:", "by:", "why:", "role:", "user", "bucket:", "drop", "\x1b", "i", "\ud800", "\0", "9" * 30,
    "1e999",
    "nan", "2024-13", "(?<", "{1,99999}", "[", "]*", "flag:", "is:heldout", planted.EXACT, "proposed:", "score",
)  # fmt: skip
COMMANDS = (
    "accept", "reject", "skip", "reset", "keep", "undo", "redo", "tag", "untag", "note", "split", "both-fine", "settle",
    "not-duplicates", "drop-both", "propose", "decline", "apply", "restore",
)  # fmt: skip
MAPS = (
    "prompt=instruction,response=output", "messages=a.b.c", "prompt=a|b,response=c,system=d", "text=a",
    "chosen=a,rejected=b",
    "messages=m,role=from,content=value,user=human,assistant=gpt", "conversations=x[0].y", "prompt=a.0.b,response=c.-1",
)  # fmt: skip
SETTINGS = (
    "learning_rate=1e-3", "steps=10", "epochs=1.5", "batch=4", "max_length=64", "bf16=true", "lora_rank=0", "seed=-1",
    "model=a/b", "gpu=0", "on_end=true", "report_to=none", "packing=1", "budget_seconds=10", "optim=adamw", "warmup=x",
)  # fmt: skip
AMOUNTS = (
    "10",
    "10%",
    "0.5%",
    "²",
    "1e400",
    "1..2",
    "-1",
    "nan",
    "inf",
    "١٢",
    "45m",
    "1h30m",
    "2d",
    "9" * 400,
    "1 000",
    "1,5%",
)


def text_of(case: bytes) -> str:
    """Half surrogates stay what they are, as a file can hold them; other bytes come as from a command line."""
    try:
        return case.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return case.decode("utf-8", "surrogateescape")


def from_pieces(content: bytes, dice: random.Random) -> bytes:
    made = "".join(dice.choice(PIECES) for _ in range(dice.randint(1, 9)))
    return content * (dice.random() < 0.1) + made.encode("utf-8", "surrogatepass")


TERMS = (
    "row:3", "is:open", "is:undecided", "is:heldout", "bucket:drop", "kind:near", "shard:1/2",
    "date<2020-01", "date>=now",
    "field.meta.year>=3", "field.n=", "tokens>5", "turns=2", "/a+/i", "/(a|b)*c/",
    "flag:typos", "tag:x", "by:ann", "why:x",
    "role:user", "Paris", '"two words"', "²", "score<1e3", "source:raw", "proposed:x", "cluster:c", "row:1-9", "kind:",
)  # fmt: skip


def sound(_: bytes, dice: random.Random, deep: int = 0) -> bytes:
    """A selector that can be read, of any form."""
    if deep > 4 or dice.random() < 0.3:
        return dice.choice(TERMS).encode()
    one, other = (sound(b"", dice, deep + 1) for _ in range(2))
    return dice.choice((b"%s %s", b"%s or %s", b"%s and %s", b"(%s) or not (%s)", b"not (%s or %s)")) % (one, other)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return planted.make_folder(tmp_path_factory.mktemp("words"))


def test_selectors(folder: Path) -> None:
    with open_project(folder, readonly=True) as project:

        def act(case: bytes) -> None:
            text = text_of(case)
            for chosen in (select, select_to_decide):
                with suppress(TamisError):
                    chosen(project, text)

        seeds = [b"bucket:drop and not (row:3 or /a+/)", b"date<2020-01 or field.meta.year>=3", b'"two words" tokens>5']
        fuzz("selectors", seeds, act, ways=(mutated, from_pieces, from_pieces, sound, sound))


def test_words_of_a_mapping() -> None:
    row = planted.rows()[0] | {"m": [{"from": "human", "value": "a"}], "a": {"b": {"c": [1]}}}

    def act(case: bytes) -> None:
        conversation_of(row, mapping_from_words(text_of(case)))

    fuzz("map", [text.encode() for text in MAPS], act, ways=(mutated, mutated, from_pieces))


def test_words_of_settings_and_amounts() -> None:
    def act(case: bytes) -> None:
        text = text_of(case)
        for read in (lambda: parse_settings([text]), lambda: parse_duration(text), lambda: parse_amount(text, 100)):
            with suppress(TamisError):
                read()

    seeds = [text.encode() for text in (*SETTINGS, *AMOUNTS)]
    fuzz("set", seeds, act, ways=(mutated, with_value))


def with_value(content: bytes, dice: random.Random) -> bytes:
    return content.partition(b"=")[0] + b"=" + dice.choice(VALUES).encode()


def test_commands_of_do(folder: Path) -> None:
    with planted.opened(folder) as project:

        def act(case: bytes) -> None:
            run_headless(project, text_of(case), dry_run=len(case) % 2 == 0, yes=len(case) % 3 == 0)

        seeds = [f"{verb} {rest}".encode() for verb in COMMANDS for rest in ("row:3", planted.EXACT, "x row:1", "")]
        fuzz("do", seeds, act, ways=(mutated, with_pieces))


def with_pieces(content: bytes, dice: random.Random) -> bytes:
    return content.partition(b" ")[0] + b" " + dice.choice((from_pieces, sound))(b"", dice)


# -- whole command lines

# What would open a screen, train for minutes, or wait: their options are tried, not what they do.
NOT_RUN = (
    "open",
    "demo",
    "train",
    "compare",
    "curve",
    "sweep",
    "rescore",
    "try",
    "judge",
    "resume",
    "plan",
    "pick",
    "watch",
)


def test_command_lines(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = folder.parent / "raw.jsonl"
    kept = tmp_path / "kept"
    shutil.copytree(folder.parent, kept)
    monkeypatch.setenv("TAMIS_REVIEWER", "ann")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"instruction":"a","output":"b"}\n')))
    words = {"PROJECT": str(kept / "raw.tamis"), "FILE": str(source), "NEW": str(tmp_path / "made"), "RUN": "20260101"}

    def act(case: bytes) -> None:
        dice = random.Random(case)
        line = list(command_line(dice, words))
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(line)
            except SystemExit as end:  # --help, --version
                code = int(end.code or 0)
        said = err.getvalue()
        assert "a fault inside" not in said, f"{line}: {said[:300]}"
        assert code in (0, 1, 2), f"{line}: {code}"
        assert code != 2 or said.strip(), f"{line}: nothing is said"

    fuzz("command lines", [b""], act, ways=(numbered,))


def numbered(_: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(8)


def command_line(dice: random.Random, words: dict[str, str]) -> Iterator[str]:
    """A command with its words in place or not, options of any command, and words that nobody would type."""
    name = dice.choice([word for word in WORDS if word not in NOT_RUN])
    yield name
    hostile = (
        "", "-", "--", "---", "-1", "--json=1", "\x1b]0;x\x07", "\udcff", "²", "/dev/null", "/dev", "..", "~", "*",
        "a" * 300, "%s",
        "\n", "{}", "=", "nan", "row:1", "accept row:1", "undo", "5%", "3", "\u202e", "--no-such", "/proc/self/mem",
    )  # fmt: skip
    options = (
        "--json", "--as", "--map", "--key", "--encoding", "--project", "--to", "--format", "--container", "--override",
        "--license", "--lossy", "--include", "--seed", "--by", "--dry-run", "--yes", "--from", "--new-version",
        "--html",
        "--force", "--with-text", "--run", "--ascii", "--help", "--lock", "--swap", "--set", "--take-over",
        "--tokenizer",
    )  # fmt: skip
    if dice.random() < 0.9:
        yield words[dice.choice(("PROJECT", "PROJECT", "PROJECT", "FILE", "NEW"))]
    for _ in range(dice.randint(0, 4)):
        pool = dice.choice((hostile, options, tuple(words.values()), PIECES, MAPS, AMOUNTS))
        # No process can be given a NUL, nor anything that stands for no byte.
        yield dice.choice(pool).replace("\0", "").replace("\ud800", "\udcff")
