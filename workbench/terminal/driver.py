"""The terminal: Textual's Linux driver, ended with its terminal, and on top of it one that sends only changed cells.

The stock driver reads an end of file from a closed terminal over and over: an orphan that spins at full speed where
the hang-up signal is ignored (nohup). Here an end of file, or an error from the terminal, ends the application.
What is read goes through `KeyStream` before Textual's parser sees it.
"""

from __future__ import annotations

import os
import re
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextvars import copy_context
from shutil import get_terminal_size
from threading import Event
from typing import Any

from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from workbench.terminal.capabilities import erases, is_old_terminal, over_ssh
from workbench.terminal.flow_control import PATIENCE_SECONDS, FlowControl, escape_seconds
from workbench.terminal.key_stream import KeyStream, Kind
from workbench.terminal.screen_diff import ScreenDiff
from workbench.text.escape import one_for_one

READ_BYTES = 4096
# How often it is looked whether the driver was told to stop.
POLL_SECONDS = 0.1
# After so many events it is waited until the application has taken all but a few of them. Until then nothing is read:
# whoever floods a terminal with keys fills its buffer, not our memory.
EVENTS_AT_ONCE, MOST_WAITING = 256, 64
LOOK_AGAIN_SECONDS = 0.01
# A byte that is no UTF-8 is the control that it is in eight bits, or unknown.
NOT_UTF8 = {0xDC80 + byte: 0x80 + byte if byte < 0x20 else 0xFFFD for byte in range(0x80)}
OPEN_PASTE = "what is pasted has no end yet and is no key: esc ends it"
CLOSED_PASTE = "the end of the paste never came: esc ended it, what is typed now are keys again"
SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
# A frame up to this size comes in one packet: it needs no brackets to be shown at once.
SYNCED_FROM = 600
# Modes, queries and titles: they leave the text on the screen as it is.
HARMLESS = re.compile(
    r"(?:\x1b\[\?(?:25|1000|1002|1003|1004|1006|1015|1016|2004|2026|2031|2048)[hl]"
    r"|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u|\x1b\[\?u|\x1b\[>?\d*[cq]|\x1b\[[56]n"
    r"|\x1b\](?:22|52);[^\x07\x1b]*(?:\x07|\x1b\\)|\x07)+"
)
# Of these an old terminal shows the end: the keyboard protocol, questions about modes, pointer and clipboard.
MISREAD = re.compile(r"\x1b\[[<>=]\d*u|\x1b\[\?\d+\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


# Our own sequences begin with a bracket. Whatever else a terminal obeys (clipboard, title, functions, resets) is from
# somebody else, if it comes at all.
STRANGE = re.compile("\x1b(?!\\[)|[\x00-\x06\x08\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f]")


class TerminalNote(Message):
    """Something about what was typed that the person should be told."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class TamisDriver(LinuxDriver):
    """See the module: the stock driver, but for its end, and for what an old terminal would misread."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        # A terminal that says it has no size is one of 80x24 for the library's driver and of 80x25 for its console:
        # what is laid out for the one never fits the other, and it would go on for ever.
        super().__init__(app, debug=debug, mouse=mouse, size=size or get_terminal_size())
        self._is_old = is_old_terminal()
        self._over_ssh = over_ssh()
        self._events_posted = 0

    def write(self, data: str) -> None:
        """Write to the terminal. Where it is gone the writing thread is dead, and its full queue would block."""
        if self._is_old:
            data = MISREAD.sub("", data)
        if STRANGE.search(data) and not HARMLESS.fullmatch(data):
            data = STRANGE.sub(lambda control: one_for_one(control.group()), data)
        if data and self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def _sigcont_application(self, *_: object) -> None:
        """Going on after a stop. One that nobody hears (SIGSTOP) left the thread that reads keys alive: with a second
        one beside it they would part the bytes of a key, and raw modes would be taken for those of before."""
        if self._must_signal_resume or not self._auto_restart:
            super()._sigcont_application()
        elif self._reads_keys:
            # Not in the handler: what it came into the middle of may hold the lock that writing takes.
            self._loop.call_soon_threadsafe(self._begin_again)

    @property
    def _reads_keys(self) -> bool:
        return self._key_thread is not None and self._key_thread.is_alive()

    def _begin_again(self) -> None:
        if self._reads_keys:
            self._must_signal_resume = True
            self.suspend_application_mode()
            self.resume_application_mode()

    @property
    def round_trip(self) -> float | None:
        """How long the terminal takes to answer, in seconds, where that is known."""
        return None

    def answered(self, now: float) -> None:
        """The terminal says that a frame has arrived."""

    def _run_input_thread(self) -> None:
        """Textual would print the stack of a fault here: leave it to whoever sees to the faults of threads."""
        self.run_input_thread()

    def run_input_thread(self) -> None:
        """Read keys until the driver is told to stop, or the terminal is gone."""
        stream = KeyStream(self._escape_seconds())
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="surrogateescape").decode
        gone = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set() and not gone:
                tick = stream.next_tick(time.monotonic())
                if selector.select(POLL_SECONDS if tick is None else min(tick, POLL_SECONDS)):
                    try:
                        content = os.read(self.fileno, READ_BYTES)
                    except BlockingIOError:
                        continue
                    except OSError:
                        content = b""
                    gone = not content
                    text = decode(content).translate(NOT_UTF8)
                    pieces = stream.feed(text, time.monotonic()) if text else []
                else:
                    pieces = stream.tick(time.monotonic())
                for kind, text in pieces:
                    self._take(kind, text, parser)
                stream.escape_seconds = self._escape_seconds()
        if gone:
            self._app.call_later(self._app.exit, 0)

    def _escape_seconds(self) -> float:
        return escape_seconds(constants.ESCAPE_DELAY, self._over_ssh, self.round_trip)

    def _take(self, kind: Kind, text: str, parser: XTermParser) -> None:
        if kind == "keys":
            for event in parser.feed(text):
                self.post(event)
        elif kind == "escape":
            self.post(events.Key("escape", text))
        elif kind == "alt":
            self.post(events.Key(f"alt+{f'shift+{text.lower()}' if text.isupper() else text}", text))
        elif kind == "paste":
            self.post(events.Paste(text))
        elif kind == "answer":
            self.answered(time.monotonic())
        elif kind == "dropped":
            keys = f"{len(text)} key{'s' if len(text) > 1 else ''}"
            self.post(TerminalNote(f"{keys} right behind an escape, as if part of it: dropped"))
        else:
            self.post(TerminalNote(OPEN_PASTE if kind == "open paste" else CLOSED_PASTE))

    def post(self, event: Message) -> None:
        """Hand an event to the application; after many of them wait until it has taken them."""
        self.process_message(event)
        self._events_posted += 1
        if self._events_posted % EVENTS_AT_ONCE == 0:
            taken = Event()
            while not self.exit_event.is_set() and not taken.wait(LOOK_AGAIN_SECONDS):
                self._loop.call_soon_threadsafe(self._look_what_waits, taken)

    def _look_what_waits(self, taken: Event) -> None:
        """In the application's thread: say so if few events wait."""
        screens = self._app.screen_stack
        focused = [screen.focused for screen in screens if screen.focused is not None]
        if sum(node.message_queue_size for node in (self._app, *screens, *focused)) <= MOST_WAITING:
            taken.set()


class CellDriver(TamisDriver):
    """Sends only the cells that differ from what the terminal shows, and no more frames than it keeps up with.

    Frames of Textual are text, style and cursor positions; anything else is passed on as it is, and what it may have
    done to the screen is forgotten.
    """

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._screen_diff = ScreenDiff(0, 0, erase=erases())
        self._flow_control = FlowControl()
        # A verb that waited for its frame runs when the answer comes; what it starts must know the application, which
        # the thread that reads does not.
        self._context = copy_context()
        self._synchronised = False
        self._cursor_sent = (-1, -1)
        self._when_out: list[Callable[[], None]] = []

    # -- frames

    def write(self, data: str) -> None:
        if data in (SYNC_START, SYNC_END):
            self._synchronised = True
            return
        width, height = self._app.size
        if (width, height) != (self._screen_diff.width, self._screen_diff.height):
            self._screen_diff.resize(width, height)
        if self._screen_diff.take(data):
            if self._flow_control.may_send(time.monotonic()):
                self.send_frame()
            else:
                self._look_again_later()
            return
        if self._screen_diff.is_behind:
            self.send_frame()
        if not HARMLESS.fullmatch(data):
            self._screen_diff.forget()
            self._flow_control.forget()
        super().write(data)

    def send_frame(self) -> None:
        """Send what differs now."""
        changed = self._screen_diff.difference()
        cursor = self._screen_diff.cursor
        if self._app.focused is not None and (changed or cursor != self._cursor_sent):
            # Where the cursor stands is where an input method opens.
            changed += f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
            self._cursor_sent = cursor
        if changed:
            if self._synchronised and len(changed) > SYNCED_FROM:
                changed = SYNC_START + changed + SYNC_END
            super().write(changed + self._flow_control.sent(time.monotonic()))
        waiting, self._when_out = self._when_out, []
        for call in waiting:
            call()

    @property
    def holds_frame(self) -> bool:
        """Whether the newest frame waits for the terminal to catch up."""
        return self._screen_diff.is_behind

    def when_out(self, call: Callable[[], None]) -> None:
        """Call once the newest frame has gone out."""
        self._when_out.append(call)

    def _look_again_later(self) -> None:
        if self._loop is not None:
            self._loop.call_later(PATIENCE_SECONDS + 0.1, self._send_held)

    def _send_held(self) -> None:
        if self._screen_diff.is_behind and self._flow_control.may_send(time.monotonic()):
            self.send_frame()

    # -- answers

    @property
    def round_trip(self) -> float | None:
        return self._flow_control.round_trip

    def answered(self, now: float) -> None:
        self._loop.call_soon_threadsafe(self._take_answer, now, context=self._context)

    def _take_answer(self, now: float) -> None:
        self._flow_control.answered(now)
        self._send_held()
