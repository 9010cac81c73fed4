"""What this person's own verdicts say: of each signal how often it was right, of a row why it is thought bad."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress

from engine.phrases import counted, share
from engine.review.outcomes import outcome_of
from engine.review.signal_precision import Record, records
from workbench.render.parts import Styled
from workbench.state.session import Session
from workbench.text.escape import visible_line


def signal_records(session: Session) -> Mapping[str, Record]:
    """The record of every signal with a row that was judged by eye. Looks at the decided flagged rows, once an act."""
    if session.records is None:
        project = session.project
        columns = project.finding_columns
        found: list[tuple[int, str]] = []
        if columns is not None:
            rows, codes = columns.signals_of_rows()
            pairs = zip(rows, map(columns.signals.__getitem__, codes), strict=True)
            found = list(compress(pairs, map(project.verdict_codes.__getitem__, rows)))
        judged = {row: bad for row in {row for row, _ in found} if (bad := outcome_of(project, row)) is not None}
        session.records = {record.signal: record for record in records(found, judged)}
    return session.records


def record_words(record: Record | None) -> str:
    """`right 3 of 4 of your verdicts`, with what follows from it; nothing where nobody has judged such a row."""
    if record is None:
        return ""
    follows = "; from the next scan on it only informs" if record.is_demoted else ""
    return f"right {record.right} of {record.judged} of your verdicts{follows}"


def why_lines(session: Session, row: int) -> list[list[Styled]]:
    """For the list of reasons of a row: the records of its signals, and the words and flags behind its learnt score."""
    lines: list[list[Styled]] = []
    found = signal_records(session)
    for signal in dict.fromkeys(flag.signal for flag in session.project.flags_of(row)):
        if signal in found:
            lines.append([(f"{signal} ", "muted"), (record_words(found[signal]), "muted")])
    queue = session.queue
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
