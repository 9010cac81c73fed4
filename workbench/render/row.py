"""A row as a document: its turns, what was found about it, its edit as a difference; one turn of it, or its bytes.

Everything is a generator: a paragraph is made when the reader gets to it, so that a megabyte of conversation costs what
is shown of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher

from engine.model import SETTLED_KINDS, Cluster, Conversation, Example, Message
from engine.phrases import counted, share
from engine.project.project import Project
from engine.review.outcomes import Record
from engine.review.recheck import TAG
from workbench.render.content import beside_paragraphs, closing_text, named_parts
from workbench.render.group import group_paragraphs
from workbench.render.messages import calls_text, folded_system, head_notes, role_name, spoken, turns, with_spans
from workbench.render.parts import NOT_COUNTED, compared, split_lines
from workbench.render.proposed import proposal_lines, proposal_paragraphs, proposed_example
from workbench.state.entries import Entry
from workbench.state.session import Session
from workbench.text.blocks import FOLDED_SYSTEM, Block, Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.text.worddiff import apart_from, differing_words

# Of so many other answers the words are looked for in one row.
MOST_ANSWERS = 20
NOT_AS_READ = (
    "this row is not what was read from the source: rows.jsonl was damaged; `tamis check` says what can be done"
)


def paragraphs(
    project: Project,
    entry: Entry,
    *,
    why: bool,
    prompts: Mapping[int, int] = NOT_COUNTED,
    learned: Sequence[list[Styled]] = (),
    aside: bool = False,
) -> Iterator[Block]:
    """The document of an entry. `why` unfolds every finding with its evidence, and what was `learned` of the row;
    `prompts` are rows by system prompt; with `aside` the keeper of duplicates stands in a column of its own."""
    if entry.is_header and entry.cluster is not None:
        yield from group_paragraphs(project, entry.cluster, aside=aside, unfold=why)
    else:
        yield from row_paragraphs(project, entry.row, entry.cluster, why, prompts, learned)


def row_paragraphs(
    project: Project,
    row: int,
    cluster: Cluster | None,
    why: bool,
    prompts: Mapping[int, int] = NOT_COUNTED,
    learned: Sequence[list[Styled]] = (),
) -> Iterator[Paragraph]:
    """The document of a row, set against its keeper where it is shown as a member of `cluster`. `learned` are further
    lines for its list of reasons."""
    example = project.example(row)
    if not project.is_edited(row) and not project.rows.is_as_read(row):
        yield Paragraph(((NOT_AS_READ, "drop"),))
    yield from _said_by_reviewers(project, row)
    if why:
        yield from finding_paragraphs(project, row, learned)
    yield from proposal_paragraphs(project, row)
    if project.is_edited(row):
        yield from _edit(project, row, example, why)
        if why:
            return
    elif (proposed := proposed_example(project, row)) is not None:
        yield from _change(row, example, proposed)
        return
    flagged = (
        [flag.span for flag in project.flags_of(row) if flag.span is not None] if not project.is_edited(row) else []
    )
    if not example.messages:
        yield Paragraph((("this row lacks the mapped fields; what the file holds:", "muted"),))
        yield from split_lines([(json.dumps(example.raw, ensure_ascii=False, indent=2), "text")], ("raw", "muted"), row)
        return
    others = _compared_with(project, row, cluster)
    bases = [base for base in others if len(base.messages) == len(example.messages)]
    only_mark = cluster is not None and cluster.kind == "conflict"
    if bases and not flagged:
        yield from _compared_turns(bases, example, unfold=why, only_mark=only_mark)
    else:
        yield from turns(example.messages, row, flagged, unfold=why, prompts=prompts)
    yield from beside_paragraphs(example.conversation, row, others=others, unfold=why, only_mark=only_mark)


def _compared_with(project: Project, row: int, cluster: Cluster | None) -> list[Conversation]:
    """What a member of a group is set against: its keeper, or in a conflict all others."""
    if cluster is None or (row == cluster.keeper and cluster.kind != "conflict"):
        return []
    if cluster.kind != "conflict":
        return [project.example(cluster.keeper).conversation]
    others = [project.example(other) for other in cluster.rows[:MOST_ANSWERS] if other != row]
    answers = dict.fromkeys(map(closing_text, others))
    apart = apart_from(closing_text(project.example(row)), list(answers))
    return [other.conversation for other in others if closing_text(other) in apart] or [others[0].conversation]


def _compared_turns(
    bases: Sequence[Conversation], example: Example, *, unfold: bool, only_mark: bool = False
) -> Iterator[Paragraph]:
    """The row's messages, with the words marked that its keeper (one of `bases`) lacks and, unless `only_mark`, those
    only the keeper has."""
    disagree = any(base.messages and not _says_the_same(base.messages[-1], example.messages[-1]) for base in bases)
    notes = head_notes(example.messages, ids=unfold)
    for index, (turn, note) in enumerate(zip(example.messages, notes, strict=True)):
        if index:
            yield Paragraph(())
        olds = [base.messages[index] for base in bases]
        is_same = {old.text for old in olds} == {turn.text}
        if turn.role == "system" and is_same and not unfold and len(turn.text) > FOLDED_SYSTEM:
            yield folded_system(turn, example.number)
            continue
        # The requests of a conflict are the same but for case and blanks: what is asked about is the answer.
        is_asked = only_mark and disagree and index < len(example.messages) - 1
        marked = {
            what: compared(new, old, only_mark=only_mark)
            for what, new, old in _texts_apart(turn, olds)
            if not (is_asked and what == "text")
        }
        yield from spoken(turn, example.number, marked, notes=note, unfold=unfold)


def _says_the_same(one: Message, other: Message) -> bool:
    return (one.text, one.reasoning, one.calls) == (other.text, other.reasoning, other.calls)


def _texts_apart(turn: Message, olds: Sequence[Message]) -> Iterator[tuple[str, str, list[str]]]:
    """(what, the text, those it is set against) of all that is not the same in every one."""
    texts = [(("text", one.text), ("reasoning", one.reasoning), ("calls", calls_text(one))) for one in (turn, *olds)]
    for (what, new), *old in zip(*texts, strict=True):
        if any(text != new for _, text in old):
            yield what, new, [text for _, text in old]


def _said_by_reviewers(project: Project, row: int) -> Iterator[Paragraph]:
    """Who decided what where reviewers differ, and the note."""
    said = False
    if project.is_disputed(row):
        said = True
        for index, decision in enumerate(project.voices(row)):
            changed = " with an edit" if decision.edited is not None else ""
            why = f" ({visible_line(decision.why)})" if decision.why else ""
            styled = (
                (f"{visible_line(decision.by)} ", "key"),
                (f"{decision.verdict}{changed}", decision.verdict),
                (f", {decision.at[:16].replace('T', ' ')}{why}", "muted"),
            )
            yield Paragraph(styled, ("differ", "disputed") if index == 0 else ("", "muted"), row)
        yield Paragraph((("a accepts and x rejects for good; e settles it with your text", "muted"),))
    if note := project.note(row):
        said = True
        yield from split_lines([(note, "info")], ("note", "reason"), None)
    if said:
        yield Paragraph(())


def _edit(project: Project, row: int, example: Example, why: bool) -> Iterator[Paragraph]:
    before = project.example(row, edited=False)
    if not why:
        old, new = named_parts(before.conversation), named_parts(example.conversation)
        pairs = [(old.get(name, ""), new.get(name, "")) for name in old | new]
        differing = sum(max(0, differing_words(one, other)) for one, other in pairs)
        only_blanks = not differing and any(one != other for one, other in pairs)
        what = "only white space" if only_blanks else counted(differing, "word")
        yield Paragraph(((f"{what} changed by hand; w shows the change", "edited"),), ("edited", "edited"))
        yield Paragraph(())
        return
    yield from _change(row, before, example)


def _change(row: int, before: Example, example: Example) -> Iterator[Paragraph]:
    """What a mended row says otherwise than before."""
    if [turn.role for turn in before.messages] == [turn.role for turn in example.messages]:
        yield from _compared_turns([before.conversation], example, unfold=True)
    else:
        yield from _changed_turns(before.messages, example)
    yield from beside_paragraphs(example.conversation, row, others=[before.conversation], unfold=True)


def _changed_turns(before: tuple[Message, ...], example: Example) -> Iterator[Paragraph]:
    """The turns of an edit that took some out, put some in or changed who speaks: those that went struck out, new ones
    marked."""
    steps = SequenceMatcher(None, before, example.messages, autojunk=False).get_opcodes()
    for what, start, end, new_start, new_end in steps:
        gone = before[start:end] if what != "equal" else ()
        for turn in gone:
            yield from spoken(turn, example.number, _all_in(turn, "removed"), unfold=True)
            yield Paragraph(())
        for turn in example.messages[new_start:new_end]:
            yield from spoken(turn, example.number, {} if what == "equal" else _all_in(turn, "added"), unfold=True)
            yield Paragraph(())


def _all_in(turn: Message, role: str) -> dict[str, list[Styled]]:
    """All texts of a message in one role of the theme."""
    texts = (("text", turn.text), ("reasoning", turn.reasoning), ("calls", calls_text(turn)))
    return {what: [(text, role)] for what, text in texts if text}


def finding_paragraphs(
    project: Project, row: int, learned: Sequence[list[Styled]] = (), *, of_group: bool = True
) -> Iterator[Paragraph]:
    """Everything that was found about a row, with its evidence (that of its groups where `of_group`), what was learnt
    of it and what was decided."""
    lines: list[list[Styled]] = []
    for flag in project.flags_of(row):
        lines.append(
            [
                (f"{flag.signal} ", flag.severity if flag.severity != "info" else "muted"),
                (visible_line(flag.reason), "text"),
            ]
        )
    for cluster in project.clusters_of(row):
        role = "conflict" if cluster.kind == "conflict" else "group"
        kept = ", the keeper" if cluster.keeper == row else f", keeper row {cluster.keeper}"
        kept = kept if cluster.kind in SETTLED_KINDS else ""
        lines.append([(f"{cluster.kind} {cluster.id} ", role), (f"{counted(len(cluster.rows), 'row')}{kept}", "text")])
        lines += [[(visible_line(sentence), "muted")] for sentence in cluster.evidence if of_group]
    if project.is_heldout(row):
        lines.append([("held out ", "heldout"), ("measured with, never trained on; judged row by row", "text")])
    if project.is_leaking(row):
        lines.append([("leak ", "drop"), ("a twin of a held-out row: it is left out of every export", "text")])
    lines += proposal_lines(project, row)
    decision = decision_words(project, row)
    if decision:
        lines.append([(visible_line(decision), "muted")])
    lines += learned
    nothing = "no issue found" if project.is_scanned else "not scanned yet"
    for index, styled in enumerate(lines or [[(nothing, "muted")]]):
        yield Paragraph(tuple(styled), ("why", "reason") if index == 0 else ("", "muted"))
    yield Paragraph(())


def decision_words(project: Project, row: int) -> str:
    """`accepted by ann, 2026-01-05 10:31 (by eye)`; nothing for a row without a decision, nor while it waits for a
    second, blind look."""
    decision = project.decision(row)
    if decision.verdict == "undecided" or not decision.at or TAG in project.tags(row):
        return ""
    why = f" ({decision.why})" if decision.why else ""
    return f"{decision.verdict} by {decision.by}, {decision.at[:16].replace('T', ' ')}{why}"


def turn_paragraphs(project: Project, row: int, turn: int, prompts: Mapping[int, int]) -> Iterator[Paragraph]:
    """One turn whole; above it the system prompt folded, and the beginning of the turn it answers."""
    example = project.example(row)
    spoken_turn = example.messages[turn]
    if turn and example.messages[0].role == "system":
        prompt = example.messages[0]
        if len(prompt.text) > FOLDED_SYSTEM:
            yield folded_system(prompt, row, prompts)
        else:
            shared_by = prompts.get(hash(prompt.text), 0)
            shared = [(f" (in {counted(shared_by, 'row')})", "muted")] if shared_by > 1 else []
            yield from split_lines([(prompt.text, "system"), *shared], ("system", "system"), row)
        yield Paragraph(())
    if turn and example.messages[turn - 1].role != "system":
        before = example.messages[turn - 1]
        # Two lines of it at most: the turn in focus must be in sight.
        words = visible_line(before.text or calls_text(before) or before.reasoning, FOLDED_SYSTEM - 40)
        yield Paragraph(((words, "muted"),), role_name(before.role), row)
        yield Paragraph(())
    flagged = [flag.span for flag in project.flags_of(row) if flag.span is not None and flag.span.turn == turn]
    marked = {} if project.is_edited(row) or not flagged else {"text": with_spans(spoken_turn.text, flagged)}
    notes = list(head_notes(example.messages, ids=True))[turn]
    yield from spoken(spoken_turn, row, marked, notes=notes, unfold=True)


def raw_paragraphs(project: Project, row: int) -> Iterator[Paragraph]:
    """The row as it was read, byte for byte, controls made visible; its edit is not in it."""
    content = project.rows.raw_bytes(row)
    edited = ", its edit aside" if project.is_edited(row) else ""
    head = f"as it was read{edited}: {counted(len(content), 'byte')}; z lays it out again"
    yield Paragraph(((head, "muted"),), ("raw", "muted"))
    yield from split_lines([(content.decode("utf-8", "surrogateescape"), "text")], ("", "muted"), row)


# What this person's own verdicts say: of each signal how often it was right, of a row why it is thought bad.


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
