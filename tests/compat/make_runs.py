"""The projects of the corpus that hold training runs: one stopped half-way, and a comparison that was cut short."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from box import Box, run_facts

SMALL = ("method=lora", "r=1", 'target_modules=["q_proj"]', "generate_rows=4", "max_new_tokens=8", "row_losses=16")
STEPS, STOP_AT = 60, 12
COMPARE = ("compare", "support.tamis", "--arms", "base,raw,curated", "--seeds", "2", "--steps", "12", "--workers", "1")
PATIENCE = 600.0
MAKE_MODEL = """
import importlib, pathlib, sys
sys.path.insert(0, sys.argv[1])
import main
main.load_package()
builtin = importlib.import_module("tamis_worker.builtin")
builtin.RECIPE.update(hidden=16, layers=1, heads=2, vocabulary=340, positions=512, tokens=40_000, block=64)
text = builtin.chat_text(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
folder = pathlib.Path(sys.argv[3])
folder.mkdir(parents=True)
builtin.pretrain(text, folder, lambda done, of: None)
"""


def settings(*more: str) -> list[str]:
    return [word for setting in (*SMALL, *more) for word in ("--set", setting)]


def wait_for(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        value = holds()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("what was waited for did not come")


def logged(run: Path) -> int:
    """How many steps a run has told of."""
    events = run / "events.jsonl"
    return events.read_bytes().count(b'"ev":"log"') if events.exists() else 0


def make_model(box: Box, folder: Path) -> None:
    """A model of some 7,000 weights in a folder, as a person has one: made by the recipe of the built-in one."""
    assert box.tree is not None
    worker, text = box.tree / "engine" / "training" / "worker", box.tree / "sample_data" / "pretrain.txt"
    command = [box.python, "-P", "-c", MAKE_MODEL, str(worker), str(text), str(folder)]
    subprocess.run(command, check=True, env=box.environment(), cwd=box.home)


def half_run(box: Box, folder: Path) -> dict[str, Any]:
    """A run that was stopped, so that it has a checkpoint in the middle of an epoch."""
    box.run("do", "support.tamis", "accept bucket:clean", "--as", "ana", cwd=folder)
    run = folder / box.json("train", "support.tamis", "--steps", STEPS, *settings(), cwd=folder)["dir"]
    wait_for(lambda: logged(run) >= STOP_AT)
    box.run("stop", run)
    wait_for(lambda: box.json("runs", "support.tamis", cwd=folder)["runs"][0]["state"] == "stopped")
    return {"run": run.name, "then": run_facts(box, folder, run)}


def resumed(box: Box, folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """What becomes of the stopped run where the version that made it goes on with it."""
    run = folder / "support.tamis" / "runs" / facts["run"]
    box.run("resume", run)
    box.run("watch", run)
    return run_facts(box, folder, run)


def cut_comparison(box: Box, folder: Path) -> dict[str, Any]:
    """A comparison that was interrupted while its third run of four was going on."""
    assert box.tree is not None
    rows = (box.tree / "sample_data" / "support.heldout.jsonl").read_bytes().splitlines(keepends=True)[:24]
    (folder / "held.jsonl").write_bytes(b"".join(rows))
    box.run("holdout", "support.tamis", "held.jsonl", "--as", "ana", cwd=folder)
    held = box.look(folder / "support.tamis")["selected"]["is:heldout"]
    acts = ["accept bucket:clean", *[f"accept row:{number}" for number in held]]
    box.run("do", "support.tamis", *acts, "--as", "ana", cwd=folder)
    model = folder / "model"
    make_model(box, model)
    words = [*COMPARE, "--model", str(model), *settings()]
    going = subprocess.Popen(box.command(*words), cwd=folder, env=box.environment())
    runs = folder / "support.tamis" / "runs"
    wait_for(lambda: list(runs.glob("*-compare-raw-seed1")) or going.poll() is not None)
    (third,) = runs.glob("*-compare-raw-seed1")
    wait_for(lambda: logged(third) >= 2)
    going.send_signal(signal.SIGINT)
    assert going.wait(PATIENCE) == 130
    (comparison,) = runs.glob("*-compare")
    return {
        "comparison": comparison.name,
        "files": sorted(path.name for path in comparison.iterdir()),
        "runs": {told["run"]: told["state"] for told in box.json("runs", "support.tamis", cwd=folder)["runs"]},
        "worker": json.loads((third / "spec.json").read_bytes())["worker_sha256"],
        "words": words,
    }


def compared(box: Box, folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """What becomes of the comparison where the version that began it is asked again."""
    result = box.json(*facts["words"], cwd=folder)
    return {key: result[key] for key in ("arms", "verdict", "reason")}
