"""Starts the worker under a limit on the size of each file it writes: a full disk, as far as the worker can tell.

Arguments: bytes, main.py and what follows. Started as the `command` of a spec.
"""

from __future__ import annotations

import os
import resource
import signal
import sys

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # kept over exec: the write then fails, as on a full disk
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
