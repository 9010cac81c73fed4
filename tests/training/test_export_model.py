"""A model leaves: what is written is what was trained, under names that others know, or nothing is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_runs import ended, rows, wait_until

from engine.errors import TrainingError, UsageError
from engine.training.runs.launch import Job, Run, choose_spec, launch_queue
from engine.training.runs.trusted import trust_run
from engine.training.worker.card import card, commands, unfit_for_vllm, vllm_rank
from engine.training.worker.older_readers import with_known_tokenizer, with_older_names
from engine.workflows.export_model import data_told, export_model, manifest_of_model, measures_told
from workbench.cli.main import main

VALUES: dict[str, Any] = {
    "model": "org/base-1b", "method": "lora", "learning_rate": 1e-4, "batch": 4, "max_length": 64, "seed": 0
}  # fmt: skip


@pytest.mark.parametrize(("rank", "taken"), [(4, 8), (8, 8), (12, 16), (16, 16), (48, 64), (300, 320)])
def test_vllm_is_given_a_rank_that_it_takes(rank: int, taken: int) -> None:
    assert vllm_rank({"r": rank}) == taken
    (_, served), *_ = commands(VALUES, {"r": rank}, ".")
    assert served == (
        f"vllm serve org/base-1b --enable-lora --lora-modules tuned=. --max-lora-rank {taken} "
        "--chat-template chat_template.jinja"
    )


def test_an_adapter_that_a_server_would_refuse_or_get_wrong_is_to_be_merged() -> None:
    assert unfit_for_vllm({"r": 8, "modules_to_save": ["lm_head"]}) == "it holds whole layers"
    for lora in ({"r": 8, "use_dora": True}, {"r": 8, "use_rslora": True}, {"r": 8, "modules_to_save": ["lm_head"]}):
        told = " ".join(words for title, words in commands(VALUES, lora, "."))
        assert "convert_lora_to_gguf" not in told, "llama.cpp reads neither whole layers nor another scale"
        assert "tamis export-model RUN --merged" in told
    assert unfit_for_vllm({"r": 16, "bias": "none", "use_rslora": True}) == ""


def test_the_card_tells_licence_data_measures_and_how_to_serve_it() -> None:
    told = {"licence": "apache-2.0", "data": ["Rows of `a.jsonl`."], "measures": ["Held-out loss: base 2.000."]}
    text = card("run-1", VALUES | {"method": "full"}, {"r": 8}, told, merged=True)
    head = text.split("---")[1]
    assert "license: apache-2.0" in head
    assert "base_model: org/base-1b" in head
    assert "a LoRA adapter of rank 8 merged into its weights" in text
    titles = ("## Data", "## What it bought", "## What it is not good for")
    for words in (*titles, "vllm serve .", "convert_hf_to_gguf.py ."):
        assert words in text


def test_version_4_of_transformers_finds_its_own_names_in_what_version_5_wrote() -> None:
    rope = {"rope_theta": 100000.0, "rope_type": "llama3", "factor": 8.0}
    told = with_older_names({"rope_parameters": rope, "dtype": "bfloat16"})
    assert told["rope_theta"] == 100000.0
    assert told["rope_scaling"] == {"rope_type": "llama3", "factor": 8.0}
    assert told["torch_dtype"] == "bfloat16"
    assert "rope_scaling" not in with_older_names({"rope_parameters": {"rope_theta": 1e4, "rope_type": "default"}})
    by_layer = {"rope_parameters": {"full_attention": {"rope_theta": 1e6}, "sliding_attention": {"rope_theta": 1e4}}}
    assert with_older_names(by_layer) == by_layer
    for written, known in (("TokenizersBackend", "PreTrainedTokenizerFast"), ("GPT2Tokenizer", "GPT2Tokenizer")):
        assert with_known_tokenizer({"tokenizer_class": written})["tokenizer_class"] == known


def test_what_training_bought_is_told_with_its_interval(tmp_path: Path) -> None:
    lines = [{"step": s, "id": f"r{n}", "nll": 20.0 - s + n % 2, "tokens": 10} for s in (0, 8) for n in range(8)]
    (tmp_path / "eval.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (sentence,) = measures_told(tmp_path, 8)
    assert sentence.startswith(
        "Held-out loss: base 2.050, tuned 1.250 nats per token; difference -0.800 (99 % over rows -0.800 to -0.800), "
        "over 8 held-out rows and one seed"
    )
    assert measures_told(tmp_path, 4) == ["These weights were not measured on held-out rows."]
    assert "not known" in measures_told(tmp_path, None)[0]


def test_addresses_and_words_of_rows_that_an_earlier_manifest_holds_stay_at_home(tmp_path: Path) -> None:
    class State:
        id = "run-1"

    row = {"id": "r1", "by": "ann@example.org", "why": 'the kettle "Rosa" is wrong'}
    answer = {"kind": "full", "base": "m", "dtype": "float32", "verified": {}}
    document = manifest_of_model({"rows": [row], "source": []}, State, answer, {"config.json": "00"})  # type: ignore[arg-type]
    text = json.dumps(document)
    assert "example.org" not in text
    assert "Rosa" not in text
    assert document["export"]["sha256"] == {"config.json": "00"}
    assert "sha256 `ff`" in data_told({"source": [{"name": "a.jsonl", "sha256": "ff"}]})[0]


# -- on runs, by the worker's interpreter


@pytest.fixture(scope="module")
def started(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """An adapter, and a model trained whole."""
    base = tmp_path_factory.mktemp("base") / "tiny"
    shutil.copytree(tiny_model, base)
    (base / "README.md").write_text("---\nlicense: mit\n---\n")
    (base / "tokenizer.model").write_bytes(b"of SentencePiece")
    common = {"batch": 8, "micro_batch": 8, "threads": 1, "max_new_tokens": 8, "row_losses": 0}
    specs = [
        choose_spec(name="lora", rows=24, model=str(base),
                    settings={**common, "steps": 12, "learning_rate": 2e-2, "method": "lora",
                              "eval_every": 4, "eval_at_start": True}),
        choose_spec(name="full", rows=24, model=str(base), settings={**common, "steps": 4, "method": "full"}),
    ]  # fmt: skip
    jobs = [Job(spec, rows(24), rows(6, 100)) for spec in specs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        lora, full = launch_queue(jobs, tmp_path_factory.mktemp("place") / "runs")
        assert [ended(run).state for run in (lora, full)] == ["finished", "finished"]
    return {"lora": lora, "full": full}


@pytest.fixture
def runs(started: dict[str, Run]) -> dict[str, Run]:
    for run in started.values():
        trust_run(run.dir)
    return started


@pytest.mark.slow
def test_a_merged_model_answers_as_the_adapter_and_says_where_it_may_go(
    runs: dict[str, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = os.umask(0o022)
    try:
        to = tmp_path / "out"
        assert main(["export-model", str(runs["lora"].dir), "--to", str(to), "--merged", "--json"]) == 0
    finally:
        os.umask(old)
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "merged"
    assert told["verified"]["top1"] == 1.0
    assert told["verified"]["max_abs"] < 1e-3
    assert {path.stat().st_mode & 0o777 for path in to.iterdir()} == {0o644}
    names = {path.name for path in to.iterdir()}
    assert names == set(told["sha256"]) | {"tamis-manifest.json"}
    texts = {path.name: path.read_text() for path in to.iterdir() if path.suffix in (".json", ".md", ".jinja")}
    place = str(runs["lora"].dir.parent.parent)
    assert not [name for name, text in texts.items() if place in text or "/tiny" in text or "sort the red" in text]
    assert "{% generation" not in texts["chat_template.jinja"]
    ends = json.loads(texts["generation_config.json"])
    assert ends["pad_token_id"] != ends["eos_token_id"]
    assert "license: mit" in texts["README.md"]
    assert (to / "tokenizer.model").read_bytes() == b"of SentencePiece", "llama.cpp asks for it"
    assert "difference -" in texts["README.md"]
    # Another export of it may take its place; what somebody changed may not go.
    assert export_model(runs["full"].dir, to)["kind"] == "full"
    (to / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something else"):
        export_model(runs["lora"].dir, to)
    assert (to / "notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_an_adapter_names_its_base_by_the_id_that_is_given_else_tells_of_the_place(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    named = export_model(runs["lora"].dir, tmp_path / "named", base="org/tiny", best=True)
    config = json.loads((tmp_path / "named" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "org/tiny"
    assert named["verified"]["max_abs"] == 0
    assert "base_model: org/tiny" in (tmp_path / "named" / "README.md").read_text()
    told = export_model(runs["lora"].dir)
    assert told["to"] == str(runs["lora"].dir.parent.parent / "exports" / runs["lora"].dir.name)
    assert "by its place on this machine" in told["notes"][0]


@pytest.mark.slow
def test_a_base_that_was_exchanged_is_found_and_nothing_is_left_behind(runs: dict[str, Run], tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copied = tmp_path / "place" / "runs" / "run"
    shutil.copytree(runs["lora"].dir, copied)
    spec = json.loads((copied / "spec.json").read_text())
    other = tmp_path / "other"
    shutil.copytree(spec["values"]["model"]["value"], other)
    weights = load_file(other / "model.safetensors")
    save_file({name: tensor * 0.7 for name, tensor in weights.items()}, other / "model.safetensors", {"format": "pt"})
    spec["values"]["model"]["value"] = str(other)
    (copied / "spec.json").write_text(json.dumps(spec))
    trust_run(copied)
    with pytest.raises(TrainingError, match=r"held-out rows cost .* is not what was trained on"):
        export_model(copied, tmp_path / "new" / "out", merged=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_an_export_that_is_interrupted_leaves_nothing(runs: dict[str, Run], tmp_path: Path) -> None:
    words = ["export-model", str(runs["lora"].dir), "--to", str(tmp_path / "new" / "out"), "--merged"]
    process = subprocess.Popen([sys.executable, "-m", "workbench.cli.main", *words], start_new_session=True)
    wait_until(lambda: list(tmp_path.glob("new/.out.*/new")))
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("learnt", "stops", "padding", "special", "told"),
    [
        (5, [5], (5, None), [0, 5], ([5], 0)),
        (5, [5, 3], (3, 3), [3, 5, 9], ([5, 3], 9)),
        (5, [3], (5, 3), [3, 5], ([5], 3)),
        (5, [], (7, None), [5, 7], ([5], 7)),
        (5, [5], (5, 5), [5], ([5], 5)),
    ],
)
def test_an_answer_never_ends_at_the_padding_where_another_token_can_pad(
    learnt: int, stops: list[int], padding: tuple[int, int | None], special: list[int], told: tuple[list[int], int]
) -> None:
    from engine.training.worker.export_model import ends_and_padding

    assert ends_and_padding(learnt, stops, padding, special) == told


@pytest.mark.slow
def test_a_merge_that_lost_its_scale_is_refused() -> None:
    import torch

    from engine.training.worker.same_logits import Spoken, agreement

    torch.manual_seed(0)
    base, tuned = torch.randn(64, 500), torch.randn(64, 500)
    wanted = Spoken(base + tuned, (base + tuned).argmax(-1), {})
    half = Spoken(base + tuned / 2, (base + tuned / 2).argmax(-1), {})
    rounded = (base + tuned).to(torch.bfloat16).float()
    for dtype in (torch.float32, torch.bfloat16):
        assert "does not answer as the run's model" in agreement(wanted, half, dtype).refusal
    assert agreement(wanted, Spoken(rounded, rounded.argmax(-1), {}), torch.bfloat16).refusal == ""
    assert agreement(wanted, Spoken(rounded, rounded.argmax(-1), {}), torch.float32).refusal != ""
    broken = Spoken(torch.full((64, 500), float("nan")), torch.zeros(64, dtype=torch.long), {})
    assert agreement(wanted, broken, torch.bfloat16).refusal != ""


@pytest.mark.slow
def test_too_little_room_and_a_run_without_a_model_are_told_before_anything_is_written(
    runs: dict[str, Run], tmp_path: Path
) -> None:
    from transformers import LlamaConfig

    from engine.training.worker.export_model import check_room

    copied = tmp_path / "run"
    shutil.copytree(runs["full"].dir, copied, ignore=shutil.ignore_patterns("model"))
    with pytest.raises(TrainingError, match="is finished and has no model"):
        export_model(copied, tmp_path / "out")
    with pytest.raises(UsageError, match="lies in the run"):
        export_model(runs["full"].dir, runs["full"].dir / "model")
    with pytest.raises(ValueError, match=r"GB are to be written and the disk has .* GB free: make room"):
        check_room(tmp_path, LlamaConfig(hidden_size=1 << 15, intermediate_size=1 << 18, num_hidden_layers=99))
