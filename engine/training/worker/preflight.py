"""What a trainer would make of rows, told before anything is trained: `main.py preflight REQUEST.json ANSWER.json`.

Runs under the interpreter of the run, with the same code that will label the rows, so the plan cannot differ from what
is trained. The answer is a file: libraries print what they like.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .events import read_json, write_json
from .faults import sentence
from .versions import found_versions, unfit, untried

MARGIN_TOKENS = 4
PROGRESS_SECONDS = 0.2
SHOWN_CUT_TOKENS = 200


def main(arguments: Sequence[str]) -> None:
    """Answer one request."""
    answer_request(arguments, preflight)


def answer_request(arguments: Sequence[str], work: Callable[[Mapping[str, Any], Progress], dict[str, Any]]) -> None:
    """Read the request, do the work, write the answer, end. Faults of model and data are answers as well."""
    request, target = read_json(Path(arguments[0])) or {}, Path(arguments[1])
    found = found_versions()
    answer: dict[str, Any] = {"python": sys.version.split()[0], "versions": found}
    answer |= {"unfit": unfit(found), "untried": untried(found)}
    if not answer["unfit"] and not request.get("versions_only"):
        began = time.monotonic()
        progress = Progress(target.with_name("progress.json"))
        progress("starting the trainer's libraries")
        os.environ.update(
            HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", TOKENIZERS_PARALLELISM="false"
        )
        try:
            answer |= work(request, progress)
        except Exception as fault:  # noqa: BLE001  the worker's border: a model from anywhere fails in any way
            answer["error"] = sentence(fault)
        answer["seconds"] = round(time.monotonic() - began, 2)
    write_json(target, answer, durable=False)
    sys.stdout.flush()
    os._exit(0)  # the interpreter's own end takes seconds with torch in it


class Progress:
    """Tells whoever asked how far the answer is, a few times a second at most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._told = 0.0
        self._asker = os.getppid()

    def __call__(self, phase: str, done: int = 0, of: int = 0) -> None:
        if os.getppid() != self._asker:  # nobody is left to hear the answer
            os._exit(1)
        now = time.monotonic()
        if now - self._told > PROGRESS_SECONDS or not done:
            self._told = now
            write_json(self._path, {"phase": phase, "done": done, "of": of}, durable=False)


def preflight(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Lengths, labels and shape of the model, as plain JSON. Raises ValueError where the model cannot be had."""
    import transformers

    from .bounded_templates import bound_templates
    from .models import load_tokenizer, locate
    from .rows import choose_masking, read_rows

    transformers.utils.logging.set_verbosity_error()
    making = "making the built-in model"
    source = locate(request["model"], request["pretrain_text"], lambda done, of: progress(making, done, of))
    progress("loading the tokenizer")
    bound_templates()
    tokenizer = load_tokenizer(source, request["revision"], request["model"])
    pad_from_eos = tokenizer.pad_token == tokenizer.eos_token
    no_template = tokenizer.chat_template is None
    masking = choose_masking(tokenizer, request["train_on"])
    rows = read_rows(Path(request["train"]))
    labelled, refused, lost = label_rows(rows, tokenizer, masking, progress)
    if not labelled:
        raise ValueError(f"its chat template refuses every row: {next(iter(refused.values()))}")
    progress("measuring")
    longest = int(request["max_length"])
    stops = stop_ids(source, tokenizer, request["revision"])
    return {
        "masking": masking.how,
        "mask_refusal": masking.refusal(rows),
        "settings_refusal": settings_refusal(request["sft"], request["lora"]),
        "no_template": no_template,
        "template_sha256": hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest(),
        "eos": tokenizer.eos_token,
        "pad": tokenizer.pad_token,
        "pad_in_stops": tokenizer.pad_token_id in stops and not pad_from_eos,
        "pad_is_eos": pad_from_eos,
        "refused_rows": refused,
        "lost": lost,
        "double_bos": [row.id for row in labelled if doubled_bos(row.input_ids, tokenizer.bos_token_id)],
        "rows": [
            {
                "id": row.id,
                "tokens": len(row.input_ids),
                "learnt": sum(value != -100 for value in row.labels[1:longest]),
                "ends": ends(row.labels, stops),
                "ends_cut": ends(row.labels[:longest], stops),
            }
            for row in labelled
        ],
        "sequences": sequences(labelled, longest) if request["packing"] else None,
        "shown": [shown(labelled[place], tokenizer, longest) for place in telling(labelled, int(request["show"]))],
        "model": shape_of(source, request["revision"], request["lora_rank"]),
        "device": device(),
    }


def label_rows(
    rows: Sequence[Any], tokenizer: Any, masking: Any, progress: Progress
) -> tuple[list[Any], dict[str, str], dict[str, list[str]]]:
    """The rows labelled; of those that the chat template refuses, why; and what it leaves out of which rows."""
    from .chat import Unrenderable, dropped
    from .rows import as_chat, label

    labelled, refused = [], {}
    lost: dict[str, list[str]] = {}
    for count, row in enumerate(rows):
        progress("labelling rows", count, len(rows))
        try:
            labelled.append(label(row, tokenizer, masking))
        except Unrenderable as fault:
            refused[row.id] = str(fault)
            continue
        for kind in sorted(dropped(tokenizer, as_chat(row, masking), masking.template)):
            lost.setdefault(kind, []).append(row.id)
    return labelled, refused, lost


def settings_refusal(sft: Mapping[str, Any], lora: Mapping[str, Any]) -> str:
    """Why the libraries of this interpreter would not take these settings, or "": asked of the libraries themselves."""
    from peft import LoraConfig
    from trl import SFTConfig

    from .libraries import sft_arguments

    try:
        sft = sft_arguments(sft)
    except ValueError as fault:
        return str(fault)
    unknown = sorted(set(lora) - {field.name for field in fields(LoraConfig)})
    if unknown:
        return f"LoraConfig of this interpreter has no setting {', '.join(unknown)}"
    asked = sft.get("report_to") or ()
    for name in (asked,) if isinstance(asked, str) else asked:
        if name not in ("none", "all") and find_spec(name) is None:
            return f"report_to {name}: it is not installed in this interpreter"
    try:
        SFTConfig(output_dir=tempfile.gettempdir(), use_cpu=True, bf16=False, **sft)
        if lora:
            LoraConfig(**lora)
    except (ValueError, TypeError, ImportError) as fault:
        return " ".join(str(fault).split())[:300]
    return ""


def sequences(rows: Sequence[Any], longest: int) -> int:
    """How many sequences the rows become when they are packed."""
    from .packing import as_dataset
    from .rows import cut

    kept = [cut(row, longest) for row in rows]
    return len(as_dataset([row for row in kept if row.learnt], packed_to=longest))


def ends(labels: Sequence[int], stops: Sequence[int]) -> bool:
    """Whether an end-of-text token is learnt at the end of the last answer (some templates add a line end to it)."""
    learnt = [value for value in labels if value != -100]
    return any(value in stops for value in learnt[-MARGIN_TOKENS:])


def stop_ids(source: str, tokenizer: Any, revision: str | None) -> list[int]:
    """Every id that ends an answer: the tokenizer's, and those the model's generation settings name."""
    from transformers import GenerationConfig

    try:
        named = GenerationConfig.from_pretrained(source, revision=revision).eos_token_id
    except OSError:  # a model need not have any
        named = None
    return sorted({tokenizer.eos_token_id, *([named] if isinstance(named, int) else named or [])})


def doubled_bos(ids: Sequence[int], bos: int | None) -> bool:
    """Whether the row begins with two beginnings."""
    return bos is not None and list(ids[:2]) == [bos, bos]


def telling(rows: Sequence[Any], count: int) -> list[int]:
    """Which rows to show: the first, the longest, the one with most turns of the assistant, then the next ones."""

    def turns(row: Any) -> int:
        return sum(b != -100 and a == -100 for a, b in zip(row.labels, row.labels[1:], strict=False))

    places = range(len(rows))
    first = [0, max(places, key=lambda place: len(rows[place].input_ids)), max(places, key=lambda p: turns(rows[p]))]
    return list(dict.fromkeys([*first, *places]))[:count]


def shown(row: Any, tokenizer: Any, longest: int) -> dict[str, Any]:
    """A row as the trainer sees it: pieces of text in order, each learnt or masked, and what is cut off behind."""
    pieces: list[dict[str, Any]] = []
    start = 0
    kept = min(longest, len(row.input_ids))
    for place in range(1, kept + 1):
        if place == kept or (row.labels[place] != -100) != (row.labels[start] != -100):
            text = tokenizer.decode(list(row.input_ids[start:place]))
            pieces.append({"text": text, "learnt": row.labels[start] != -100})
            start = place
    behind = list(row.input_ids[kept:])
    cut = tokenizer.decode(behind[:SHOWN_CUT_TOKENS]) + (" …" if len(behind) > SHOWN_CUT_TOKENS else "")
    return {"id": row.id, "tokens": len(row.input_ids), "pieces": pieces, "cut": cut if behind else ""}


def shape_of(source: str, revision: str | None, rank: int | None) -> dict[str, Any]:
    """Numbers the memory formula needs, from the model's configuration alone: no weights are read."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from .libraries import misread
    from .model_folder import check_numbers, check_parameters

    config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    check_numbers(config.to_dict(), Path(source))
    if misread(config):
        raise ValueError(f"model {source} cannot be loaded: {misread(config)}")
    text = config.get_text_config()
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    head = model.get_output_embeddings()
    linear = [part for part in model.modules() if isinstance(part, torch.nn.Linear) and part is not head]
    parameters = sum(weight.numel() for weight in model.parameters())
    if Path(source).is_dir():
        check_parameters(parameters, Path(source))
    return {
        "parameters": parameters,
        "lora_parameters": sum((rank or 0) * (part.in_features + part.out_features) for part in linear),
        "hidden": text.hidden_size,
        "layers": text.num_hidden_layers,
        "ffn": getattr(text, "intermediate_size", None) or 4 * text.hidden_size,
        "vocabulary": text.vocab_size,
        "positions": getattr(text, "max_position_embeddings", None),
        "commit": getattr(config, "_commit_hash", None),
    }


def device() -> dict[str, Any]:
    """Whether torch sees a GPU, and how fast the CPU multiplies where it sees none (FLOP a second, one thread)."""
    import torch

    if torch.cuda.is_available():
        major, minor = torch.cuda.get_device_capability()
        return {"kind": "cuda", "capability": f"{major}.{minor}", "count": torch.cuda.device_count()}
    torch.set_num_threads(1)
    one = torch.ones(256, 256)
    one @ one
    began, count = time.perf_counter(), 0
    while time.perf_counter() - began < 0.05:
        one @ one
        count += 1
    return {"kind": "cpu", "flops": count * 2 * 256**3 / (time.perf_counter() - began)}
