"""Plain text: questions and answers by their form, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SourceError
from engine.model import Quarantined
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source


def test_blocks_of_questions_and_answers_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "faq.txt"
    path.write_text("Question 1: What is\n2+2?\nAnswer: 4\n\nor four\n\nquestion 2: b\nAnswer: c\n\nQuestion 3: d\n")
    first, second, third = read_source(path)
    assert not isinstance(first, Quarantined)
    assert not isinstance(second, Quarantined)
    assert first.raw == {"question": "What is\n2+2?", "answer": "4\n\nor four"}
    assert (second.line, second.raw) == (7, {"question": "b", "answer": "c"})
    assert isinstance(third, Quarantined)
    assert (third.line, third.content) == (10, b"Question 3: d\n")


def test_turns_of_a_conversation_and_prose_are_no_blocks(tmp_path: Path) -> None:
    for text in ("User: a\nAssistant: b\nUser: c\n", "Q: a\nB: c\n", "Prose.\nQ: a\nA: b\n", "Q: a\nA: b\nA: c\n"):
        (tmp_path / "x.txt").write_text(text)
        with pytest.raises(SourceError, match="is plain text, not records"):
            source_format(tmp_path / "x.txt")
