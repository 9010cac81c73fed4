"""The rows a trainer is given, and those it is not given, with the reason and the numbers of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import UsageError, shell_command
from engine.export.curated import curate
from engine.export.training_rows import NO_ANSWER, NOT_UNDERSTOOD, UNWANTED, training_row, why_untrained
from engine.model import Example, Quarantined, TrainingRow
from engine.phrases import counted
from engine.project.project import Project
from engine.project.row_content import refuse_changed
from engine.project.row_ids import content_hash, row_id
from engine.sources.conversation.conversation import conversation_of
from engine.sources.records.formats import source_format
from engine.sources.records.read import read_source
from engine.sources.shapes.guess import guess_mapping
from engine.training.plan.parts import Note
from engine.workflows.row_secrets import holds_secret, not_let_through

NAMED_ROWS = 5
NAMED_FIELDS = 4
MEDIA = {
    "image": ("an image", "images"),
    "audio": ("a sound", "sounds"),
    "video": ("a video", "videos"),
    "file": ("a file", "files"),
}
FURTHER_ANSWERS = "further answers"
REJECTED, LABEL = "a rejected answer", "a label"
EXPORT_PREFERENCES = "tamis export --format preference or kto"
SECRETS = "secrets"
SECRETS_HINT = "mask them (flag:secrets), or let them through as an export does: --override 'why'"


@dataclass(frozen=True, slots=True)
class Place:
    """Which row: its number in project or file, and its id."""

    number: int
    id: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows for a trainer, which others were left out for which reason (see `why_untrained`), and what stands beside
    the conversation of the rows, so that no trainer sees it: name of a field -> ids. `preferences` are those of the
    rows that carry a rejected answer or a label, by which of them: the answer that was liked alone is learnt."""

    rows: tuple[TrainingRow, ...] = ()
    left_out: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    preferences: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many rows were left out, by the reason in words."""
        return {reason_in_words(reason): len(places) for reason, places in self.left_out.items()}


@dataclass(frozen=True, slots=True)
class TrainingSets:
    """`curated` and `heldout` are accepted rows that a trainer can use; `accepted` says what became of all of them."""

    curated: tuple[TrainingRow, ...]
    heldout: tuple[TrainingRow, ...]
    accepted: Gathered


def gather(examples: Iterable[Example], secret: Collection[int] = ()) -> Gathered:
    """The rows a trainer can use, in their order; those of the numbers `secret` it may not have."""
    rows: list[TrainingRow] = []
    left_out: dict[str, list[Place]] = {}
    beside: dict[str, list[str]] = {}
    preferences: dict[str, list[Place]] = {}
    for example in examples:
        reason = SECRETS if example.number in secret else why_untrained(example.conversation)
        if reason:
            left_out.setdefault(reason, []).append(Place(example.number, example.id))
            continue
        rows.append(training_row(example))
        conversation = example.conversation
        for carried, is_there in ((REJECTED, conversation.rejected), (LABEL, conversation.label is not None)):
            if is_there:
                preferences.setdefault(carried, []).append(Place(example.number, example.id))
        names = dict.fromkeys(leaf.path.partition(".")[0] for leaf in conversation.other)
        for name in (*names, *((FURTHER_ANSWERS,) if conversation.candidates else ())):
            beside.setdefault(name, []).append(example.id)
    return Gathered(
        tuple(rows),
        {reason: tuple(places) for reason, places in left_out.items()},
        {name: tuple(ids) for name, ids in beside.items()},
        {carried: tuple(places) for carried, places in preferences.items()},
    )


def training_sets(project: Project) -> TrainingSets:
    """The accepted rows that a trainer can use. Raises UsageError where no training row is among them, ProjectError
    where one of them is not what was read."""
    curated = curate(project)
    numbers = (*curated.training, *curated.heldout)
    refuse_changed(project, numbers)
    found = gather(map(project.example, numbers), frozenset(not_let_through(project, numbers)))
    held = {project.rows.id(number) for number in curated.heldout}
    training = tuple(row for row in found.rows if row.id not in held)
    if not training:
        if curated.training:
            raise nothing_left("nothing to train on", found)
        raise UsageError("nothing to train on: no training row is accepted", "", "accept rows first")
    return TrainingSets(training, tuple(row for row in found.rows if row.id in held), found)


def file_sets(path: Path, encoding: str | None = None, *, with_secrets: bool = False) -> TrainingSets:
    """The rows of a data file that a trainer can use; `encoding` as a person names it. Rows with secrets are left out
    unless somebody has said why they may be trained on. Raises SourceError, UsageError."""
    examples = file_examples(path, encoding)
    secret = () if with_secrets else frozenset(example.number for example in examples if holds_secret(example))
    found = gather(examples, secret)
    if not found.rows:
        raise nothing_left(str(path), found)
    return TrainingSets(found.rows, (), found)


def file_examples(path: Path, encoding: str | None = None) -> list[Example]:
    """The rows of a data file. Raises SourceError, UsageError."""
    pieces = [piece for piece in read_source(path, source_format(path, encoding)) if not isinstance(piece, Quarantined)]
    mapping = guess_mapping(piece.raw for piece in pieces)
    if mapping is None:
        raise UsageError(
            f"{path}: no known shape", "", f"make a project of it first: {shell_command('scan', path)} --project DIR"
        )
    examples: list[Example] = []
    seen: dict[int, int] = {}
    for number, piece in enumerate(pieces):
        conversation = conversation_of(piece.raw, mapping)
        content = content_hash(piece.raw)
        copy = seen[content] = seen.get(content, -1) + 1
        examples.append(Example(row_id(content, copy), number, conversation, path.name, piece.line, piece.raw))
    return examples


def nothing_left(where: str, found: Gathered) -> UsageError:
    """Why there is nothing to train on, where rows were there."""
    reasons = [f"{count} {words}" for words, count in found.counts().items()]
    hint = SECRETS_HINT if SECRETS in found.left_out else "training needs answers in text"
    return UsageError(f"{where}: no row can be trained", "; ".join(reasons), hint)


def reason_in_words(reason: str) -> str:
    """What a row that is left out for this reason does: after "rows that …", or a number."""
    if reason == UNWANTED:
        return "marked as not wanted"
    if reason == NO_ANSWER:
        return "without an answer at the end"
    if reason == SECRETS:
        return "with secrets"
    if reason == NOT_UNDERSTOOD:
        return "with content that is not understood"
    return f"with {MEDIA[reason][0]}"


def rows_in_words(places: Sequence[Place]) -> str:
    """`(row 3, row 8, …)`."""
    numbers = [f"row {place.number}" for place in places[:NAMED_ROWS]]
    return f"({', '.join([*numbers, *(['…'] if len(places) > NAMED_ROWS else [])])})"


def left_out_warnings(found: Gathered) -> list[Note]:
    """What a plan tells of rows that are rightly left out, and of content beside the conversations."""
    notes = []
    for reason in (UNWANTED, NO_ANSWER):
        if places := found.left_out.get(reason, ()):
            are = "is" if len(places) == 1 else "are"
            words = (
                f"{counted(len(places), 'row')} {are} {reason_in_words(reason)} and left out {rows_in_words(places)}"
            )
            notes.append(Note(reason, words, tuple(place.id for place in places)))
    if found.preferences:
        carried = [
            f"{counted(len(places), 'row')} {'carries' if len(places) == 1 else 'carry'} {what} {rows_in_words(places)}"
            for what, places in found.preferences.items()
        ]
        words = f"{' and '.join(carried)}: the answer that was liked is trained as any other, and nothing else of them"
        ids = tuple(dict.fromkeys(place.id for places in found.preferences.values() for place in places))
        notes.append(Note("preferences", f"{words}; for a preference trainer: {EXPORT_PREFERENCES}", ids))
    if found.beside:
        names = sorted(found.beside, key=lambda name: -len(found.beside[name]))
        named = [f"{name} ({counted(len(found.beside[name]), 'row')})" for name in names[:NAMED_FIELDS]]
        more = ["…"] if len(names) > NAMED_FIELDS else []
        ids = tuple(dict.fromkeys(row for name in names for row in found.beside[name]))
        notes.append(
            Note("beside", f"no trainer sees what stands beside the conversation: {', '.join([*named, *more])}", ids)
        )
    return notes


def left_out_refusals(found: Gathered) -> list[Note]:
    """The rows whose content tamis cannot train, by name: somebody has to say what becomes of them."""
    notes = []
    for reason, places in found.left_out.items():
        ids = tuple(place.id for place in places)
        shown = "shows" if len(places) == 1 else "show"
        held = "holds" if len(places) == 1 else "hold"
        rows = counted(len(places), "row")
        if reason in MEDIA:
            one, several = MEDIA[reason]
            words = f"tamis trains text only: {rows} {shown} {one} {rows_in_words(places)}: reject them, or export them"
            notes.append(Note("media", f"{words} for a trainer that takes {several}", ids))
        elif reason == NOT_UNDERSTOOD:
            words = f"{rows} {held} content that is not understood {rows_in_words(places)}"
            notes.append(Note("not_understood", f"{words}: edit or reject them", ids))
        elif reason == SECRETS:
            notes.append(Note(SECRETS, f"{rows} {held} secrets {rows_in_words(places)}: {SECRETS_HINT}", ids))
    return notes


def check_all_can_be_trained(found: Gathered) -> None:
    """Raises UsageError where rows hold what tamis cannot train."""
    if refusals := left_out_refusals(found):
        raise UsageError("; ".join(note.text for note in refusals))
