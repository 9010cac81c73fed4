"""What the quality signals are worth: `python -m tests.benchmarks.quality [--json] [--only PART …]`.

Parts: `labels` (precision and recall against what curators changed), `good` (flags on presumed-good sets), `injected`
(faults put in by us), `speed`, `queue` (review curves), `pick`. The data lie beside the repository in ../shared/data; a
part whose data are missing says so and is left out.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from engine.model import Example, Turn
from engine.scan.buckets import buckets_of
from engine.scan.flagging import find_flags
from engine.scan.signals import SIGNALS

DATA = Path(os.environ.get("TAMIS_MEASURING_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
DECIDING = ("fix", "drop", "check")


def alpaca(content: Mapping[str, Any], number: int) -> Example:
    """An instruction row as the sources read it."""
    prompt = content["instruction"] + (f"\n\n{content['input']}" if content.get("input", "").strip() else "")
    return plain(prompt, content["output"], number, content)


def plain(prompt: str, answer: str, number: int, raw: Mapping[str, Any] | None = None) -> Example:
    turns = (Turn("user", prompt), Turn("assistant", answer))
    return Example(f"{number:016x}", number, turns, "benchmark", number + 1, raw or {})


def read_alpaca(limit: int | None = None) -> list[Example]:
    with gzip.open(DATA / "alpaca_52k.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [
            alpaca(json.loads(line), number) for number, line in enumerate(lines) if limit is None or number < limit
        ]


def read_labels() -> list[tuple[str, ...]]:
    lines = (DATA / "alpaca_labels_dev.jsonl").read_text("utf-8").splitlines()
    return [tuple(json.loads(line)["kinds"]) for line in lines]


def read_gsm8k() -> list[Example]:
    found = []
    for number, line in enumerate((DATA / "gsm8k_test.jsonl").read_text("utf-8").splitlines()):
        content = json.loads(line)
        answer = re.sub(r"<<[^<>]{0,80}>>", "", content["answer"]).split("####")[0].strip()
        found.append(alpaca({"instruction": content["question"], "output": answer}, number))
    return found


def read_seeds() -> list[Example]:
    found = []
    for number, line in enumerate((DATA / "seed_tasks.jsonl").read_text("utf-8").splitlines()):
        content = json.loads(line)
        first = content["instances"][0]
        row = {"instruction": content["instruction"], "input": first["input"], "output": first["output"]}
        found.append(alpaca(row, number))
    return found


def read_roleplay() -> list[Example]:
    rows = json.loads((DATA / "gpteacher_roleplay.json").read_text("utf-8"))
    return [alpaca({**row, "output": row["response"]}, number) for number, row in enumerate(rows)]


def flags_by_row(examples: Sequence[Example]) -> list[dict[str, str]]:
    """Signal to severity, one mapping a row."""
    found: list[dict[str, str]] = [{} for _ in examples]
    place = {example.number: at for at, example in enumerate(examples)}
    for flag in find_flags(examples, lambda done, of: None):
        found[place[flag.row]][flag.signal] = flag.severity
    return found


def labels_part() -> dict[str, Any]:
    """Precision is a lower bound: curators never looked at most of the rows they kept, and changed prompts only."""
    labels = read_labels()
    everything = read_alpaca()
    flags = flags_by_row(everything)[: len(labels)]
    examples = everything[: len(labels)]
    bad = [bool(kinds) for kinds in labels]
    signals = {}
    for signal in SIGNALS:
        hits = [row for row, found in enumerate(flags) if signal.name in found]
        right = sum(bad[row] for row in hits)
        signals[signal.name] = {
            "hits": len(hits),
            "precision": right / len(hits) if hits else None,
            "recall": right / sum(bad),
        }
    all_flags = find_flags(examples, lambda done, of: None)
    buckets = buckets_of(examples, (), all_flags)
    table = {}
    for name in ("fix", "drop", "check", "clean"):
        rows = [row for row, bucket in enumerate(buckets) if bucket == name]
        table[name] = {"rows": len(rows), "precision": sum(bad[row] for row in rows) / len(rows) if rows else None}
    sure = [row for row, bucket in enumerate(buckets) if bucket in ("fix", "drop")]
    flagged = [row for row, found in enumerate(flags) if any(severity in DECIDING for severity in found.values())]
    return {
        "rows": len(labels),
        "bad": sum(bad),
        "signals": signals,
        "buckets": table,
        "fix_and_drop_precision": sum(bad[row] for row in sure) / len(sure),
        "check_precision": table["check"]["precision"],
        "any_flag_recall": sum(bad[row] for row in flagged) / sum(bad),
        "any_flag_precision": sum(bad[row] for row in flagged) / len(flagged),
        "auc_of_flag_count": auc([sum(severity in DECIDING for severity in found.values()) for found in flags], bad),
    }


def auc(scores: Sequence[float], bad: Sequence[bool]) -> float:
    """The chance that a bad row scores above a good one; ties count half."""
    ordered = sorted(zip(scores, bad, strict=True))
    ranks, start = 0.0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        ranks += sum(is_bad for _, is_bad in ordered[start:end]) * (start + 1 + end) / 2
        start = end
    positive = sum(bad)
    return (ranks - positive * (positive + 1) / 2) / (positive * (len(bad) - positive))


def good_part() -> dict[str, Any]:
    sets = {"seed_tasks": read_seeds(), "gsm8k": read_gsm8k(), "roleplay": read_roleplay()}
    found = {}
    for name, examples in sets.items():
        flags = flags_by_row(examples)
        rates = {s.name: sum(s.name in one for one in flags) / len(examples) for s in SIGNALS}
        any_rate = sum(any(severity in DECIDING for severity in one.values()) for one in flags) / len(examples)
        found[name] = {
            "rows": len(examples),
            "any": any_rate,
            "rates": {key: rate for key, rate in rates.items() if rate},
        }
    worst = max(rate for one in found.values() for rate in one["rates"].values())
    return {"sets": found, "worst": worst}


Fault = Callable[[Example, random.Random], str | None]
"""An example to its answer with the fault in it, or None where it cannot have this one."""


def _cut_word(example: Example, draw: random.Random) -> str | None:
    words = example.answer.split(" ")
    return " ".join(words[: draw.randrange(15, len(words))]) if len(words) >= 30 else None


def _cut_char(example: Example, draw: random.Random) -> str | None:
    text = example.answer.rstrip()
    return text[: draw.randrange(len(text) // 2, len(text) - 1)] if len(text.split()) >= 30 else None


def _sentence_again(example: Example, draw: random.Random) -> str | None:
    sentences = re.findall(r"[^.!?\n]+[.!?]", example.answer)
    return (
        example.answer.rstrip() + 2 * (" " + sentences[-1].strip())
        if sentences and len(sentences[-1].split()) > 2
        else None
    )


def _loop(example: Example, draw: random.Random) -> str | None:
    words = example.answer.split()
    return example.answer + (" " + " ".join(words[-draw.randrange(3, 9) :])) * 6 if len(words) >= 12 else None


def _mojibake(example: Example, draw: random.Random) -> str | None:
    if example.answer.isascii():
        return None
    content = example.answer.encode("utf-8", "replace")
    try:
        return content.decode("cp1252")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _entities(example: Example, draw: random.Random) -> str | None:
    text = example.answer.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&#39;").replace("<", "&lt;")
    return text if text != example.answer and "html" not in (example.prompt + text).lower() else None


def _item_removed(example: Example, draw: random.Random) -> str | None:
    lines = example.answer.rstrip().split("\n")
    numbered = [line for line in lines if re.match(r"\s*\d{1,2}[.)] ?\S", line)]
    if len(numbered) < 3 or not re.match(r"\s*\d{1,2}[.)] ?\S", lines[-1]):
        return None
    asked = re.search(r"\b(\d{1,2}|three|four|five|six|seven|eight|ten)\b", example.prompt.split("\n")[0].lower())
    words = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "ten": 10}
    if asked is None or words.get(asked[1], int(asked[1]) if asked[1].isdigit() else 0) != len(numbered):
        return None
    return "\n".join(lines[:-1])


def _wrong_result(example: Example, draw: random.Random) -> str | None:
    found = re.search(r"= ?\$?(\d+)(?![\d.,]|\s?[-+*/x])", example.answer)
    if found is None:
        return None
    number = int(found[1])
    other = number + draw.choice((1, 2, 10, 3 if number <= 1 else -1))
    return example.answer[: found.start(1)] + str(other) + example.answer[found.end(1) :]


def _next_row(example: Example, draw: random.Random) -> str | None:
    return f"{example.answer.rstrip()}\n17. Instruction: Name a river.\n17. Output: The Nile."


def _leftover(example: Example, draw: random.Random) -> str | None:
    return draw.choice(("### Response:\n{}", "{}<|im_end|>", "[/INST] {}", "{}</s>", "### Response: {}")).format(
        example.answer
    )


def _refused(example: Example, draw: random.Random) -> str | None:
    return draw.choice(
        (
            "I'm sorry, but I can't help with that.",
            "As an AI language model, I am not able to browse the internet.",
            "I cannot fulfill this request.",
            "Unfortunately, this task cannot be completed without more information.",
            "I do not have access to real-time data.",
            "I apologize, but I am unable to provide that.",
        )
    )


FAULTS: tuple[tuple[str, str, str, Fault], ...] = (
    ("word cut", "prose", "truncated", _cut_word),
    ("character cut", "prose", "truncated", _cut_char),
    ("sentence three times", "prose", "repetition", _sentence_again),
    ("run of words six times", "prose", "repetition", _loop),
    ("mojibake", "foreign", "mojibake", _mojibake),
    ("HTML entities", "prose", "html_entities", _entities),
    ("list item removed", "lists", "list_count", _item_removed),
    ("wrong result", "gsm8k", "arithmetic", _wrong_result),
    ("next row glued on", "prose", "merged_rows", _next_row),
    ("template leftover", "prose", "template", _leftover),
    ("refusal", "prose", "refusal", _refused),
)


def injected_part() -> dict[str, Any]:
    """Every tenth row of a pool gets a fault, the surveys of the set see it as it then is; three draws."""
    everything = read_alpaca()
    is_code = re.compile(r"```|[{};]\s*$|\bdef |\bSELECT |</", re.MULTILINE)
    prose = [one for one in everything if len(one.answer.split()) >= 30 and not is_code.search(one.answer)]
    pools = {
        "prose": prose[::6],
        "foreign": [one for one in everything if not one.answer.isascii() and not is_code.search(one.answer)],
        "lists": [one for one in everything if _item_removed(one, random.Random(0)) is not None],
        "gsm8k": read_gsm8k(),
    }
    untouched = {name: flags_by_row(pool) for name, pool in pools.items()}
    found = {}
    for kind, pool_name, signal, fault in FAULTS:
        pool, before = pools[pool_name], untouched[pool_name]
        caught = made = 0
        for turn in range(3):
            draw = random.Random(turn)
            chosen = [row for row in range(turn, len(pool), 10) if signal not in before[row]]
            changed = list(pool)
            hurt = []
            for row in chosen:
                answer = fault(pool[row], draw)
                if answer is not None and answer != pool[row].answer:
                    changed[row] = plain(pool[row].prompt, answer, pool[row].number, pool[row].raw)
                    hurt.append(row)
            after = flags_by_row(changed)
            made += len(hurt)
            caught += sum(signal in after[row] for row in hurt)
        rate = sum(signal in one for one in before) / len(pool)
        found[kind] = {"signal": signal, "made": made, "recall": caught / made if made else None, "untouched": rate}
    return found


def _conversations(examples: Sequence[Example], count: int, size: int) -> list[Example]:
    """Made of real requests and answers, one after another, until each holds `size` characters."""
    found, at = [], 0
    for number in range(count):
        turns: list[Turn] = []
        held = 0
        while held < size:
            one = examples[at % len(examples)]
            at += 1
            turns += one.turns
            held += sum(len(turn.text) for turn in one.turns)
        found.append(Example(f"{number:016x}", number, tuple(turns), "benchmark", number + 1, {}))
    return found


def speed_part() -> dict[str, Any]:
    import resource

    examples = read_alpaca()
    started, worked = perf_counter(), process_time()
    flags = find_flags(examples, lambda done, of: None)
    alone, work = perf_counter() - started, process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    slowest = _slowest(examples[:8000])
    chats = _conversations(examples, 12_000, 8_000)
    started, worked = perf_counter(), process_time()
    find_flags(chats, lambda done, of: None)
    chat_work = process_time() - worked
    return {
        "rows": len(examples),
        "seconds": alone,
        "cpu_seconds": work,
        "flags": len(flags),
        "peak_mb": peak,
        "conversations": len(chats),
        "conversation_characters": sum(len(turn.text) for one in chats for turn in one.turns) // len(chats),
        "conversation_seconds": perf_counter() - started,
        "conversation_cpu_seconds": chat_work,
        "slowest_us_per_row": slowest,
        "slowest_us_per_conversation": _slowest(chats[:1000]),
    }


def _slowest(examples: Sequence[Example]) -> dict[str, float]:
    took = {}
    for signal in SIGNALS:
        started = perf_counter()
        find_flags(examples, lambda done, of: None, (signal,))
        took[signal.name] = (perf_counter() - started) * 1e6 / len(examples)
    return dict(sorted(took.items(), key=lambda item: -item[1])[:8])


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
    from engine.queue.learn import Case

    severities = flags_by_row(pool)
    return [
        Case(one.prompt, one.answer, flags)  # type: ignore[arg-type]
        for one, flags in zip(pool, severities, strict=True)
    ]


def _reviewed(pool: Sequence[Example], truth: Sequence[bool]) -> tuple[list[int], list[float], float]:
    """The order in which the pool is worked through, learning after every 20 verdicts; the scores after 200 of them,
    and how well they part what was then undecided."""
    from engine.queue.learn import Features, by_risk, learn
    from engine.queue.order import mixed

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

    from engine.queue.pick import Candidate, propose

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


PARTS: dict[str, Callable[[], dict[str, Any]]] = {
    "labels": labels_part,
    "good": good_part,
    "injected": injected_part,
    "speed": speed_part,
    "queue": queue_part,
    "pick": pick_part,
}


def lines_of(name: str, measured: Mapping[str, Any], depth: int = 0) -> Iterable[str]:
    """A nested mapping as an indented table."""
    pad = "  " * depth
    if measured and all(
        isinstance(value, Mapping) and not any(isinstance(v, Mapping) for v in value.values())
        for value in measured.values()
    ):
        yield f"{pad}{name}"
        for key, row in measured.items():
            yield f"{pad}  {key:<24}" + "  ".join(f"{label} {_shown(value)}" for label, value in row.items())
        return
    yield f"{pad}{name}"
    for key, value in measured.items():
        if isinstance(value, Mapping):
            yield from lines_of(key, value, depth + 1)
        else:
            yield f"{pad}  {key:<28}{_shown(value)}"


def _shown(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--only", nargs="*", choices=[*PARTS], help="these parts alone")
    wanted = parser.parse_args()
    if not DATA.exists():
        print("the measuring data (../shared/data beside the repository) is not on this machine", file=sys.stderr)
        return 2
    measured = {name: part() for name, part in PARTS.items() if not wanted.only or name in wanted.only}
    if wanted.json:
        print(json.dumps(measured))
    else:
        for name, found in measured.items():
            print(*lines_of(name, found), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
