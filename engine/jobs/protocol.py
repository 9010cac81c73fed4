"""How a job speaks to the process that started it: one JSON object a line on stdout, and an end when stdin closes."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

CANCELLED = 3


def say(**message: Any) -> None:
    """One line of progress or result; the job ends quietly where nobody reads any more."""
    try:
        sys.stdout.write(json.dumps(message, ensure_ascii=True) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os._exit(CANCELLED)


def end_when_parent_does() -> None:
    """End this process as soon as stdin closes: the parent is gone, or has cancelled.

    Results are renamed into place last, so no half of one is left.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(CANCELLED)

    threading.Thread(target=watch, daemon=True, name="stdin").start()
