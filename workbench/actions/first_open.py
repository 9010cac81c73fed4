"""What a first open asks once: is the guessed mapping right, should a held-out set be reserved. Knows no terminal."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import UsageError
from engine.phrases import counted
from engine.project.project import Project
from engine.sources.conversation import as_mapped
from engine.sources.guess import SAMPLE_ROWS, guess_shapes
from engine.sources.mapping import Mapping, mapping_from_words
from workbench.state.saved import HELDOUT
from workbench.state.session import Session

# Field names that leave nothing to guess: the shapes as their authors publish them.
PLAIN_NAMES: dict[str, tuple[dict[str, str], ...]] = {
    "alpaca": (
        {"instruction": "instruction", "output": "output"},
        {"instruction": "prompt", "output": "completion"},
    ),
    "messages": ({"messages": "messages"},),
    "sharegpt": ({"conversations": "conversations"},),
    "preference": ({"chosen": "chosen", "rejected": "rejected"},),
    "text": ({"text": "text"},),
}
# The word of `--map` that stands for a part where several do.
WORD_OF = {"instruction": "prompt", "output": "response"}
ENOUGH_ROWS = 200
SMALLEST_SHARE, LARGEST_SHARE = 20, 1000


def was_guessed(project: Project) -> bool:
    """Whether the mapping rests on a guess: fields of other names than the shape's own, or rows of several shapes."""
    mapping = project.mapping
    plain = any(names.items() <= mapping.fields.items() for names in PLAIN_NAMES[mapping.shape])
    odd = any(path != part for part, path in mapping.fields.items() if part in ("input", "system", "history"))
    return not plain or odd or bool(mixture(project))


def mixture(project: Project) -> str:
    """A sentence where the first rows are of more than one shape, else ''."""
    sample = range(min(SAMPLE_ROWS, len(project.rows)))
    return guess_shapes(project.rows.raw(number) for number in sample).mixed


def words_of(mapping: Mapping) -> str:
    """A mapping in the words of `--map`: `prompt=question,response=answer`."""
    return ",".join(f"{WORD_OF.get(part, part)}={path}" for part, path in mapping.fields.items())


def mapping_of(words: str, now: Mapping) -> Mapping:
    """The mapping that the words mean; the words of the one in force mean that one. Raises UsageError."""
    return now if words.strip() == words_of(now) else mapping_from_words(words)


def known_words() -> str:
    """The words worth naming; `--map` knows a few more for the same parts."""
    return "prompt response input system history messages conversations chosen rejected text"


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
