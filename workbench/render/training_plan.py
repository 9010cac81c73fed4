"""The plan of a run as a document: what is refused and warned of, then rows as the trainer sees them, then figures.

Takes the object `tamis plan --json` prints, so that the plan may be made in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from engine.phrases import counted, duration, size
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible, visible_line

# Label, name in the plan, and how a value is written.
FIGURES: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("steps", "steps", "{:,g}".format),
    ("epochs", "epochs", "{:,g}".format),
    ("memory", "vram_gb", lambda gigabytes: size(1e9 * gigabytes)),
    ("time", "seconds", duration),
    ("cost", "cost", "{:,g}".format),
    ("disk", "disk_gb", lambda gigabytes: size(1e9 * gigabytes)),
)
SHOWN_VALUES = (
    *("method", "learning_rate", "batch", "micro_batch", "max_length", "precision", "threads"),
    *("row_losses", "seed", "train_on"),
)
SHOWN_IDS = 5
CUT_MARK = "\u2702"


def plan_paragraphs(plan: Mapping[str, Any]) -> Iterator[Paragraph]:
    """The whole plan, the most pressing first."""
    for note in plan["refusals"]:
        yield note_paragraph("refused", "error", note)
    for note in plan["warnings"]:
        yield note_paragraph("warning", "refused", note)
    if not plan["refusals"] and not plan["warnings"]:
        yield Paragraph((("nothing stands against it", "done"),), ("checked", "done"))
    yield Paragraph(())
    yield from row_figures(plan)
    for label, value, reason in estimates(plan):
        yield figure(label, value, reason)
    for junk in plan["junk"]:
        cost = junk["cost"]["value"]
        money = "" if cost is None else f"{cost:,g} in money; "
        about = f"an epoch on {junk['rows']:,} {junk['name']}: {money}{junk['minutes']['reason']}"
        yield figure("junk", junk_time(junk), about)
    yield from machine(plan)
    yield Paragraph(())
    for name in SHOWN_VALUES:
        chosen = plan["values"].get(name)
        if chosen is not None:
            yield figure(name.replace("_", " "), str(chosen["value"]), chosen["reason"])
    for row in plan["shown"]:
        yield Paragraph(())
        yield from shown_row(row)


def estimates(plan: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(label, value, reason) of every estimate of the plan."""
    for label, name, written in FIGURES:
        value = plan[name]["value"]
        yield label, "unknown" if value is None else written(value), plan[name]["reason"]


def junk_time(junk: Mapping[str, Any]) -> str:
    """What an epoch spends on a group of junk rows."""
    minutes = junk["minutes"]["value"]
    return "unknown" if minutes is None else duration(60 * minutes)


def note_paragraph(word: str, role: str, note: Mapping[str, Any]) -> Paragraph:
    """A warning or a refusal, with the first ids it is about."""
    ids = note["ids"]
    more = ", \u2026" if len(ids) > SHOWN_IDS else ""
    named = f"({', '.join(ids[:SHOWN_IDS])}{more})" if ids else ""
    return Paragraph(((visible_line(note["text"]), role), (f" {visible_line(named)}", "muted")), (word, role))


def figure(label: str, value: str, reason: str) -> Paragraph:
    """A value with the reason it has it."""
    return Paragraph(
        ((f"{visible_line(value):<10} ", "text"), (visible_line(reason), "muted")), (label, "key"), hang=11
    )


def row_figures(plan: Mapping[str, Any]) -> Iterator[Paragraph]:
    """Rows, lengths, and what is cut or lost."""
    yield figure("rows", f"{plan['rows']:,}", f"{plan['heldout']:,} held out to measure with")
    if not plan["trained_on"]:
        return
    tokens = plan["tokens"]
    yield figure("learnt", f"{tokens['completion']:,}", f"tokens a pass: {plan['trained_on']}")
    lengths = f"median; 95 % within {tokens['p95']:,}, longest {tokens['max']:,}, cut behind {plan['max_length']:,}"
    yield figure("tokens", f"{tokens['p50']:,}", lengths)
    lost = f"rows cut; {plan['eos_lost']:,} lose their end, {plan['fully_masked']:,} have nothing left to learn"
    yield figure("cut", f"{plan['truncated']:,}", lost)


def machine(plan: Mapping[str, Any]) -> Iterator[Paragraph]:
    """The GPUs and who is on them."""
    for gpu in plan["gpus"]:
        users = ", ".join(f"{each['name']} (pid {each['pid']}) {size(1e9 * each['gb'])}" for each in gpu["processes"])
        free = f"{size(1e9 * gpu['free_gb'])} of {size(1e9 * gpu['total_gb'])} free; on it: {users or 'nobody'}"
        yield figure(f"GPU {gpu['index']}", gpu["name"], free)


def shown_row(row: Mapping[str, Any]) -> Iterator[Paragraph]:
    """A row with its template rendered: what is learnt stands out, what is masked is dimmed, a cut is marked."""
    title = f"row {row['id']}, {counted(row['tokens'], 'token')} as the trainer sees them; dim: masked, bright: learnt"
    yield Paragraph(((visible_line(title), "title"),))
    pieces = [(text, "assistant" if is_learned else "muted") for text, is_learned in row["pieces"]]
    if row["cut"]:
        pieces += [(f" {CUT_MARK} ", "refused"), (row["cut"], "removed")]
    line: list[Styled] = []
    for text, role in pieces:
        first, *rest = text.split("\n")
        line.append((visible(first), role))
        for following in rest:
            yield Paragraph(tuple(line))
            line = [(visible(following), role)]
    yield Paragraph(tuple(line))
