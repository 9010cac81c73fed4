"""The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from . import evaluate
from .answer_format import answer_format
from .base_measure import base_key, keep_base, known_base
from .events import open_private, plain
from .out_of_memory import free_what_is_unused, is_out_of_memory
from .room import answer_lengths, room_for, written_tokens
from .rows import LabelledRow
from .run_context import RunContext
from .spec import Spec
from .time_left import READ, WRITE, Sizes

SHOWN_CHARACTERS = 400
NAMED = 3
WRITTEN_TOKENS = 4
"""How many tokens are written to measure how fast."""
BASE_ANSWERS = 12
"""Rows that the base answers on a CPU."""


class Measure:
    """The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

    def __init__(self, spec: Spec, context: RunContext, tokenizer: Any, rows: Sequence[LabelledRow]) -> None:
        self._spec = spec
        self._context = context
        self._tokenizer = tokenizer
        self._rows = rows
        self._batch = int(spec["eval_batch"])
        self._references = {row.id: evaluate.as_seen(row.answer, row.prompt_ids, tokenizer) for row in rows}
        self._lengths = answer_lengths(rows, tokenizer)
        self._base: dict[str, Any] = {}
        self._form = answer_format(list(self._references.values()))
        self._took = 0.0
        self._tell_short_room()

    def losses(self, model: Any, step: int) -> list[evaluate.Measured]:
        """Loss of every held-out row; one `eval` event."""
        if not self._rows:
            return []
        measured = self._losses(model)
        asked = self._rows[: self._spec["samples"]]
        self._report(measured, step, self._answers(model, asked) if asked else [])
        return measured

    def all(self, model: Any, step: int) -> list[evaluate.Measured]:
        """Loss of every held-out row, greedy answers to the first `generate_rows` of them; one `eval` event."""
        if not self._rows:
            return []
        measured, written = self._answered(model, int(self._spec["generate_rows"]))
        self._report(measured, step, written)
        return measured

    def base(self, model: Any) -> list[evaluate.Measured]:
        """The same of the model as it is before the first step, in an `eval` event of step 0.

        What an earlier run of the folder measured of the same weights with the same rows is taken from there. On a CPU
        it answers BASE_ANSWERS rows: an answer takes as long as a step there, and that the base does not know the task
        shows in a few.
        """
        if not self._rows or not self._spec["generate_rows"]:
            return self.losses(model, 0)
        count = self._asked_of_base(model.device.type != "cpu")
        run_dir, is_alone = self._context.run_dir, not self._context.is_one_of_many
        asked = [
            (row.prompt_ids, row.input_ids, row.labels, self._references[row.id], room)
            for row, room in zip(self._rows, self._room(model), strict=True)
        ]
        stops = evaluate.stop_ids(model, self._tokenizer)
        key = base_key(run_dir, model, [asked, count, stops]) if is_alone else ""
        known = known_base(run_dir, key, [row.id for row in self._rows]) if is_alone else None
        if known is None:
            measured, written = self._answered(model, count)
            if is_alone:
                keep_base(run_dir, key, measured)
            self._report(measured, 0, written)
        else:
            measured, source = known
            self._report(measured, 0, [], reused=source)
        self._base = self.told(measured)
        return measured

    def told(self, measured: Sequence[evaluate.Measured]) -> dict[str, Any]:
        """What `result.json` says of a measurement; `cut` of `answered` answers used up their room."""
        if not measured:
            return {}
        answered = [row for row in measured if row.answer is not None]
        told: dict[str, Any] = {"nll": evaluate.nll_per_token(measured), "exact": evaluate.exact_share(measured)}
        if answered:
            told |= {"answered": len(answered), "cut": sum(bool(row.cut) for row in answered)}
        if answered and self._form:
            fitting = sum(self._form.fits(row.answer or "") for row in answered)
            told |= {"format": self._form.name, "format_valid": fitting / len(answered)}
        return told

    def _answered(self, model: Any, count: int) -> tuple[list[evaluate.Measured], list[evaluate.Written]]:
        """Loss of every row, and the answers to the first `count`, judged."""
        measured = self._losses(model)
        asked = self._rows[:count]
        written = self._answers(model, asked) if asked else []
        for number, (row, answer) in enumerate(zip(asked, written, strict=True)):
            measured[number] = evaluate.with_answer(measured[number], self._references[row.id], answer)
        return measured, written

    def _tell_short_room(self) -> None:
        """Name the reference answers that could not be written whole, the longest first."""
        asked, most = int(self._spec["generate_rows"]), int(self._spec["max_new_tokens"])
        longer = [
            (length, row.id) for length, row in zip(self._lengths, self._rows[:asked], strict=False) if length > most
        ]
        if longer:
            named = ", ".join(f"{row}: {length}" for length, row in sorted(longer, reverse=True)[:NAMED])
            words = f"{len(longer)} reference answers are longer than max_new_tokens = {most} ({named} tokens)"
            detail = f"{words}: no answer can equal them; max_new_tokens = {max(longer)[0] + 1} has room for all"
            self._context.log.emit("room", detail=detail)

    def _answers(self, model: Any, asked: Sequence[LabelledRow]) -> list[evaluate.Written]:
        began = time.monotonic()
        with self._context.left.doing(WRITE, self._writing(len(asked))):
            written = self._written(model, asked, self._room(model)[: len(asked)])
        self._took = round(time.monotonic() - began, 2)
        return written

    def _written(
        self, model: Any, asked: Sequence[LabelledRow], longest: int | Sequence[int]
    ) -> list[evaluate.Written]:
        return self._fitting(
            lambda batch: evaluate.answers(
                model, self._tokenizer, asked, batch=batch, longest=longest, check=self._context.watch.check
            )
        )

    def _writing(self, count: int) -> int:
        return written_tokens(self._lengths[:count], int(self._spec["max_new_tokens"]), int(self._spec["eval_batch"]))

    def sizes(self, rows: int = 0, others: int = 0) -> Sizes:
        """What is measured and written; `rows` and `others` are tokens of single training rows."""
        asked, samples = int(self._spec["generate_rows"]), self._writing(int(self._spec["samples"]))
        base = self._writing(self._asked_of_base(torch.cuda.is_available())) if asked else samples
        return Sizes(sum(len(row.input_ids) for row in self._rows), rows, others, self._writing(asked), samples, base)

    def _asked_of_base(self, on_gpu: bool) -> int:
        asked = int(self._spec["generate_rows"])
        return asked if on_gpu else min(asked, BASE_ANSWERS)

    def writing_pace(self, model: Any, tokens: int) -> float:
        """Seconds a token that a batch of answers writes, on the first rows; 0 where no answer is asked for."""
        most = max(int(self._spec["generate_rows"]), int(self._spec["samples"]))
        asked = self._rows[: min(most, int(self._spec["eval_batch"]))]
        if not asked:
            return 0.0
        took = []
        for longest in (1, 1 + tokens):
            began = time.monotonic()
            self._written(model, asked, longest)
            took.append(time.monotonic() - began)
        return max(0.0, took[1] - took[0]) / tokens

    def _room(self, model: Any) -> list[int]:
        """New tokens for the answer to each row: see `room_for`."""
        positions = int(getattr(model.config, "max_position_embeddings", None) or 1 << 20)
        rows = zip(self._lengths, self._rows, strict=True)
        most = int(self._spec["max_new_tokens"])
        return [min(room_for(length, most), max(1, positions - len(row.prompt_ids))) for length, row in rows]

    def _losses(self, model: Any) -> list[evaluate.Measured]:
        with self._context.left.doing(READ, sum(len(row.input_ids) for row in self._rows)):
            return self._fitting(
                lambda batch: evaluate.row_losses(
                    model,
                    self._rows,
                    pad_id=self._tokenizer.pad_token_id,
                    batch=batch,
                    check=self._context.watch.check,
                )
            )

    def _fitting(self, attempt: Callable[[int], list[Any]]) -> list[Any]:
        """What `attempt` makes of the held-out rows, with fewer at a time from now on where memory does not hold them.

        Training goes on as it was. Of several processes none may change its way alone.
        """
        while True:
            try:
                return attempt(self._batch)
            except Exception as fault:
                if not is_out_of_memory(fault) or self._batch == 1 or self._context.is_one_of_many:
                    raise
            free_what_is_unused()
            self._batch = max(1, self._batch // 2)
            self._context.log.emit("retry", reason="out of memory while measuring", eval_batch=self._batch)

    def _report(
        self, measured: Sequence[evaluate.Measured], step: int, written: Sequence[evaluate.Written], **more: Any
    ) -> None:
        texts = [row.answer for row in measured if row.answer is not None] or [answer.text for answer in written]
        shown = zip(self._rows, texts[: self._spec["samples"]], strict=False)
        self._context.log.emit(
            "eval",
            step=step,
            set="heldout",
            rows=len(measured),
            n_tokens=sum(row.tokens for row in measured),
            **({"answers_seconds": self._took} if written else {}),
            **self.told(measured),
            **({"base": self._base} if self._base else {}),
            **more,
            samples=[
                {
                    "id": row.id,
                    "answer": answer[:SHOWN_CHARACTERS],
                    "reference": self._references[row.id][:SHOWN_CHARACTERS],
                }
                for row, answer in shown
            ],
        )
        if not self._context.is_first:
            return
        try:
            append_measured(self._context.run_dir / "eval.jsonl", measured, step)
        except OSError as fault:
            words = f"the held-out rows of step {step} found no room in eval.jsonl: {fault.strerror}"
            self._context.log.emit("alert", kind="disk_full", step=step, detail=words)


def append_measured(path: Path, measured: Sequence[evaluate.Measured], step: int) -> None:
    """One line a row: step, id, summed loss, tokens, largest loss of a token, and where one was written the answer
    as a user sees it, whether it is the reference and whether it was cut."""
    descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as stream:
        for row in measured:
            line: dict[str, Any] = {"step": step, "id": row.id, "nll": plain(round(row.nll, 6)), "tokens": row.tokens}
            line["peak"] = plain(round(row.peak, 5))
            if row.answer is not None:
                line |= {"exact": row.exact, "answer": row.answer, "cut": row.cut}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
