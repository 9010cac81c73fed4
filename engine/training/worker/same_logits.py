"""Whether two models say the same: their logits on rows of the run, where the answers of the rows stand.

What is compared is the loss in front of every learnt token, and the logits themselves at some of them: kept for all of
them, a vocabulary of 250,000 would take gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .rows import IGNORED, LabelledRow

ROWS, LONGEST, PLACES = 8, 512, 24
"""Rows asked, tokens of a row, and learnt tokens of a row whose logits are kept."""

LARGEST_RMS = {torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 1e-1}
LEAST_TOP1 = {torch.float32: 0.99, torch.float16: 0.95, torch.bfloat16: 0.9}
"""How far the logits may lie apart (root mean square, in standard deviations of the logits at a place) and at how many
places the likeliest token must be the same, by what the weights are written in. A merge rounds each weight once: to 24,
11 or 8 bits."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a model makes of rows: `logits` [places, vocabulary] on the CPU, `likeliest` [learnt tokens] of all rows,
    and for each row its summed loss in nats and its number of learnt tokens."""

    logits: Any
    likeliest: Any
    losses: dict[str, tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """`top1`: share of learnt tokens before which both models hold the same token for the likeliest. `largest`: of the
    differences of logits, and `rms`, in standard deviations of the logits."""

    top1: float
    largest: float
    rms: float
    tokens: int
    dtype: str
    refusal: str

    def to_json(self) -> dict[str, Any]:
        """What the answer of the export says of it."""
        return {
            "top1": round(self.top1, 5),
            "max_abs": float(f"{self.largest:.4g}"),
            "rms": float(f"{self.rms:.3g}"),
            "tokens": self.tokens,
            "dtype": self.dtype,
        }


@torch.inference_mode()  # type: ignore[untyped-decorator]
def spoken(model: Any, rows: Sequence[LabelledRow], progress: Callable[[int, int], None]) -> Spoken:
    """Ask a model about the rows, one after the other: no padding has a say. Each is cut at LONGEST tokens."""
    kept, likeliest, losses = [], [], {}
    for number, row in enumerate(rows):
        progress(number, len(rows))
        ids = torch.tensor([row.input_ids[:LONGEST]], device=model.device)
        labels = torch.tensor(row.labels[1:LONGEST], device=model.device)
        places = (labels != IGNORED).nonzero().flatten()
        if not len(places):
            continue
        found = model(input_ids=ids, use_cache=False).logits[0, :-1][places].float()
        loss = torch.nn.functional.cross_entropy(found, labels[places], reduction="sum")
        losses[row.id] = (float(loss), len(places))
        likeliest.append(found.argmax(-1).cpu())
        some = torch.linspace(0, len(places) - 1, min(PLACES, len(places))).round().long()
        kept.append(found[some.to(found.device)].cpu())
    if not kept:
        raise ValueError(f"no row of the run has an answer within {LONGEST} tokens, so the export cannot be verified")
    return Spoken(torch.cat(kept), torch.cat(likeliest), losses)


def agreement(wanted: Spoken, found: Spoken, dtype: Any) -> Agreement:
    """Compare what two models said of the same rows. `dtype`: what the weights of the second are written in."""
    apart = found.logits - wanted.logits
    # A model may write minus infinity for tokens that it never says, both the same.
    apart = torch.where(found.logits == wanted.logits, 0.0, apart)
    spread = wanted.logits.masked_fill(~wanted.logits.isfinite(), 0.0).std(-1).mean().clamp(min=1e-6)
    rms = float(apart.square().mean().sqrt() / spread)
    top1 = float((found.likeliest == wanted.likeliest).float().mean())
    largest = float(apart.abs().max())
    name = str(dtype).removeprefix("torch.")
    tokens = len(wanted.likeliest)
    most, least = LARGEST_RMS.get(dtype, 1e-1), LEAST_TOP1.get(dtype, 0.9)
    refusal = ""
    # One token of a few may be a tie.
    if not rms <= most or top1 < least - 1 / tokens:
        refusal = (
            f"what was written does not answer as the run's model: the likeliest token is the same at {top1:.1%} of "
            f"{tokens} places, logits differ by up to {largest:.3g} (in {name} {most:g} standard deviations are "
            f"allowed, it is {rms:.2g})"
        )
    return Agreement(top1, largest, rms, tokens, name, refusal)


def differs_from_record(said: Spoken, recorded: dict[str, tuple[float, int]]) -> str:
    """Why these rows do not score as the run wrote down at its end, or "": then base or tokenizer were exchanged.

    Rows that were cut here, or not measured by the run, are left out. Another number format moves a loss by hundredths.
    """
    both = [row for row, (_, tokens) in said.losses.items() if row in recorded and recorded[row][1] == tokens]
    if not both:
        return ""
    tokens = sum(said.losses[row][1] for row in both)
    now, then = (sum(losses[row][0] for row in both) / tokens for losses in (said.losses, recorded))
    if abs(now - then) <= 0.1 + 0.05 * then:
        return ""
    return (
        f"{len(both)} held-out rows cost {now:.3f} nats per token with this base, {then:.3f} at the end of the run: "
        "the base or its tokenizer is not what was trained on"
    )
