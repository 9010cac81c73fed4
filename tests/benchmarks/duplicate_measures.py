"""What is measured of duplicates, each figure in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.model import Conversation, Example, Message
from tests.benchmarks.duplicate_methods import METHODS, pairs_in
from tests.benchmarks.duplicate_rows import alpaca_rows, conversations, grown, with_planted

ROOT = Path(__file__).resolve().parents[2]
PAIRS = ROOT.parent / "shared" / "data" / "similar_pairs_dev.jsonl"
EACH = 300
CONVERSATIONS = 12_000


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
    import engine.scan.duplicates.clusters
    import engine.scan.duplicates.pairs
    import engine.scan.signals  # noqa: F401

    return METHODS[method](grown(alpaca_rows(path), count))[1] | {"rows": count}


def measure_conversations() -> dict[str, Any]:
    made = conversations(CONVERSATIONS)
    characters = sum(len(text) for turns in made for _, text in turns)
    examples = [
        Example(f"{n:016x}", n, Conversation(tuple(Message(role, text) for role, text in turns)), "", n + 1, {})
        for n, turns in enumerate(made)
    ]
    return pairs_in(examples)[1] | {"rows": len(examples), "characters": characters // len(examples)}


def measure_people(path: Path) -> dict[str, Any]:
    together = set(METHODS["ours"](alpaca_rows(path))[0])
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
    from engine.scan.requests.requests import Node
    from engine.scan.text import sorted_form

    rows, planted = with_planted(alpaca_rows(path)[:count], 60, hard=True)
    nodes = [Node((prompt,), "", [n]) for n, (prompt, _) in enumerate(rows)]
    pairs_module.EXHAUSTIVE_BELOW = 0
    judged, likely, others = pairs_module.candidate_pairs(nodes, lambda done, of: None)
    proposed = {(one, other) for part in (likely, others()) for one, other in part.tolist()}
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
