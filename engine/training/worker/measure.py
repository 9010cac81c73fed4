"""The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import evaluate
from .events import open_private, plain
from .out_of_memory import free_what_is_unused, is_out_of_memory
from .rows import LabelledRow
from .run_context import RunContext
from .spec import Spec
from .time_left import READ, WRITE, Sizes, batches_times

SHOWN_CHARACTERS = 400


class Measure:
    """The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

    def __init__(self, spec: Spec, context: RunContext, tokenizer: Any, rows: Sequence[LabelledRow]) -> None:
        self._spec = spec
        self._context = context
        self._tokenizer = tokenizer
        self._rows = rows
        self._batch = int(spec["eval_batch"])

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
        measured = self._losses(model)
        asked = self._rows[: self._spec["generate_rows"]]
        if asked:
            written = self._answers(model, asked)
            for number, (row, answer) in enumerate(zip(asked, written, strict=True)):
                measured[number] = evaluate.with_answer(measured[number], row.answer, answer)
        self._report(measured, step, written[: self._spec["samples"]] if asked else [])
        return measured

    def told(self, measured: Sequence[evaluate.Measured]) -> dict[str, Any]:
        """What `result.json` says of the last measurement."""
        if not measured:
            return {}
        return {"nll": evaluate.nll_per_token(measured), "exact": evaluate.exact_share(measured)}

    def _answers(self, model: Any, asked: Sequence[LabelledRow]) -> list[str]:
        longest = self._longest(asked)
        with self._context.left.doing(WRITE, batches_times(len(asked), int(self._spec["eval_batch"]), longest)):
            return self._written(model, asked, longest)

    def _written(self, model: Any, asked: Sequence[LabelledRow], longest: int) -> list[str]:
        return self._fitting(
            lambda batch: evaluate.answers(
                model, self._tokenizer, asked, batch=batch, longest=longest, check=self._context.watch.check
            )
        )

    def _longest(self, asked: Sequence[LabelledRow]) -> int:
        """How many tokens an answer may take: a longer one is not the reference."""
        lengths = [len(ids) for ids in self._tokenizer([row.answer for row in asked])["input_ids"]]
        return min(int(self._spec["max_new_tokens"]), max(lengths) + 2)

    def sizes(self, rows: int = 0, others: int = 0) -> Sizes:
        """What is measured and written; `rows` and `others` are tokens of single training rows."""
        batch = int(self._spec["eval_batch"])

        def written(count: int) -> int:
            asked = self._rows[:count]
            return batches_times(len(asked), batch, self._longest(asked)) if asked else 0

        answers, samples = written(self._spec["generate_rows"]), written(self._spec["samples"])
        return Sizes(sum(len(row.input_ids) for row in self._rows), rows, others, answers, samples)

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

    def _report(self, measured: Sequence[evaluate.Measured], step: int, written: Sequence[str]) -> None:
        shown = zip(self._rows, written, strict=False)
        self._context.log.emit(
            "eval",
            step=step,
            set="heldout",
            rows=len(measured),
            nll=evaluate.nll_per_token(measured),
            n_tokens=sum(row.tokens for row in measured),
            exact=evaluate.exact_share(measured),
            samples=[
                {"id": row.id, "answer": answer[:SHOWN_CHARACTERS], "reference": row.answer[:SHOWN_CHARACTERS]}
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
    """One line a row: step, id, summed loss, tokens, largest loss of a token, and the answer where one was written."""
    descriptor = open_private(path, os.O_WRONLY | os.O_APPEND)
    with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as stream:
        for row in measured:
            line: dict[str, Any] = {"step": step, "id": row.id, "nll": plain(round(row.nll, 6)), "tokens": row.tokens}
            line["peak"] = plain(round(row.peak, 5))
            if row.answer is not None:
                line |= {"exact": row.exact, "answer": row.answer}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
