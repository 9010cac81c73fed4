"""What tamis exports, TRL takes as it is: both training formats, one real optimizer step each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from projects import alpaca, make_project

from engine.export.convert import CONVERSIONS, json_line
from engine.model import Act, Conversation, Example, Message
from engine.project.project import open_project
from engine.workflows.export import export

TRAIN = """
import sys
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer
for path in sys.argv[2:]:
    data = load_dataset("json", data_files=path, split="train", cache_dir=sys.argv[1] + "-cache")
    settings = SFTConfig(
        output_dir=sys.argv[1] + "-out", max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        report_to="none", disable_tqdm=True, save_strategy="no", max_length=128, gradient_checkpointing=False,
        assistant_only_loss="messages" in data.column_names,
    )
    trainer = SFTTrainer(model=sys.argv[1], args=settings, train_dataset=data)
    trainer.train()
    first = trainer.train_dataset[0]
    trained = [token for token, label in zip(first["input_ids"], first["labels"]) if label != -100]
    print(path, "trained on:", repr(trainer.processing_class.decode(trained)))
"""


TRAIN_PAIRS = """
import sys
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer
model, name, *paths = sys.argv[1:]
config, trainer_of = {"preference": (DPOConfig, DPOTrainer), "kto": (KTOConfig, KTOTrainer)}[name]
for path in paths:
    data = load_dataset("json", data_files=path, split="train", cache_dir=path + "-cache")
    settings = config(
        output_dir=path + "-out", max_steps=1, per_device_train_batch_size=2, use_cpu=True, bf16=False,
        report_to="none", disable_tqdm=True, save_strategy="no", max_length=128, gradient_checkpointing=False,
    )
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    trainer = trainer_of(model=model, args=settings, train_dataset=data, processing_class=tokenizer)
    trainer.train()
    print(path, "trained")
"""


@pytest.mark.slow
@pytest.mark.parametrize("format_name", ["preference", "kto"])
def test_pairs_and_labelled_answers_load_unchanged(format_name: str, tiny_model: Path, tmp_path: Path) -> None:
    """As texts, and as lists of messages behind a system prompt."""
    conversion = CONVERSIONS[format_name]
    files = []
    for convert, system in ((conversion.convert, ()), (conversion.wide, (Message("system", "Be brief."),))):
        assert convert is not None
        lines = []
        for number, word in enumerate(("rain", "bread", "a violin", "ice")):
            turns = (*system, Message("user", f"What is {word}?"), Message("assistant", f"{word} is a thing."))
            rejected = ((Message("assistant", "No idea."),),) if format_name == "preference" else ()
            label = None if format_name == "preference" else number % 2 == 0
            held = Conversation(turns, rejected=rejected, label=label)
            lines.append(json_line(convert(Example(f"{number:016x}", number, held, "", 1, {})).row))
        files.append(tmp_path / f"{len(system)}.jsonl")
        files[-1].write_bytes(b"".join(lines))
    command = [sys.executable, "-c", TRAIN_PAIRS, str(tiny_model), format_name, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count("trained") == 2


def test_both_training_formats_load_unchanged(tiny_model: Path, tmp_path: Path) -> None:
    rows = [
        alpaca(f"What is {word}?", f"{word} is a thing.", year=2020) for word in ("rain", "bread", "a violin", "ice")
    ]
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Yes."},
    ]
    files = []
    for name, source in (("pairs", rows), ("chats", [{"messages": chat}] * 4)):
        (tmp_path / name).mkdir()
        with open_project(make_project(tmp_path / name, source), reviewer="ann") as project:
            project.decide([Act("accept", tuple(project.rows.id(n) for n in range(4)))])
            for format_name in ("prompt-completion", "messages"):
                files.append(str(tmp_path / name / f"{format_name}.jsonl"))
                export(project, files[-1], format_name=format_name)
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(tiny_model), *files], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = [line for line in done.stdout.splitlines() if "trained on:" in line]
    assert len(said) == 4
    assert all("rain is a thing." in line and "What is" not in line for line in said[:2]), said
    assert all("Yes." in line and "Hi" not in line for line in said[2:]), said
