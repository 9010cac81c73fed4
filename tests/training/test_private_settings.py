"""Keys, tokens and passwords given as settings of a run are refused: spec.json and `ps` would show them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.training.spec.parse import parse_settings, read_settings_file
from engine.training.spec.run_spec import choose_spec
from engine.training.worker.card import card, public_name

TOKEN = "hf_" + "Zq81" * 9


@pytest.mark.parametrize(
    "word",
    [
        f"hub_token={TOKEN}",
        "hub_token=short",
        "api_key=short",
        "HF_TOKEN=short",
        f"run_name={TOKEN}",
        'run_name="sk-Zq8LmN0pRtUv"',
        f'model_init_kwargs={{token = "{TOKEN}"}}',
        'model_init_kwargs={token = "abc"}',
        f'report_to=["wandb", "{TOKEN}"]',
        "command=env WANDB_API_KEY=0123456789abcdef python",
        "command=launch --token abc python",
        "hub_model_id=https://ann:hunter22@hub.example/x",
        f"model={TOKEN}",
        "model=https://ann:abcdef0123456789abcdef@hub.example/a/b",
        "model=https://hf_AbCdEfGhIjKl@hub.example/a/b",
        'on_end=curl -H "Authorization: Bearer 0123456789abcdef" https://hub.example',
    ],
)
def test_a_secret_is_refused_without_being_repeated(word: str) -> None:
    with pytest.raises(UsageError, match="environment") as refused:
        parse_settings([word])
    assert "Zq8" not in str(refused.value)
    assert "0123456789abcdef" not in str(refused.value)


def test_a_secret_is_refused_from_files_and_from_the_configuration(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(f'[training]\nhub_token = "{TOKEN}"\n')
    with pytest.raises(UsageError, match="environment"):
        read_settings_file(path)
    with pytest.raises(UsageError, match="environment"):
        choose_spec(name="r", rows=4, settings={"hub_token": TOKEN})
    with pytest.raises(UsageError, match="environment"):
        choose_spec(name="r", rows=4, model=f"https://ann:{TOKEN}@hub.example/m")


@pytest.mark.parametrize(
    "word",
    [
        "max_new_tokens=64",
        "eos_token=<|im_end|>",
        "pad_token=<pad>",
        "hub_model_id=ann/model",
        "command=uv run python",
        'on_end=curl -H "Authorization: Bearer $TOKEN" https://hub.example',
        "model=./a@b/model",
    ],
)
def test_what_is_only_called_alike_is_no_secret(word: str) -> None:
    assert parse_settings([word])


def test_a_model_card_names_the_base_without_its_place(tmp_path: Path) -> None:
    local = tmp_path / "alice" / "models\nlicense: mit" / "base <b>"
    local.mkdir(parents=True)
    values: dict[str, Any] = {
        "model": str(local), "method": "lora", "learning_rate": 1e-4, "batch": 4, "max_length": 64, "seed": 0
    }  # fmt: skip
    text = card("run-1", values, {"r": 8}, {"step": 3})
    assert str(tmp_path) not in text
    assert "alice" not in text
    assert "license" not in text
    assert "<b>" not in text
    assert "adapter_config.json" in text
    cached = "/home/ann/.cache/huggingface/hub/models--org--base-1b/snapshots/0a1b"
    assert public_name(cached) == "org/base-1b"
    assert "base_model: org/base-1b" in card("run-1", values | {"model": cached}, {"r": 8}, {})
    assert "base_model: org/m" in card("run-1", values | {"model": "org/m"}, {"r": 8}, {})
