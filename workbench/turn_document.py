"""The reader's other ways to show a row: one turn of it, or the very bytes that were read. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.project.folder import Project
from workbench.document_parts import (
    FOLDED_SYSTEM,
    Paragraph,
    folded_system,
    split_lines,
    spoken,
    turn_text,
)
from workbench.safe_text import visible_line
from workbench.wording import counted


def raw_paragraphs(project: Project, row: int) -> Iterator[Paragraph]:
    """The row as it was read, byte for byte, controls made visible; its edit is not in it."""
    content = project.rows.raw_bytes(row)
    edited = ", its edit aside" if project.is_edited(row) else ""
    head = f"as it was read{edited}: {len(content):,} bytes; z lays it out again"
    yield Paragraph(((head, "muted"),), ("raw", "muted"))
    yield from split_lines([(content.decode("utf-8", "surrogateescape"), "text")], ("", "muted"), row)


def turn_paragraphs(project: Project, row: int, turn: int, prompts: Mapping[int, int]) -> Iterator[Paragraph]:
    """One turn whole; above it the system prompt folded, and the beginning of the turn it answers."""
    example = project.example(row)
    spoken_turn = example.turns[turn]
    if turn and example.turns[0].role == "system":
        prompt = example.turns[0]
        if len(prompt.text) > FOLDED_SYSTEM:
            yield folded_system(prompt, row, prompts)
        else:
            shared_by = prompts.get(hash(prompt.text), 0)
            shared = [(f" (in {counted(shared_by, 'row')})", "muted")] if shared_by > 1 else []
            yield from split_lines([(prompt.text, "system"), *shared], ("system", "system"), row)
        yield Paragraph(())
    if turn and example.turns[turn - 1].role != "system":
        before = example.turns[turn - 1]
        # Two lines of it at most: the turn in focus must be in sight.
        words = visible_line(before.text or " ".join(before.calls), FOLDED_SYSTEM - 40)
        yield Paragraph(((words, "muted"),), (before.role, before.role), row)
        yield Paragraph(())
    flagged = [flag.span for flag in project.flags_of(row) if flag.span is not None and flag.span.turn == turn]
    yield from spoken(spoken_turn, turn_text(spoken_turn, [] if project.is_edited(row) else flagged), row)
