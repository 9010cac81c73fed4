"""What this person's own verdicts say: of each signal how often it was right, of a row why it is thought bad."""

from __future__ import annotations

from engine.phrases import counted, share
from engine.review.signal_precision import Record
from workbench.state.session import Session
from workbench.text.blocks import Styled
from workbench.text.escape import visible_line


def record_words(record: Record | None) -> str:
    """`right 3 of 4 of your verdicts`, with what follows from it; nothing where nobody has judged such a row."""
    if record is None:
        return ""
    follows = "; from the next scan on it only informs" if record.is_demoted else ""
    return f"right {record.right} of {record.judged} of your verdicts{follows}"


def why_lines(session: Session, row: int) -> list[list[Styled]]:
    """For the list of reasons of a row: the records of its signals, and the words and flags behind its learnt score."""
    lines: list[list[Styled]] = []
    found = session.queue.signal_records()
    for signal in dict.fromkeys(flag.signal for flag in session.project.flags_of(row)):
        if signal in found:
            lines.append([(f"{signal} ", "muted"), (record_words(found[signal]), "muted")])
    queue = session.queue.learned
    if queue is None or row not in queue.chances:
        return lines
    lines.append(
        [
            ("learnt ", "reason"),
            (f"{share(queue.chances[row])} likely bad, from {counted(queue.decided, 'verdict')}", "text"),
        ]
    )
    for name, weight in queue.why.get(row, ()):
        kind, _, word = name.partition(":")
        what = f"{kind} {visible_line(word)}" if word else kind
        lines.append([(f"  {weight:+.2f} ", "drop" if weight > 0 else "clean"), (what, "text")])
    return lines
