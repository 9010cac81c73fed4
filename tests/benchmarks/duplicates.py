"""How fast and how well duplicates are found, beside rensa, gaoya and datasketch.

`python -m tests.benchmarks.duplicates [--json] [--quick] [--data FILE]`. Each method runs in its own process, three
times; medians. Seconds run from rows in memory to the result: imports of a method's libraries are included against
peers and for conversations, and left out of the figures by size. Memory is the peak of the process. Peers need
`pip install 'tamis[bench]'`; the Alpaca file is measured with and never shipped. Exits 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import itertools
import json
import math
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.benchmarks.injected import Planted, plant

ROOT = Path(__file__).resolve().parents[2]
ALPACA = ROOT.parent / "shared" / "data" / "alpaca_52k.jsonl.gz"
PAIRS = ROOT.parent / "shared" / "data" / "similar_pairs_dev.jsonl"
PEERS = ("gaoya", "rensa", "datasketch")
REPEATS, EACH = 3, 300
SIZES = (1_000, 10_000, 52_002, 200_000)
CONVERSATIONS = 12_000

Row = tuple[str, str]
"""A prompt and its answer."""


# -- the rows


def alpaca_rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        contents = [json.loads(line) for line in lines]
    return [
        (row["instruction"] + (f"\n\n{row['input']}" if row["input"].strip() else ""), row["output"])
        for row in contents
    ]


def with_planted(rows: list[Row], each: int, seed: int = 0, hard: bool = False) -> tuple[list[Row], list[Planted]]:
    """A planted row keeps the answer of its source: nothing but the request can tell a near miss."""
    texts, planted = plant([prompt for prompt, _ in rows], each, seed, hard)
    return [*rows, *((text, rows[one.source][1]) for text, one in zip(texts, planted, strict=True))], planted


def grown(rows: list[Row], count: int) -> list[Row]:
    """The first rows, or more than there are: further copies have 45 % of their longer words replaced."""
    rng = random.Random(0)
    words = [word for prompt, _ in rows[:20_000] for word in prompt.split() if len(word) >= 4]
    found = rows[:count]
    while len(found) < count:
        prompt, answer = rows[len(found) % len(rows)]
        changed = [rng.choice(words) if len(word) >= 4 and rng.random() < 0.45 else word for word in prompt.split(" ")]
        found.append((" ".join(changed), answer))
    return found


def conversations(count: int) -> list[list[tuple[str, str]]]:
    """Conversations of about 8 kB as (role, text): three shared system prompts, tools, programs, one in ten a
    duplicate.
    """
    rng = random.Random(0)
    consonants, vowels = "bcdfghjklmnprstvz", "aeiou"
    words = [
        "".join(rng.choice(consonants) + rng.choice(vowels) for _ in range(rng.randint(1, 4))) for _ in range(9000)
    ]
    weights = [1 / (rank + 3) for rank in range(len(words))]
    systems = [" ".join(rng.choices(words, weights, k=260)) for _ in range(3)]
    pool = rng.choices(words, weights, k=400_000)

    def say(count: int) -> str:
        start = rng.randrange(len(pool) - count)
        return " ".join(pool[start : start + count])

    def program() -> str:
        names = rng.sample(words, 6)
        lines = [f"    {a} = {b}({n}) + {rng.randint(0, 99)}" for n, (a, b) in enumerate(itertools.pairwise(names))]
        return f"```python\ndef {names[0]}(x):\n" + "\n".join(lines * 3) + f"\n    return {names[-1]}\n```"

    found: list[list[tuple[str, str]]] = []
    for number in range(count):
        if number % 10 == 9:
            source = found[rng.randrange(len(found))]
            role, text = source[1]
            found.append(
                [source[0], (role, rng.choice(("Please ", "")) + text + rng.choice(("", "!", " "))), *source[2:]]
            )
            continue
        turns = [("system", systems[number % 3])]
        for _ in range(3):
            turns += [("user", f"{say(90)}\n{program()}"), ("assistant", say(140))]
            turns.append(("tool", json.dumps({"result": say(40), "code": rng.randint(0, 9)})))
        turns += [("user", say(60)), ("assistant", say(120))]
        found.append(turns)
    return found


# -- the methods: each answers with pairs of row numbers that it puts together


def ours(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    from engine.model import Example, Turn

    examples = [
        Example(f"{n:016x}", n, (Turn("user", prompt), Turn("assistant", answer)), "", n + 1, {})
        for n, (prompt, answer) in enumerate(rows)
    ]
    return _ours(examples)


def _ours(examples: Sequence[Any]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from engine.scan.progress import without_collector

    # As `engine.scan.scan` does.
    with without_collector():
        return _found(examples, started)


def _found(examples: Sequence[Any], started: float) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    from engine.scan.duplicates.clusters import find_clusters
    from engine.scan.duplicates.pairs import judge_pairs
    from engine.scan.duplicates.requests import nodes_of, requests_of
    from engine.scan.pipeline import merits_of

    requests = requests_of(examples, lambda done: None)
    nodes = nodes_of(requests)
    node_of = [0] * len(examples)
    for number, node in enumerate(nodes):
        for row in node.rows:
            node_of[row] = number
    judged = judge_pairs(nodes, lambda done, of: None)
    merits = merits_of(examples, requests, judged, node_of, (), lambda number: 0)
    clusters, _, _ = find_clusters(
        examples, requests, judged, node_of, merits, [range(len(examples))], lambda done: None
    )
    seconds = time.perf_counter() - started
    pairs = [
        (one, other)
        for cluster in clusters
        if cluster.kind in ("exact", "near", "conflict", "prefix")
        for one in cluster.rows
        for other in cluster.rows
        if one < other
    ]
    return pairs, {"seconds": seconds, "judged": judged.judged, "clusters": len(clusters)}


def _normalised(rows: list[Row]) -> list[str]:
    import re
    import unicodedata

    split = re.compile(r"[\W_]+")
    return [split.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip() for prompt, _ in rows]


def gaoya(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from gaoya.minhash import MinHashStringIndex

    texts = _normalised(rows)
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=0.6,
        num_bands=32,
        band_size=4,
        analyzer="char",
        lowercase=False,
        ngram_range=(5, 5),
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    pairs = {(n, other) for n, found in enumerate(index.par_bulk_query(texts)) for other in found if n < other}
    return list(pairs), {"seconds": time.perf_counter() - started}


def _shingles(text: str) -> set[str]:
    padded = f" {text} "
    return {padded[place : place + 5] for place in range(max(1, len(padded) - 4))}


def rensa(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from rensa import RMinHash, RMinHashLSH

    sketches = RMinHash.from_token_sets([list(_shingles(text)) for text in _normalised(rows)], 128, 42)
    lsh = RMinHashLSH(0.5, 128, 32)
    lsh.insert_pairs(list(enumerate(sketches)))
    pairs = {
        (n, other)
        for n, found in enumerate(lsh.query_all(sketches))
        for other in found
        if n < other and sketches[n].jaccard(sketches[other]) >= 0.6
    }
    return list(pairs), {"seconds": time.perf_counter() - started}


def datasketch(rows: list[Row]) -> tuple[list[tuple[int, int]], dict[str, Any]]:
    started = time.perf_counter()
    from datasketch import MinHash, MinHashLSH

    sets = [{shingle.encode() for shingle in _shingles(text)} for text in _normalised(rows)]
    sketches = MinHash.bulk(sets, num_perm=128)
    lsh = MinHashLSH(threshold=0.5, num_perm=128)
    for n, sketch in enumerate(sketches):
        lsh.insert(n, sketch)
    pairs = {
        (n, other)
        for n, sketch in enumerate(sketches)
        for other in lsh.query(sketch)
        if n < other and sketch.jaccard(sketches[other]) >= 0.6
    }
    return list(pairs), {"seconds": time.perf_counter() - started}


METHODS = {"ours": ours, "gaoya": gaoya, "rensa": rensa, "datasketch": datasketch}


# -- what is measured


def measure_planted(method: str, path: Path, seed: int, hard: bool) -> dict[str, Any]:
    rows, planted = with_planted(alpaca_rows(path), EACH, seed, hard)
    pairs, measured = METHODS[method](rows)
    together = set(pairs)
    kinds: dict[str, list[bool]] = {}
    for one in planted:
        kinds.setdefault(one.kind, []).append((one.source, one.copy) in together)
    found = [(one.source, one.copy) in together for one in planted if one.same]
    merged = [(one.source, one.copy) in together for one in planted if not one.same]
    return measured | {
        "rows": len(rows),
        "recall": sum(found) / len(found),
        "false_merges": sum(merged) / len(merged),
        "kinds": {kind: round(sum(hits) / len(hits), 3) for kind, hits in kinds.items()},
    }


def measure_size(method: str, path: Path, count: int) -> dict[str, Any]:
    """Without imports, which take a fifth of a second whatever the size and would flatter the growth."""
    import engine.scan.pipeline  # noqa: F401

    return METHODS[method](grown(alpaca_rows(path), count))[1] | {"rows": count}


def measure_conversations() -> dict[str, Any]:
    from engine.model import Example, Turn

    made = conversations(CONVERSATIONS)
    characters = sum(len(text) for turns in made for _, text in turns)
    examples = [
        Example(f"{n:016x}", n, tuple(Turn(role, text) for role, text in turns), "", n + 1, {})  # type: ignore[arg-type]
        for n, turns in enumerate(made)
    ]
    return _ours(examples)[1] | {"rows": len(examples), "characters": characters // len(examples)}


def measure_people(path: Path) -> dict[str, Any]:
    together = set(ours(alpaca_rows(path))[0])
    called = {label: [0, 0] for label in ("duplicate", "ambiguous", "different")}
    for line in PAIRS.read_text("utf-8").splitlines():
        pair = json.loads(line)
        one, other = sorted((pair["row_a"], pair["row_b"]))
        called[pair["label"]][0] += (one, other) in together
        called[pair["label"]][1] += 1
    right, wrong = called["duplicate"][0], called["different"][0]
    return {"called": called, "precision": right / max(1, right + wrong), "recall": right / called["duplicate"][1]}


def measure_candidates(path: Path, count: int = 6_000) -> dict[str, Any]:
    """Planted duplicates and pairs the guard accepts, of all pairs alike to 75 and more, that the joins propose."""
    import numpy as np
    from rapidfuzz import fuzz
    from rapidfuzz.process import cdist

    from engine.scan.duplicates import pairs as pairs_module
    from engine.scan.duplicates.requests import Node
    from engine.scan.text import sorted_form

    rows, planted = with_planted(alpaca_rows(path)[:count], 60, hard=True)
    nodes = [Node((prompt,), "", [n]) for n, (prompt, _) in enumerate(rows)]
    pairs_module.EXHAUSTIVE_BELOW = 0
    judged, likely, alike = pairs_module.candidate_pairs(nodes, lambda done, of: None)
    proposed = {(one, other) for part in (likely, alike) for one, other in part.tolist()}
    forms = [judged.form(n) for n in range(len(nodes))]
    everything: set[tuple[int, int]] = set()
    for texts in (forms, [sorted_form(form) for form in forms]):
        for first in range(0, len(texts), 1000):
            block = cdist(
                texts[first : first + 1000], texts, scorer=fuzz.ratio, score_cutoff=75, workers=2, dtype=np.uint8
            )
            left, right = np.nonzero(block)
            inside = right > left + first
            everything |= set(zip((left[inside] + first).tolist(), right[inside].tolist(), strict=True))
    accepted = {pair for pair in everything if judged.verdict(*pair).same}
    true = {(one.source, one.copy) for one in planted if one.same} & everything
    return {
        "rows": len(rows),
        "alike": len(everything),
        "proposed": len(proposed),
        "planted": len(true),
        "planted_recall": len(true & proposed) / len(true),
        "accepted": len(accepted),
        "accepted_recall": len(accepted & proposed) / len(accepted),
    }


# -- one process each


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
    print(json.dumps(found))


def measured(task: str, data: Path, repeats: int) -> dict[str, Any]:
    """The run with the median time; "spread" holds all times."""
    runs = []
    for _ in range(repeats):
        print(f"  {task}", file=sys.stderr)
        command = [sys.executable, "-m", "tests.benchmarks.duplicates", "--one", task, "--data", str(data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
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
