"""The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import evaluate
from .desk import Desk
from .events import plain
from .rows import LabelledRow
from .spec import Spec

SHOWN_CHARACTERS = 400


class Measure:
    """The held-out rows of a run, and the `eval` events and `eval.jsonl` lines that measuring them gives."""

    def __init__(self, spec: Spec, desk: Desk, tokenizer: Any, rows: Sequence[LabelledRow]) -> None:
        self._spec = spec
        self._desk = desk
        self._tokenizer = tokenizer
        self._rows = rows

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
        lengths = [len(ids) for ids in self._tokenizer([row.answer for row in asked])["input_ids"]]
        return evaluate.answers(
            model,
            self._tokenizer,
            asked,
            batch=self._spec["eval_batch"],
            longest=min(self._spec["max_new_tokens"], max(lengths) + 2),  # a longer answer is not the reference
            check=self._desk.watch.check,
        )

    def _losses(self, model: Any) -> list[evaluate.Measured]:
        return evaluate.row_losses(
            model,
            self._rows,
            pad_id=self._tokenizer.pad_token_id,
            batch=self._spec["eval_batch"],
            check=self._desk.watch.check,
        )

    def _report(self, measured: Sequence[evaluate.Measured], step: int, written: Sequence[str]) -> None:
        shown = zip(self._rows, written, strict=False)
        self._desk.log.emit(
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
        if not self._desk.is_first:
            return
        append_measured(self._desk.run_dir / "eval.jsonl", measured, step)


def append_measured(path: Path, measured: Sequence[evaluate.Measured], step: int) -> None:
    """One line a row: step, id, summed loss, tokens, and the answer where one was written."""
    with path.open("a", encoding="utf-8", errors="replace") as stream:
        for row in measured:
            line: dict[str, Any] = {"step": step, "id": row.id, "nll": plain(round(row.nll, 6)), "tokens": row.tokens}
            if row.answer is not None:
                line |= {"exact": row.exact, "answer": row.answer}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
