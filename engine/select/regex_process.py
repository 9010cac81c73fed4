"""Searching by regular expression, in a process of its own: some patterns take longer on one text than anyone lives.

Started by its path, with nothing of ours imported. A request is four bytes of length and a marshalled `(pattern, flags,
texts, seconds)`, the answer the same of a bool, or of what is wrong with the pattern, in words. A timer that nothing in
Python has to run for ends the process once a request has cost so many seconds of computing: also where whoever asked is
gone by then.
"""

from __future__ import annotations

import marshal
import re
import resource
import signal
import sys

MOST_BYTES = 2 << 30


def answer(pattern: str, flags: int, texts: tuple[str, ...]) -> bool | str:
    """Whether one of the texts holds the pattern; without texts, whether it is one. A sentence where it is none."""
    try:
        compiled = re.compile(pattern, flags)
    except RecursionError:
        return "its groups are nested too deeply"
    except (re.error, OverflowError) as error:
        return str(error)
    return any(compiled.search(text) is not None for text in texts)


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
        pattern, flags, texts, seconds = marshal.loads(asked.read(int.from_bytes(head, "big")))
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        found = marshal.dumps(answer(pattern, flags, texts))
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        answers.write(len(found).to_bytes(4, "big") + found)
        answers.flush()


if __name__ == "__main__":
    main()
