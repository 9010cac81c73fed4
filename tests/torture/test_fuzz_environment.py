"""Every command where the machine is not as one thinks: locales without UTF-8, closed or full streams, no home, no
room, few descriptors, little memory, odd clocks. One line and the right code, never a traceback, never a silent 0."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from projects import alpaca, write_jsonl

from engine.jobs.scan import scan_project
from engine.model import Act
from engine.project.create import create_project
from engine.project.project import open_project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]

ROOT = Path(__file__).parents[2]
TAMIS = [str(Path(sys.executable).parent / "tamis")]


def limit(which: int, most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (most, most))


def closed(*descriptors: int) -> Callable[[], None]:
    def close() -> None:
        for descriptor in descriptors:
            os.close(descriptor)

    return close


@dataclass(frozen=True)
class Place:
    """What is odd: variables (None: not set), what is done before the start, where standard output goes. `may_fail`:
    a command may end with one line and code 2 there; `loses_output`: whatever it prints is lost, so it must."""

    set: Mapping[str, str | None] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    stdout: str = ""
    may_fail: bool = False
    loses_output: bool = False
    silent: bool = False


PLAIN_C = {"LC_ALL": "C", "LANG": None, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PLACES: dict[str, Place] = {
    "as usual": Place(),
    "C without UTF-8": Place(PLAIN_C),
    "POSIX without UTF-8": Place(PLAIN_C | {"LC_ALL": "POSIX"}),
    "no locale at all": Place({"LC_ALL": None, "LANG": None, "LC_CTYPE": None}),
    "a locale that is not there": Place({"LC_ALL": "xx_YY.UTF-9"}),
    "streams in ascii": Place({"PYTHONIOENCODING": "ascii"}),
    "streams in latin-1": Place({"PYTHONIOENCODING": "latin-1"}),
    "TERM=dumb": Place({"TERM": "dumb"}),
    "TERM unset": Place({"TERM": None}),
    "TERM unknown": Place({"TERM": "no-such-terminal"}),
    "no columns": Place({"COLUMNS": "0", "LINES": "0"}),
    "odd columns": Place({"COLUMNS": "-5", "LINES": "x"}),
    "no home": Place({"HOME": None}),
    "an empty home": Place({"HOME": ""}),
    "a home that is not there": Place({"HOME": "/nonexistent/home"}, may_fail=True),
    "XDG folders that are files": Place(
        {f"XDG_{name}_HOME": "{file}" for name in ("CONFIG", "STATE", "CACHE", "DATA")}, may_fail=True
    ),
    "empty XDG folders": Place({f"XDG_{name}_HOME": "" for name in ("CONFIG", "STATE", "CACHE", "DATA")}),
    "relative XDG folders": Place({f"XDG_{name}_HOME": "here" for name in ("CONFIG", "STATE", "CACHE", "DATA")}),
    "no folder for temporary files": Place({"TMPDIR": "/nonexistent"}),
    "standard output full": Place(stdout="/dev/full", loses_output=True),
    "standard output closed": Place(before=closed(1), loses_output=True),
    "standard input closed": Place(before=closed(0)),
    "standard error closed": Place(before=closed(2), silent=True),
    "all streams closed": Place(before=closed(0, 1, 2), loses_output=True, silent=True),
    "sixteen descriptors": Place(before=limit(resource.RLIMIT_NOFILE, 16), may_fail=True),
    "400 MB of memory": Place(before=limit(resource.RLIMIT_AS, 400 << 20), may_fail=True),
    "files of 4 kB at most": Place(before=limit(resource.RLIMIT_FSIZE, 4096), may_fail=True),
    "no room for any file": Place(before=limit(resource.RLIMIT_FSIZE, 0), may_fail=True),
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "help": ("--help",),
    "scan": ("scan", "{file}"),
    "scan --json": ("scan", "{file}", "--json"),
    "report": ("report", "{file}"),
    "status": ("status", "{project}"),
    "status --json": ("status", "{project}", "--json"),
    "journal": ("journal", "{project}"),
    "do": ("do", "{project}", "accept row:2", "note row:2 \u00e9\u4e2d"),
    "gate": ("gate", "{project}"),
    "export": ("export", "{project}", "--to", "{out}", "--force"),
    "pick": ("pick", "{project}", "2"),
    "merge": ("merge", "{project}", "{other}"),
    "runs": ("runs", "{project}"),
    "doctor": ("doctor",),
    "holdout": ("holdout", "{project}", "1"),
    "add": ("add", "{project}", "{more}"),
    "refused": ("status", "/nonexistent/\u00e9"),
}
PRINTS_NOTHING = ("runs",)


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("odd \u00e9")
    rows = [alpaca(f"Fr\u00e4ge {number} \u4e2d?", f"Answer {number} \u2014 caf\u00e9.") for number in range(8)]
    folder = create_project(write_jsonl(place / "d\u00e9 \u4e2d.jsonl", rows))
    write_jsonl(place / "more.jsonl", [alpaca("One more \u00e9?", "Yes.")])
    with open_project(folder, reviewer="\u00e9va") as project:
        project.decide([Act("accept", (project.rows.id(0), project.rows.id(1)))], why="fran\u00e7ais \u4e2d")
        scan_project(project, processes=1)
    return place


def run(stand: Path, work: Path, words: tuple[str, ...], odd: Place) -> subprocess.CompletedProcess[bytes]:
    """The command on a copy of its own."""
    shutil.copytree(stand, work)
    (work / "file").write_text("x")
    shutil.copytree(work / "d\u00e9 \u4e2d.tamis", work / "other.tamis")
    named = {
        "{file}": work / "d\u00e9 \u4e2d.jsonl", "{project}": work / "d\u00e9 \u4e2d.tamis", "{out}": work / "out",
        "{other}": work / "other.tamis", "{more}": work / "more.jsonl",
    }  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "PYTHON", "LC_"))}
    environment |= {"HOME": str(work), "TAMIS_REVIEWER": "ann", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
    for name, value in odd.set.items():
        environment.pop(name, None)
        if value is not None:
            environment[name] = value.replace("{file}", str(work / "file"))
    filled = []
    for word in words:
        for name, path in named.items():
            word = word.replace(name, str(path))
        filled.append(word)
    with open(odd.stdout or os.devnull, "wb") as out:
        return subprocess.run(
            [*TAMIS, *filled],
            env=environment,
            cwd=work,
            stdin=subprocess.DEVNULL,
            stdout=out if odd.stdout else subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=odd.before,
            timeout=120,
            check=False,
        )


def wrong(name: str, odd: Place, done: subprocess.CompletedProcess[bytes]) -> str:
    said = (done.stderr or b"") + (done.stdout or b"")
    for sign in (b"Traceback", b"a fault inside", b"Exception ignored", b"most recent call"):
        if sign in said:
            return sign.decode()
    if done.returncode not in (0, 1, 2):
        return f"ends with {done.returncode}"
    refused = name in ("refused",)
    if done.returncode == 2 and not odd.silent and done.stderr.strip().count(b"\n") > 3:
        return "more than a line"
    if done.returncode == 2 and not (refused or odd.may_fail or odd.loses_output):
        return "is refused"
    if odd.loses_output and done.returncode == 0 and name not in PRINTS_NOTHING:
        return "says that all is well although what it said is lost"
    return ""


@pytest.mark.parametrize("where", PLACES)
def test_commands_in_an_odd_place(where: str, stand: Path, tmp_path: Path) -> None:
    odd, faults = PLACES[where], []
    for name, words in COMMANDS.items():
        done = run(stand, tmp_path / name, words, odd)
        fault = wrong(name, odd, done)
        if fault:
            faults.append(f"{name}: {fault}: {done.returncode} {(done.stderr or done.stdout or b'')[-500:]!r}")
    assert not faults, "\n".join(faults)
