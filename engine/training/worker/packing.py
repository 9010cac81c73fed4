"""From labelled rows to the sequences a batch is made of: one row each, or several packed into one; row ids stay known.

Packing is TRL's own (best fit, decreasing); tamis adds which rows a sequence holds. Rows of one sequence must not see
each other. Whether they do depends on model, kernel and versions, so it is measured on the model before the first
step: the same row, alone and behind another one, has to get the same logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from trl import pack_dataset

from .rows import LabelledRow

ROWS = "rows"
CHECK_TOKENS = 64
EXACT_SHARE, HALF_SHARE = 1e-3, 0.05
"""How far logits may differ, as a share of their spread: in float32, and where the arithmetic is in 16 bits."""


def as_dataset(rows: Sequence[LabelledRow], *, packed_to: int | None = None) -> Dataset:
    """Columns `input_ids`, `labels` and `rows` (which rows, by place, a sequence holds).

    `packed_to`: the most tokens of a sequence of several rows; `seq_lengths` then says how long each row of it is. None
    of the rows may be longer.
    """
    if packed_to is None:
        return Dataset.from_list(
            [{"input_ids": row.input_ids, "labels": row.labels, ROWS: [place]} for place, row in enumerate(rows)]
        )
    columns = [
        {"input_ids": row.input_ids, "labels": row.labels, ROWS: [place] * len(row.input_ids)}
        for place, row in enumerate(rows)
    ]
    packed = pack_dataset(Dataset.from_list(columns), packed_to, "bfd")
    return packed.map(lambda sequence: {ROWS: rows_within(sequence[ROWS], sequence["seq_lengths"])})


def rows_within(places: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """The row at the beginning of each part of a packed sequence."""
    starts, at = [], 0
    for length in lengths:
        starts.append(places[at])
        at += length
    return starts


class RowsKept:
    """TRL's collator, which lets every batch say which rows it holds."""

    def __init__(self, collate: Callable[[list[Any]], Mapping[str, Any]]) -> None:
        self._collate = collate

    def __call__(self, sequences: list[dict[str, Any]]) -> dict[str, Any]:
        held = [tuple(sequence[ROWS]) for sequence in sequences]
        bare = [{name: value for name, value in sequence.items() if name != ROWS} for sequence in sequences]
        return {**self._collate(bare), ROWS: held}


def refusal(trainer: Any, rows: Sequence[LabelledRow]) -> str:
    """Why rows of one sequence would not be kept apart, or "". Runs the model twice on a few tokens."""
    short = sorted(rows, key=lambda row: len(row.input_ids))
    pair = [row for row in short if len(row.input_ids) >= 2][:2]
    if len(pair) < 2:
        return ""
    first, second = ({"input_ids": row.input_ids[:CHECK_TOKENS], "labels": row.labels[:CHECK_TOKENS]} for row in pair)
    behind = len(first["input_ids"])
    was_training = trainer.model.training
    trainer.model.eval()
    try:
        with torch.no_grad(), trainer.compute_loss_context_manager():
            together = logits(trainer, [first, second])[behind:]
            alone = logits(trainer, [second])
    except TypeError as fault:
        return f"the model does not take the positions of packed rows: {fault}"
    finally:
        trainer.model.train(was_training)
    share = ((together - alone).abs().mean() / alone.std().clamp(min=1e-6)).item()
    exact = not (trainer.args.bf16 or trainer.args.fp16)
    if share <= (EXACT_SHARE if exact else HALF_SHARE):
        return ""
    kernel = getattr(trainer.model.config, "_attn_implementation", "unknown")
    words = f"its logits change by {share:.2g} of their spread"
    return f"a row would see the row packed before it: {words} (attention: {kernel})"


def logits(trainer: Any, sequences: list[dict[str, Any]]) -> torch.Tensor:
    """Logits (tokens x vocabulary) of rows laid one behind the other, the way a training batch is."""
    batch = trainer._prepare_inputs(dict(trainer.data_collator([{**row, ROWS: []} for row in sequences])))
    inputs = {name: value for name, value in batch.items() if name not in ("labels", ROWS)}
    found: torch.Tensor = trainer.model(**inputs, use_cache=False).logits[0].float()
    return found
