"""How fast and how well duplicates are found, beside rensa, gaoya and datasketch.

`python -m tests.benchmarks.duplicates [--json] [--quick] [--data FILE]`. Each method runs in its own process, three
times; medians. Seconds run from rows in memory to the result: imports of a method's libraries are included against
peers and for conversations, and left out of the figures by size. Memory is the peak of the process. Peers need
`pip install 'tamis[bench]'`; the Alpaca file is measured with and never shipped. Exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.duplicate_measures import (
    PAIRS,
    ROOT,
    measure_candidates,
    measure_conversations,
    measure_people,
    measure_planted,
    measure_size,
)

ALPACA = ROOT.parent / "shared" / "data" / "alpaca_52k.jsonl.gz"
PEERS = ("gaoya", "rensa", "datasketch")
REPEATS = 3
SIZES = (1_000, 10_000, 52_002, 200_000)


def run_one(arguments: argparse.Namespace) -> None:
    task, path = arguments.one, arguments.data
    kind, _, rest = task.partition(":")
    if kind == "planted":
        method, seed, hard = rest.split(",")
        found = measure_planted(method, path, int(seed), hard == "hard")
    elif kind == "size":
        method, count = rest.split(",")
        found = measure_size(method, path, int(count))
    elif kind == "people":
        found = measure_people(path)
    elif kind == "candidates":
        found = measure_candidates(path)
    else:
        found = measure_conversations()
    found["peak_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found["processor_s"] = round(sum(one.ru_utime + one.ru_stime for one in used), 2)
    print(json.dumps(found))


def measured(task: str, data: Path, repeats: int) -> dict[str, Any]:
    """The run with the median time; "spread" holds all times."""
    runs = []
    # An installed package has its bytecode beside it, as the peers have: it is not compiled anew in each run.
    surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(repeats):
        print(f"  {task}", file=sys.stderr)
        command = [sys.executable, "-m", "tests.benchmarks.duplicates", "--one", task, "--data", str(data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=surroundings)
        if done.returncode:
            return {"error": (done.stderr.strip().splitlines() or ["no word"])[-1]}
        runs.append(json.loads(done.stdout.splitlines()[-1]))
    runs.sort(key=lambda run: run.get("seconds", 0.0))
    middle: dict[str, Any] = runs[len(runs) // 2]
    return middle | {"spread": [round(run["seconds"], 2) for run in runs if "seconds" in run]}


def everything(data: Path, repeats: int, quick: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"conditions": conditions()}
    found["conversations"] = measured("conversations", data, repeats)
    if not data.exists():
        found["skipped"] = f"{data.name} is not beside the repository: all figures on Alpaca are left out"
        return found
    peers = [name for name in PEERS if importlib.util.find_spec(name) is not None]
    found["missing_peers"] = [name for name in PEERS if name not in peers]
    # Methods take turns, so that a busy minute hits all of them.
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ("ours", *peers)}
    for _ in range(repeats):
        for name, runs in tables.items():
            runs.append(measured(f"planted:{name},0,plain", data, 1))
    found["planted"] = {name: _middle(runs) for name, runs in tables.items()}
    found["hard"] = measured("planted:ours,1,hard", data, 1)
    found["seeds"] = [measured(f"planted:ours,{seed},plain", data, 1) for seed in (1, 2)]
    found["people"] = measured("people", data, 1) if PAIRS.exists() else {}
    found["candidates"] = measured("candidates", data, 1)
    found["sizes"] = [measured(f"size:ours,{count}", data, repeats) for count in (SIZES[:2] if quick else SIZES)]
    return found


def _middle(runs: list[dict[str, Any]]) -> dict[str, Any]:
    good = sorted((run for run in runs if "error" not in run), key=lambda run: float(run["seconds"]))
    if not good:
        return runs[0]
    return good[len(good) // 2] | {"spread": [round(run["seconds"], 2) for run in good]}


def conditions() -> dict[str, Any]:
    packages = {}
    for name in ("numpy", "rapidfuzz", *PEERS):
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "missing"
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        **packages,
    }


def goals(found: dict[str, Any]) -> list[tuple[str, float, str, bool]]:
    """(goal, figure, bound, met) for what was measured."""
    lines: list[tuple[str, float, str, bool]] = []

    def goal(name: str, figure: float, bound: float, *, least: bool = False) -> None:
        met = figure >= bound if least else figure <= bound
        lines.append((name, round(figure, 4), f"{'>=' if least else '<='} {bound}", met))

    if "seconds" in found["conversations"]:
        goal("12,000 conversations, s", found["conversations"]["seconds"], 8.0)
    if "planted" not in found:
        return lines
    mine = found["planted"]["ours"]
    if "seconds" in found["planted"].get("gaoya", {}):
        goal("time against gaoya, same run", mine["seconds"] / found["planted"]["gaoya"]["seconds"], 1.0)
    goal("peak memory, MB", mine["peak_mb"], 450)
    goal(
        "recall on planted duplicates",
        statistics.mean(run["recall"] for run in (mine, *found["seeds"])),
        0.97,
        least=True,
    )
    goal("false merges", statistics.mean(run["false_merges"] for run in (mine, *found["seeds"])), 0.01)
    if found["people"]:
        goal("90 pairs: precision", found["people"]["precision"], 0.95, least=True)
        goal("90 pairs: recall", found["people"]["recall"], 0.85, least=True)
    goal("candidate recall, planted", found["candidates"]["planted_recall"], 0.995, least=True)
    goal("candidate recall, accepted", found["candidates"]["accepted_recall"], 0.995, least=True)
    first, last = found["sizes"][0], found["sizes"][-1]
    goal("1,000 rows, s", first["seconds"], 0.15)
    if last["rows"] >= 200_000:
        exponent = math.log(last["seconds"] / first["seconds"]) / math.log(last["rows"] / first["rows"])
        goal("growth 1,000 -> 200,000, exponent", exponent, 1.15)
    return lines


def table(found: dict[str, Any]) -> str:
    lines = [", ".join(f"{name} {value}" for name, value in found["conditions"].items()), ""]
    if "skipped" in found:
        lines += [found["skipped"], ""]
    for name in found.get("missing_peers", ()):
        lines.append(f"{name} is not installed: pip install 'tamis[bench]'")
    if "planted" in found:
        lines.append(f"{'method':12}{'s':>8}{'x ours':>8}{'MB':>7}{'recall':>8}{'false':>8}   all times")
        mine = found["planted"]["ours"]["seconds"]
        for name, run in found["planted"].items():
            if "error" in run:
                lines.append(f"{name:12} {run['error']}")
                continue
            lines.append(
                f"{name:12}{run['seconds']:8.2f}{run['seconds'] / mine:8.2f}{run['peak_mb']:7}{run['recall']:8.3f}"
                f"{run['false_merges']:8.3f}   {run['spread']}"
            )
        for title, run in (("by kind", found["planted"]["ours"]), ("harder kinds", found["hard"])):
            lines += ["", f"{title}: " + "  ".join(f"{kind} {share}" for kind, share in run.get("kinds", {}).items())]
        lines += ["", "candidates: " + json.dumps(found["candidates"]), "people: " + json.dumps(found["people"]), ""]
        for run in found["sizes"]:
            lines.append(f"{run['rows']:>8,} rows {run['seconds']:8.2f} s {run['peak_mb']:6} MB")
    chats = found["conversations"]
    if "seconds" in chats:
        lines.append(
            f"{chats['rows']:,} conversations of {chats['characters']:,} characters "
            f"{chats['seconds']:.2f} s {chats['peak_mb']} MB"
        )
    lines += [
        "",
        *(f"{'met ' if met else 'MISS'} {name}: {figure} ({bound})" for name, figure, bound, met in goals(found)),
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--quick", action="store_true", help="one repeat, no 52,002 and 200,000 rows by size")
    parser.add_argument("--data", type=Path, default=ALPACA, help="the Alpaca file, gzipped JSON lines")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        run_one(arguments)
        return 0
    found = everything(arguments.data, 1 if arguments.quick else REPEATS, arguments.quick)
    found["goals"] = [
        {"goal": name, "figure": figure, "bound": bound, "met": met} for name, figure, bound, met in goals(found)
    ]
    print(json.dumps(found) if arguments.json else table(found))
    return 0 if all(met for *_, met in goals(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
