"""What a first open asks once: is the guessed mapping right, should a held-out set be reserved. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.errors import UsageError
from engine.phrases import counted
from engine.project.project import Project
from engine.project.rows import first_rows
from engine.sources.conversation.conversation import as_mapped
from engine.sources.mapping import SAMPLE_ROWS, Mapping
from workbench.state.saved import HELDOUT
from workbench.state.session import Session

if TYPE_CHECKING:
    from engine.sources.shapes.guess import Guess

# Field names that leave nothing to guess: the shapes as their authors publish them.
PLAIN_NAMES: dict[str, tuple[dict[str, str], ...]] = {
    "alpaca": (
        {"instruction": "instruction", "output": "output"},
        {"instruction": "prompt", "output": "completion"},
        {"instruction": "prompt", "output": "response"},
        {"instruction": "question", "output": "answer"},
    ),
    "messages": ({"messages": "messages"},),
    "sharegpt": ({"conversations": "conversations"},),
    "preference": ({"chosen": "chosen", "rejected": "rejected"},),
    "text": ({"text": "text"},),
}
ENOUGH_ROWS = 200
SMALLEST_SHARE, LARGEST_SHARE = 20, 1000


def was_guessed(project: Project) -> bool:
    """Whether the file leaves something to ask: no known shape, fields of other names than the shape's own, or rows of
    several shapes."""
    mapping = project.mapping
    if not mapping.fields:
        return True
    guess = sample_guess(project)
    if guess.is_plain and guess.mapping == mapping and mapping.shape == "messages":
        # Messages say themselves who speaks; of a pair the names of its fields alone tell.
        return False
    if guess.mapping is None:
        # Else a person has named the fields.
        from engine.sources.shapes.likely import likely_mapping

        return mapping == likely_mapping(list(first_rows(project.rows)))
    plain = any(names.items() <= mapping.fields.items() for names in PLAIN_NAMES[mapping.shape])
    odd = any(path != part for part, path in mapping.fields.items() if part in ("input", "system", "history"))
    return not plain or odd or bool(mixture(project))


def mixture(project: Project) -> str:
    """A sentence where the first rows are of more than one shape, else ''."""
    return sample_guess(project).mixed


def sample_guess(project: Project) -> Guess:
    """What the first rows are made of, but for those of files that are read by a mapping of their own."""
    # Not at the top: a project that was opened before needs no table of shapes.
    from engine.sources.shapes.guess import guess_shapes

    rows = project.rows
    sample = range(min(SAMPLE_ROWS, len(rows)))
    return guess_shapes(rows.raw(number) for number in sample if rows.mapping_of(number) is project.mapping)


def preview(project: Project, mapping: Mapping, count: int = 3) -> Iterator[tuple[int, tuple[tuple[str, str], ...]]]:
    """(row, its (role, text) turns) of a few rows as this mapping reads them."""
    for number in range(min(count, len(project.rows))):
        turns = as_mapped(project.rows.raw(number), mapping).messages
        yield number, tuple((turn.role, turn.text or " ".join(turn.calls) or turn.reasoning) for turn in turns)


def correct_mapping(project: Project, mapping: Mapping) -> bool:
    """Read the rows by this mapping from now on; whether it is another one than before. Ids and decisions stay.

    Raises UsageError where it finds no text in any of the first rows, ProjectError where the journal cannot be written.
    """
    if mapping == project.mapping:
        return False
    if not any(text.strip() for _, turns in preview(project, mapping, SAMPLE_ROWS) for _, text in turns):
        raise UsageError("none of the first rows has a text in these fields", "", "check the names of the fields")
    project.read_by(mapping)
    return True


def what_came_in(project: Project) -> str:
    """What is on the first screen of a new file, in a sentence."""
    files = len(project.settings.sources)
    of_files = f" of {files} files" if files > 1 else ""
    aside = project.counts()["quarantined"]
    lines = f", {counted(aside, 'line')} set aside" if aside else ""
    return f"{counted(len(project.rows), 'row')}{of_files}{lines}, read as {project.mapping.describe()}"


def offers_heldout(project: Project) -> bool:
    """Whether a held-out set can and should be offered."""
    return not project.readonly and project.is_complete and not project.heldout and len(project.rows) >= ENOUGH_ROWS


def asks_heldout(session: Session, decides: bool) -> bool:
    """Whether the held-out set is to be offered before this command: the first one that decides, once the groups are
    known by which it is drawn."""
    return (
        decides
        and HELDOUT not in session.remembered.asked
        and session.project.is_scanned
        and offers_heldout(session.project)
    )


def proposed_rows(rows: int) -> int:
    """How many of `rows` to hold out: a tenth, at least 40, at most 200: enough to measure, few enough to judge."""
    return max(40, min(200, rows // 10))


def changed_proposal(rows: int, now: int, factor: float) -> int:
    """The proposal made larger or smaller, within what makes sense: never more than a third of the rows."""
    return max(SMALLEST_SHARE, min(LARGEST_SHARE, rows // 3, round(now * factor)))


def reserve(project: Project, wanted: int) -> tuple[int, int]:
    """Draw and reserve the held-out set: how many rows it has, and how many families of variants it cuts through.

    What was found so far no longer fits afterwards.
    """
    from engine.project.heldout import reserve_drawn

    drawn = reserve_drawn(project, wanted)
    project.reload_findings()
    return len(drawn), len(project.heldout_variants)
