"""Textual's Linux driver, mended in one place: it ends when the terminal is gone.

The stock driver reads an end of file from a closed terminal over and over: an orphan that spins at full speed where
the hang-up signal is ignored (nohup). Here an end of file, or an error from the terminal, ends the application.
"""

from __future__ import annotations

import os
import selectors
from codecs import getincrementaldecoder

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

READ_BYTES = 4096
# How often the parser is asked whether an escape key was only that.
POLL_SECONDS = 0.1


class TamisDriver(LinuxDriver):
    """See the module. The rest is the stock driver."""

    def write(self, data: str) -> None:
        """Write to the terminal. Where it is gone the writing thread is dead, and its full queue would block."""
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def run_input_thread(self) -> None:
        """Read keys until the driver is told to stop, or the terminal is gone."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode
        gone = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set() and not gone:
                if selector.select(POLL_SECONDS):
                    try:
                        content = os.read(self.fileno, READ_BYTES)
                    except BlockingIOError:
                        continue
                    except OSError:
                        content = b""
                    gone = not content
                    for event in parser.feed(decode(content)) if content else ():
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)
        if gone:
            self._app.call_later(self._app.exit, 0)
