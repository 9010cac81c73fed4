"""How many tokens rows have as a trainer sees them: `main.py tokens REQUEST.json ANSWER.json`.

REQUEST names `model`, `revision`, `pretrain_text` and `rows`, a file like `data/train.jsonl`; the answer holds `counts`
in their order. A row that the chat template refuses counts as its texts, a line each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .preflight import Progress, answer_request


def main(arguments: Sequence[str]) -> None:
    """Answer one request."""
    answer_request(arguments, count_tokens)


def count_tokens(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Count. Raises ValueError where the tokenizer cannot be had."""
    progress("starting the trainer's libraries")
    import transformers

    from .bounded_templates import bound_templates
    from .models import load_tokenizer, locate
    from .rows import choose_masking, read_rows

    transformers.utils.logging.set_verbosity_error()
    making = "making the built-in model"
    source = locate(request["model"], request["pretrain_text"], lambda done, of: progress(making, done, of))
    bound_templates()
    tokenizer = load_tokenizer(source, request["revision"], request["model"])
    masking, rows = choose_masking(tokenizer), read_rows(Path(request["rows"]))
    counts = []
    for place, row in enumerate(rows):
        progress("counting tokens", place, len(rows))
        counts.append(tokens_of(row, tokenizer, masking))
    return {"counts": counts}


def tokens_of(row: Any, tokenizer: Any, masking: Any) -> int:
    """The tokens of one row."""
    from .chat import Unrenderable, rendered
    from .rows import as_chat

    try:
        return len(rendered(tokenizer, as_chat(row, masking), masking.template)["input_ids"])
    except Unrenderable:
        text = "\n".join(str(message.get("content") or "") for message in row.messages)
        return len(tokenizer(text)["input_ids"])
