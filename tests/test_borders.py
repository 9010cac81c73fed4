"""Who may import whom: proven in fresh interpreters, not by reading the source."""

from __future__ import annotations

import ast
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
    paths = sorted((ROOT / package).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [name for name in names if not name.endswith(".__main__")]


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


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


def test_only_the_worker_imports_the_trainer() -> None:
    for path in sorted((ROOT / "engine").rglob("*.py")) + sorted((ROOT / "workbench").rglob("*.py")):
        tops = {name.split(".")[0] for name in imported_by(path)}
        if "training/worker" not in path.as_posix():
            assert not tops & {"torch", "transformers", "peft", "trl"}, path
        if path.is_relative_to(ROOT / "engine"):
            assert not tops & {"workbench", *TERMINAL}, path


ROOMS = ("sources", "scan", "queue", "export", "training")


def test_rooms_stand_on_the_model_and_not_on_each_other() -> None:
    for room in ROOMS:
        for path in sorted((ROOT / "engine" / room).rglob("*.py")):
            others = {f"engine.{other}" for other in ROOMS if other != room}
            found = {
                name for name in imported_by(path) for other in others if name == other or name.startswith(f"{other}.")
            }
            assert not found, f"{path.relative_to(ROOT)} imports {found}"


def test_ground_modules_import_nothing_of_tamis() -> None:
    for name in ("model.py", "errors.py"):
        assert not {found for found in imported_by(ROOT / "engine" / name) if found.startswith(("engine", "workbench"))}


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
