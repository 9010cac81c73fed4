"""A run's model as a folder that others can load: `main.py export-model REQUEST.json ANSWER.json`.

REQUEST names `run` (its folder), `weights` (the folder in it that is to leave), `step` (they were saved at), `to` (an
empty folder), `merged`, `base` (the name to write into an adapter, or ""), and what the card tells: `name`, `told`.
Nothing counts before it was loaded again from the files that were written and answers as the run's own model does.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from huggingface_hub import try_to_load_from_cache
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from .answering import SINCE_ADDED
from .card import HUB_ID, card, public_name
from .chat import rendered
from .checkpoints import latest_attempt
from .fitting import fitting_of
from .model_folder import check_model_folder, config_of
from .models import BUILT_IN, Precision, load
from .older_readers import rewrite, with_known_tokenizer, with_older_names
from .preflight import Progress, answer_request
from .rows import IGNORED, LabelledRow, Masking, Row, as_chat, choose_masking, prepare, read_rows
from .same_logits import LONGEST, ROWS, Spoken, agreement, differs_from_record, spoken
from .serve import set_environment
from .spec import Spec, read_spec
from .trainer import versions

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors")
SPARE_BYTES = 64 << 20
MARKS = re.compile(r"\{%([-+]?)\s*(?:end)?generation\s*([-+]?)%\}")
AS_WRITTEN = cast(Any, "auto")


def main(arguments: Sequence[str]) -> None:
    """Answer one request; the answer says how far the logits agree, or `error`."""
    answer_request(arguments, export_model)


def export_model(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the folder and verify it. Raises ValueError where it cannot be made, or does not answer as it should."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    run, to = Path(request["run"]), Path(request["to"])
    weights = run / request["weights"]
    spec = read_spec(run, latest_attempt(run))
    was_four_bit = bool(spec.values.get("four_bit")) or spec.values.get("method") == "qlora"
    spec = replace(spec, values={**SINCE_ADDED, **spec.values, "four_bit": False})
    set_environment(spec)
    check_model_folder(weights)
    is_adapter = (weights / ADAPTER_FILES[0]).is_file()
    merged = bool(request["merged"]) or not is_adapter
    progress("loading the run's model")
    model, source = tuned_model(spec, weights, is_adapter, merged, to, progress)
    tokenizer = AutoTokenizer.from_pretrained(str(weights), local_files_only=True, trust_remote_code=False)
    masking = choose_masking(tokenizer, spec["train_on"], fitting_of(spec.values))
    read = rows_to_ask(run)
    rows = prepare(read, tokenizer, masking, min(int(spec["max_length"]), LONGEST)).rows[:ROWS]
    if not rows:
        raise ValueError("no row of the run can be labelled, so what is written could not be verified")
    wanted = spoken(model, rows, lambda done, of: progress("asking the run's model", done, of))
    if refusal := differs_from_record(wanted, recorded_losses(run, request.get("step"))):
        raise ValueError(refusal)
    notes = []
    dtype = dtype_of_base(spec, source, model)
    progress("writing")
    if merged:
        notes += written_whole(model, is_adapter, dtype, to, was_four_bit)
    else:
        dtype = None
        notes += written_adapter(weights, to, spec, str(request["base"]))
    notes += written_tokenizer(tokenizer, masking, read[:ROWS], to)
    ends, more = written_ends(model, tokenizer, rows, to)
    notes += more
    if merged:
        rewrite(to / "config.json", with_older_names)
        copy_sentencepiece(source, spec["revision"], to)
    del model
    told = {**request["told"], "versions": versions(), "trained_on": masking.how, "ends": ends}
    values = {**spec.values, "method": "lora" if is_adapter and not merged else "full"}
    again = read_again(to, spec, source, merged, rows, progress)
    found = agreement(wanted, again, dtype or torch.float32)
    if found.refusal:
        raise ValueError(found.refusal)
    told["agreement"] = found.to_json()
    lora = lora_of(weights) if is_adapter else {}
    shown = {**spec.lora, **lora, **({"base": str(request["base"])} if request["base"] else {})}
    (to / "README.md").write_text(
        card(str(request["name"]), values, shown, told, merged=is_adapter and merged), "utf-8"
    )
    open_to_others(to)
    return {
        "kind": "adapter" if not merged else "merged" if is_adapter else "full",
        "base": request["base"] or public_name(str(spec["model"])),
        "dtype": str(dtype).removeprefix("torch.") if dtype else None,
        "lora": {name: lora.get(name) for name in ("r", "modules_to_save", "use_dora", "bias")},
        "verified": {**found.to_json(), "rows": len(wanted.losses)},
        "ends": ends,
        "notes": notes,
    }


# -- the model of the run


def tuned_model(
    spec: Spec, weights: Path, is_adapter: bool, merged: bool, to: Path, progress: Progress
) -> tuple[Any, str]:
    """What the run made, in the number format of its files, and where its base lies. Raises ValueError."""
    if not is_adapter:
        check_room(to, config_of_folder(str(weights), None))
        model = AutoModelForCausalLM.from_pretrained(
            str(weights), dtype="auto", use_safetensors=True, local_files_only=True,
            trust_remote_code=bool(spec.sft.get("trust_remote_code")),
        )  # fmt: skip
        return placed(model), str(spec["model"])
    from .models import locate

    making = "making the built-in model"
    source = locate(spec["model"], spec["pretrain_text"], lambda done, of: progress(making, done, of))
    if merged:
        config = config_of_folder(source, spec["revision"])
        if getattr(config, "quantization_config", None):
            raise ValueError(
                "its base is quantised, and an adapter cannot be merged into it without loss: export without --merged"
            )
        check_room(to, config)
    precision = Precision({}, AS_WRITTEN, "as the base's files are written")
    base, _, source = load(spec, precision, lambda done, of: progress(making, done, of))
    import peft

    return placed(peft.PeftModel.from_pretrained(base, str(weights), use_safetensors=True)), source


def config_of_folder(source: str, revision: str | None) -> Any:
    """The configuration of a model. Raises ValueError where there is none."""
    try:
        return AutoConfig.from_pretrained(source, revision=revision, trust_remote_code=False)
    except OSError as fault:
        raise ValueError(f"model {public_name(source)} cannot be loaded: {fault}") from fault


def check_room(to: Path, config: Any) -> None:
    """Raises ValueError where the disk does not hold what is to be written."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    width = (named_dtype(config) or torch.float32).itemsize
    needed = sum(weight.numel() for weight in model.parameters()) * width + SPARE_BYTES
    free = shutil.disk_usage(to).free
    if free < needed:
        raise ValueError(
            f"{needed / 1e9:.1f} GB are to be written and the disk has {free / 1e9:.1f} GB free: make room, or name "
            "another folder (--to)"
        )


def placed(model: Any) -> Any:
    """The model, ready to be asked, on the GPU where it has room for it."""
    model.eval()
    if torch.cuda.is_available():
        size = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        if torch.cuda.mem_get_info()[0] > 1.3 * size:
            model.to("cuda")
    return model


def dtype_of_base(spec: Spec, source: str, model: Any) -> Any:
    """The number format that the base's files are in; of a base that is gone, that of the model itself."""
    own = next(weight.dtype for weight in model.parameters() if weight.is_floating_point())
    if spec["model"] == BUILT_IN:
        return own
    try:
        config = AutoConfig.from_pretrained(source, revision=spec["revision"], trust_remote_code=False)
    except (OSError, ValueError):
        return own
    return named_dtype(config) or own


def named_dtype(config: Any) -> Any:
    """The number format that a configuration names, or None."""
    named = getattr(config, "dtype", None) or getattr(config.get_text_config(), "dtype", None)
    return named if isinstance(named, torch.dtype) else None


def rows_to_ask(run: Path) -> tuple[Row, ...]:
    """Rows of the run, held-out ones first."""
    files = (run / "data" / "heldout.jsonl", run / "data" / "train.jsonl")
    return tuple(row for path in files if path.is_file() for row in read_rows(path)[: 4 * ROWS])


def recorded_losses(run: Path, step: int | None) -> dict[str, tuple[float, int]]:
    """What the held-out rows cost when the run measured them at `step`; empty where it did not."""
    path, found = run / "eval.jsonl", {}
    if step is None or not path.is_file():
        return {}
    with path.open("rb") as stream:
        for line in stream:
            try:
                value = json.loads(line)
                if int(value["step"]) == step:
                    found[str(value["id"])] = (float(value["nll"]), int(value["tokens"]))
            except (ValueError, KeyError, TypeError, RecursionError):
                continue  # a torn line, or one of another kind
    return found


# -- what is written


def written_whole(model: Any, is_adapter: bool, dtype: Any, to: Path, was_four_bit: bool) -> list[str]:
    """Write all weights, an adapter merged into them. Returns what a person should know of it."""
    whole = model.merge_and_unload(safe_merge=True) if is_adapter else model
    whole.to(dtype)
    whole.config.dtype = dtype
    # Of the folder it was loaded from; nobody else has it.
    whole.config._name_or_path = ""
    whole.save_pretrained(to)
    if was_four_bit and is_adapter:
        return ["the adapter was trained on 4-bit weights and is merged into the full ones: it was not measured there"]
    return []


def written_adapter(weights: Path, to: Path, spec: Spec, base: str) -> list[str]:
    """Copy the adapter, its base under a name that others know. Returns what a person should know of it."""
    for name in ADAPTER_FILES:
        shutil.copyfile(weights / name, to / name)
    config = config_of(to, ADAPTER_FILES[0])
    known = base or public_name(str(config.get("base_model_name_or_path") or spec["model"]))
    is_id = bool(base) or "/" in known or (known == spec["model"] != BUILT_IN)
    if is_id:
        config["base_model_name_or_path"] = known
        (to / ADAPTER_FILES[0]).write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")
        return []
    return [
        f"adapter_config.json names the base by its place on this machine ({known}), as nothing else is known of it: "
        "name its id on the Hub (--base ORGANISATION/NAME), or export with --merged"
    ]


def lora_of(weights: Path) -> dict[str, Any]:
    """The adapter's own settings."""
    return config_of(weights, ADAPTER_FILES[0])


def written_tokenizer(tokenizer: Any, masking: Masking, rows: Sequence[Row], to: Path) -> list[str]:
    """Write the tokenizer with a chat template that renders what was trained, without marks that only a trainer knows.

    The base's own template stays where it renders the rows as they were trained. Raises ValueError where the written
    one renders a row in another way.
    """
    notes = []
    chats = [as_chat(row, masking) for row in rows]
    trained = [texts_of(tokenizer, chat, masking.template) for chat in chats]
    own = tokenizer.chat_template
    is_other = isinstance(own, str) and masking.template not in (None, own)
    if is_other and [texts_of(tokenizer, chat, None) for chat in chats] != trained:
        tokenizer.chat_template = masking.template
        notes.append("its chat template is the one that was trained, which renders rows otherwise than the base's")
    if isinstance(tokenizer.chat_template, str):
        # A comment ends lines and takes blanks as the mark did.
        tokenizer.chat_template = MARKS.sub(r"{#\1 \2#}", tokenizer.chat_template)
    tokenizer.save_pretrained(to)
    rewrite(to / "tokenizer_config.json", with_known_tokenizer)
    again = AutoTokenizer.from_pretrained(str(to), local_files_only=True, trust_remote_code=False)
    if [texts_of(again, chat, None) for chat in chats] != trained:
        raise ValueError("the chat template does not render the rows as they were trained once it is written down")
    return notes


def copy_sentencepiece(source: str, revision: str | None, to: Path) -> None:
    """The base's own `tokenizer.model`, where it has one: version 5 does not write it, and llama.cpp asks for it."""
    name = "tokenizer.model"
    beside = Path(source) / name
    found: Any = beside
    if not beside.is_file():
        is_id = HUB_ID.fullmatch(source) is not None
        found = try_to_load_from_cache(source, name, revision=revision) if is_id else None
    if isinstance(found, str | Path) and not (to / name).exists():
        shutil.copyfile(found, to / name)


def texts_of(tokenizer: Any, chat: Any, template: str | None) -> tuple[Any, ...]:
    """The tokens of a conversation, and of its request with the opening of an answer."""
    whole = rendered(tokenizer, chat, template)["input_ids"]
    ends_on_answer = bool(chat.messages) and chat.messages[-1]["role"] == "assistant"
    asked = replace(chat, messages=chat.messages[:-1]) if ends_on_answer and len(chat.messages) > 1 else None
    opening = rendered(tokenizer, asked, template, add_generation_prompt=True)["input_ids"] if asked else ()
    return (tuple(whole), tuple(opening))


def written_ends(model: Any, tokenizer: Any, rows: Sequence[LabelledRow], to: Path) -> tuple[dict[str, Any], list[str]]:
    """Write generation_config.json: an answer ends at the token that was learnt to end it, and never at the padding."""
    config = getattr(model, "generation_config", None) or GenerationConfig()
    before = config.eos_token_id
    stops = [before] if isinstance(before, int) else list(before or ())
    learnt = learnt_end(tokenizer, rows)
    unused = [token for token in (tokenizer.unk_token_id, *tokenizer.all_special_ids) if token is not None]
    ends, pad = ends_and_padding(
        learnt, stops, (tokenizer.pad_token_id, config.pad_token_id), [t for t in unused if t != tokenizer.bos_token_id]
    )
    config.eos_token_id, config.pad_token_id = ends[0] if len(ends) == 1 else ends, pad
    config.bos_token_id = tokenizer.bos_token_id if config.bos_token_id is None else config.bos_token_id
    config._from_model_config = False
    config.save_pretrained(to)
    notes = []
    if learnt not in stops:
        end = tokenizer.convert_ids_to_tokens(learnt)
        notes.append(f"answers were learnt to end with {end!r}, where the base did not stop")
    if pad in ends:
        notes.append("the padding token is the token that ends an answer: the tokenizer has no other")
    return {"eos_token_id": config.eos_token_id, "pad_token_id": pad, "was": before}, notes


def ends_and_padding(
    learnt: int, stops: Sequence[int], padding: Sequence[int | None], special: Sequence[int]
) -> tuple[list[int], int]:
    """The tokens that end an answer, and one to pad with that is none of them, where there is one.

    Padding that stands among the ends makes empty answers. It keeps its place there where another special token can
    pad; else it ends nothing any more.
    """
    ends = list(dict.fromkeys([learnt, *stops]))
    pads = [token for token in padding if token is not None]
    for token in (*pads, *special):
        if token not in ends:
            return ends, token
    kept = [token for token in ends if token == learnt or token not in pads]
    return kept, next((token for token in pads if token not in kept), learnt)


def learnt_end(tokenizer: Any, rows: Sequence[LabelledRow]) -> int:
    """The special token that most answers were learnt to end with; the tokenizer's own where there is none."""
    special = set(tokenizer.all_special_ids)
    found: Counter[int] = Counter()
    for row in rows:
        learnt = [label for label in row.labels if label != IGNORED][-3:]
        found.update([token for token in learnt if token in special][-1:])
    return found.most_common(1)[0][0] if found else int(tokenizer.eos_token_id)


# -- and read again


def read_again(
    to: Path, spec: Spec, source: str, merged: bool, rows: Sequence[LabelledRow], progress: Progress
) -> Spoken:
    """What the written files say of the rows."""
    progress("loading it again")
    trusts = bool(spec.sft.get("trust_remote_code"))
    local: dict[str, Any] = {"use_safetensors": True, "dtype": "auto", "trust_remote_code": trusts}
    if merged:
        model = AutoModelForCausalLM.from_pretrained(str(to), local_files_only=True, **local)
    else:
        import peft

        base = AutoModelForCausalLM.from_pretrained(source, revision=spec["revision"], **local)
        model = peft.PeftModel.from_pretrained(base, str(to), use_safetensors=True)
    said: Spoken = spoken(placed(model), rows, lambda done, of: progress("verifying what was written", done, of))
    return said


def open_to_others(folder: Path) -> None:
    """Files as the umask says: safetensors writes for nobody else."""
    mask = os.umask(0)
    os.umask(mask)
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o666 & ~mask)
