"""Searching by regular expression, in a process of its own: some patterns take longer on one text than anyone lives.

Started by its path, with nothing of ours imported. A request is four bytes of length and a marshalled `(pattern, flags,
rows)`, each row as `(texts, seconds)`; the answer the same of a list with a bool a row, or of what is wrong with the
pattern, in words. Rows that did not fit into a moment are left out of the list, to be asked again. A timer that nothing
in Python has to run for ends the process once the pattern or a row has cost its seconds of computing: also where
whoever asked is gone by then.
"""

from __future__ import annotations

import marshal
import re
import resource
import signal
import sys
from time import monotonic

MOST_BYTES = 2 << 30
PATTERN_SECONDS = 0.1
MOMENT_SECONDS = 0.005

Rows = tuple[tuple[tuple[str, ...], float], ...]


def answer(pattern: str, flags: int, rows: Rows) -> list[bool] | str:
    """For each of the first rows whether one of its texts holds the pattern; a sentence where it is none."""
    end = monotonic() + MOMENT_SECONDS
    signal.setitimer(signal.ITIMER_VIRTUAL, PATTERN_SECONDS)
    try:
        compiled = re.compile(pattern, flags)
    except RecursionError:
        return "its groups are nested too deeply"
    except (re.error, OverflowError) as error:
        return str(error)
    found: list[bool] = []
    for texts, seconds in rows:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        found.append(any(compiled.search(text) is not None for text in texts))
        if monotonic() > end:
            break
    return found


def main() -> None:
    """Answer until the other end is closed."""
    for number in (signal.SIGVTALRM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    # Whoever asks is told of ctrl+c and ends the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = MOST_BYTES if hard == resource.RLIM_INFINITY else min(MOST_BYTES, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    asked, answers = sys.stdin.buffer, sys.stdout.buffer
    while len(head := asked.read(4)) == 4:
        found = marshal.dumps(answer(*marshal.loads(asked.read(int.from_bytes(head, "big")))))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        answers.write(len(found).to_bytes(4, "big") + found)
        answers.flush()


if __name__ == "__main__":
    main()
