"""Answers of a run's base model and of what it was tuned to, on request: `main.py answer RUN_DIR`.

A process that lives as long as somebody asks. One JSON object a line on stdin asks, JSON lines on stdout answer; it
ends when stdin closes. Libraries print what they like: their stdout is this process's stderr.

    < {"id": 1, "prompts": [[message, …], …], "tools": [[text, …], …], "longest": 64, "sides": ["base", "tuned"]}
      (messages and tools as in `data/*.jsonl`; without "tools" there are none)
    > {"ready": true, "model", "source", "kind": "full|lora", "seconds"}       once, when both models are loaded
    > {"id": 1, "side": "base", "answers": ["…"], "cut": [false]}              one line a side, as soon as it is there
    > {"error": "…"}   loading failed, the process ends        > {"id": 1, "error": "…"}   this request failed
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from .checkpoints import latest_attempt
from .events import plain
from .faults import sentence
from .serve import set_environment
from .spec import Spec, read_spec

SIDES = ("base", "tuned")
SINCE_ADDED = {
    "attention": "auto",
    "precision": "auto",
    "train_on": "all",
    "four_bit": False,
    "revision": None,
    "gpu": 0,
}
"""Values that the spec of a run of an earlier tamis may lack, as such a run took them."""


def main(arguments: Sequence[str]) -> None:
    """Serve one run until stdin closes."""
    run_dir = Path(arguments[0])
    answers_to = own_stdout()
    began = time.monotonic()
    try:
        spec = read_spec(run_dir, latest_attempt(run_dir))
        spec = replace(spec, values={**SINCE_ADDED, **spec.values})
        set_environment(spec)
        pair = load_pair(run_dir, spec, lambda done, of: tell(answers_to, {"progress": done, "of": of}))
    except Exception as fault:  # noqa: BLE001  the worker's border: a model from anywhere fails in any way
        tell(answers_to, {"error": sentence(fault)})
        end(1)
    ready = {"ready": True, "model": spec["model"], "source": pair.source, "kind": spec["method"]}
    tell(answers_to, {**ready, "seconds": round(time.monotonic() - began, 2)})
    for line in sys.stdin:
        serve(pair, line, answers_to)
    end(0)


def end(code: int) -> None:
    """End without the interpreter's own end, which takes seconds with torch in it."""
    sys.stderr.flush()
    os._exit(code)


def own_stdout() -> IO[str]:
    """The real stdout for our lines alone; whatever else is printed goes to stderr from now on."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)
    return ours


def tell(stream: IO[str], message: Mapping[str, Any]) -> None:
    """One line; where nobody reads any more the process ends."""
    try:
        stream.write(json.dumps(plain(message), ensure_ascii=True) + "\n")
        stream.flush()
    except BrokenPipeError:
        os._exit(0)


class Pair:
    """Both sides of a run and the tokenizer they share. `side` is a context in which `model(side)` answers."""

    def __init__(self, base: Any, tuned: Any, tokenizer: Any, masking: Any, source: str) -> None:
        self._base, self._tuned = base, tuned
        self.tokenizer, self.masking, self.source = tokenizer, masking, source

    @contextmanager
    def side(self, side: str) -> Iterator[Any]:
        """The model of a side: a model of its own, or (an adapter) the one model with the adapter on or off."""
        if side == "tuned" or self._base is not None:
            yield self._tuned if side == "tuned" else self._base
        else:
            with self._tuned.disable_adapter():
                yield self._tuned


def load_pair(run_dir: Path, spec: Spec, progress: Any) -> Pair:
    """Base and tuned model. Raises ValueError where one is missing or cannot be read."""
    import torch
    import transformers
    from transformers import AutoModelForCausalLM

    from .fitting import fitting_of
    from .libraries import weights_in
    from .model_folder import check_model_folder
    from .models import choose_precision, load
    from .rows import choose_masking

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if spec["threads"]:
        torch.set_num_threads(int(spec["threads"]))
    trained = run_dir / "model"
    if not trained.is_dir():
        raise ValueError(f"{run_dir.name} has no model/ folder: it saved nothing")
    precision = choose_precision(spec["method"], spec["precision"])
    base, tokenizer, source = load(spec, precision, progress)
    masking = choose_masking(tokenizer, spec["train_on"], fitting_of(spec.values))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    check_model_folder(trained)
    if spec["method"] == "lora":
        import peft

        tuned = peft.PeftModel.from_pretrained(base, str(trained), use_safetensors=True)
        both: tuple[Any, Any] = (None, tuned)
    else:
        tuned = AutoModelForCausalLM.from_pretrained(
            str(trained),
            **weights_in(precision.dtype),
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=bool(spec.sft.get("trust_remote_code")),
        )
        both = (base, tuned)
    for model in both:
        if model is not None:
            model.eval()
            if not spec["four_bit"]:  # 4-bit weights lie on their GPU already
                model.to(device)
    return Pair(both[0], both[1], tokenizer, masking, source)


def serve(pair: Pair, line: str, answers_to: IO[str]) -> None:
    """Answer one request; a request that cannot be answered says why and the process goes on."""
    try:
        request = json.loads(line)
        number = request["id"]
    except (ValueError, TypeError, KeyError):
        tell(answers_to, {"id": None, "error": "this is no request"})
        return
    try:
        rows = prompts(pair, request["prompts"], request.get("tools") or [()] * len(request["prompts"]))
        for side in request.get("sides", SIDES):
            written = answered(pair, side, rows, int(request["longest"]))
            told = {"answers": [text for text, _ in written], "cut": [cut for _, cut in written]}
            tell(answers_to, {"id": number, "side": side, **told})
    except (ValueError, RuntimeError, KeyError, TypeError, MemoryError) as fault:
        tell(answers_to, {"id": number, "error": sentence(fault)})


def prompts(pair: Pair, asked: Sequence[Sequence[Mapping[str, Any]]], tools: Sequence[Sequence[str]]) -> list[Any]:
    """The requests as the trainer would render them, with the opening of the answer."""
    from .chat import rendered
    from .rows import LabelledRow, Row, as_chat

    rows = []
    for number, (messages, given) in enumerate(zip(asked, tools, strict=True)):
        chat = as_chat(Row(str(number), tuple(messages), tuple(given)), pair.masking)
        ids = rendered(pair.tokenizer, chat, pair.masking.template, add_generation_prompt=True)["input_ids"]
        rows.append(LabelledRow(str(number), (), (), tuple(ids), ""))
    return rows


def answered(pair: Pair, side: str, rows: Sequence[Any], longest: int) -> list[tuple[str, bool]]:
    """(greedy answer as a user sees it, whether it was cut at `longest` tokens) of one side to every prompt."""
    from . import evaluate

    with pair.side(side) as model:
        room = (getattr(model.config, "max_position_embeddings", 0) or 1 << 20) - longest
        for row in rows:
            if len(row.prompt_ids) > room:
                raise ValueError(
                    f"this prompt has {len(row.prompt_ids)} tokens; the model holds {room} before an answer"
                )
        written = evaluate.answers(model, pair.tokenizer, rows, batch=8, longest=longest, check=lambda: None)
    return [(answer.text, answer.cut) for answer in written]
