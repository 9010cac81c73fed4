"""Counting the tokens of a project's rows with the tokenizer of the model that its settings choose."""

from __future__ import annotations

import hashlib
from pathlib import Path

from engine.config import training_for
from engine.errors import TrainingError
from engine.export.training_rows import training_row
from engine.project.project import Project
from engine.project.token_counts import TokenCounts, read_counts, row_key, save_counts
from engine.scratch import scratch_folder
from engine.training.plan.preflight import SECONDS, Progress, ask
from engine.training.runs.data_files import row_lines
from engine.training.spec.run_spec import RunSpec, choose_spec
from engine.workflows.train import settings_of

TOKENIZER_FILES = (
    *("tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json"),
)


def chosen_model(project: Project) -> str:
    """The model of the project's settings, "" where none is chosen. Raises UsageError where it waits for a yes."""
    return training_for(project.folder).model or ""


def are_counted(project: Project) -> bool:
    """Whether nothing is to be counted: no model is chosen, or all rows are counted with its tokenizer as it is."""
    model = chosen_model(project)
    if not model:
        return True
    counts = TokenCounts(project)
    return counts.key == counts_key(project, _spec(project, model)) and not counts.missing()


def count_tokens(project: Project, progress: Progress | None = None) -> str:
    """Count the rows that are not counted yet, in the interpreter of the trainer, and keep the counts. Returns the
    model, "" where none is chosen.

    `progress(phase, done, of)` may raise to give up. Raises UsageError, TrainingError where there is no tokenizer,
    ProjectError where the counts cannot be kept.
    """
    model = chosen_model(project)
    if not model:
        return ""
    spec = _spec(project, model)
    key = counts_key(project, spec)
    kept = TokenCounts(project)
    current = {row: row_key(project, row) for row in range(len(project.rows))}
    known = {name: kept.counts[name] for name in current.values() if name in kept.counts} if kept.key == key else {}
    rows = [row for row, name in current.items() if name not in known]
    if rows:
        with scratch_folder("tokens") as folder:
            data = folder / "rows.jsonl"
            data.write_bytes(row_lines([training_row(project.example(row)) for row in rows]))
            question = {
                "model": spec.model.value,
                "revision": spec.revision.value,
                "pretrain_text": spec.pretrain_text.value,
                "rows": str(data),
            }
            answer = ask(spec.command, question, folder, SECONDS, progress, "tokens")
        reason = answer.get("error") or "; ".join(answer["unfit"])
        if reason:
            raise TrainingError(f"the tokens of {model} cannot be counted", str(reason), "see `tamis doctor`")
        known |= dict(zip((current[row] for row in rows), answer["counts"], strict=True))
    if rows or read_counts(project.folder) is None or kept.key != key:
        save_counts(project.folder, model, key, known)
    return model


def _spec(project: Project, model: str) -> RunSpec:
    return choose_spec(name="tokens", rows=1, model=model, settings=settings_of(training_for(project.folder)))


def counts_key(project: Project, spec: RunSpec) -> str:
    """A hash of what counts hang on beside the rows: the tokenizer's files (of a model elsewhere its name and
    revision), and how rows are read."""
    total = hashlib.sha256(f"{spec.model.value} {spec.revision.value} {project.mapping.describe()}".encode())
    for name in TOKENIZER_FILES:
        path = Path(str(spec.model.value)) / name
        if path.is_file():
            total.update(name.encode() + path.read_bytes())
    return total.hexdigest()
