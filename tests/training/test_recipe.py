"""The values tamis chooses for a real model, from its configuration and the number of rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import get_scheduler

from engine.model import Conversation, Example, Message
from engine.training.spec.run_spec import RunSpec, choose_spec, optimizer_steps
from engine.training.worker.models import nf4
from engine.workflows.training_sets import gather, left_out_warnings


def folder_of(place: Path, **config: Any) -> str:
    place.mkdir(parents=True, exist_ok=True)
    (place / "config.json").write_text(json.dumps(config))
    return str(place)


def chosen(model: str, rows: int = 100, **settings: Any) -> RunSpec:
    return choose_spec(name="r", rows=rows, model=model, settings=settings)


@pytest.mark.parametrize(
    ("config", "rate"),
    [
        ({"model_type": "llama", "hidden_size": 576}, 1.3e-3),
        ({"model_type": "llama", "hidden_size": 4096}, 2.9e-4),
        ({"model_type": "qwen3", "hidden_size": 4096}, 4.7e-4),
        ({"model_type": "gemma3", "text_config": {"hidden_size": 2560}, "hidden_size": 1}, 4.1e-4),
        ({"model_type": "gpt2", "n_embd": 768}, 1.1e-3),
        ({"model_type": "odd", "hidden_size": "wide"}, 2.9e-4),  # the value at 4,096
    ],
)
def test_the_rate_follows_from_the_hidden_size(tmp_path: Path, config: dict[str, Any], rate: float) -> None:
    model = folder_of(tmp_path, **config)
    assert chosen(model).learning_rate.value == rate
    assert chosen(model, method="full").learning_rate.value == pytest.approx(rate / 10, rel=0.05)
    assert chosen(model, lr=0.5).learning_rate.value == 0.5


def test_a_model_that_was_fetched_before_is_known_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    kept = tmp_path / "models--any--model"
    folder_of(kept / "snapshots" / "abc", hidden_size=576)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc")
    assert chosen("any/model").learning_rate.value == 1.3e-3
    assert "not known yet" in chosen("any/other").learning_rate.reason


@pytest.mark.parametrize(("rows", "steps"), [(20, 60), (50, 65), (62, 64), (322, 243), (500, 375)])
def test_few_rows_are_seen_oftener(rows: int, steps: int) -> None:
    spec = chosen("any/model", rows)
    assert optimizer_steps(spec, rows) == steps
    assert optimizer_steps(chosen("any/model", rows, steps=7), rows) == 7


def test_no_step_has_a_rate_of_zero() -> None:
    spec = chosen("any/model", 62)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    steps = optimizer_steps(spec, 62)
    schedule = get_scheduler(
        spec.sft["lr_scheduler_type"].value,
        optimizer,
        spec.sft["warmup_steps"].value,
        steps,
        spec.sft["lr_scheduler_kwargs"].value,
    )
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert min(rates) > 0
    assert max(rates) == 1.0
    assert rates[-1] == min(rates)
    # Another schedule has other arguments.
    assert chosen("any/model", lr_scheduler_type="linear").sft["lr_scheduler_kwargs"].value is None


def test_qlora_is_lora_on_a_base_of_4_bit_weights() -> None:
    spec = chosen("any/model", method="qlora")
    assert (spec.method.value, spec.four_bit.value) == ("lora", True)
    assert "qlora" in spec.four_bit.reason
    assert spec.lora["r"].value == 16
    settings = nf4()
    assert (settings.load_in_4bit, settings.bnb_4bit_quant_type) == (True, "nf4")
    assert settings.bnb_4bit_use_double_quant
    assert settings.bnb_4bit_compute_dtype == torch.bfloat16


def test_rows_that_say_which_answer_was_liked_are_told() -> None:
    asked, liked, other = Message("user", "Two?"), Message("assistant", "2"), Message("assistant", "3")
    pair = Conversation((asked, liked), rejected=((other,),))
    plain, marked, bad = (Conversation((asked, liked), label=label) for label in (None, True, False))
    examples = [
        Example(f"r{number}", number, conversation, "f", number, {})
        for number, conversation in enumerate((pair, plain, marked, bad))
    ]
    found = gather(examples)
    assert [row.id for row in found.rows] == ["r0", "r1", "r2"]
    (note,) = [note for note in left_out_warnings(found) if note.kind == "preferences"]
    assert note.ids == ("r0", "r2")
    assert note.text.startswith("2 rows say which answer was liked (row 0, row 2): the liked one is trained")
    (unwanted,) = [note for note in left_out_warnings(found) if note.kind == "unwanted"]
    assert unwanted.ids == ("r3",)
