"""Writes sample_data/: `python tests/sample_generator/make.py [--to FOLDER]`. The same bytes on every run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from chats import make_chats
from journal import make_journal
from phrases import make_good_phrases, make_phrases
from pretrain import make_pretrain
from support import SEED, answers, make_support

SAMPLE_DATA = Path(__file__).resolve().parents[2] / "sample_data"


def jsonl(rows: Iterable[dict[str, Any]]) -> str:
    """One object a line, letters as they are."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def make_all() -> dict[str, str]:
    """File name -> content."""
    rows, heldout = make_support()
    chats, chat_answers = make_chats()
    tickets = [f"{planted.row['instruction']} {planted.row['input']}" for planted in [*rows, *heldout]]
    return {
        "support.jsonl": jsonl(planted.row for planted in rows),
        "support.answers.jsonl": jsonl(answers(rows)),
        "support.heldout.jsonl": jsonl(planted.row for planted in heldout),
        "support.decisions.jsonl": jsonl(make_journal(rows, heldout)),
        "phrases.jsonl": jsonl(make_phrases(SEED)),
        "phrases.good.jsonl": jsonl(make_good_phrases()),
        "chats.jsonl": jsonl(chats),
        "chats.answers.jsonl": jsonl(chat_answers),
        "pretrain.txt": make_pretrain(tickets, SEED),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the sample data.")
    parser.add_argument("--to", type=Path, default=SAMPLE_DATA, help="folder to write to (default: sample_data)")
    folder: Path = parser.parse_args().to
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in make_all().items():
        (folder / name).write_bytes(text.encode("utf-8"))
        print(f"{name}: {text.count(chr(10))} lines, {len(text.encode('utf-8'))} bytes")


if __name__ == "__main__":
    main()
