"""A model's folder that came from somebody else: looked at before a library opens it, its templates bounded."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.training.worker import bounded_templates
from engine.training.worker.bounded_templates import BoundedTemplate, Unbounded, bounded_from_string
from engine.training.worker.model_folder import check_model_folder, check_parameters

GOOD = {"model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "vocab_size": 400, "num_attention_heads": 4}


def make_model(folder: Path, *weights: str, **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**GOOD, **config}))
    for name in weights or ("model.safetensors",):
        (folder / name).write_bytes(b"x" * 1000)
    return folder


def test_a_model_as_it_should_be_is_taken(tmp_path: Path) -> None:
    check_model_folder(make_model(tmp_path / "whole"))
    check_model_folder(make_model(tmp_path / "adapter", "adapter_model.safetensors"))
    check_parameters(4000, make_model(tmp_path / "whole"))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "consolidated.00.pth"])
def test_weights_in_a_pickle_are_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"as a pickle \\({name}\\)"):
        check_model_folder(make_model(tmp_path, name))


def test_an_adapter_in_a_pickle_is_refused_beside_whole_weights(tmp_path: Path) -> None:
    make_model(tmp_path, "model.safetensors", "adapter_model.bin")
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ValueError, match=r"without adapter_model\.safetensors"):
        check_model_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"),
    [("hidden_size", 10**9), ("num_hidden_layers", 10**5), ("vocab_size", -1), ("num_attention_heads", 0),
     ("hidden_size", "\x1b[31mx"), ("hidden_size", True), ("intermediate_size", 1.5), ("vocab_size", [])],
)  # fmt: skip
def test_numbers_that_no_model_has_are_refused_before_memory_is_taken(tmp_path: Path, name: str, value: object) -> None:
    for config in ({name: value}, {"text_config": {name: value}}):
        with pytest.raises(ValueError, match=f"says {name} = .*: a number from 1 to"):
            check_model_folder(make_model(tmp_path, **config))


def test_more_weights_than_the_files_hold_would_be_made_up(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="do not belong together"):
        check_parameters(10**9, make_model(tmp_path))


@pytest.mark.parametrize("content", ["[]", '{"a":', "[" * 100_000])
def test_a_configuration_that_is_none_is_told(tmp_path: Path, content: str) -> None:
    make_model(tmp_path)
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="is no JSON"):
        check_model_folder(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    make_model(tmp_path)
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match=r"tokenizer\.json in .* is a pipe or a device"):
        check_model_folder(tmp_path)


def rendered(template: str, **given: object) -> str:
    class Environment(ImmutableSandboxedEnvironment):
        template_class, from_string = BoundedTemplate, bounded_from_string

    return Environment().from_string(template).render(**given)


def test_templates_end_in_time_memory_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded_templates, "MOST_SECONDS", 0.2)
    began = time.process_time()
    loop = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    with pytest.raises(Unbounded, match="does not end"):
        rendered(loop)
    with pytest.raises(Unbounded, match="writes 9,000,000 characters for one row"):
        rendered("{{ 'ab ' * 3000000 }}")
    for much in ("{{ 'a' * 10 ** 10 }}", "{{ 'a' * many }}", "{{ 'a'|center(many) }}"):
        with pytest.raises(Unbounded, match="wants more than"):
            rendered(much, many=10**10)
    assert time.process_time() - began < 2
    long = "a long answer " * 100_000
    assert rendered("{{ text }}", text=long) == long
