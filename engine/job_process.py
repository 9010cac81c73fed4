"""A job of `engine.jobs` in a process of its own: its command line, and the first lines of that process.

`python -P -m engine.jobs.NAME` would look for `engine` in the folders of PYTHONPATH first, and one of them may hold a
stranger's `engine.py`. So this file is started by its path instead, and takes `engine` from the folder it lies in. The
rest of PYTHONPATH stays as the person set it: the trainer that a job starts may need it.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path


def job_command(module: str, *words: str) -> list[str]:
    """The command line that does what `python -P -m MODULE WORDS` would; `module` is such as "engine.jobs.scan". The
    process ends with this one."""
    return [sys.executable, "-P", str(Path(__file__).absolute()), str(os.getpid()), module, *words]


def main() -> None:
    """Run the module that the second argument names, as the main one, with our own `engine`; the first is the number of
    the process that started this one."""
    sys.path.insert(0, str(Path(__file__).absolute().parent.parent))
    import engine  # noqa: F401  known from now on, whatever the rest of the path holds
    from engine.training.worker.starter import end_with

    end_with(int(sys.argv.pop(1)))
    del sys.path[0]
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
