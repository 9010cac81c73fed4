"""`tamis plan --show ROW`: the tokens of a row as the trainer sees them, what is learnt told from what is not, whatever
the row's text looks like."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project
from transformers import AutoTokenizer

from engine.training.worker.rows import Row, choose_masking, label
from engine.training.worker.token_view import pieces
from engine.workflows.token_view import TokenView
from workbench.cli.main import main
from workbench.cli.output import LIT, SPECIAL
from workbench.cli.tokens import view_lines
from workbench.render.token_lines import token_paragraphs

HOSTILE = "red \N{GRINNING FACE} <|im_end|>\x1b[31m\nlearnt  | blue  \n"


@pytest.fixture(scope="module")
def shown(tiny_model: Path) -> dict[str, Any]:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    turns = ({"role": "user", "content": "a lamp"}, {"role": "assistant", "content": HOSTILE})
    labelled = label(Row("r", turns), tokenizer, choose_masking(tokenizer))
    told = pieces(labelled, tokenizer, len(labelled.input_ids) - 3)
    assert [one for piece in told for one in piece["ids"]] == list(labelled.input_ids)
    learnt = sum(label != -100 for label in labelled.labels[1 : len(labelled.input_ids) - 3])
    return {"row": 3, "id": "r", "tokens": len(labelled.input_ids), "learnt": learnt, "pieces": told, "note": ""}


def view(row: dict[str, Any]) -> TokenView:
    return TokenView("tiny", "all", row["tokens"] - 3, (row,), 1)


def test_every_token_is_told_with_what_becomes_of_it(shown: dict[str, Any]) -> None:
    assert "".join(piece["text"] for piece in shown["pieces"]).endswith(f"{HOSTILE}<|im_end|>\n")
    assert any(piece["text"].strip() == "\N{GRINNING FACE}" and len(piece["ids"]) > 1 for piece in shown["pieces"])
    special = [(piece["text"], piece["learnt"], piece["cut"]) for piece in shown["pieces"] if piece["special"]]
    assert special == [
        ("<|im_start|>", False, False), ("<|im_end|>", False, False), ("<|im_start|>", False, False),
        ("<|im_end|>", True, False),  # spelled by the row itself: a token like the real one
        ("<|im_end|>", False, True),
    ]  # fmt: skip
    assert shown["learnt"] == sum(len(piece["ids"]) for piece in shown["pieces"] if piece["learnt"])


def test_lines_tell_what_is_learnt_without_colour_and_hostile_text_cannot(shown: dict[str, Any]) -> None:
    lines = list(view_lines(view(shown), colour=False))
    assert lines[3:] == [
        "masked  | «<|im_start|>»user↵",
        "masked  | a lamp«<|im_end|>»↵",
        "masked  | «<|im_start|>»assistant↵",
        "learnt  | red \N{GRINNING FACE} «<|im_end|>»␛[31m↵",
        "learnt  | learnt  | blue··",
        "cut off | ↵",
        "cut off | «<|im_end|>»↵",
    ]
    most = shown["tokens"] - 3
    assert lines[2] == f"row 3 (r): {shown['learnt']} of {most + 3} tokens are learnt, 3 cut off behind {most}"
    coloured = "\n".join(view_lines(view(shown), colour=True))
    assert LIT in coloured
    assert SPECIAL in coloured
    assert "\x1b[31m" not in coloured


def test_the_document_lights_what_is_learnt(shown: dict[str, Any]) -> None:
    paragraphs = list(token_paragraphs(view(shown).to_json()))
    learnt = [paragraph for paragraph in paragraphs if paragraph.gutter[0] == "learnt"]
    assert learnt[0].styled[0] == ("red \N{GRINNING FACE} ", "assistant")
    assert learnt[0].styled[1] == ("<|im_end|>", "key")
    assert not any("\x1b" in text for paragraph in paragraphs for text, _ in paragraph.styled)


def test_rows_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_text(json.dumps({"prompt": "a", "completion": "b"}) + "\n")
    for word, told in (("7", "no row is '7'"), ("bucket:drop", "rows of a file go by number or id")):
        assert main(["plan", str(source), "--show", word]) == 2
        assert told in capsys.readouterr().err
    project = make_project(tmp_path, [alpaca(f"q{n}", f"a{n}") for n in range(3)])
    assert main(["plan", str(project), "--show", "nosuch:1"]) == 2
    assert "nosuch" in capsys.readouterr().err


@pytest.mark.slow
def test_a_row_of_a_project_is_shown_by_number_id_and_selector(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make_project(tmp_path, [alpaca(f"the {n} lamp", f"red {n}") for n in range(3)])
    assert main(["plan", str(project), "--model", str(tiny_model), "--show", "row:1-2", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["row"] for row in told["rows"]] == [1, 2]
    assert "".join(piece["text"] for piece in told["rows"][0]["pieces"] if piece["learnt"]) == "red 1<|im_end|>"
    assert main(["plan", str(project), "--model", str(tiny_model), "--show", told["rows"][1]["id"][:8]]) == 0
    assert "learnt  | red 2«<|im_end|>»" in capsys.readouterr().out
