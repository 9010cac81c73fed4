"""A run's model for elsewhere: where it may go, what its card and manifest say, and all of it put there at once.

The work is done by the run's own interpreter (`worker/export_model.py`), which loads again what it wrote and compares.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import ProjectError, TrainingError, UsageError, shell_command
from engine.export.card import markdown_name
from engine.export.deliver import made_where_missing
from engine.export.licence import UNKNOWN, is_licence, source_licence
from engine.export.put import can_be_swapped, cannot_write, folder_to_be, hashes_of, swap_folder
from engine.export.redact import reason_told, without_addresses
from engine.export.standing import standing_at
from engine.export.write import MANIFEST_NAME
from engine.paths import real_path
from engine.phrases import counted
from engine.places import refuse_folder
from engine.project.journal import now
from engine.scratch import scratch_folder
from engine.training.compare.significance import Losses, paired
from engine.training.eval.inference import command_of
from engine.training.plan.preflight import Progress, ask
from engine.training.runs.data_files import is_eval_line, lines_of
from engine.training.runs.status import RunState, read_run
from engine.training.runs.trusted import check_run
from engine.training.worker.card import commands
from engine.training.worker.events import read_json
from engine.version import tamis_version

SECONDS = 6 * 3600.0
LAST, BEST = "model", "best"
BUILT_IN = "built-in"


def export_model(
    run_dir: Path,
    to: Path | None = None,
    *,
    merged: bool = False,
    best: bool = False,
    base: str = "",
    licence: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write what a run made to a new folder: an adapter, or (`merged`, or a model trained whole) all weights.

    `best` takes the weights of the lowest held-out loss instead of the last ones. `base` is the id of the base on the
    Hub, for a base that lies in a folder; `licence` that of the base. Without `to` it goes to `exports/`.
    A folder that holds anything but an earlier export of a model, unchanged, is not touched. Raises UsageError for a
    place that cannot be taken, TrainingError where there is no model or what was written does not answer as the run's
    model does, ProjectError where the disk refuses: nothing is left behind then.
    """
    state = read_run(run_dir)
    weights, step = weights_of(state, best=best)
    check_run(run_dir)
    if licence and not is_licence(licence):
        raise UsageError(f"{licence!r} is no licence id", "", "write it as the Hub does: mit, apache-2.0, cc-by-4.0")
    folder = to if to is not None else default_place(run_dir, merged=merged, best=best)
    refuse_place_of_model(folder, state)
    manifest = read_json(run_dir / MANIFEST_NAME) or {}
    told = {**told_of(state, step), "data": data_told(manifest), "measures": measures_told(run_dir, step)}
    base_folder = Path(state.model)
    known = licence or (source_licence(base_folder) if base_folder.is_dir() else UNKNOWN)
    told["licence"] = None if known == UNKNOWN else known
    request = {"run": str(run_dir.resolve()), "weights": weights, "merged": merged, "base": base, "step": step}
    with made_where_missing(folder.parent), folder_to_be(folder, swapped=True) as made:
        request |= {"to": str(made.resolve()), "name": state.id, "told": told}
        with scratch_folder("export-model") as scratch:
            answer = ask(command_of(run_dir), request, scratch, SECONDS, progress, word="export-model")
        if answer["unfit"]:
            raise TrainingError(
                "exporting needs the trainer's libraries", answer["unfit"][0], "pip install 'tamis[train]'"
            )
        if "error" in answer:
            raise TrainingError(f"{state.id} was not exported", str(answer["error"]), "nothing was written")
        if progress is not None:
            progress("hashing", 0, 0)
        try:
            hashes = hashes_of(made)
            size = sum(path.stat().st_size for path in made.rglob("*") if path.is_file())
            document = manifest_of_model(manifest, state, answer, hashes)
            (made / MANIFEST_NAME).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
            # Making it took a while: what lies there may be another's by now.
            refuse_place_of_model(folder, state)
            if not swap_folder(made, folder):
                raise ProjectError(f"{folder}: this file system cannot exchange folders", "", "name a new folder")
        except OSError as error:
            raise cannot_write(folder, error) from error
    values = {"method": "lora" if answer["kind"] == "adapter" else "full", "model": served_base(state.model, base)}
    lines = commands(values, answer["lora"], str(folder))
    return {
        "run": state.id,
        "to": str(folder),
        "kind": answer["kind"],
        "weights": weights,
        "step": step,
        "base": answer["base"],
        "dtype": answer["dtype"],
        "bytes": size,
        "verified": answer["verified"],
        "ends": answer["ends"],
        "notes": [*answer["notes"], *([] if told["licence"] or state.model == BUILT_IN else [NO_LICENCE])],
        "sha256": hashes,
        "commands": [{"what": title, "command": words} for title, words in lines],
    }


NO_LICENCE = "the card names no licence: that of the base is not known here (--license ID)"


def weights_of(state: RunState, *, best: bool) -> tuple[str, int | None]:
    """The folder of a run that is to leave, and the step it was saved at. Raises TrainingError."""
    if state.alive:
        raise TrainingError(f"{state.id} is still {state.state}", "", "export it when it has ended, or stop it")
    if best:
        noted = read_json(state.dir / BEST / "best.json")
        if noted is not None:
            return BEST, noted["step"] if isinstance(noted.get("step"), int) else None
        if (state.result.get("best") or {}).get("dir") != LAST:
            raise TrainingError(
                f"{state.id} kept no best weights",
                "it measured no held-out rows, or keep_best was off",
                "leave out --best",
            )
    if not (state.dir / LAST).is_dir():
        resume = shell_command("resume", state.dir)
        raise TrainingError(f"{state.id} is {state.state} and has no model", state.error or "it saved none", resume)
    return LAST, state.step


def default_place(run_dir: Path, *, merged: bool, best: bool) -> Path:
    """`exports/RUN`, in the project of a run or beside the `runs/` it lies in."""
    name = "-".join([run_dir.resolve().name, *([BEST] if best else []), *(["merged"] if merged else [])])
    return run_dir.resolve().parent.parent / "exports" / name


def refuse_place_of_model(folder: Path, state: RunState) -> None:
    """Raises UsageError where the folder holds anything but an earlier export of a model, or lies in run or base."""
    place = real_path(folder)
    for what, other in (("the run", state.dir), ("its base", Path(state.model))):
        if other.is_dir() and real_path(other) in (place, *place.parents):
            raise UsageError(f"{folder}: lies in {what}", "", "choose another folder")
    if folder.is_file():
        raise UsageError(f"{folder}: is a file", "", "name a folder")
    refuse_folder(folder, ())
    if not folder.exists():
        return
    standing = standing_at(folder / MANIFEST_NAME)
    known = {name.split("/")[0] for each in standing.documents.values() for name in each["export"]["sha256"]}
    is_model = all("model" in each for each in standing.documents.values())
    if not (can_be_swapped(folder, frozenset({*known, MANIFEST_NAME})) and is_model and standing.is_own_folder(folder)):
        raise UsageError(
            f"{folder}: holds something else than an export of a model as it was written", "", "choose a new folder"
        )


def served_base(model: str, base: str) -> str:
    """The base as a server on this machine finds it."""
    return base or model


# -- what the card tells


def told_of(state: RunState, step: int | None) -> dict[str, Any]:
    """The facts of a run: steps, rows, tokens."""
    return {
        "step": step,
        "rows": sum(1 for _ in (state.dir / "data" / "train.jsonl").open("rb")),
        "completion_tokens": state.result.get("completion_tokens"),
    }


def data_told(manifest: Mapping[str, Any]) -> list[str]:
    """What a run's manifest says of its rows, in sentences."""
    sentences = []
    for source in manifest.get("source") or ():
        if isinstance(source, Mapping) and isinstance(source.get("name"), str):
            digest = f", sha256 `{source['sha256']}`" if source.get("sha256") else ""
            sentences.append(f"Rows of {markdown_name(source['name'])}{digest}.")
    counts = manifest.get("counts")
    if isinstance(counts, Mapping) and isinstance(counts.get("accepted"), int):
        sentences.append(
            f"{counts['accepted']:,} of {counts.get('rows', 0):,} rows were accepted, {counts.get('edited', 0):,} of "
            f"them edited; {manifest.get('read', 0):,} were read, {manifest.get('bulk', 0):,} settled in bulk."
        )
    sentences.append(f"[{MANIFEST_NAME}]({MANIFEST_NAME}) beside this page says where they came from, by hashes.")
    if manifest.get("journals"):
        sentences.append(
            "It names each row and the journals that decided on it, and has the gate's result; the dataset card is the "
            "README.md that `tamis export` writes beside the same rows (its manifest has the same journal hashes)."
        )
    return sentences


def measures_told(run_dir: Path, step: int | None) -> list[str]:
    """Held-out loss of the base and of these weights, and the interval of the difference over the rows."""
    path = run_dir / "eval.jsonl"
    if step is None or not path.is_file():
        return ["No held-out rows were measured: what training bought is not known."]
    by_step: dict[int, dict[str, tuple[float, int]]] = {}
    exact: dict[int, list[bool]] = {}
    for line in lines_of(path, is_eval_line):
        # Of a number that is none nothing can be said.
        if isinstance(line["nll"], int | float):
            by_step.setdefault(line["step"], {})[line["id"]] = (float(line["nll"]), line["tokens"])
        if isinstance(line.get("exact"), bool):
            exact.setdefault(line["step"], []).append(line["exact"])
    if not by_step.get(step):
        return ["These weights were not measured on held-out rows."]
    tuned, base = by_step[step], by_step.get(0, {})
    rows = counted(len(tuned), "held-out row")
    if base.keys() != tuned.keys() or step == 0:
        return [f"{per_token(tuned):.3f} nats per token on {rows}; the base was not measured."]
    found = paired("the base", [tuned], [base])
    low, high = found.over_rows
    sentences = [
        f"Held-out loss: base {per_token(base):.3f}, tuned {per_token(tuned):.3f} nats per token; difference "
        f"{found.difference:+.3f} (99 % over rows {low:+.3f} to {high:+.3f}), over {rows} and one seed: whether "
        "another seed would say the same was not measured."
    ]
    if exact.get(step):
        before = f"base {share(exact[0])}, " if exact.get(0) else ""
        sentences.append(f"Exact match: {before}tuned {share(exact[step])}.")
    return sentences


def per_token(losses: Losses) -> float:
    """The mean loss of a token over rows."""
    return sum(loss for loss, _ in losses.values()) / max(1, sum(tokens for _, tokens in losses.values()))


def share(hits: list[bool]) -> str:
    """How many of all, in words."""
    return f"{sum(hits)} of {len(hits)}"


def manifest_of_model(
    manifest: Mapping[str, Any], state: RunState, answer: Mapping[str, Any], hashes: Mapping[str, str]
) -> dict[str, Any]:
    """The run's manifest with what the exported files are; addresses and words of rows, which an earlier tamis may have
    written into it, stay at home."""
    rows = [
        {**row, "why": reason_told(str(row.get("why", "")))}
        for row in manifest.get("rows") or ()
        if isinstance(row, dict)
    ]
    kept = _without_addresses({**manifest, **({"rows": rows} if rows else {})})
    model = {name: answer[name] for name in ("kind", "base", "dtype", "verified")}
    export = {**kept.get("export", {}), "run": state.id, "sha256": dict(hashes)}
    return {**kept, "tamis": tamis_version(), "made": now(), "model": model, "export": export}


def _without_addresses(value: Any) -> Any:
    if isinstance(value, str):
        return without_addresses(value)
    if isinstance(value, list):
        return [_without_addresses(each) for each in value]
    return {key: _without_addresses(each) for key, each in value.items()} if isinstance(value, dict) else value
