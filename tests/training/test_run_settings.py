"""Training settings from the command line and TOML: every library field by name, and a near name for a wrong one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from peft import LoraConfig
from trl import SFTConfig

from engine.config import load_config
from engine.errors import UsageError
from engine.training.compare.reuse import spec_hash
from engine.training.plan.checks import budget_of
from engine.training.runs.launch import choose_spec
from engine.training.spec.parse import parse_command, parse_duration, parse_settings, read_settings_file
from engine.training.spec.trl_fields import LORA_FIELDS, SET_BY_TAMIS, SFT_FIELDS
from engine.training.worker.spec import read_spec


def test_the_names_known_are_those_of_the_installed_libraries() -> None:
    assert {name for name in SFTConfig.__dataclass_fields__ if not name.startswith("_")} == SFT_FIELDS
    assert {name for name in LoraConfig.__dataclass_fields__ if not name.startswith("_")} == LORA_FIELDS
    assert set(SET_BY_TAMIS) <= SFT_FIELDS


def spec(*words: str, **more: Any) -> Any:
    return choose_spec(name="s", rows=100, model="a/model", settings=parse_settings(words) | more)


def test_settings_reach_the_library_they_belong_to() -> None:
    made = spec("lr=1e-4", "rank=8", "targets=q_proj,v_proj", "weight_decay=0.1")
    assert made.learning_rate.value == 1e-4
    assert (made.lora["r"].value, made.lora["target_modules"].value) == (8, "q_proj,v_proj")
    assert made.sft["weight_decay"].value == 0.1
    assert made.sft["weight_decay"].reason == "as you set it"
    assert spec("tf32=true").sft["tf32"].value is True
    assert spec('target_modules=["q_proj"]').lora["target_modules"].value == ["q_proj"]


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("learning_rat=1", "did you mean 'learning_rate'"),
        ("lora_alhpa=1", "did you mean 'lora_alpha'"),
        ("weight_dcay=1", "did you mean 'weight_decay'"),
        ("max_steps=5", "[Ss]et steps"),
        ("packing=3", "takes true or false"),
        ("packing_strategy=wrapped", "use bfd"),
        ("eval_packing=true", "measured one by one"),
        ("weight_decay=much", "takes a number"),
        ("learning_rate=fast", "plain number"),
        ("train_on=some", "use all or last"),
        ("method=half", "use full or lora"),
        ("nothing", "no key=value"),
        ("max_cost=3", "needs a price"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(word: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        spec(word)
    assert re.search(words, str(refused.value), re.IGNORECASE)


def test_time_and_money_both_limit_a_run() -> None:
    assert [parse_duration(words) for words in ("45m", "1h30m", "90", "0.5h")] == [2700, 5400, 90, 1800]
    with pytest.raises(UsageError, match="no duration"):
        parse_duration("soon")
    with pytest.raises(UsageError, match="no duration"):
        parse_duration("9" * 300_000 + "x")  # at once: looked for from each digit on, it took minutes
    assert budget_of(spec("budget=1h", "max_cost=3", "price_per_hour=6")) == 1800
    assert budget_of(spec("budget=10m", "max_cost=3", "price_per_hour=6")) == 600
    assert budget_of(spec()) == 0


def test_a_command_is_words_and_a_launcher_beside_this_python_is_found() -> None:
    assert parse_command("conda run -n x python") == ("conda", "run", "-n", "x", "python")
    assert parse_command(["accelerate", "launch"])[0].endswith("accelerate")
    with pytest.raises(UsageError, match="is no command"):
        parse_command(3)


def test_toml_tables_are_read_and_a_misspelt_key_names_file_and_kin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "run.toml").write_text('[training]\nbudget = "45m"\nlora_rank = 4\n')
    assert read_settings_file(tmp_path / "run.toml") == {"budget_seconds": 2700.0, "r": 4}
    (tmp_path / "flat.toml").write_text("epochz = 2\n")
    with pytest.raises(UsageError, match=r"flat.toml: unknown training setting 'epochz'"):
        read_settings_file(tmp_path / "flat.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "tamis").mkdir()
    settings = tmp_path / "tamis" / "config.toml"
    settings.write_text(
        '[training]\nmodel = "a/b"\nepochs = 2.0\nneftune_noise_alpha = 5\ncommand = "python3 -X dev"\n'
    )
    training = load_config().training
    assert (training.model, training.epochs) == ("a/b", 2.0)
    assert training.others == {"neftune_noise_alpha": 5, "command": ("python3", "-X", "dev")}
    settings.write_text("[training]\nlora_alhpa = 3\n")
    with pytest.raises(UsageError, match="lora_alpha"):
        load_config()


@pytest.mark.parametrize("word", ["epochs=inf", "weight_decay=nan", "budget=1e999", f"steps={'9' * 400}", "lr=-inf"])
def test_a_number_that_is_none_is_refused(word: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_settings([word])
    assert len(str(told.value)) < 200


@pytest.mark.parametrize(("name", "value"), [("epochs", float("inf")), ("price_per_hour", float("nan"))])
def test_the_numbers_of_options_are_checked_as_well(name: str, value: float) -> None:
    with pytest.raises(UsageError, match="is no number from 0 up"):
        choose_spec(name="run", rows=20, settings={name: value})


def test_a_spec_that_still_lists_faults_is_read_and_is_the_same_run(tmp_path: Path) -> None:
    """Up to version 0.1.0 a spec.json named the faults planted in it: none, but in tests."""
    data = {name: {"rows": 1, "sha256": name} for name in ("train", "heldout")}
    content = {**choose_spec(name="run", rows=20).to_json(), "data": data, "worker_sha256": "of the worker"}
    assert spec_hash({**content, "faults": []}) == spec_hash(content)
    (tmp_path / "spec.json").write_text(json.dumps({**content, "faults": []}))
    assert read_spec(tmp_path, 1)["steps"] == content["values"]["steps"]["value"]
