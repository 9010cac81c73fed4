"""What would die at a run's start, found before it: folders that are no whole model, settings that do not fit it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_runs import rows
from transformers import AutoConfig

from engine.training.runs.data_files import row_lines
from engine.training.worker.meta_model import look
from engine.training.worker.model_folder import check_trainable
from engine.training.worker.models import cannot_be_had, locate
from engine.training.worker.preflight import Progress, configuration, preflight

WEIGHTS, LFS = "model.safetensors", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


@pytest.fixture
def model(tiny_model: Path, tmp_path: Path) -> Path:
    """A whole model in a folder of its own, to be spoilt."""
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def set_config(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def torn(folder: Path) -> None:
    path = folder / WEIGHTS
    path.write_bytes(path.read_bytes()[:-1000])


def only(folder: Path, name: str, content: str) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / name).write_text(content)


SHARDS = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "configuration alone": (lambda m: (m / WEIGHTS).unlink(), "holds no weights"),
    "a pickle": (lambda m: (m / WEIGHTS).rename(m / "pytorch_model.bin"), "as a pickle"),
    "copied in part": (torn, r"holds [\d,]+ of [\d,]+ bytes"),
    "its first bytes": (lambda m: (m / WEIGHTS).write_bytes(b"\x00\x10"), "only its beginning"),
    "a pointer": (lambda m: (m / WEIGHTS).write_bytes(LFS), "git lfs pull"),
    "a shard of an index": (
        lambda m: (m / "model.safetensors.index.json").write_text(json.dumps(SHARDS)),
        r"lacks 2 of the 2 files .*model-00001-of-00002",
    ),
    "a shard without index": (
        lambda m: (m / WEIGHTS).rename(m / "model-00002-of-00002.safetensors"),
        r"lacks 1 of the 2 files .*model-00001-of-00002",
    ),
    "an adapter": (
        lambda m: (only(m, "adapter_config.json", '{"base_model_name_or_path": "a/base"}'),
                   (m / "adapter_model.safetensors").write_bytes(b"")),
        r"an adapter, not a model: give its base \('a/base'\)",
    ),
    "GGUF": (lambda m: only(m, "m-Q4.gguf", "GGUF"), "GGUF, a format to run a model from"),
    "something else": (lambda m: only(m, "notes.txt", ""), r"has no config\.json"),
}  # fmt: skip


@pytest.mark.parametrize("fault", SPOILT)
def test_a_folder_that_is_no_whole_model_is_told_in_a_line_with_what_to_do(model: Path, fault: str) -> None:
    locate(str(model), "", lambda done, of: None)
    spoil, words = SPOILT[fault]
    spoil(model)
    with pytest.raises(ValueError, match=words) as refused:
        locate(str(model), "", lambda done, of: None)
    assert str(model) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["modle", "modle/"])
def test_a_mistyped_folder_is_one_line_with_the_one_that_is_there(model: Path, name: str) -> None:
    with pytest.raises(ValueError, match=f"no folder .*modle is here; did you mean {model}"):
        locate(f"{model.parent}/{name}", "", lambda done, of: None)
    with pytest.raises(ValueError, match="is a file: give the folder that holds it"):
        locate(str(model / WEIGHTS), "", lambda done, of: None)


@pytest.mark.slow
def test_a_name_that_cannot_be_had_is_one_line_that_does_not_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        ValueError, match=r"no folder a/b is here, and no model of that name is known: .*HF_HUB_OFFLINE"
    ):
        configuration("a/b", None, "a/b")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    asked = OSError("six lines\nabout your internet connection")
    asked.__cause__ = ConnectionError()
    assert cannot_be_had("a/b", asked).endswith("not in this machine's cache, and the hub cannot be reached")


@pytest.mark.parametrize(
    ("kind", "made_for", "words"),
    [("bert", "BertForMaskedLM", "no causal language model but BertForMaskedLM"),
     ("qwen2_vl", "Qwen2VLForConditionalGeneration", "no causal language model but Qwen2VL"),
     ("llama", "LlamaForSequenceClassification", "no causal language model but LlamaForSequence"),
     ("t5", "T5ForConditionalGeneration", "an encoder with a decoder"),
     ("of-tomorrow", "TomorrowForCausalLM", "does not recognize this architecture")],
)  # fmt: skip
def test_a_model_of_another_kind_is_named_with_what_to_give_instead(
    model: Path, kind: str, made_for: str, words: str
) -> None:
    (model / "config.json").write_text(json.dumps({"model_type": kind, "architectures": [made_for]}))
    with pytest.raises(ValueError, match=words):
        configuration(str(model), None, str(model))


def test_a_class_of_an_older_name_is_no_reason_to_refuse(model: Path) -> None:
    set_config(model, architectures=["LLaMAForCausalLM"])
    assert configuration(str(model), None, str(model)).model_type == "llama"


def test_code_that_comes_with_a_model_is_told_and_not_run(model: Path) -> None:
    set_config(model, model_type="own", auto_map={"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"})
    (model / "own.py").write_text("raise SystemExit")
    with pytest.raises(ValueError, match="needs code of its own, which a plan does not run"):
        configuration(str(model), None, str(model))


LORA: dict[str, Any] = {"r": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", "init_lora_weights": True}


def faults(
    model: Path, sft: dict[str, Any] | None = None, lora: dict[str, Any] | None = None, **more: Any
) -> list[str]:
    """What is found of these settings on the model, each as "kind: sentence"."""
    request = {"sft": sft or {}, "lora": {**LORA, **(lora or {})}, **more}
    return [
        f"{each['kind']}: {each['text']}" for each in look(str(model), AutoConfig.from_pretrained(model), request)[1]
    ]


def test_settings_that_a_run_would_die_of_are_asked_of_the_libraries(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert faults(model) == []
    assert faults(model, lora={"init_lora_weights": "pissa"}) == []  # drawn from weights that are not read here
    planted: tuple[tuple[dict[str, Any], str], ...] = (
        ({"lora": {"target_modules": ["q_prj"]}}, "adapter: target_modules q_prj: the model has no part of that name"),
        ({"lora": {"target_modules": ".*q_prj"}}, "adapter: target_modules = .*q_prj: Target modules .*q_prj not"),
        ({"lora": {"modules_to_save": ["lm_hd"]}}, "adapter: modules_to_save lm_hd: the model has no part of"),
        ({"lora": {"target_modules": ["q_proj", "lm_head"]}}, "adapter: target_modules names the output layer"),
        ({"sft": {"optim": "stable_adamw"}},
         "optimizer: optim stable_adamw cannot be used here, pip install torch-optimi"),
        ({"attention": "flash_attention_3"}, "attention: attention flash_attention_3 cannot be used here"),
        ({"four_bit": True}, "four_bit: 4-bit weights (qlora, four_bit) need a GPU and bitsandbytes (pip"),
        ({"precision": "fp16"}, "precision: precision fp16 needs a GPU"),
    )  # fmt: skip
    for settings, words in planted:
        (found,) = faults(model, **settings)
        assert found.startswith(words)


def test_weights_that_would_be_made_up_are_counted(model: Path) -> None:
    set_config(model, num_hidden_layers=3)
    with pytest.raises(ValueError, match="the rest would be made up"):
        faults(model)
    set_config(model, num_hidden_layers=2, tie_word_embeddings=False)  # the output layer is in no file
    with pytest.raises(ValueError, match="the rest would be made up"):
        faults(model)
    set_config(model, tie_word_embeddings=True)
    check_trainable(model)


def test_tokens_that_the_model_has_no_row_for_and_marks_that_are_no_tokens_are_told(model: Path) -> None:
    data = model.parent / "train.jsonl"
    data.write_bytes(row_lines(rows(3)))
    request = {"model": str(model), "revision": None, "pretrain_text": "", "max_length": 200, "train_on": "all"}
    request |= {"train": str(data), "packing": False, "show": 1, "sft": {}, "lora": {}}
    answer = preflight(request, Progress(model.parent / "progress.json"))
    assert (answer["faults"], answer["doubts"]) == ([], [])
    template = model / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_start|>", "<|turn_start|>"))
    (split,) = preflight(request, Progress(model.parent / "progress.json"))["doubts"]
    assert split["text"].startswith("the chat template writes <|turn_start|> (")
    set_config(model, vocab_size=200)
    (fault,) = preflight(request, Progress(model.parent / "progress.json"))["faults"]
    assert fault["text"].endswith("and the model has 200: tokenizer and model do not belong together")
