"""What a pick is worth to a model: `python -m tests.benchmarks.pick_nll [--rows N] [--steps N] [--seeds N]`.

From the raw sample, N rows are taken three ways: `tamis pick`, at random, the longest first. The built-in model is
trained on each at equal steps and measured on the sample's own held-out rows. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data"


def tamis(*words: str) -> dict[str, Any]:
    """The JSON that a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli.main", *words, "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode > 1:
        raise SystemExit(f"tamis {' '.join(words)}: {done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def chosen_rows(wanted: int, project: Path, seed: int) -> dict[str, list[int]]:
    """Row numbers by the way they are taken; the random ones from a draw of their own for each seed."""
    lines = (SAMPLE / "support.jsonl").read_text("utf-8").splitlines()
    return {
        "pick": [row["row"] for row in tamis("pick", str(project), str(wanted))["rows"]],
        "random": sorted(random.Random(seed).sample(range(len(lines)), wanted)),
        "longest first": sorted(range(len(lines)), key=lambda row: -len(lines[row]))[:wanted],
    }


def exported(home: Path, name: str, rows: Sequence[int]) -> Path:
    """These rows of the sample as an export of a project of their own."""
    project = home / f"{name.replace(' ', '-')}.tamis"
    tamis("scan", str(SAMPLE / "support.jsonl"), "--project", str(project))
    tamis("do", str(project), "accept " + " or ".join(f"row:{row}" for row in rows), "--as", "bench")
    target = home / name.replace(" ", "-")
    tamis("export", str(project), "--to", str(target), "--as", "bench")
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one JSON object, as always")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        project = home / "all.tamis"
        tamis("scan", str(SAMPLE / "support.jsonl"), "--project", str(project))
        tamis("holdout", str(project), str(SAMPLE / "support.heldout.jsonl"), "--as", "bench")
        # Held-out rows are measured with once they are accepted, each by its number: no bulk act touches them.
        first = len((SAMPLE / "support.jsonl").read_text("utf-8").splitlines())
        heldout = len((SAMPLE / "support.heldout.jsonl").read_text("utf-8").splitlines())
        tamis("do", str(project), *(f"accept row:{first + row}" for row in range(heldout)), "--as", "bench")
        taken = chosen_rows(asked.rows, project, seed=1)
        # A comparison wants a curated set of its own, whatever its arms are.
        tamis("do", str(project), "accept bucket:clean", "--as", "bench")
        # Unseen members of conflicts are left alone by a bulk act: what is exported may be fewer than was chosen.
        arms = {name: exported(home, name, rows) for name, rows in taken.items()}
        found = tamis(
            "compare",
            str(project),
            *("--arms", ",".join(str(path) for path in arms.values())),
            *("--seeds", str(asked.seeds), "--steps", str(asked.steps)),
        )
    print(json.dumps({"arms": [{key: arm[key] for key in ("name", "rows", "nll", "nll_spread", "exact_match")}
                               for arm in found["arms"]]}))  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
