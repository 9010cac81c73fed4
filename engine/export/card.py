"""The dataset card: README.md with the YAML head the Hub reads, and in words what was done and what was not checked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from engine.export.licence import UNKNOWN

if TYPE_CHECKING:
    from engine.project.project import Project

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
CONFIG_FILES = {
    "jsonl": ("train.jsonl", "heldout.jsonl"),
    "jsonl.gz": ("train.jsonl.gz", "heldout.jsonl.gz"),
    "parquet": ("train.parquet", "heldout.parquet"),
    "csv": ("train.csv", "heldout.csv"),
}


def size_category(rows: int) -> str:
    """The Hub's name for a number of rows."""
    return next((name for limit, name in SIZES if rows < limit), "n>1M")


def card(project: Project, document: dict[str, Any]) -> str:
    """The whole README.md from the manifest; no text of any row is in it."""
    export = document["export"]
    counts = document["counts"]
    lines = ["---", *_head(export, document["licence"]), "---", "", f"# {markdown_words(project.name)}, curated", ""]
    lines += [
        f"{export['rows']:,} training rows and {export['holdout_rows']:,} held-out rows, "
        f"of {counts['rows']:,} rows that came in.",
        "",
        "## Where it came from",
        "",
    ]
    for source, part in zip(document["source"], export["sources"], strict=True):
        taken = f", {part['of_these']:,} of them in this set" if len(document["source"]) > 1 else ""
        came = f", from {markdown_name(source['fetched'])}" if "fetched" in source else ""
        lines.append(
            f"- {markdown_name(source['name'])}: {source['rows']:,} rows{taken}{came}, sha256 `{source['sha256']}`"
        )
    lines += _proof(export)
    lines += [
        "",
        f"Lines that could not be read and were set aside: {counts['quarantined']:,}.",
        "",
        "## How it was decided",
        "",
    ]
    lines += [
        f"- Reviewers: {', '.join(map(markdown_words, document['reviewers'])) or 'nobody'}.",
        f"- Of the decided rows {document['read']:,} were read on the screen, {document['bulk']:,} settled in bulk.",
        f"- {counts['edited']:,} accepted rows were edited.",
    ]
    if counts.get("agreement") is not None:
        kappa = counts["agreement"]
        lines.append(
            f"- Agreement of reviewers: Cohen's kappa {kappa['kappa']:.2f} over {kappa['rows']:,} rows judged twice."
        )
    lines += ["", "## The gate", "", *_gate(document["gate"])]
    lines += ["", "## What was left out", "", "| reason | rows |", "|---|---|"]
    lines += [f"| {markdown_words(reason)} | {count:,} |" for reason, count in export["left_out"].items()]
    lines += ["", "Rejected because:", ""]
    lines += [f"- {markdown_name(reason)}: {count:,}" for reason, count in document["rejected_because"].items()]
    lines += ["", "## What was not checked", "", *_unchecked(project, document), ""]
    return "\n".join(lines)


def _head(export: dict[str, Any], licence: str) -> list[str]:
    """The YAML between the two lines of `---`; the Hub's own library writes it, so that no value ends its line."""
    # Late: an export is a process of its own, or pays for it once.
    from huggingface_hub import DatasetCardData

    unnamed = "# The source names no licence: name it before you publish (--license ID)."
    files = CONFIG_FILES.get(export["container"], ())
    splits = [
        {"split": split, "path": path}
        for split, path in zip(("train", "validation"), files, strict=False)
        if split == "train" or export["holdout_rows"]
    ]
    told = DatasetCardData(
        license=licence,
        task_categories=["text-generation"],
        size_categories=[size_category(export["rows"])],
        configs=[{"config_name": "default", "data_files": splits}] if splits else None,
    )
    head: list[str] = told.to_yaml().splitlines()
    return ([unnamed] if licence == UNKNOWN else []) + head


def _proof(export: dict[str, Any]) -> list[str]:
    """What the rows that nobody edited were set against, byte for byte, when they were written."""
    lines = []
    for one in export["proof"]:
        against = "their lines in the source" if one["against"] == "source" else "what the project kept of the source"
        why = "" if one["against"] == "source" else f" (the source {one['why']})"
        rows = f"{one['identical']:,} of {one['untouched']:,} unedited rows"
        lines.append(f"- {rows} of {markdown_name(one['name'])} are byte for byte {against}{why}.")
    return ["", *lines] if lines else []


def _gate(result: dict[str, Any]) -> list[str]:
    """What the limits were and whether they were kept; the sentences hold no text of rows."""
    if result["passed"] is None:
        return ["No gate.toml: nothing was asked for."]
    asked = [check for check in result["checks"] if check["passed"] is not None]
    lines = [f"- {'kept' if check['passed'] else '**not kept**'}: {check['text']}" for check in asked]
    if result["override"] is not None:
        by = markdown_words(result["override"]["by"])
        lines.append(f"- Set aside by {by} in words that the manifest holds.")
    return lines


def _unchecked(project: Project, document: dict[str, Any]) -> list[str]:
    lines = ["- Whether the answers are true: tamis finds form, repetition and contradiction, not errors of fact."]
    if project.findings is None:
        lines.append("- Duplicates, contradictions and quality signals: no scan fits these rows.")
    if document["bulk"]:
        lines.append(f"- {document['bulk']:,} rows were settled in bulk and not read one by one.")
    if not document["export"]["holdout_rows"]:
        lines.append("- Nothing was held out: what training on this set buys cannot be measured with it.")
    return lines


def markdown_name(text: str) -> str:
    """A name from outside (a file, a person, a reason) in Markdown: as code, in which nothing is markup. What could end
    the code, the line or the cell of a table, or would not be seen, is written as JSON writes it."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].replace("`", "'")
    safe = "".join(
        character if character.isprintable() and character not in "<>|" else _escaped(character) for character in quoted
    )
    return f"`{safe}`"


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) > 126 else f"\\u{ord(character):04x}"


_PLAIN = re.compile(r"\w[\w .,+-]*")


def markdown_words(text: str) -> str:
    """The same as words of a line where it is made of letters, digits and a few marks, as most names are."""
    return text if _PLAIN.fullmatch(text) and "  " not in text else markdown_name(text)
