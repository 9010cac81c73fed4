"""A fault of our own, wherever it happens: one line, exit code 2, the terminal as it was, no stack and no row on it."""

from __future__ import annotations

import sys
from pathlib import Path

import planted
import pytest
from pseudo import Terminal, tamis

ROOT = Path(__file__).parent.parent.parent
# Each is started by the key for the next group.
PLACES = {
    "message": "broken()",
    "timer": "app().set_timer(0.01, broken)",
    "worker": "app().run_worker(broken, thread=True)",
    "coroutine": "app().run_worker(broken_later())",
    "thread": "threading.Thread(target=broken).start()",
    "callback": "asyncio.get_running_loop().call_soon(broken)",
    "task": "KEPT.append(asyncio.get_running_loop().create_task(broken_later()))\n    app().set_timer(0.1, KEPT.clear)",
    "keys": "KeyStream.feed = lambda *_: broken()",
    "own picture": "broken(Shown)",
}
STARTER = """
import asyncio, sys, threading
from textual._context import active_app
from workbench.cli.main import main
from workbench.actions import navigate
from workbench.terminal.key_stream import KeyStream
app = active_app.get
KEPT = []
class Shown(KeyError):
    def __rich__(self):
        return 'Traceback of a row of the data'
def broken(kind=KeyError, *_):
    secret = 'a row of the data'
    raise (kind if kind is Shown else KeyError)('planted')
async def broken_later():
    broken()
def started(session):
    secret = 'a row of the data'
    {place}
navigate.next_group = started
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("place", PLACES)
def test_a_fault_ends_in_one_line(tmp_path: Path, place: str) -> None:
    folder = planted.make_folder(tmp_path)
    starter = tmp_path / "start.py"
    starter.write_text(STARTER.format(place=PLACES[place]))
    words = [sys.executable, str(starter), *tamis(folder)[3:]]
    with Terminal(words, environment={"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.wait_for("What can be settled")
        terminal.keys("\r", "]")
        terminal.type("j" if place == "keys" else "")
        assert terminal.wait_for_end() == 2
        said = terminal.output.rpartition(b"\x1b[?1006l")[2].strip()
        assert said.startswith(b"tamis: a fault inside tamis: ")
        assert b"planted" in said
        assert b"\n" not in said
        for left_over in (b"Traceback", b"secret", b"a row of the data"):
            assert left_over not in terminal.output
        for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[<u"):
            assert restored in terminal.output
    assert "in broken" in (tmp_path / "tamis" / "last-fault.txt").read_text()
