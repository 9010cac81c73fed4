"""A data set of the Hugging Face Hub by its id: its data files are fetched, none of its code is ever run."""

from __future__ import annotations

import re
from pathlib import Path

from engine.errors import SourceError
from engine.paths import PACKED

_TEXTS = ("*.jsonl", "*.json", "*.csv", "*.tsv")
DATA_PATTERNS = ["*.parquet", *(text + packed for text in _TEXTS for packed in ("", ".gz", ".zst", ".xz", ".bz2"))]
# File names end in these; an id that does was meant as a file that is not there.
FILE_ENDS = (".jsonl", ".json", ".csv", ".tsv", ".parquet", ".arrow", ".txt", ".tamis", *PACKED)
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def is_hub_id(text: str) -> bool:
    """Whether a path that does not exist reads like `owner/name` on the Hub."""
    return HUB_ID.fullmatch(text) is not None and not text.endswith(FILE_ENDS) and not Path(text).parent.exists()


def fetch(identifier: str) -> Path:
    """The folder (or single file) that holds the data files of a Hub data set. Raises SourceError."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(identifier, repo_type="dataset", allow_patterns=DATA_PATTERNS))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0][:160]
        raise SourceError(
            f"{identifier}: no such file here, and the Hub did not give a data set of that name",
            reason,
            "check the name and the network, or fetch the files and name them",
        ) from error
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".parquet"]
    if any(folder.rglob("*.parquet")):
        return folder
    if len(files) == 1:
        return files[0]
    if not files:
        raise SourceError(f"{identifier}: holds no data file that tamis reads", "", "fetch its files and name one")
    names = ", ".join(str(path.relative_to(folder)) for path in files[:6])
    raise SourceError(f"{identifier}: holds several files ({names})", f"they are in {folder}", "name one of them")
