"""Which folder is the project of a source. Apart from the making of projects: most commands only open one."""

from __future__ import annotations

from pathlib import Path


def project_folder_for(source: Path) -> Path:
    """Where the project of a source lives unless another place is named: `data/raw.jsonl.gz` -> `data/raw.tamis`."""
    name = source.name
    for suffix in (".gz", ".zst", ".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".arrow"):
        name = name.removesuffix(suffix)
    return source.with_name(f"{name or source.name}.tamis")


def is_project(path: Path) -> bool:
    """Whether `path` is a project folder."""
    return (path / "project.toml").is_file()
