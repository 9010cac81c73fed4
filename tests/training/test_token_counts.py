"""Tokens of rows are those of the chosen model's tokenizer, counted once; another tokenizer or row is counted anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from projects import alpaca, make_project
from transformers import AutoTokenizer

from engine import open_project
from engine.errors import TamisError
from engine.model import Act, Findings
from engine.project.token_counts import TokenCounts
from engine.select import select
from engine.trust import remember_made
from engine.workflows.token_counts import are_counted, count_tokens
from workbench.cli.main import main

ROWS = [("Sort it.", "red"), ("Sort it. " + "please " * 30, "green"), ("分类这个", "蓝色")]


@pytest.mark.slow
def test_rows_are_counted_as_the_trainer_sees_them_and_only_those_that_are_new(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_model, model)
    folder = make_project(tmp_path, [alpaca(asked, answer) for asked, answer in ROWS])
    remember_made(folder)
    (folder / "config.toml").write_text(f'[training]\nmodel = "{model}"\n')
    tokenizer = AutoTokenizer.from_pretrained(model)

    def wanted(asked: str, answer: str) -> int:
        turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        return len(tokenizer.apply_chat_template(turns)["input_ids"])

    with open_project(folder, reviewer="ann") as project:
        project.save_findings(Findings.empty(len(ROWS)))
        assert not are_counted(project)
        with pytest.raises(KeyboardInterrupt):
            count_tokens(project, lambda phase, done, of: (_ for _ in ()).throw(KeyboardInterrupt))
        assert not (folder / "tokens.json").exists()
        assert count_tokens(project) == str(model)
        assert [TokenCounts(project).of(row) for row in range(3)] == [wanted(asked, a) for asked, a in ROWS]
        # An edit is counted, and nothing else.
        edited = json.loads((tmp_path / "raw.jsonl").read_text().splitlines()[0]) | {"output": "red " * 50}
        project.decide([Act("edit", (project.rows.id(0),), {project.rows.id(0): edited})])
        assert not are_counted(project)
        asked = []
        count_tokens(project, lambda phase, done, of: asked.append(of))
        assert max(asked) == 1
        assert are_counted(project)
        assert select(project, "tokens>60") == [0, 1]
        # Another tokenizer under the same name.
        settings = json.loads((model / "tokenizer_config.json").read_text())
        (model / "tokenizer_config.json").write_text(json.dumps(settings | {"note": 1}))
        assert not are_counted(project)
        (model / "tokenizer.json").unlink()
        with pytest.raises(TamisError, match="cannot be counted"):
            count_tokens(project)
    assert main(["do", str(folder), "tag long tokens>60", "--dry-run", "--as", "ann"]) == 0
    told = capsys.readouterr()
    assert "tokens are told about" in told.err
    assert "2 rows" in told.out
