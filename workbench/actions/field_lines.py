"""The fields of a row with what each is understood as, and the rows of a file that show its shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from engine.errors import UsageError
from engine.project.rows import first_rows
from engine.sources.conversation.conversation import as_mapped
from engine.sources.mapping import Mapping, parted, unquoted
from engine.sources.messages.messages import ROLES
from engine.sources.shapes.likely import FieldSeen, family_of, fields_of, spoken_words
from engine.sources.shapes.map_words import mapping_of_parts, named_parts, partial_mapping
from workbench.state.fields import FieldChoice, FieldLine, ShapeSeen
from workbench.state.session import Session

FIRST_ROWS = 200
SPREAD_ROWS = 200
MOST_SHAPES = 8
ROLE_WORDS = {"prompt": "user_role", "response": "assistant_role", "system": "system_role", "tools": "tool_role"}


def open_choice(session: Session) -> FieldChoice:
    """The fields as they are read now, on the first row and the oddest row of each other shape."""
    # Not at the top: the table of shapes is for this screen, not for the first one.
    from engine.sources.shapes.guess import NO_SHAPE, shape_of

    project = session.project
    count = len(project.rows)
    spread = range(FIRST_ROWS, count, max(1, (count - FIRST_ROWS) // SPREAD_ROWS)) if count > FIRST_ROWS else ()
    numbers = [*range(min(FIRST_ROWS, count)), *spread]
    groups: dict[str, list[int]] = {}
    names: dict[int, tuple[str, ...]] = {}
    for number in numbers:
        row = project.rows.raw(number)
        groups.setdefault(shape_of(row), []).append(number)
        names[number] = tuple(sorted(row))
    choice = FieldChoice(
        from_the_row(named_parts(project.mapping)),
        _shapes(groups, names),
        len(numbers),
        not any(number < FIRST_ROWS for name in groups if name != NO_SHAPE for number in groups[name]),
        tuple(first_rows(project.rows)),
    )
    session.proposals.fields = choice
    look(session)
    return choice


def _shapes(groups: dict[str, list[int]], names: dict[int, tuple[str, ...]]) -> tuple[ShapeSeen, ...]:
    """The shapes of these rows, that of the first row first: of it the first row, of each other the row whose fields
    are the rarest. Where all are alike, a few of them."""
    kinds = Counter(names.values())
    first, *others = groups.items()
    shown = [ShapeSeen(first[0], len(first[1]), first[1][0])]
    rarest = sorted(first[1][1:], key=lambda number: kinds[names[number]])[:1]
    if rarest and kinds[names[rarest[0]]] < len(first[1]) and names[rarest[0]] != names[first[1][0]]:
        shown.append(ShapeSeen(first[0], len(first[1]), rarest[0]))
    elif not others:
        shown += [ShapeSeen(first[0], len(first[1]), number) for number in first[1][1:3]]
    for name, numbers in sorted(others, key=lambda one: -len(one[1]))[:MOST_SHAPES]:
        shown.append(ShapeSeen(name, len(numbers), min(numbers, key=lambda number: kinds[names[number]])))
    return tuple(shown)


def choice_of(session: Session) -> FieldChoice:
    """The choice that is open; the screen opens it."""
    choice = session.proposals.fields
    return choice if choice is not None else open_choice(session)


def look(session: Session) -> None:
    """Read the shown row by the words so far."""
    choice = choice_of(session)
    row = session.project.rows.raw(choice.shape.number)
    choice.lacking = ""
    try:
        mapping = mapping_of_choice(choice)
    except UsageError:
        choice.lacking = _lacking(choice.named)
        mapping = partial_mapping(choice.named)
    choice.conversation = as_mapped(row, mapping)
    seen = fields_of(row)
    words = spoken_words(mapping, choice.sample) if {"messages", "conversations"} & choice.named.keys() else []
    speaker = speaker_field(choice.named) if words else ""
    lines: list[FieldLine] = []
    for field in seen:
        lines.append(FieldLine(field))
        if speaker and field.written == speaker:
            lines += [FieldLine(field, word) for word in words]
    choice.lines = tuple(lines)
    choice.cursor = max(0, min(choice.cursor, len(lines) - 1))
    choice.states = _states(choice)


def _lacking(named: dict[str, str]) -> str:
    if "chosen" in named:
        return "still missing: x on the answer that was not chosen"
    if "prompt" in named and "response" not in named:
        return "still missing: r on the field that answers"
    if "response" in named:
        return ""
    return "still missing: p on the field that asks and r on the one that answers, or m on a list of messages"


def speaker_field(named: dict[str, str]) -> str:
    """The field whose words say who speaks: beside each message, or at the head of each text."""
    messages = named.get("messages", named.get("conversations", ""))
    return f"{messages}.*.{named['role']}" if "role" in named else messages


def _states(choice: FieldChoice) -> dict[str, str]:
    """Field -> what it is understood as, for those that no word names."""
    held = choice.conversation
    found = {"other": held.other, "metadata": held.metadata, "link": held.links}
    return {_general(leaf.path.split(".")): state for state, leaves in found.items() for leaf in leaves}


def _general(steps: Iterable[object]) -> str:
    return ".".join("*" if step is None or str(step).isdigit() else str(step) for step in steps)


def part_of(choice: FieldChoice, line: FieldLine) -> str:
    """What a field is understood as: a word of `--map`, `metadata`, `link`, `read` as part of another, `empty`, '' for
    what holds other fields; `other` where nobody understood it."""
    if line.word:
        return role_of_word(choice.named, line.word)
    field = line.field
    for word, path in choice.named.items():
        if _names(word, path, field, choice):
            return word
    if field.is_list or field.is_object:
        return ""
    if all(value in (None, "") for value in field.values):
        return "empty"
    return choice.states.get(_general(field.path), "read" if choice.conversation.messages else "other")


def _names(word: str, path: str, field: FieldSeen, choice: FieldChoice) -> bool:
    if word.endswith("_role"):
        return False
    if word in ("role", "content"):
        messages = choice.named.get("messages", choice.named.get("conversations", ""))
        return field.written == f"{messages}.*.{path}"
    return (
        path == field.written or field.written in map(str.strip, parted(path, "+")) or path == family_in(field, choice)
    )


def family_in(field: FieldSeen, choice: FieldChoice) -> str:
    return family_of(field, [line.field for line in choice.lines]) if len(choice.lines) < FIRST_ROWS else ""


def role_of_word(named: dict[str, str], word: str) -> str:
    """`user_role` … for a word that says who speaks; '' where nobody knows it."""
    for part in ROLE_WORDS.values():
        if any(unquoted(one.strip()).lower() == word.lower() for one in parted(named.get(part, ""), "|")):
            return part
    return f"{ROLES[word.lower()]}_role" if word.lower() in ROLES else ""


def mapping_of_choice(choice: FieldChoice) -> Mapping:
    """The mapping that the words mean. Raises UsageError where something is still missing."""
    named = choice.named
    if "response" in named and not {"prompt", "messages", "history", "input"} & named.keys():
        # A text that answers nothing is what is to be learnt.
        named = {"text" if word == "response" else word: path for word, path in named.items()}
    return mapping_of_parts(named)


def from_the_row(named: dict[str, str]) -> dict[str, str]:
    """Both sides of each element of a list as paths from the row, as any other field is named."""
    if "messages" not in named or not {"prompt", "response"} <= named.keys():
        return named
    sides = {word: f"{named['messages']}.*.{named[word]}" for word in ("prompt", "response")}
    return {word: path for word, path in named.items() if word != "messages"} | sides
