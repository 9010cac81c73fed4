"""Rows packed into one sequence: whole, named, and blind to each other, or refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from small_runs import rows
from transformers import AutoModelForCausalLM, AutoTokenizer, MambaConfig, MambaForCausalLM
from trl import SFTConfig, SFTTrainer

from engine.training.worker.packing import ROWS, RowsKept, as_dataset, refusal
from engine.training.worker.rows import LabelledRow, Row, choose_masking, prepare

LONGEST = 100


@pytest.fixture(scope="module")
def labelled(tiny_model: Path) -> tuple[LabelledRow, ...]:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    read = [Row(row.id, row.messages) for row in rows(12)]
    return prepare(read, tokenizer, choose_masking(tokenizer), LONGEST).rows


def trainer_of(model: Any, tiny_model: Path, folder: Path, labelled: tuple[LabelledRow, ...]) -> Any:
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            output_dir=str(folder),
            use_cpu=True,
            bf16=False,
            activation_checkpointing=False,
            packing=True,
            max_length=LONGEST,
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=as_dataset(labelled, packed_to=LONGEST),
        processing_class=AutoTokenizer.from_pretrained(tiny_model),
    )
    trainer.data_collator = RowsKept(trainer.data_collator)
    return trainer


def test_every_row_is_packed_once_and_whole_and_known_by_its_place(labelled: tuple[LabelledRow, ...]) -> None:
    found: dict[int, tuple[list[int], list[int]]] = {}
    packed = as_dataset(labelled, packed_to=LONGEST)
    for sequence in packed:
        assert len(sequence["input_ids"]) <= LONGEST
        at = 0
        for place, length in zip(sequence[ROWS], sequence["seq_lengths"], strict=True):
            part = slice(at, at + length)
            found[place] = (sequence["input_ids"][part], sequence["labels"][part])
            at += length
    assert len(packed) < len(labelled)
    assert found == {place: (list(row.input_ids), list(row.labels)) for place, row in enumerate(labelled)}


def test_a_packed_batch_has_the_loss_of_its_rows_one_by_one(
    tiny_model: Path, tmp_path: Path, labelled: tuple[LabelledRow, ...]
) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    trainer = trainer_of(model, tiny_model, tmp_path, labelled)
    sequence = max(trainer.train_dataset, key=lambda each: len(each[ROWS]))
    assert len(sequence[ROWS]) >= 2
    batch = trainer.data_collator([sequence])
    del batch[ROWS]
    with torch.no_grad():
        together = trainer.compute_loss(trainer.model, batch).item()
        summed = tokens = 0.0
        for place in sequence[ROWS]:
            row = labelled[place]
            one = model(input_ids=torch.tensor([row.input_ids]), labels=torch.tensor([row.labels])).loss
            summed, tokens = summed + one.item() * row.learnt, tokens + row.learnt
    assert together == pytest.approx(summed / tokens, rel=1e-4)
    assert refusal(trainer, labelled) == ""


def test_a_model_whose_rows_would_see_each_other_is_refused_with_what_was_measured(
    tiny_model: Path, tmp_path: Path, labelled: tuple[LabelledRow, ...]
) -> None:
    torch.manual_seed(0)
    # Its state runs on from one row into the next, whatever positions say.
    config = MambaConfig(vocab_size=500, hidden_size=32, num_hidden_layers=2, state_size=8, initializer_range=0.5)
    recurrent = MambaForCausalLM(config)

    class Lenient(MambaForCausalLM):
        def forward(self, input_ids: Any = None, **_: Any) -> Any:
            return super().forward(input_ids=input_ids)

    recurrent.__class__ = Lenient
    trainer = trainer_of(AutoModelForCausalLM.from_pretrained(tiny_model), tiny_model, tmp_path, labelled)
    trainer.model = recurrent
    assert "would see the row packed before it" in refusal(trainer, labelled)


def test_a_model_that_takes_no_positions_is_refused(labelled: tuple[LabelledRow, ...], tmp_path: Path) -> None:
    class Plain(torch.nn.Module):
        def forward(self, input_ids: Any, use_cache: bool) -> Any:
            raise AssertionError("not reached")

    from contextlib import nullcontext

    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    stand_in: Any = SimpleNamespace(
        model=Plain(),
        data_collator=RowsKept(DataCollatorForLanguageModeling(pad_token_id=0, padding_free=True)),
        compute_loss_context_manager=nullcontext,
        _prepare_inputs=lambda batch: batch,
    )
    assert "does not take the positions" in refusal(stand_in, labelled)
