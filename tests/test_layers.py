"""Which folder may import which, read from the source: imports for types only, and inside functions, count too."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Each folder, and each module at the top of `engine`, may import itself and what is named behind it. Lowest first.
GROUND = (
    *("engine.model", "engine.errors", "engine.version", "engine.phrases", "engine.numerals", "engine.nesting"),
    *("engine.files", "engine.small_files", "engine.scratch", "engine.paths", "engine.reviewer", "engine.places"),
    *("engine.trust", "engine.links", "engine.json_form", "engine.tokens", "engine.secret_patterns", "engine.harmless"),
)
# Reading text, and what the findings on disk look like: neither knows what a scan does.
SCAN_TEXT = ("engine.scan.text", "engine.scan.code", "engine.scan.jsontext", "engine.scan.dates")
SIGNAL_NAMES = "engine.scan.signals.names"
FINDINGS_ON_DISK = ("engine.scan.columns", "engine.scan.store")
SCAN_WORK = ("engine.scan.parallel", "engine.scan.progress", "engine.scan.cache", "engine.scan.flag_cache")
REQUESTS, SIGNALS, ANSWERS = "engine.scan.requests", "engine.scan.signals", "engine.scan.answers"
SPEC, WORKER, RUNS, PLAN = (f"engine.training.{room}" for room in ("spec", "worker", "runs", "plan"))
BELOW_WORKFLOWS = (
    *("engine.config", "engine.sources", "engine.scan", "engine.training"),
    *("engine.project", "engine.select", "engine.export", "engine.review"),
)
# Reading: bytes to records, records to conversations. What a message is, is known before what a record is.
MAPPING, FILES, MESSAGES, SHAPES, RECORDS, CONVERSATION = (
    f"engine.sources.{room}" for room in ("mapping", "files", "messages", "shapes", "records", "conversation")
)
SOURCES: dict[str, tuple[str, ...]] = {
    MAPPING: GROUND,
    FILES: GROUND,
    MESSAGES: (*GROUND, MAPPING),
    SHAPES: (*GROUND, MAPPING, MESSAGES),
    RECORDS: (*GROUND, FILES, MESSAGES, SHAPES),
    CONVERSATION: (*GROUND, MAPPING, MESSAGES, SHAPES),
    "engine.sources.verdicts": (*GROUND, SHAPES, CONVERSATION),
}
ENGINE: dict[str, tuple[str, ...]] = {
    "engine.model": ("engine.nesting",),
    "engine.errors": (),
    "engine.version": (),
    "engine.phrases": (),
    "engine.numerals": (),
    "engine.nesting": (),
    # Starts a module of `engine.jobs` by name, as a process of its own: takes the package in before that.
    "engine.job_process": ("engine", WORKER),
    "engine.files": ("engine.errors",),
    "engine.small_files": ("engine.errors",),
    "engine.scratch": ("engine.paths",),
    "engine.paths": ("engine.errors",),
    "engine.places": ("engine.errors", "engine.paths"),
    "engine.reviewer": ("engine.errors", "engine.paths", "engine.small_files"),
    "engine.json_form": (),
    "engine.secret_patterns": (),
    "engine.trust": ("engine.errors", "engine.files", "engine.paths"),
    "engine.links": ("engine.errors", "engine.paths", "engine.trust"),
    "engine.sources": GROUND,
    **SOURCES,
    "engine.scan": GROUND,
    REQUESTS: (*GROUND, *SCAN_TEXT),
    SIGNALS: (*GROUND, *SCAN_TEXT, REQUESTS),
    ANSWERS: (*GROUND, *SCAN_TEXT, REQUESTS, SIGNALS),
    "engine.scan.duplicates": (*GROUND, *SCAN_TEXT, *SCAN_WORK, REQUESTS, SIGNALS, ANSWERS),
    "engine.training": GROUND,
    # A copy of the worker goes into each run: it must stand alone.
    WORKER: (),
    SPEC: GROUND,
    RUNS: (*GROUND, SPEC, WORKER),
    PLAN: (*GROUND, SPEC, WORKER, RUNS),
    "engine.training.eval": (*GROUND, SPEC, WORKER, RUNS, PLAN),
    "engine.training.compare": (*GROUND, "engine.training"),
    "engine.harmless": (),
    "engine.tokens": (),
    "engine.named_inside": ("engine.paths", "engine.small_files"),
    "engine.config": (*GROUND, "engine.named_inside", SIGNALS, SPEC),
    # A project keeps findings and gives them back; it makes none.
    "engine.project": (*GROUND, *FINDINGS_ON_DISK, "engine.sources"),
    "engine.select": (*GROUND, "engine.scan.dates", SIGNAL_NAMES, "engine.sources", RUNS, "engine.project"),
    "engine.report": (*GROUND, "engine.scan.dates", "engine.project"),
    "engine.export": (*GROUND, SIGNAL_NAMES, "engine.project", "engine.select"),
    "engine.review": (*GROUND, "engine.project", "engine.select"),
    "engine.workflows": (*GROUND, "engine.job_process", *BELOW_WORKFLOWS),
    "engine.jobs": (*GROUND, *BELOW_WORKFLOWS, "engine.workflows"),
    # The public names, loaded at their first use: nothing inside imports them from here.
    "engine": (),
}
TEXT, STATE, ACTIONS, COMMANDS = (f"workbench.{room}" for room in ("text", "state", "actions", "commands"))
BELOW_UI = (TEXT, "workbench.terminal", STATE, ACTIONS, COMMANDS, "workbench.render")
WORKBENCH: dict[str, tuple[str, ...]] = {
    TEXT: (),
    "workbench.terminal": (TEXT,),
    STATE: (TEXT,),
    ACTIONS: (TEXT, STATE),
    COMMANDS: (TEXT, STATE, ACTIONS),
    "workbench.render": (TEXT, STATE, ACTIONS),
    "workbench.ui": BELOW_UI,
    "workbench.ui.screens": (*BELOW_UI, "workbench.ui"),
    "workbench.ui.widgets": (*BELOW_UI, "workbench.ui"),
    "workbench.cli": ("workbench",),
    "workbench": (),
}
LAYERS = {"engine": ENGINE, "workbench": WORKBENCH}
TRAINER = {"torch", "transformers", "peft", "trl"}
SCREEN = {"textual", "rich"}
SCREEN_FOLDERS = ("workbench.ui", "workbench.terminal")
# Asks rich how wide a character is, and for nothing else.
CELLS = "workbench.text.cells"


def modules_of(root: Path, package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name."""
    paths = sorted((root / package).rglob("*.py"))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def imports_of(module: str, path: Path, known: set[str]) -> set[str]:
    """The modules that a module imports anywhere in its source; a name out of a module counts as that module."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = (f"{base}.{alias.name}" for alias in node.names)
            found |= {name if name in known else base for name in names}
    return found


def import_graph(root: Path, package: str) -> dict[str, set[str]]:
    """Module -> what it imports, of this package and of others."""
    modules = modules_of(root, package)
    return {module: imports_of(module, path, set(modules)) for module, path in modules.items()}


def within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}.")


def violations(root: Path, package: str) -> list[str]:
    """Every import of the package's own modules that its table does not allow."""
    table = LAYERS[package]
    found = []
    for module, imports in import_graph(root, package).items():
        home = max((folder for folder in table if within(module, folder)), key=len)
        if home == package:
            continue
        for name in sorted(imports):
            if within(name, package) and not any(within(name, folder) for folder in (home, *table[home])):
                found.append(f"{module} imports {name}")
    return found


def unnamed(root: Path, package: str) -> list[str]:
    """Folders, and modules beside them at the top, that no table names."""
    modules = modules_of(root, package)
    folders = {name for name, path in modules.items() if path.name == "__init__.py"}
    folders |= {name.rpartition(".")[0] for name, path in modules.items() if path.name != "__init__.py"}
    at_the_top = {name for name in modules if name.count(".") == 1}
    return sorted((folders | at_the_top) - LAYERS[package].keys())


def circle(root: Path, package: str) -> list[str]:
    """Modules that import each other in a ring, or none."""
    modules = modules_of(root, package)
    graph = {module: imports & modules.keys() for module, imports in import_graph(root, package).items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def foreign(root: Path, package: str) -> list[str]:
    """Imports of the trainer's libraries outside the worker, of a screen library where no screen is, of the workbench
    in the engine."""
    found = []
    for module, imports in import_graph(root, package).items():
        barred = set() if within(module, WORKER) else set(TRAINER)
        if module == CELLS:
            barred |= SCREEN - {"rich"}
        elif not any(within(module, folder) for folder in SCREEN_FOLDERS):
            barred |= SCREEN
        if package == "engine":
            barred |= {"workbench"}
        found += [f"{module} imports {name}" for name in sorted(imports) if name.split(".")[0] in barred]
    return found


@pytest.mark.parametrize("package", LAYERS)
def test_folders_import_what_is_below_them(package: str) -> None:
    found = violations(ROOT, package)
    assert not found, "\n".join(
        [
            *found,
            "Move what is needed into a folder that both may import (docs/architecture.md, Who may import whom);",
            f"where the rule itself is to change: {package.upper()} in this file, and that paragraph.",
        ]
    )


@pytest.mark.parametrize("package", LAYERS)
def test_no_folder_escapes_the_table(package: str) -> None:
    found = unnamed(ROOT, package)
    assert not found, f"say in {package.upper()} of this file what they may import: {', '.join(found)}"


@pytest.mark.parametrize("package", LAYERS)
def test_no_modules_import_each_other(package: str) -> None:
    ring = circle(ROOT, package)
    assert not ring, "these import each other: " + " -> ".join(ring)


@pytest.mark.parametrize("package", LAYERS)
def test_screen_and_trainer_stay_in_their_folders(package: str) -> None:
    assert foreign(ROOT, package) == []


@pytest.mark.parametrize(
    ("path", "source", "fault"),
    [
        ("engine/model.py", "from engine.project.rows import RowStore", "engine.model imports engine.project.rows"),
        (
            "engine/scan/requests/key.py",
            "def f():\n    import engine.scan.cache",
            "key imports engine.scan.cache",
        ),
        ("engine/training/worker/run.py", "from engine.errors import TamisError", "worker.run imports engine.errors"),
        ("engine/project/rows.py", "if TYPE_CHECKING:\n    from engine.scan import pipeline", "engine.scan.pipeline"),
        ("engine/jobs/scan.py", "from engine import open_project", "engine.jobs.scan imports engine"),
        ("engine/export/card.py", "from ..workflows import gate", "engine.export.card imports engine.workflows.gate"),
    ],
)
def test_an_import_against_the_layers_is_found(tmp_path: Path, path: str, source: str, fault: str) -> None:
    plant(tmp_path, "engine/workflows/gate.py", "")
    plant(tmp_path, "engine/scan/pipeline.py", "")
    plant(tmp_path, path, source)
    (found,) = violations(tmp_path, "engine")
    assert fault in found


def test_what_else_is_wrong_is_found(tmp_path: Path) -> None:
    plant(tmp_path, "engine/store.py", "from engine.attic.old import one")
    plant(tmp_path, "engine/attic/old.py", "def one() -> None:\n    from engine import store\n")
    plant(tmp_path, "workbench/render/row.py", "from rich.text import Text\nimport torch")
    plant(tmp_path, "engine/text.py", "from workbench.text import cells")
    assert unnamed(tmp_path, "engine") == ["engine.attic", "engine.store", "engine.text"]
    assert set(circle(tmp_path, "engine")) == {"engine.store", "engine.attic.old"}
    rendered = "workbench.render.row imports"
    assert foreign(tmp_path, "workbench") == [f"{rendered} rich.text", f"{rendered} torch"]
    assert foreign(tmp_path, "engine") == ["engine.text imports workbench.text"]


def plant(root: Path, path: str, source: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(source)
