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
from dataclasses import asdict, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .events import read_json, write_json
from .faults import sentence
from .threads import wait_without_spinning
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
        wait_without_spinning()
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
    from .fitting import fitting_of
    from .meta_model import look, vocabulary_notes
    from .models import load_tokenizer, locate
    from .row_checks import changed, label_rows, refused_of
    from .rows import choose_masking, cut, read_rows

    transformers.utils.logging.set_verbosity_error()
    making = "making the built-in model"
    source = locate(request["model"], request["pretrain_text"], lambda done, of: progress(making, done, of))
    progress("loading the tokenizer")
    bound_templates()
    config = configuration(source, request["revision"], request["model"])
    tokenizer = load_tokenizer(source, request["revision"], request["model"])
    pad_from_eos = tokenizer.pad_token == tokenizer.eos_token
    no_template = tokenizer.chat_template is None
    masking = choose_masking(tokenizer, request["train_on"], fitting_of(request))
    rows = read_rows(Path(request["train"]))
    heldout = read_rows(Path(request["heldout"])) if request.get("heldout") else ()
    labelled, refused, lost, proposed = label_rows(rows, tokenizer, masking, progress)
    of_rows = {"refused_rows": refused, "lost": lost, "proposed": proposed, "changed": changed(rows, masking)}
    of_rows["refused_heldout"] = refused_of(heldout, tokenizer, masking)
    if not labelled:
        return of_rows
    progress("measuring")
    longest = int(request["max_length"])
    stops = stop_ids(source, tokenizer, request["revision"])
    refusal = settings_refusal(request["sft"], request["lora"])
    # What is no setting at all cannot be tried on the model.
    shape, faults = look(source, config, {**request, "sft": {}, "lora": {}} if refusal else request)
    of_tokens, doubts = vocabulary_notes(tokenizer, labelled, shape)
    answer = {
        "faults": [*faults, *of_tokens],
        "doubts": doubts,
        "masking": masking.how,
        "settings_refusal": refusal,
        "no_template": no_template,
        "template_sha256": hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest(),
        "eos": tokenizer.eos_token,
        "pad": tokenizer.pad_token,
        "pad_in_stops": tokenizer.pad_token_id in stops and not pad_from_eos,
        "pad_is_eos": pad_from_eos,
        **of_rows,
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
        "model": shape,
        "device": device(),
    }
    if "values" in request and not answer["faults"]:
        answer |= timed(request, [cut(row, longest) for row in labelled], tokenizer, masking, answer["model"], progress)
    return answer


def configuration(source: str, revision: str | None, name: str) -> Any:
    """The configuration of a causal language model. Raises ValueError, in one line, where it is none, or needs code of
    its own: a plan runs none."""
    from transformers import AutoConfig

    from .libraries import misread
    from .models import cannot_be_had, check_causal, first_sentence

    try:
        config = AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    except OSError as fault:
        raise ValueError(cannot_be_had(name, fault)) from fault
    except ValueError as fault:
        if "trust_remote_code" in str(fault):
            words = f"model {name} needs code of its own, which a plan does not run"
            raise ValueError(f"{words}: read it, then set trust_remote_code = true and override this") from fault
        raise ValueError(f"model {name} cannot be loaded: {first_sentence(fault)}") from fault
    check_causal(config, name)
    if misread(config):
        raise ValueError(f"model {name} cannot be loaded: {misread(config)}")
    return config


def timed(
    request: Mapping[str, Any], rows: Sequence[Any], tokenizer: Any, masking: Any, model: Mapping[str, Any], tell: Any
) -> dict[str, Any]:
    """`sizes`: what will be measured on held-out rows; `pace`: how fast this machine does it, or `why_not`."""
    from .measure import Measure
    from .pace import pace_of, scratch_context
    from .rows import prepare, read_rows
    from .spec import Spec

    spec, folder = Spec(request["values"], request["sft"], request["lora"]), Path(request["train"]).parent
    heldout = prepare(read_rows(Path(request["heldout"])), tokenizer, masking, request["max_length"]).rows
    learnt = [row for row in rows if row.learnt]
    sizes = Measure(spec, scratch_context(folder), tokenizer, heldout).sizes()
    asked = {**request, "folder": str(folder), "parameters": model["parameters"]}
    try:
        pace = pace_of(asked, learnt, heldout, tell) if learnt else {"why_not": "no row has anything to learn"}
    except Exception as fault:  # noqa: BLE001  the worker's border: the plan is told without it, and the run will say why
        pace = {"why_not": " ".join(str(fault).split())[:200] or type(fault).__name__}
    return {"pace": pace, "sizes": asdict(sizes)}


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
