"""Rows of a project or a file as the trainer would see them, token by token, whether they are accepted or not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import Training, load_config, training_for
from engine.errors import UsageError
from engine.export.training_rows import training_row, why_untrained
from engine.model import Example
from engine.phrases import counted
from engine.project.project import Project
from engine.select.selection import select
from engine.training.plan.preflight import Progress, tokens_of
from engine.training.plan.template_notes import in_words, told_lost
from engine.workflows.train import chosen_spec, given_names
from engine.workflows.training_sets import file_examples, reason_in_words

MOST_ROWS = 20
CALL_TEXT = "call text"
_ID = re.compile(r"(?=.*[a-f.])[0-9a-f]{4,16}(\.[0-9]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenView:
    """`rows` are `{"row", "id", "tokens", "learnt", "pieces", "note"}`; pieces are those of `worker/token_view.py`,
    none for a row no trainer gets or the chat template refuses: `note` says why. `of`: how many are named."""

    model: str
    masking: str
    max_length: int
    rows: tuple[Mapping[str, Any], ...]
    of: int

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "trained_on": self.masking,
            "max_length": self.max_length,
            "of": self.of,
            "rows": [dict(row) for row in self.rows],
        }


def tokens_in_project(
    project: Project,
    named: str,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> TokenView:
    """The rows that `named` means: a number, the beginning of an id, a selector. Raises UsageError, TrainingError."""
    if named.strip().isdecimal():
        numbers = [int(named)] if int(named) < len(project.rows) else []
    elif _ID.fullmatch(named.strip()):
        numbers = [at for at in range(len(project.rows)) if project.rows.id(at).startswith(named.strip())]
    else:
        numbers = select(project, named)
    config = training_for(project.folder, given_names(model, settings))
    return _view(
        [project.example(at) for at in numbers[:MOST_ROWS]], len(numbers), named, model, settings, config, progress
    )


def tokens_in_file(
    path: Path,
    named: str,
    *,
    model: str | None = None,
    settings: Mapping[str, Any] | None = None,
    encoding: str | None = None,
) -> TokenView:
    """The same of a data file, whose rows go by number and id alone. Raises SourceError, UsageError, TrainingError."""
    word = named.strip().removeprefix("row:")
    if not word.isdecimal() and not _ID.fullmatch(word):
        raise UsageError(f"--show {named!r}: rows of a file go by number or id", "", "a selector needs a project")
    examples = file_examples(path, encoding)
    found = [one for one in examples if str(one.number) == word or (not word.isdecimal() and one.id.startswith(word))]
    return _view(found[:MOST_ROWS], len(found), named, model, settings, load_config().training, None)


def _view(
    examples: Sequence[Example],
    of: int,
    named: str,
    model: str | None,
    settings: Mapping[str, Any] | None,
    config: Training,
    progress: Progress | None,
) -> TokenView:
    if not examples:
        raise UsageError(f"no row is {named!r}", "", "name a number, the beginning of an id, or a selector")
    untrained = {one.id: why_untrained(one.conversation) for one in examples}
    spec = chosen_spec(len(examples), model, settings, config)
    answer = tokens_of(spec, [training_row(one) for one in examples if not untrained[one.id]], progress)
    seen = {row["id"]: row for row in answer["rows"]}
    rows = []
    for one in examples:
        if why := untrained[one.id]:
            note = f"no trainer gets this row: it is one {reason_in_words(why)}"
        else:
            note = _note(one.id, answer)
        empty = {"id": one.id, "tokens": 0, "learnt": 0, "pieces": []}
        rows.append({"row": one.number, **seen.get(one.id, empty), "note": note})
    return TokenView(str(spec.model.value), answer["masking"], int(spec.max_length.value), tuple(rows), of)


def _note(row: str, answer: Mapping[str, Any]) -> str:
    """What the chat template refuses or leaves out of a row, and what would help."""
    lost = [told_lost(kind) for kind, ids in answer["lost"].items() if row in ids and kind != CALL_TEXT]
    refused = answer["refused_rows"].get(row)
    told = [f"the chat template refuses this row: {refused}"] if refused else []
    if row in answer["lost"].get(CALL_TEXT, ()):
        told.append("a tool call stands in the text, in a form that is not the chat template's own")
    told += [f"the chat template leaves out {', '.join(lost)}"] if lost else []
    return ": ".join(filter(None, ("; ".join(told), in_words(answer["proposed"].get(row, {})))))


def more_than_shown(view: TokenView) -> str:
    """That not all rows are shown, or ""."""
    left = view.of - len(view.rows)
    return f"{counted(left, 'row')} more are named and not shown" if left else ""
