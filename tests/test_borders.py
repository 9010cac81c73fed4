"""Who may import whom: proven in fresh interpreters; test_layers.py reads the source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pyarrow", "pandas", "datasets", "sklearn", "torch", "transformers", "peft", "trl")
TERMINAL = ("textual", "rich")


def loaded_after(code: str, *watched: str) -> list[str]:
    """The watched modules that a fresh interpreter holds after running `code`."""
    probe = f"{code}\nimport sys\nprint(*[name for name in {watched!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.splitlines()[-1].split() if done.stdout.strip() else []


def modules_of(package: str) -> list[str]:
    paths = [path for path in sorted((ROOT / package).rglob("*.py")) if path.name != "__main__.py"]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]


def test_the_engine_knows_no_terminal() -> None:
    worker = "engine.training.worker"
    names = [
        name
        for name in modules_of("engine")
        if not name.startswith(worker) and name != "engine.training.runs.supervisor"
    ]
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    assert loaded_after(code, *TERMINAL, "workbench", *HEAVY) == []


def test_the_workbench_loads_nothing_heavy() -> None:
    names = modules_of("workbench")
    code = "import importlib\n" + "\n".join(f"importlib.import_module({name!r})" for name in names)
    assert loaded_after(code, *HEAVY) == []


def test_the_workbench_is_there_before_the_readers_of_files_and_the_table_of_shapes() -> None:
    needed_later = (
        "records.read",
        "records.lines",
        "files.archives",
        "files.foreign",
        "files.hub",
        "shapes.shape_table",
    )
    watched = (*(f"engine.sources.{name}" for name in needed_later), "zipfile", "tarfile")
    assert loaded_after("import workbench.ui.app", *watched) == []


@pytest.mark.parametrize("words", [["--help"], ["status", "--help"], ["status", "PROJECT"]])
def test_help_and_status_start_without_a_screen_library(words: list[str], tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    source.write_text('{"instruction": "a", "output": "b"}\n')
    subprocess.run(
        [sys.executable, "-m", "workbench.cli.main", "scan", str(source), "--project", str(tmp_path / "raw.tamis")],
        check=True,
        cwd=ROOT,
    )
    called = [str(tmp_path / "raw.tamis") if word == "PROJECT" else word for word in words]
    code = f"from workbench.cli.main import main\ntry:\n    main({called!r})\nexcept SystemExit:\n    pass"
    assert loaded_after(code, *TERMINAL, *HEAVY, "numpy", "rapidfuzz", "asyncio") == []
