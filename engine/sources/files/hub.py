"""A data set of the Hugging Face Hub by its name: its data files are fetched, none of its code is ever run.

What is asked is one page about the data set, then the files that are wanted, at the very revision that the page names.
A token is taken from where `huggingface_hub` looks for one, and from nowhere else.
"""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from engine.errors import SourceError, UsageError
from engine.paths import DATA_SUFFIXES, PACKED, STREAMS, TEXT_SUFFIXES

DATA_PATTERNS = ["*.parquet", *(f"*{text}{packed}" for text in TEXT_SUFFIXES for packed in ("", *STREAMS))]
# What `datasets` writes about a data set is no row of it.
NO_DATA = ("dataset_infos.json", "dataset_dict.json", "dataset_info.json", "state.json")
# File names end in these; an id that does was meant as a file that is not there.
FILE_ENDS = (*DATA_SUFFIXES, ".txt", ".tamis", *PACKED)
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
PREFIX = "hf:"
_NAMED = re.compile(
    rf"(?:{PREFIX})?(?P<id>{HUB_ID.pattern})(?:@(?P<revision>refs/(?:convert|pr)/[^/\s]+|[^/\s]+))?(?:/(?P<path>\S.*))?"
)
# Whoever has no network is told so while still looking.
PATIENCE_SECONDS = 5.0
MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class HubName:
    """`hf:owner/name@revision/path`: a data set, its revision (None: the newest), and a file or folder of it."""

    id: str
    revision: str | None = None
    path: str = ""

    @property
    def name(self) -> str:
        """What a project of it is called after: the file, else the data set."""
        return PurePosixPath(self.path or self.id).name

    def at(self, revision: str) -> str:
        """In words that fetch the same again."""
        return f"{PREFIX}{self.id}@{revision}" + (f"/{self.path}" if self.path else "")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A folder or file on this machine, and `origin`: `hf:owner/name@REVISION`, that it was fetched from."""

    path: Path
    origin: str


def is_hub_id(text: str) -> bool:
    """Whether a path that does not exist reads like `owner/name` on the Hub."""
    return HUB_ID.fullmatch(text) is not None and not text.endswith(FILE_ENDS) and not Path(text).parent.exists()


def is_hub_name(text: str) -> bool:
    """Whether a person means the Hub in so many words: `hf:owner/name`."""
    return text.startswith(PREFIX)


def hub_name(text: str) -> HubName:
    """Raises UsageError for what is no name of a data set."""
    found = _NAMED.fullmatch(text)
    if found is None:
        raise UsageError(f"{text}: names no data set of the Hub", "", "write hf:OWNER/NAME, or hf:OWNER/NAME/FILE")
    revision = found["revision"]
    return HubName(found["id"], unquote(revision) if revision else None, (found["path"] or "").strip("/"))


def fetch(text: str) -> Fetched:
    """Fetch the data files of a Hub data set, or those that its name says. Raises UsageError, SourceError."""
    named = hub_name(text)
    # Not at the top: what is on this machine opens without.
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    refused = (HTTPError, LocalEntryNotFoundError, OSError, ValueError)
    try:
        about = HfApi().dataset_info(named.id, revision=named.revision, timeout=PATIENCE_SECONDS)
        revision = str(about.sha)
        files = _wanted(named, [found.rfilename for found in about.siblings or ()])
        folder = Path(
            snapshot_download(
                named.id, repo_type="dataset", revision=revision, allow_patterns=[glob.escape(name) for name in files]
            )
        )
    except GatedRepoError as error:
        raise SourceError(
            f"{text}: its owner lets in only who has asked", "", "ask on its page, then log in with `hf auth login`"
        ) from error
    except RevisionNotFoundError as error:
        raise SourceError(f"{text}: has no revision {named.revision}", "", "see its page for those it has") from error
    except RepositoryNotFoundError as error:
        raise SourceError(
            f"{text}: the Hub has no data set {named.id}, or not for you",
            "",
            "check the name; log in with `hf auth login` where it is private",
        ) from error
    except refused as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:160]
        asked = is_hub_name(text)
        raise SourceError(
            f"{text}: {'' if asked else 'no such file here, and '}the Hub did not give a data set of that name",
            reason,
            "check the network, or fetch the files and name them",
        ) from error
    return Fetched(folder / (files[0] if len(files) == 1 else named.path), named.at(revision))


def _wanted(named: HubName, names: list[str]) -> list[str]:
    """The files to fetch: what is named, else all Parquet files, else the one data file. Raises SourceError."""
    found = [name for name in names if not named.path or name == named.path or name.startswith(f"{named.path}/")]
    data = [name for name in found if any(fnmatch(name, pattern) for pattern in DATA_PATTERNS)]
    data = [name for name in data if PurePosixPath(name).name not in NO_DATA]
    whole = f"{PREFIX}{named.id}"
    if named.path and not found:
        near = get_close_matches(named.path, names, n=1)
        hint = f"did you mean {whole}/{near[0]}?" if near else "see its page for the files it has"
        raise SourceError(f"{whole}: has no file {named.path}", "", hint)
    if not data:
        raise SourceError(f"{whole}: holds no data file that tamis reads", "", "fetch its files and name one")
    tables = [name for name in data if name.endswith(".parquet")]
    if len(data) > 1 and not tables:
        shown = ", ".join(data[:MOST_NAMED]) + (", \u2026" if len(data) > MOST_NAMED else "")
        raise SourceError(f"{whole}: holds several files ({shown})", "", f"name one or more: {whole}/{data[0]}")
    return tables or data
