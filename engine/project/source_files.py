"""Is the source of a project still the file that was read?"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from engine.project.intake import source_files
from engine.project.settings import SourceFile

Progress = Callable[[str, int, int], None]
BLOCK = 1 << 20
LOOKING = "looking whether the source is as it was"


def source_now(source: SourceFile, progress: Progress | None = None) -> str:
    """What stands against a source being the very bytes that were read: `is not there any more`, `has changed since it
    was read` …; '' where it is. The whole of it is read where its size is right; nothing but files is opened."""
    if not source.complete or not source.sha256:
        return "is not read to its end yet"
    path = Path(source.path)
    try:
        parts = source_files(path)
        known = [os.stat(part) for part in parts]
        if not all(stat.S_ISREG(one.st_mode) for one in known):
            return "is no file any more"
        if sum(one.st_size for one in known) != source.size:
            return "has changed since it was read"
        digest, done = hashlib.sha256(), 0
        for part in parts:
            with part.open("rb") as stream:
                while block := stream.read(BLOCK):
                    digest.update(block)
                    done += len(block)
                    if progress is not None:
                        progress(LOOKING, done >> 20, source.size >> 20)
    except FileNotFoundError:
        return "is not there any more"
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return "" if digest.hexdigest() == source.sha256 else "has changed since it was read"
