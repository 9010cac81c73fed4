"""Links inside a project or the folder of a run: each may lead anywhere, so none is followed before a person says yes.

A person moves `runs` to a large disk and leaves a link behind: that is their own link to their own folder, and one yes
(`tamis trust`) makes it count, for that very target. A link of somebody else's, or to what is somebody else's, is
refused. Inside a folder that is reached by a link nothing leads out of it again. What a person names on a command line
may be reached by any links. Hard links and mounts are not told from files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ProjectError, TamisError, TrainingError, shell_command
from engine.paths import real_path
from engine.trust import Waiting, is_trusted

KIND = "link"
IN_PROJECT = ("", "decisions", "decisions/merged", "proposals")
IN_RUN = ("", "control", "data", "worker", "ckpt", "model", "best")


@dataclass(frozen=True, slots=True)
class Link:
    """A link that nobody confirmed, and why no yes makes it count ("" where one would)."""

    path: Path
    refused: str

    @property
    def words(self) -> str:
        return f"{self.path} is a link to {real_path(self.path)}"


def waiting_links(folder: Path) -> tuple[Waiting, ...]:
    """The links in a project, or in the folder of a run, that wait for a yes; those refused for good are not among
    them."""
    return tuple(
        Waiting(KIND, link.words, link.path, _content(link.path)) for link in _unconfirmed(folder) if not link.refused
    )


def check_project_links(project: Path) -> None:
    """Raises ProjectError where a link lies in a project, with its journals or its proposals, that nobody confirmed."""
    _check(_links_of(project, IN_PROJECT), project)


def check_run_links(run_dir: Path) -> None:
    """The same for the folder of a run, where a pipe is refused as well: whoever opens it waits for ever. Raises
    TrainingError."""
    folders = list(_run_folders(run_dir))
    _check(_links_of(run_dir, folders), run_dir, TrainingError)
    for folder in folders:
        for entry in _entries(run_dir / folder):
            if not entry.is_symlink() and not entry.is_file() and not entry.is_dir():
                what = f"{entry.path} is a pipe, a socket or a device, not a file"
                raise TrainingError(what, "", "take it away, or restore the run from a copy")


def check_folder_links(folder: Path) -> None:
    """The same for what lies directly in a folder."""
    _check(_links_of(folder, ("",)), folder)


def is_followed(path: Path) -> bool:
    """Whether what lies in a folder of runs may be looked into: it is no link, or one that somebody confirmed."""
    return not path.is_symlink() or is_trusted(KIND, path, _content(path))


def _check(links: Iterable[Link], named: Path, kind: type[TamisError] = ProjectError) -> None:
    for link in links:
        hint = "put in its place what it leads to, or take it away" if link.refused else shell_command("trust", named)
        raise kind(link.words, link.refused or "nobody has confirmed it", hint)


def _unconfirmed(folder: Path) -> Iterator[Link]:
    runs = folder / "runs"
    if (folder / "spec.json").is_file():
        yield from _links_of(folder, _run_folders(folder))
        return
    yield from _links_of(folder, IN_PROJECT)
    if not is_followed(runs):
        return  # told already; what lies behind it comes after the yes
    yield from _links_of(folder, ("runs",))
    for run in _names(runs):
        if is_followed(run) and run.is_dir():
            yield from _links_of(run, _run_folders(run))


def _run_folders(run_dir: Path) -> Iterator[str]:
    yield from IN_RUN
    for checkpoint in _names(run_dir / "ckpt"):
        yield f"ckpt/{checkpoint.name}"


def _links_of(top: Path, inside: Iterable[str]) -> Iterator[Link]:
    """The links that lie directly in the named folders of `top` and that nobody confirmed."""
    home = ""
    for name in inside:
        folder = top / name if name else top
        found = [entry.path for entry in _entries(folder) if entry.is_symlink()]
        if not found:
            continue
        home = home or os.path.realpath(top)
        root = os.path.realpath(folder)
        linked = not _is_inside(root, home)
        for path in map(Path, sorted(found)):
            if linked and _is_inside(os.path.realpath(path), root):
                continue
            refused = f"it leads out of {root}, which is itself reached by a link" if linked else _refusal(path)
            if refused or not is_trusted(KIND, path, _content(path)):
                yield Link(path, refused)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # no such folder, or no folder: whoever reads it says so


def _refusal(path: Path) -> str:
    """Why a link cannot be confirmed, or ""."""
    try:
        if os.lstat(path).st_uid != os.geteuid():
            return "somebody else made it"
        if os.stat(path).st_uid != os.geteuid():
            return "what it leads to is somebody else's"
    except OSError:
        # Confirmed once, its disk may be away.
        return "" if is_trusted(KIND, path, _content(path)) else "there is nothing to be seen"
    return ""


def _content(path: Path) -> bytes:
    """What a yes holds for: which link, what is written in it, where that leads."""
    place = os.path.join(os.path.realpath(path.parent), path.name)
    return b"\n".join(map(os.fsencode, (place, os.readlink(path), os.path.realpath(path))))


def _is_inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _names(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
