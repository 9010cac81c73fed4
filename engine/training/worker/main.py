"""Start of the worker process: `python .../worker/main.py [--attempt N] RUN_DIR [RUN_DIR ...]`.

`main.py preflight REQUEST ANSWER` only says what a run would make of its rows; `main.py show REQUEST ANSWER` shows
single ones token by token; `main.py tokens REQUEST ANSWER` counts their tokens; `main.py embed REQUEST ANSWER` makes
vectors of texts; `main.py export-model REQUEST ANSWER` writes a run's model for others; `main.py answer RUN_DIR`
answers prompts with the base model and with what the run has made of it.

Started by file path, so the folder it lies in is made a package by hand, under a name nothing else has; nothing is
added to `sys.path`, where the data and model folders of a run could shadow somebody's modules.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "tamis_worker"


def load_package() -> None:
    """Import the folder of this file as the package `tamis_worker`."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:  # an unreadable copy
        raise SystemExit(f"the worker's own files are missing in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    load_package()
    importlib.import_module(f"{PACKAGE}.starter").end_with_starter()
    if sys.argv[1:2] == ["preflight"]:
        importlib.import_module(f"{PACKAGE}.preflight").main(sys.argv[2:])
    elif sys.argv[1:2] == ["show"]:
        importlib.import_module(f"{PACKAGE}.token_view").main(sys.argv[2:])
    elif sys.argv[1:2] == ["embed"]:
        importlib.import_module(f"{PACKAGE}.embedding").main(sys.argv[2:])
    elif sys.argv[1:2] == ["export-model"]:
        importlib.import_module(f"{PACKAGE}.export_model").main(sys.argv[2:])
    elif sys.argv[1:2] == ["tokens"]:
        importlib.import_module(f"{PACKAGE}.token_counts").main(sys.argv[2:])
    elif sys.argv[1:2] == ["answer"]:
        importlib.import_module(f"{PACKAGE}.answering").main(sys.argv[2:])
    else:
        importlib.import_module(f"{PACKAGE}.serve").main(sys.argv[1:])
