"""The worker's parts against oracles: TRL's own preparation, brute force one row at a time, the untouched loss."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from small_runs import rows
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

from engine.training.worker.builtin import chat_text
from engine.training.worker.evaluate import answers, batches, row_losses
from engine.training.worker.rows import IGNORED, Prepared, Row, choose_masking, prepare

UNMARKED = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TURNS = (
    {"role": "system", "content": "Answer in JSON."},
    {"role": "user", "content": "the red lamp"},
    {"role": "assistant", "content": '{"colour": "red"}'},
    {"role": "user", "content": "and the blue rug"},
    {"role": "assistant", "content": '{"colour": "blue"}'},
)


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model)


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(tiny_model).eval()


def plain_rows(count: int, start: int = 0) -> list[Row]:
    return [Row(row.id, row.messages) for row in rows(count, start)]


def trl_columns(folder: Path, model_folder: Path, tokenizer: Any, columns: dict[str, Any], **config: Any) -> Any:
    """What TRL itself makes of the rows: the dataset it would train on."""
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(model_folder),
        args=SFTConfig(
            output_dir=str(folder), use_cpu=True, bf16=False, max_length=40, activation_checkpointing=False, **config
        ),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
    )
    return trainer.train_dataset


def assert_same(prepared: Prepared, theirs: Any) -> None:
    assert [list(row.input_ids) for row in prepared.rows] == [list(ids) for ids in theirs["input_ids"]]
    assert [list(row.labels) for row in prepared.rows] == [list(labels) for labels in theirs["labels"]]


def test_labels_are_those_of_trl_for_all_assistant_turns(tiny_model: Path, tokenizer: Any, tmp_path: Path) -> None:
    mine = [*plain_rows(4), Row("turns", TURNS)]
    columns = {"messages": [[dict(turn) for turn in row.messages] for row in mine]}
    theirs = trl_columns(tmp_path, tiny_model, tokenizer, columns, assistant_only_loss=True)
    prepared = prepare(mine, tokenizer, choose_masking(tokenizer), 40)
    assert prepared.truncated
    assert_same(prepared, theirs)


def test_labels_are_those_of_trl_for_prompt_and_completion(tiny_model: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = UNMARKED
    mine = [*plain_rows(4), Row("turns", TURNS)]
    columns = {
        "prompt": [[dict(turn) for turn in row.messages[:-1]] for row in mine],
        "completion": [[dict(row.messages[-1])] for row in mine],
    }
    theirs = trl_columns(tmp_path, tiny_model, tokenizer, columns)
    prepared = prepare(mine, tokenizer, choose_masking(tokenizer, "last"), 40)
    assert_same(prepared, theirs)


def test_only_what_the_assistant_says_is_learnt_with_its_end(tokenizer: Any) -> None:
    (row,) = prepare([Row("turns", TURNS)], tokenizer, choose_masking(tokenizer), 500).rows
    learnt = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(learnt) == '{"colour": "red"}<|im_end|>{"colour": "blue"}<|im_end|>'
    assert tokenizer.decode(row.prompt_ids).endswith("and the blue rug<|im_end|>\n<|im_start|>assistant\n")


def test_rows_with_nothing_left_to_learn_are_named(tokenizer: Any) -> None:
    silent = Row("silent", TURNS[:2])
    prepared = prepare([silent, *plain_rows(1)], tokenizer, choose_masking(tokenizer), 8)
    assert prepared.rows == ()
    assert prepared.dropped == ("silent", "r0")
    assert prepared.truncated == ("silent", "r0")


def test_a_tokenizer_without_chat_template_gets_a_plain_one_that_ends_its_answers(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.chat_template = None
    masking = choose_masking(tokenizer)
    assert "no chat template" in masking.how
    (row,) = prepare([Row("turns", TURNS)], tokenizer, masking, 500).rows
    learnt = [token for token, label in zip(row.input_ids, row.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(learnt) == '{"colour": "red"}<|im_end|>{"colour": "blue"}<|im_end|>'


def test_losses_do_not_depend_on_the_batch(model: Any, tokenizer: Any) -> None:
    labelled = prepare([*plain_rows(9), Row("turns", TURNS)], tokenizer, choose_masking(tokenizer), 500).rows
    measured = row_losses(model, labelled, pad_id=0, batch=4, check=lambda: None)
    assert [row.id for row in measured] == [row.id for row in labelled]
    for row, mine in zip(labelled, measured, strict=True):
        ids, labels = torch.tensor([row.input_ids]), torch.tensor([row.labels])
        with torch.no_grad():
            mean = model(input_ids=ids, labels=labels).loss.item()
        assert mine.tokens == row.learnt
        assert mine.nll == pytest.approx(mean * mine.tokens, rel=1e-4)


def test_answers_in_a_batch_are_those_one_by_one(model: Any, tokenizer: Any) -> None:
    labelled = prepare([*plain_rows(6), Row("turns", TURNS)], tokenizer, choose_masking(tokenizer), 500).rows
    together = answers(model, tokenizer, labelled, batch=4, longest=12, check=lambda: None)
    for row, answer in zip(labelled, together, strict=True):
        assert answers(model, tokenizer, [row], batch=1, longest=12, check=lambda: None) == [answer]


def test_skipping_masked_positions_leaves_loss_and_gradient_as_they_are(
    tiny_model: Path, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import trl.trainer.utils

    labelled = prepare(plain_rows(8), tokenizer, choose_masking(tokenizer), 500).rows
    columns = [{"input_ids": row.input_ids, "labels": row.labels} for row in labelled]
    found = []
    for skipping in (False, True):
        with monkeypatch.context() as patch:
            if skipping:
                patch.setattr(trl.trainer.utils, "_use_triton", lambda _device: True)
            trainer = SFTTrainer(
                model=AutoModelForCausalLM.from_pretrained(tiny_model),
                args=SFTConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False, activation_checkpointing=False),
                train_dataset=Dataset.from_list(columns),
                processing_class=tokenizer,
            )
            batch = trainer.data_collator([trainer.train_dataset[number] for number in range(8)])
            loss = trainer.compute_loss(trainer.model, batch)
            loss.backward()
            norm = torch.nn.utils.get_total_norm([weight.grad for weight in trainer.model.parameters()])
            found.append((loss.item(), norm.item()))
    assert found[1] == pytest.approx(found[0], rel=1e-5)


def test_batches_hold_every_row_once_within_their_limits() -> None:
    lengths = [5, 90, 7, 7, 30, 2, 64]
    groups = list(batches(lengths, 3, 100))
    assert sorted(number for group in groups for number in group) == list(range(7))
    assert all(len(group) <= 3 for group in groups)
    assert all(len(group) == 1 or len(group) * max(lengths[number] for number in group) <= 100 for group in groups)


def test_two_processes_that_want_the_same_base_make_it_once(making: list[str], tiny_model: Path) -> None:
    assert making[0] == making[1]
    assert [path.parent for path in tiny_model.parent.glob("**/model.safetensors")] == [tiny_model]
    assert not [path for path in tiny_model.parent.iterdir() if path.name.startswith(".")]


def test_paragraphs_become_turns_and_a_record_the_reply() -> None:
    text = 'One lamp.\nIt is red.\n\nA rug was sold.\n{"sold": "rug"}\n\n{"alone": 1}'
    assert chat_text(text) == (
        "<|im_start|>user\nOne lamp.\nIt is red.<|im_end|>\n"
        '<|im_start|>user\nA rug was sold.<|im_end|>\n<|im_start|>assistant\n{"sold": "rug"}<|im_end|>\n'
        '<|im_start|>assistant\n{"alone": 1}<|im_end|>\n'
    )
    assert chat_text("<|im_start|>user\nas it is<|im_end|>\n") == "<|im_start|>user\nas it is<|im_end|>\n"
