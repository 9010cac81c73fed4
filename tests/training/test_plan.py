"""The pre-flight against planted troubles: in the rows, the chat template, the interpreter and the machine."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from projects import alpaca, make_project
from small_runs import rows, wait_until
from transformers import AutoTokenizer

from engine import open_project
from engine.errors import TrainingError
from engine.model import Act, TrainingRow
from engine.training.plan.checks import judged, machine_notes
from engine.training.plan.estimates import Estimate, memory_gb
from engine.training.plan.plan import Plan, make_plan
from engine.training.runs.data_files import row_lines
from engine.training.runs.launch import choose_spec
from engine.training.runs.status import is_alive, list_runs, stop
from engine.training.worker.gpus import foreign, gpus
from engine.training.worker.preflight import Progress, preflight, settings_refusal
from workbench.cli.main import main
from workbench.cli.train import plan_lines

UNMARKED = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}"
)


def row(name: str, *turns: str, first: str = "user") -> TrainingRow:
    roles = ["user", "assistant"] * 9 if first == "user" else [first, *["user", "assistant"] * 9]
    return TrainingRow(name, tuple({"role": role, "content": text} for role, text in zip(roles, turns, strict=False)))


TURNS = row("turns", "the red lamp", "red", "and the rug", "blue")


@pytest.fixture(scope="module")
def plan(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan for 60 good rows among which four bad ones are planted."""
    planted = (
        TURNS,
        row("no-end", "a lamp", "red " * 60),
        row("long-prompt", "please " * 60, "red"),
        row("leak", "Case 100: please sort the grey rug.", "x"),
    )
    heldout = (row("held", " Case 100: please sort the grey rug.", "y"),)
    settings = {"max_length": 60, "price_per_hour": 36.0, "budget_seconds": 1, "epochs": 3, "batch": 16}
    spec = choose_spec(name="p", rows=64, model=str(tiny_model), settings=settings)
    return make_plan(spec, (*planted, *rows(60)), heldout, runs_dir=tmp_path_factory.mktemp("runs"), duplicates=["r1"])


def kinds(notes: Any) -> list[str]:
    return [note.kind for note in notes]


def test_rows_that_are_cut_lose_their_end_or_are_masked_are_named(plan: Plan) -> None:
    assert plan.truncated == ("no-end", "long-prompt")
    assert plan.eos_lost == ("no-end", "long-prompt")
    assert plan.fully_masked == ("long-prompt",)
    assert kinds(plan.refusals) == ["truncated", "eos_lost", "leakage", "budget"]  # more than one row in fifty
    assert {"fully_masked", "duplicates", "few_heldout", "few_steps"} == set(kinds(plan.warnings))
    (leak,) = [note for note in plan.refusals if note.kind == "leakage"]
    assert leak.ids == ("leak",)


def test_more_tokens_than_the_model_attends_to_are_refused_where_rows_reach_them(plan: Plan, tmp_path: Path) -> None:
    answer = {"refused_rows": {}, "settings_refusal": "", "rows": [], "double_bos": [], "lost": {},
                  "proposed": {}, "changed": [], "refused_heldout": {},
              "no_template": False, "pad_in_stops": False, "faults": [], "doubts": [], "sequences": None,
              "model": {"positions": 50}}  # fmt: skip
    spec = choose_spec(name="p", rows=64, model="any/model")
    bare = replace(plan, truncated=(), eos_lost=(), fully_masked=(), refusals=(), warnings=(), seconds=Estimate(1, ""))
    found = judged(bare, spec, answer, (), (), None, tmp_path)
    assert [note.text for note in found.refusals] == [
        "max_length is 60 and the model attends to 50 tokens, which rows go beyond: set max_length = 50"
    ]
    short = judged(replace(bare, tokens={**bare.tokens, "max": 40}), spec, answer, (), (), None, tmp_path)
    assert (short.refusals, "positions" in kinds(short.warnings)) == ((), True)


def test_three_rows_are_drawn_as_the_trainer_sees_them(plan: Plan) -> None:
    turns, long, _ = plan.shown
    learnt = [piece.text for piece in turns.pieces if piece.learnt]
    assert (turns.id, learnt) == ("turns", ["red<|im_end|>", "blue<|im_end|>"])
    assert (long.id, bool(long.cut)) == ("long-prompt", True)
    text = "\n".join(plan_lines(plan, colour=False))
    assert "    ]red<|im_end|>[" in text
    assert "✂ [" in text
    assert "\x1b[2m" in "\n".join(plan_lines(plan, colour=True))


def test_every_estimate_has_its_reason_and_the_contract_its_keys(plan: Plan) -> None:
    told = json.loads(json.dumps(plan.to_json()))
    assert (told["rows"], told["truncated"], told["eos_lost"], told["fully_masked"]) == (64, 2, 2, 1)
    assert (told["steps"]["value"], told["epochs"]["value"]) == (12, 3.0)
    for name in ("steps", "epochs", "vram_gb", "seconds", "cost", "disk_gb"):
        assert told[name]["reason"], name
    assert told["cost"]["value"] == pytest.approx(told["seconds"]["value"] / 100, rel=1e-3)
    assert told["tokens"].keys() >= {"p50", "p95", "max", "completion"}


def ask(tiny_model: Path, folder: Path, *train: TrainingRow, train_on: str = "all", **changes: Any) -> dict[str, Any]:
    """The worker's preflight with a changed tokenizer, in this process."""
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    for name, value in changes.items():
        setattr(tokenizer, name, value)
    model = folder / "model"
    tokenizer.save_pretrained(model)
    for name in ("config.json", "generation_config.json", "model.safetensors"):
        (model / name).write_bytes((tiny_model / name).read_bytes())
    data = folder / "train.jsonl"
    data.write_bytes(row_lines(train))
    request = {"model": str(model), "revision": None, "pretrain_text": "", "max_length": 200}
    libraries = {"sft": {}, "lora": {}}
    question = {**request, "train": str(data), "train_on": train_on, "packing": False, "show": 1, **libraries}
    return preflight(question, Progress(folder / "progress.json"))


def test_a_template_that_loses_the_system_turn_or_the_end_is_told(tiny_model: Path, tmp_path: Path) -> None:
    template = "{% for m in messages %}{% if m['role'] != 'system' %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endif %}{% endfor %}"  # noqa: E501
    spoken_to = row("one", "Be brief.", "a lamp", "red", first="system")
    answer = ask(tiny_model, tmp_path, spoken_to, row("two", "a lamp", "red"), chat_template=template)
    assert answer["lost"] == {"system": ["one"]}
    assert not answer["rows"][0]["ends"]  # no end-of-text token is ever learnt


def learnt(answer: dict[str, Any]) -> list[str]:
    return [piece["text"] for piece in answer["shown"][0]["pieces"] if piece["learnt"]]


def test_all_answers_are_learnt_where_the_template_has_no_marks(tiny_model: Path, tmp_path: Path) -> None:
    opening = "{% if add_generation_prompt %}{{ '<|im_begin|>assistant\n' }}{% endif %}"
    unmarked = UNMARKED.replace("im_start", "im_begin") + opening
    assert learnt(ask(tiny_model, tmp_path, TURNS, chat_template=unmarked)) == ["red<|im_end|>\n", "blue<|im_end|>\n"]
    last = ask(tiny_model, tmp_path, TURNS, chat_template=unmarked, train_on="last")
    assert learnt(last) == ["blue<|im_end|>\n"]


def test_only_the_wished_turns_are_learnt(tiny_model: Path, tmp_path: Path) -> None:
    assert learnt(ask(tiny_model, tmp_path, TURNS, train_on="last")) == ["blue<|im_end|>"]
    first, answer, *rest = TURNS.messages
    marked = TrainingRow("marked", (first, {**answer, "train": "no"}, *rest))
    assert learnt(ask(tiny_model, tmp_path, marked)) == ["blue<|im_end|>"]
    assert len(learnt(ask(tiny_model, tmp_path, TURNS))) == 2


def test_odd_tokenizers_are_told(tiny_model: Path, tmp_path: Path) -> None:
    one = row("one", "a lamp", "red")
    bare = ask(tiny_model, tmp_path / "a", one, chat_template=None)
    assert bare["no_template"]
    assert bare["rows"][0]["ends"]
    with pytest.raises(ValueError, match="no end-of-text token"):
        ask(tiny_model, tmp_path / "b", one, eos_token=None)
    twice = "<|endoftext|><|endoftext|>" + AutoTokenizer.from_pretrained(tiny_model).chat_template
    double = ask(tiny_model, tmp_path / "c", one, bos_token="<|endoftext|>", chat_template=twice)
    assert double["double_bos"] == ["one"]
    folder = tmp_path / "d" / "model"
    ask(tiny_model, tmp_path / "d", one)
    settings = json.loads((folder / "generation_config.json").read_text()) | {"eos_token_id": [2, 0]}
    (tmp_path / "generation_config.json").write_text(json.dumps(settings))
    (tmp_path / "config.json").write_bytes((tiny_model / "config.json").read_bytes())
    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        (tmp_path / name).write_bytes((tiny_model / name).read_bytes())
    assert ask(tmp_path, tmp_path / "e", one)["pad_in_stops"]


def test_an_old_trainer_or_an_unknown_model_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trl-0.9.4.dist-info").mkdir()
    (tmp_path / "trl-0.9.4.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: trl\nVersion: 0.9.4\n")
    command = ("env", f"PYTHONPATH={tmp_path}", sys.executable)
    spec = choose_spec(name="p", rows=6, model="any/model", settings={"command": command})
    plan = make_plan(spec, rows(6), (), runs_dir=tmp_path)
    (refusal,) = plan.refusals
    assert (refusal.kind, "trl 0.9.4 is too old" in refusal.text) == ("versions", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    unknown = choose_spec(name="p", rows=6, model="no-such-owner/no-such-model")
    (refusal,) = make_plan(unknown, rows(6), (), runs_dir=tmp_path).refusals
    assert (refusal.kind, "no folder no-such-owner/no-such-model is here, and no" in refusal.text) == ("model", True)
    broken = choose_spec(name="p", rows=6, model="any/model", settings={"command": ("false",)})
    with pytest.raises(TrainingError, match="does not run the worker"):
        make_plan(broken, rows(6), (), runs_dir=tmp_path)


@pytest.mark.slow
def test_a_network_without_a_way_out_is_told_after_the_hubs_own_retries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    unknown = choose_spec(name="p", rows=6, model="no-such-owner/no-such-model")
    (refusal,) = make_plan(unknown, rows(6), (), runs_dir=tmp_path).refusals
    assert (refusal.kind, "no-such-owner/no-such-model cannot be loaded" in refusal.text) == ("model", True)


def test_what_the_libraries_would_not_take_is_refused_before_the_start() -> None:
    def refusal(**settings: Any) -> str:
        spec = choose_spec(name="p", rows=6, model="any/model", settings=settings)
        sft, lora = ({name: each.value for name, each in values.items()} for values in (spec.sft, spec.lora))
        return settings_refusal(sft, lora)

    assert refusal() == ""
    assert "cosin" in refusal(lr_scheduler_type="cosin")
    assert "optim" in refusal(optim="adamm") or "adamm" in refusal(optim="adamm")
    assert refusal(report_to="wandb") == "report_to wandb: it is not installed in this interpreter"
    assert "no setting colour" in settings_refusal({"colour": "red"}, {})
    assert "no setting warmth" in settings_refusal({}, {"warmth": 1})


NVIDIA_SMI = """#!/bin/sh
case "$1" in
*compute-apps*) echo "GPU-a, $PPID, 1000, python"; echo "GPU-b, 4242, 70000, /opt/other/train" ;;
*) echo "0, GPU-a, NVIDIA H100 80GB HBM3, 9.0, 81559, 80000, 3, 70.5"
   echo "1, GPU-b, NVIDIA H100 80GB HBM3, 9.0, 81559, 11000, 98, [N/A]" ;;
esac
"""


def test_a_gpu_somebody_else_fills_is_refused_and_they_are_named(
    plan: Plan, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "nvidia-smi"
    script.write_text(NVIDIA_SMI)
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    free, full = gpus()
    assert (free.name, free.capability, free.busy, full.watts) == ("NVIDIA H100 80GB HBM3", "9.0", 3.0, None)
    assert [(user.pid, user.name, user.mb) for user in full.processes] == [(4242, "train", 70000.0)]
    assert [user.pid for user in foreign(1)] == [4242]
    assert foreign(0) == []  # that is this process
    spec = choose_spec(name="p", rows=64, model=str(tiny_model))
    big = Plan(**{name: getattr(plan, name) for name in Plan.__slots__} | {"vram_gb": Estimate(20.0, "")})
    warnings, refusals = machine_notes(big, spec, full, tmp_path)
    assert kinds(refusals) == ["memory"]
    assert "train (pid 4242) holds 70.0 GB of GPU 1" in [note.text for note in warnings]
    assert machine_notes(big, spec, free, tmp_path)[1] == []


def test_memory_grows_with_rows_and_shrinks_with_each_thing_that_saves_it() -> None:
    shape = {
        "parameters": 8e9,
        "lora_parameters": 42e6,
        "hidden": 4096,
        "layers": 32,
        "ffn": 14336,
        "vocabulary": 128256,
    }

    def need(**settings: Any) -> float:
        spec = choose_spec(name="m", rows=64, model="a/model", settings={"batch": 16, **settings})
        return memory_gb(spec, shape, 1024, True).value or 0.0

    usual = need(micro_batch=4)
    assert need(micro_batch=8) > usual > need(micro_batch=1)
    assert need(micro_batch=4, activation_checkpointing=True) < usual
    assert need(micro_batch=4, four_bit=True) == pytest.approx(usual - 8 * (2 - 0.55), abs=0.02)
    assert need(micro_batch=4, method="full") > usual + 8 * 12


def test_train_refuses_what_the_plan_refuses_unless_it_is_overridden_with_a_reason(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    answers = ["red " * 80, *("red" for _ in range(9))]
    folder = make_project(tmp_path, [alpaca(f"Lamp {n}?", answer) for n, answer in enumerate(answers)])
    with open_project(folder, reviewer="ann") as project:
        project.decide([Act("accept", tuple(project.rows.id(n) for n in range(10)))])
    words = [str(folder), "--model", str(tiny_model), "--set", "max_length=60", "--budget", "1h"]
    assert main(["plan", *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["truncated"], [note["kind"] for note in told["refusals"]]) == (1, ["truncated", "eos_lost"])
    assert main(["train", *words]) == 2
    assert "not started: 1 of 10 rows" in capsys.readouterr().err
    assert main(["train", str(folder), "--model", f"{tiny_model}x", "--budget", "1h"]) == 2
    told_of_name = capsys.readouterr().err
    assert f"not started: no folder {tiny_model}x is here; did you mean {tiny_model}?" in told_of_name
    assert list_runs(folder / "runs") == ()
    assert main(["train", *words, "--override", "one long row is fine", "--json"]) == 0
    run = Path(json.loads(capsys.readouterr().out)["dir"])
    manifest = json.loads((run / "tamis-manifest.json").read_text())
    assert manifest["override"]["why"] == "one long row is fine"
    assert [note["kind"] for note in manifest["override"]["refusals"]] == ["truncated", "eos_lost"]
    assert json.loads((run / "spec.json").read_text())["values"]["budget_seconds"]["value"] == 3600
    stop(run)
    stop(run)
    wait_until(lambda: not is_alive(run))
