"""The recipe for a real model and few rows: each value by its rule, none of the steps idle, what was given kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BitsAndBytesConfig, get_scheduler

from engine.errors import UsageError
from engine.training.spec.run_spec import RunSpec, choose_spec, optimizer_steps
from engine.training.worker.models import four_bit, nf4


def model(folder: Path, **config: Any) -> str:
    """A folder whose `config.json` says so; a plan reads no more of it for the rate."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return str(folder)


def recipe(rows: int, of: str = "no/config-here", **settings: Any) -> RunSpec:
    return choose_spec(name="r", rows=rows, model=of, settings=settings)


@pytest.mark.parametrize(
    ("config", "long", "short"),
    [  # 5e-4 x (2000 / h)^.781, reckoned by hand and rounded; half as much again where steps are few
        ({"model_type": "llama", "hidden_size": 576}, 1.3e-3, 2.0e-3),
        ({"model_type": "llama", "hidden_size": 2048}, 4.9e-4, 7.4e-4),
        ({"model_type": "mistral", "hidden_size": 4096}, 2.9e-4, 4.3e-4),
        ({"model_type": "gpt2", "n_embd": 2000}, 5.0e-4, 7.5e-4),
        ({"model_type": "gemma3", "hidden_size": "?", "text_config": {"hidden_size": 2000}}, 5.0e-4, 7.5e-4),
        ({"model_type": "qwen3", "hidden_size": 4096}, 4.7e-4, 7.1e-4),  # ^.0775
        ({"model_type": "llama", "hidden_size": True}, 2.9e-4, 4.3e-4),  # no size: as 4,096
    ],
)
def test_the_rate_follows_from_the_width_of_the_model_and_the_steps(
    tmp_path: Path, config: dict[str, Any], long: float, short: float
) -> None:
    folder = model(tmp_path, **config)
    assert recipe(500, folder).learning_rate.value == pytest.approx(long, rel=0.03)
    assert recipe(62, folder).learning_rate.value == pytest.approx(short, rel=0.03)
    assert recipe(500, folder, steps=100).learning_rate.value == pytest.approx(short, rel=0.03)
    assert recipe(62, folder, method="full").learning_rate.value == pytest.approx(long / 10, rel=0.03)
    assert recipe(62, folder, lr=7e-5).learning_rate.value == 7e-5


def test_a_model_of_the_hub_is_looked_up_in_the_cache_and_else_the_reason_says_what_was_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    unknown = recipe(500, "org/small").learning_rate
    assert unknown.value == 2.9e-4
    assert "hidden size 4,096, as the model's own is not known yet" in unknown.reason
    cached = tmp_path / "models--org--small"
    model(cached / "snapshots" / "c0ffee", model_type="llama", hidden_size=576)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("c0ffee")
    assert recipe(500, "org/small").learning_rate.value == 1.3e-3
    assert "hidden size 576" in recipe(500, "org/small").learning_rate.reason
    assert recipe(500, "org/small", revision="c0ffee").learning_rate.value == 1.3e-3
    (cached / "snapshots" / "c0ffee" / "config.json").write_text("[" * 100_000)
    assert recipe(500, "org/small").learning_rate.value == 2.9e-4


@pytest.mark.parametrize(
    ("rows", "epochs", "steps"),
    [(20, 12, 60), (50, 5, 65), (62, 5, 80), (80, 5, 100), (90, 4, 92), (120, 3, 90), (322, 3, 243), (500, 3, 375)],
)
def test_few_rows_are_seen_often_enough_for_sixty_steps_of_four(rows: int, epochs: int, steps: int) -> None:
    spec = recipe(rows)
    assert (spec.batch.value, spec.epochs.value, optimizer_steps(spec, rows)) == (4, epochs, steps)
    assert recipe(rows, epochs=1).epochs.value == 1
    assert optimizer_steps(recipe(rows, steps=7), rows) == 7
    assert optimizer_steps(recipe(rows, batch=8), rows) >= 60


@pytest.mark.parametrize("steps", [1, 2, 12, 64, 243])
def test_no_step_is_taken_at_rate_zero(steps: int) -> None:
    spec = recipe(62, steps=steps, lr=1.0)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = get_scheduler(
        spec.sft["lr_scheduler_type"].value,
        optimizer,
        num_warmup_steps=spec.sft["warmup_steps"].value,
        num_training_steps=steps,
        scheduler_specific_kwargs=spec.sft["lr_scheduler_kwargs"].value,
    )
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert min(rates) >= 0.01
    assert steps < 12 or max(rates) == pytest.approx(1.0, abs=0.02)


def test_another_schedule_is_taken_without_the_numbers_of_ours() -> None:
    assert recipe(62, lr_scheduler_type="linear").sft["lr_scheduler_kwargs"].value is None
    own = recipe(62, lr_scheduler_type="cosine_with_min_lr", lr_scheduler_kwargs={"min_lr": 1e-6})
    assert own.sft["lr_scheduler_kwargs"].value == {"min_lr": 1e-6}


def test_qlora_is_lora_on_four_bit_weights_and_refused_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = recipe(62, method="qlora")
    assert (spec.method.value, spec.four_bit.value) == ("lora", True)
    assert spec.lora["r"].value == 16
    assert "qlora" in spec.four_bit.reason
    built = nf4()
    assert isinstance(built, BitsAndBytesConfig)
    assert (built.quantization_method(), built.bnb_4bit_use_double_quant) == ("nf4", True)
    assert built.bnb_4bit_compute_dtype == torch.bfloat16
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ValueError, match=r"need a GPU.*; method lora does without"):
        four_bit()
    with pytest.raises(UsageError, match=r"cannot be trained themselves.*Use method qlora"):
        recipe(62, method="full", four_bit=True)
    with pytest.raises(UsageError, match="Use full or lora or qlora"):
        recipe(62, method="qlor")
