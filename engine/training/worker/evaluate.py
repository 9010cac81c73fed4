"""Measures on held-out rows: loss per row and per token, and greedy answers compared with the reference.

The trainer's own `eval_loss` is a mean over batches and changes with the batch size; here every token counts once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch

from .rows import IGNORED, LabelledRow
from .seen_answer import seen

LOGIT_BYTES = 256_000_000
"""Room for one batch of float32 logits (rows x length x vocabulary)."""
OPENING_TOKENS = 16
"""The last tokens of a prompt, where a template may have opened the thinking part."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: summed loss in nats over how many tokens, the largest loss of one of them, and if asked for the
    answer as a user sees it and whether it was cut where its room was used up."""

    id: str
    nll: float
    tokens: int
    answer: str | None = None
    exact: bool | None = None
    peak: float = 0.0
    cut: bool | None = None


def nll_per_token(measured: Sequence[Measured]) -> float:
    """Summed loss over summed tokens."""
    return sum(row.nll for row in measured) / max(1, sum(row.tokens for row in measured))


def exact_share(measured: Sequence[Measured]) -> float | None:
    """Share of the asked rows answered word for word; None where none was asked."""
    asked = [row.exact for row in measured if row.exact is not None]
    return sum(asked) / len(asked) if asked else None


def row_losses(
    model: Any, rows: Sequence[LabelledRow], *, pad_id: int, batch: int, check: Callable[[], None]
) -> list[Measured]:
    """Loss of every row, in the given order. `check` is called between batches and may raise to give up."""
    measured: dict[int, Measured] = {}
    vocabulary = model.get_input_embeddings().weight.shape[0]
    with inference(model):
        for numbers in batches([len(row.input_ids) for row in rows], batch, LOGIT_BYTES // (4 * vocabulary)):
            check()
            ids, attention = padded([rows[number].input_ids for number in numbers], pad_id, model.device)
            labels, _ = padded([rows[number].labels for number in numbers], IGNORED, model.device)
            logits = model(input_ids=ids, attention_mask=attention, use_cache=False).logits[:, :-1]
            wanted = labels[:, 1:] != IGNORED
            losses = torch.zeros(wanted.shape, dtype=torch.float32, device=model.device)
            losses[wanted] = torch.nn.functional.cross_entropy(
                logits[wanted].float(), labels[:, 1:][wanted], reduction="none"
            )
            found = (losses.sum(1).tolist(), wanted.sum(1).tolist(), losses.max(1).values.tolist())
            for number, loss, tokens, peak in zip(numbers, *found, strict=True):
                measured[number] = Measured(rows[number].id, loss, int(tokens), peak=peak)
    return [measured[number] for number in range(len(rows))]


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote: `whole` with its thinking and the tokens in it, `text` as a user sees it; whether it was cut
    before it came to an end, and in how many tokens."""

    whole: str
    text: str
    cut: bool
    tokens: int


def answers(
    model: Any,
    tokenizer: Any,
    rows: Sequence[LabelledRow],
    *,
    batch: int,
    longest: int | Sequence[int],
    check: Callable[[], None],
) -> list[Written]:
    """The greedy answer to every row's prompt, in the given order, at most `longest` new tokens each.

    Rows of like room are answered together, and each is cut at its own: what a row gets does not hang on its batch.
    """
    room = [longest] * len(rows) if isinstance(longest, int) else list(longest)
    answered: dict[int, Written] = {}
    stops = stop_ids(model, tokenizer)
    with inference(model):
        in_order = sorted(range(len(rows)), key=lambda number: (room[number], len(rows[number].prompt_ids)))
        for numbers in (in_order[first : first + batch] for first in range(0, len(rows), batch)):
            check()
            prompts = [rows[number].prompt_ids for number in numbers]
            ids, attention = padded(prompts, tokenizer.pad_token_id, model.device, left=True)
            made = model.generate(
                input_ids=ids,
                attention_mask=attention,
                do_sample=False,
                use_cache=True,
                max_new_tokens=max(room[number] for number in numbers),
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=stops,
            )
            for number, new in zip(numbers, made[:, ids.shape[1] :].tolist(), strict=True):
                answered[number] = written(new, room[number], rows[number].prompt_ids, tokenizer, stops)
    return [answered[number] for number in range(len(rows))]


def written(new: Sequence[int], room: int, prompt: Sequence[int], tokenizer: Any, stops: Sequence[int]) -> Written:
    """New tokens as an answer: up to the first that ends it, within its room."""
    end = next((place for place, token in enumerate(new[:room]) if token in stops), None)
    kept = list(new[: room if end is None else end])
    whole = tokenizer.decode(kept)
    return Written(whole, as_seen(whole, prompt, tokenizer), end is None, len(kept))


def as_seen(whole: str, prompt: Sequence[int], tokenizer: Any) -> str:
    """What a user sees of an answer behind these ids."""
    before = tokenizer.decode(list(prompt[-OPENING_TOKENS:]))
    return seen(whole, tokenizer.all_special_tokens, prompt=before).text


def stop_ids(model: Any, tokenizer: Any) -> list[int]:
    """Every id that ends an answer: the tokenizer's, and what the model's generation settings name."""
    named = model.generation_config.eos_token_id
    return sorted({tokenizer.eos_token_id, *([named] if isinstance(named, int) else named or [])})


def with_answer(measured: Measured, reference: str, answer: Written) -> Measured:
    """The same row with its answer judged: `reference` as a user sees it, see `seen_answer.py`."""
    return replace(measured, answer=answer.text, exact=answer.text == reference, cut=answer.cut)


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """No gradients, no dropout; the mode the model was in comes back at the end."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def batches(lengths: Sequence[int], most: int, tokens: int | None) -> Iterator[list[int]]:
    """Row numbers in batches of like length: at most `most` rows, and at most `tokens` padded tokens if given."""
    group: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        full = len(group) == most or (tokens is not None and (len(group) + 1) * lengths[number] > tokens)
        if group and full:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def padded(
    sequences: Sequence[Sequence[int]], filler: int, device: Any, *, left: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows of ids filled up to the longest, and the mask (1 where there is a token): two (rows, length) tensors."""
    width = max(len(sequence) for sequence in sequences)
    gaps = [width - len(sequence) for sequence in sequences]
    ids = [
        [filler] * gap + list(sequence) if left else list(sequence) + [filler] * gap
        for sequence, gap in zip(sequences, gaps, strict=True)
    ]
    mask = [[0] * gap + [1] * (width - gap) if left else [1] * (width - gap) + [0] * gap for gap in gaps]
    return torch.tensor(ids, device=device), torch.tensor(mask, device=device)
