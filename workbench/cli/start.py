"""The entry point of the `tamis` command. It is installed as `tamis_start`, beside `engine` and `workbench`.

The folders of PYTHONPATH come before what is installed, and one of them (`PYTHONPATH=.`) may hold a stranger's
`engine.py` or `workbench/`. So the first module of ours has a name that nobody else has, and imports the two packages
from the folder they were installed in. Whatever looks for them later finds these; other names are looked for as ever.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main() -> int:
    """Run the command line with our own packages. Returns the exit code."""
    sys.path.insert(0, installed_folder())
    import engine  # noqa: F401
    import workbench  # noqa: F401

    del sys.path[0]
    from workbench.cli.main import main as run_command

    return run_command()


def installed_folder() -> str:
    """The folder that holds our packages: that of this file, or the checkout of an editable install.

    The checkout is named by a `.pth` file, so it stands behind every folder of PYTHONPATH: the path is searched from
    its end.
    """
    for folder in (Path(__file__).parent, *map(Path, reversed(sys.path))):
        if (folder / "workbench" / "cli" / "main.py").is_file():
            return str(folder)
    raise SystemExit("tamis: its own packages are not there: install it again")
