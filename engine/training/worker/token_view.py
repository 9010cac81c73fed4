"""Single rows as the trainer sees them, token by token: `main.py tokens REQUEST.json ANSWER.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .preflight import Progress, answer_request

if TYPE_CHECKING:
    from .rows import LabelledRow

WINDOW = 4
LONGEST_CHARACTER = 8
"""No character is spread over more tokens."""
BROKEN = "\ufffd"


def main(arguments: Sequence[str]) -> None:
    """Answer one request."""
    answer_request(arguments, look)


def look(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """The rows of the request: `rows`, `refused_rows`, `lost` and `proposed` (see `row_checks.py`), `masking`. Raises
    ValueError where the model cannot be had."""
    progress("starting the trainer's libraries")
    import transformers

    from .bounded_templates import bound_templates
    from .fitting import fitting_of
    from .models import load_tokenizer, locate
    from .row_checks import label_rows
    from .rows import choose_masking, read_rows

    transformers.utils.logging.set_verbosity_error()
    making = "making the built-in model"
    source = locate(request["model"], request["pretrain_text"], lambda done, of: progress(making, done, of))
    progress("loading the tokenizer")
    bound_templates()
    tokenizer = load_tokenizer(source, request["revision"], request["model"])
    masking = choose_masking(tokenizer, request["train_on"], fitting_of(request))
    labelled, refused, lost, proposed = label_rows(read_rows(Path(request["train"])), tokenizer, masking, progress)
    longest = int(request["max_length"])
    rows = [
        {
            "id": row.id,
            "tokens": len(row.input_ids),
            "learnt": sum(label != -100 for label in row.labels[1:longest]),
            "pieces": pieces(row, tokenizer, longest),
        }
        for row in labelled
    ]
    return {"masking": masking.how, "rows": rows, "refused_rows": refused, "lost": lost, "proposed": proposed}


def pieces(row: LabelledRow, tokenizer: Any, longest: int) -> list[dict[str, Any]]:
    """One entry a token: `text`, `ids`, whether it is `learnt`, `special` (a word of the vocabulary that was put there
    by hand, such as the end of a turn), or `cut` (behind `longest`). Tokens that only together make a character are one
    entry."""
    special = set(tokenizer.added_tokens_decoder)
    found = []
    start = 0
    for end in range(1, len(row.input_ids) + 1):
        ids = row.input_ids[start:end]
        text = _text(row.input_ids, start, end, tokenizer)
        is_part = text.endswith(BROKEN) and len(ids) < LONGEST_CHARACTER and end < len(row.input_ids)
        if is_part and ids[-1] not in special and row.input_ids[end] not in special:
            continue
        learnt = any(label != -100 for label in row.labels[max(1, start) : end]) and start < longest
        told = {"text": text, "ids": list(ids), "learnt": learnt, "special": ids[0] in special, "cut": start >= longest}
        found.append(told)
        start = end
    return found


def _text(ids: Sequence[int], start: int, end: int, tokenizer: Any) -> str:
    """What the tokens add to the text: some tokenizers write a token otherwise where none stands before it."""
    first = max(0, start - WINDOW)
    before = str(tokenizer.decode(list(ids[first:start]), clean_up_tokenization_spaces=False)) if start else ""
    return str(tokenizer.decode(list(ids[first:end]), clean_up_tokenization_spaces=False))[len(before) :]
