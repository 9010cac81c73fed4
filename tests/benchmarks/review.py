"""Review curves of the queue, and what a pick covers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from engine.model import Example
from tests.benchmarks.quality_data import DECIDING, auc, flags_by_row, read_alpaca, read_labels


def queue_part() -> dict[str, Any]:
    """A person who would reject what the curators changed, on pools of 1,000 rows; medians of ten draws."""
    from statistics import median

    labels = read_labels()
    examples = read_alpaca(len(labels))
    bad = [bool(kinds) for kinds in labels]
    curves: dict[str, list[list[int]]] = {"random": [], "rules": [], "learned, 80 % risk 20 % random": []}
    worst_fifth, totals, aucs = [], [], []
    for seed in range(10):
        rows = sorted(random.Random(seed).sample(range(len(labels)), 1000))
        pool = [examples[row] for row in rows]
        truth = [bad[row] for row in rows]
        totals.append(sum(truth))
        reviewed, scores, rank_auc = _reviewed(pool, truth)
        curves["learned, 80 % risk 20 % random"].append(_found(reviewed, truth))
        curves["random"].append(_found(random.Random(seed + 100).sample(range(1000), 1000), truth))
        cases = _cases(pool)
        order = sorted(range(1000), key=lambda at, cases=cases: (-cases[at].strength, at))  # type: ignore[misc]
        curves["rules"].append(_found(order, truth))
        worst = sorted(range(1000), key=lambda at, scores=scores: -scores[at])[:200]  # type: ignore[misc]
        worst_fifth.append(len({at for at in worst if truth[at]}) / sum(truth))
        aucs.append(rank_auc)
    table = {}
    for name, found in curves.items():
        row: dict[str, Any] = {}
        for share in (0.5, 0.8, 0.9, 0.95):
            needed = [_needed(curve, share, total) / 1000 for curve, total in zip(found, totals, strict=True)]
            row[f"review for {share:.0%}"] = median(needed)
        for count in (200, 330):
            row[f"found after {count}"] = median(
                curve[count - 1] / total for curve, total in zip(found, totals, strict=True)
            )
        table[name] = row
    return {
        "pool": 1000,
        "draws": 10,
        "curves": table,
        "worst_fifth_after_200": median(worst_fifth),
        "auc_of_the_undecided_after_200": median(aucs),
    }


def _cases(pool: Sequence[Example]) -> list[Any]:
    from engine.review.priority_model import Case

    severities = flags_by_row(pool)
    return [
        Case(one.prompt, one.answer, flags)  # type: ignore[arg-type]
        for one, flags in zip(pool, severities, strict=True)
    ]


def _reviewed(pool: Sequence[Example], truth: Sequence[bool]) -> tuple[list[int], list[float], float]:
    """The order in which the pool is worked through, learning after every 20 verdicts; the scores after 200 of them,
    and how well they part what was then undecided."""
    from engine.review.order import mixed
    from engine.review.priority_model import Features, by_risk, learn

    cases = _cases(pool)
    features = Features(cases)
    identifiers = {at: one.id for at, one in enumerate(pool)}
    done: list[int] = []
    held: set[int] = set()
    scores: list[float] = []
    rank_auc = 0.0
    while len(done) < len(pool):
        learned = learn(cases, {at: truth[at] for at in done}, features)
        undecided = [at for at in range(len(pool)) if at not in held]
        if len(done) == 200:
            scores = list(learned.scores) if learned else [case.strength for case in cases]
            rank_auc = auc([scores[at] for at in undecided], [truth[at] for at in undecided])
        batch = mixed(by_risk(cases, undecided, learned), identifiers)[:20]
        done += batch
        held.update(batch)
    return done, scores, rank_auc


def _found(order: Sequence[int], truth: Sequence[bool]) -> list[int]:
    found, count = [], 0
    for at in order:
        count += truth[at]
        found.append(count)
    return found


def _needed(curve: Sequence[int], share: float, total: int) -> int:
    return next(at + 1 for at, found in enumerate(curve) if found >= share * total)


def pick_part() -> dict[str, Any]:
    """300 of 5,000 Alpaca rows beside 300 at random and the 300 longest. Topics are judged by a clustering of its own
    (other seed, 100 groups); a near-duplicate is a request with a cosine of 0.7 or more to another picked one."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    from engine.review.pick import Candidate, propose

    pool = read_alpaca(5000)
    found = flags_by_row(pool)
    candidates = [
        Candidate(one.number, one.prompt, one.answer, "", 0.7 if any(s in DECIDING for s in flags.values()) else 0.0)
        for one, flags in zip(pool, found, strict=True)
    ]
    started = perf_counter()
    picked = [row.number for row in propose(candidates, 300).rows]
    seconds = perf_counter() - started
    vectors = TfidfVectorizer(min_df=2, stop_words="english").fit_transform([one.prompt for one in pool])
    topics = KMeans(100, random_state=7, n_init=1).fit_predict(vectors)
    sets = {
        "pick": picked,
        "random": random.Random(1).sample(range(len(pool)), 300),
        "longest first": sorted(range(len(pool)), key=lambda at: -len(pool[at].answer))[:300],
    }
    table = {}
    for name, rows in sets.items():
        likeness = (vectors[rows] @ vectors[rows].T).toarray()
        for at in range(len(rows)):
            likeness[at, at] = 0.0
        table[name] = {
            "rows": len(rows),
            "topics covered": len({int(topics[row]) for row in rows}) / 100,
            "near-duplicates": float((likeness.max(axis=1) >= 0.7).mean()),
            "flagged": sum(any(s in DECIDING for s in found[row].values()) for row in rows) / len(rows),
        }
    return {"seconds": seconds, "sets": table}
