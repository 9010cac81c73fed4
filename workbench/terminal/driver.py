"""The terminal: Textual's Linux driver, ended with its terminal, and on top of it one that sends only changed cells.

The stock driver reads an end of file from a closed terminal over and over: an orphan that spins at full speed where
the hang-up signal is ignored (nohup). Here an end of file, or an error from the terminal, ends the application.
"""

from __future__ import annotations

import os
import re
import selectors
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from workbench.terminal.capabilities import erases, is_old_terminal
from workbench.terminal.flow_control import PATIENCE_SECONDS, FlowControl, without_answers
from workbench.terminal.screen_diff import ScreenDiff

READ_BYTES = 4096
# How often the parser is asked whether an escape key was only that.
POLL_SECONDS = 0.1
# How long the rest of what looks like an answer is waited for.
REST_SECONDS = 0.02
SYNC_START, SYNC_END = "\x1b[?2026h", "\x1b[?2026l"
# A frame up to this size comes in one packet: it needs no brackets to be shown at once.
SYNCED_FROM = 600
# Modes, queries and titles: they leave the text on the screen as it is.
HARMLESS = re.compile(
    r"(?:\x1b\[\?(?:25|1000|1002|1003|1004|1006|1015|1016|2004|2026|2031|2048)[hl]"
    r"|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u|\x1b\[\?u|\x1b\[>?\d*[cq]|\x1b\[[56]n"
    r"|\x1b\](?:[012]|22|52);[^\x07\x1b]*(?:\x07|\x1b\\)|\x07)+"
)
# Of these an old terminal shows the end: the keyboard protocol, questions about modes, pointer and clipboard.
MISREAD = re.compile(r"\x1b\[[<>=]\d*u|\x1b\[\?\d+\$p|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


class TamisDriver(LinuxDriver):
    """See the module: the stock driver, but for its end, and for what an old terminal would misread."""

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_old = is_old_terminal()

    def write(self, data: str) -> None:
        """Write to the terminal. Where it is gone the writing thread is dead, and its full queue would block."""
        if self._is_old:
            data = MISREAD.sub("", data)
        if data and self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def read_keys(self, content: bytes) -> bytes:
        """What of the bytes read are keys."""
        return content

    @property
    def poll_seconds(self) -> float:
        """How long to wait for the next key before the parser is asked."""
        return POLL_SECONDS

    def run_input_thread(self) -> None:
        """Read keys until the driver is told to stop, or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        gone = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set() and not gone:
                content = b""
                if selector.select(self.poll_seconds):
                    try:
                        content = os.read(self.fileno, READ_BYTES)
                    except BlockingIOError:
                        continue
                    except OSError:
                        content = b""
                    gone = not content
                keys = self.read_keys(content)
                for event in parser.feed(decode(keys)) if keys else ():
                    self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        if gone:
            self._app.call_later(self._app.exit, 0)


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
        self._synchronised = False
        self._partial = b""
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
    def poll_seconds(self) -> float:
        return REST_SECONDS if self._partial else POLL_SECONDS

    def read_keys(self, content: bytes) -> bytes:
        """The keys; answers of the terminal let the next frame go."""
        if not content and not self._partial:
            return b""
        # What looked like the beginning of an answer and was not read on in time was a key.
        waits = self._flow_control.waits and bool(content)
        keys, answers, self._partial = without_answers(self._partial + content, waits, self._flow_control.answers)
        for _ in range(answers):
            self._loop.call_soon_threadsafe(self._answered)
        return keys

    def _answered(self) -> None:
        self._flow_control.answered()
        self._send_held()
