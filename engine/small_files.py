"""Reading files that anybody may have put there: settings of a person or of a project, caches, what was remembered.

Whatever lies under the name (a pipe that nobody writes to, a folder, a link to a device, half a gigabyte, brackets a
thousand deep), reading it ends at once: with the content, or with the reason why there is none.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli

from engine.errors import UsageError

MOST_SETTINGS = 1 << 20
MOST_CACHED = 1 << 30
# How a cache of JSON begins: the CRC-32 of all behind the eight digits. At the head, so that no cut takes it away.
_SUM = b'{"sum": "'
_SUM_END = len(_SUM) + 8


def read_regular(path: Path, most: int) -> bytes:
    """A regular file whole. Raises OSError for anything else under that name, and for more than `most` bytes."""
    # Looked at before it is opened: opening a device may do something, and a pipe without a writer waits.
    _check(path, os.stat(path), most)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        _check(path, found, most)
        # As much memory as there are bytes, not as there may be.
        content = stream.read(found.st_size + 1)
        if len(content) > found.st_size:
            # It grew meanwhile, or is one whose size nobody knows (/proc).
            content += stream.read(max(0, most - len(content)) + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, _too_large(most), str(path))
    return content


def _check(path: Path, found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise OSError(errno.EINVAL, f"it is {what}, not a file", str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, _too_large(most), str(path))


def _too_large(most: int) -> str:
    return f"it is larger than {most >> 20:,} MB"


def read_toml(path: Path, *, most: int = MOST_SETTINGS) -> dict[str, Any]:
    """A file of settings. Raises FileNotFoundError where there is none, UsageError with the reason where it cannot be
    read."""
    return read_toml_bytes(path, most=most)[0]


def read_toml_bytes(path: Path, *, most: int = MOST_SETTINGS) -> tuple[dict[str, Any], bytes]:
    """The same, and the very bytes that say it."""
    try:
        content = read_regular(path, most)
        return tomli.loads(content.decode("utf-8-sig")), content
    except FileNotFoundError:
        raise
    except RecursionError as error:
        raise unreadable(path, "its brackets or names are nested too deep") from error
    except UnicodeDecodeError as error:
        raise unreadable(path, f"it is not UTF-8 (byte {error.start:,})") from error
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    except ValueError as error:  # no TOML, or a number or a date that Python cannot hold
        raise unreadable(path, str(error)) from error


def unreadable(path: Path, reason: str) -> UsageError:
    """What is said of settings that cannot be read; `message` is the reason alone."""
    return UsageError(f"{path}: cannot be read", reason, "mend or remove it")


def read_cache(path: Path, *, most: int = MOST_CACHED) -> bytes | None:
    """A cache, or None where there is none that can be read: it is made again."""
    try:
        return read_regular(path, most)
    except OSError:
        return None


def read_cached_json(path: Path, *, most: int = MOST_CACHED) -> dict[str, Any]:
    """The object that a cache holds; an empty one where there is none, or it is damaged."""
    content = read_cache(path, most=most)
    try:
        found = json.loads(content.decode("utf-8", "surrogatepass")) if content and _fits_sum(content) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def cached_json(plain: Mapping[str, Any]) -> bytes:
    """The file of a cache, which says of itself whether it is whole; earlier versions read it as well. It names
    something at least. Lone surrogates in texts stay."""
    rest = b'", ' + json.dumps(plain, ensure_ascii=False).encode("utf-8", "surrogatepass")[1:]
    return _SUM + b"%08x" % zlib.crc32(rest) + rest


def is_damaged_json(path: Path) -> bool:
    """Whether a cache lies there that cannot be believed."""
    return os.path.lexists(path) and not read_cached_json(path)


def _fits_sum(content: bytes) -> bool:
    """Whether a cache is what was written; one of an earlier version does not say."""
    if not content.startswith(_SUM):
        return True
    return content[len(_SUM) : _SUM_END] == b"%08x" % zlib.crc32(memoryview(content)[_SUM_END:])
