"""Saying which field of a file is what, by one key a part. Knows no terminal."""

from __future__ import annotations

from engine.errors import UsageError
from engine.sources.mapping import parted, unquoted, written
from engine.sources.shapes.likely import FieldSeen, medium_of, message_parts, quoted_word, with_role_words
from engine.sources.shapes.map_words import MESSAGE_WORDS, mapping_from_words, named_parts, partial_mapping
from workbench.actions.field_lines import (
    ROLE_WORDS,
    choice_of,
    family_in,
    from_the_row,
    look,
    mapping_of_choice,
    part_of,
)
from workbench.actions.first_open import correct_mapping
from workbench.state.session import Session

PAIR = ("prompt", "response", "input", "history")
LISTS = ("messages", "conversations", *MESSAGE_WORDS)
ANSWERS = ("chosen", "winner")
# Several fields can be one text, or one list of fields.
JOINED = ("prompt", "response", "system", "input", "reasoning", "metadata", "other")
NO_FIELD = "this row has no field"


def move(session: Session, steps: int) -> None:
    choice = choice_of(session)
    choice.cursor = max(0, min(choice.cursor + steps, len(choice.lines) - 1))


def show_next(session: Session, steps: int) -> None:
    """The next of the rows that are shown; the cursor stays on its field where that is there."""
    choice = choice_of(session)
    here = choice.here
    choice.shown = (choice.shown + steps) % len(choice.shapes)
    look(session)
    same = (place for place, line in enumerate(choice.lines) if here is not None and line.field.path == here.field.path)
    choice.cursor = next(same, choice.cursor)
    if len(choice.shapes) == 1:
        session.say("the file has no other row")


def undo(session: Session) -> None:
    choice = choice_of(session)
    if not choice.before:
        session.say("nothing to take back", "refused")
        return
    choice.named, choice.own = choice.before.pop()
    look(session)


def _change(session: Session, named: dict[str, str], own: frozenset[str]) -> None:
    choice = choice_of(session)
    choice.before.append((choice.named, choice.own))
    choice.named, choice.own = named, own & named.keys()
    look(session)


def take_words(session: Session, words: str) -> None:
    """Words as `--map` takes them. Raises UsageError."""
    mapping = mapping_from_words(words)
    named = from_the_row(named_parts(with_role_words(mapping, choice_of(session).sample)))
    _change(session, named, frozenset(named))


def assign(session: Session, part: str) -> None:
    """Say that the field under the cursor is this part, or that a word means whom."""
    choice = choice_of(session)
    line = choice.here
    if line is None:
        session.say(NO_FIELD, "refused")
    elif line.word:
        _assign_word(session, part, line.word)
    elif part in ("messages", "role"):
        _assign_messages(session, part, line.field)
    else:
        _assign_field(session, part, line.field)


def assign_medium(session: Session) -> None:
    """The field under the cursor is a picture, a sound or a video: which of these, its name or what it holds says."""
    line = choice_of(session).here
    if line is None or line.word:
        session.say(NO_FIELD, "refused")
    else:
        _assign_field(session, medium_of(line.field) or "images", line.field)


def _assign_word(session: Session, part: str, word: str) -> None:
    role = ROLE_WORDS.get(part)
    if role is None:
        session.say("this word says who speaks: p user, r assistant, s system, t tool", "refused")
        return
    choice = choice_of(session)
    named = without_word(choice.named, word)
    named[role] = "|".join(filter(None, (named.get(role, ""), quoted_word(word))))
    _change(session, named, choice.own | {role})


def without_word(named: dict[str, str], word: str) -> dict[str, str]:
    """The words of `--map` without this one among those that say who speaks."""
    found = dict(named)
    for role in ROLE_WORDS.values():
        words = [one for one in parted(found.get(role, ""), "|") if unquoted(one.strip()).lower() != word.lower()]
        found[role] = "|".join(words)
    return {name: path for name, path in found.items() if path}


def _assign_messages(session: Session, part: str, field: FieldSeen) -> None:
    choice = choice_of(session)
    seen = [line.field for line in choice.lines if not line.word]
    named = {word: path for word, path in choice.named.items() if word not in (*PAIR, *ANSWERS, "text")}
    holder = field if field.is_list or field.in_list is None else _holder(field, seen)
    if part == "role" and holder is field:
        session.say("who speaks is a field inside of the messages: go down to it", "refused")
        return
    kept = named.get("messages") == holder.written
    if not kept:
        named = {word: path for word, path in named.items() if word not in LISTS}
        parts = message_parts(holder, seen)
        named |= {"messages": holder.written}
        if "prompt" not in parts or holder is field:
            named = from_the_row(named | parts)
    if holder is not field:
        inner = written(field.path[len(holder.path) + 1 :])
        if part == "role":
            named = {word: path for word, path in named.items() if not word.endswith("_role")} | {"role": inner}
            if named.get("content") == inner:
                del named["content"]
        else:
            named["content"] = inner
            if named.get("role") == inner:
                del named["role"]
    own = choice.own | {"messages", part}
    if "messages" in named:
        named = named_parts(with_role_words(partial_mapping(named), choice.sample))
    _change(session, without_field(named, holder.written, {"messages"}), own)


def _holder(field: FieldSeen, seen: list[FieldSeen]) -> FieldSeen:
    return next((one for one in seen if one.path == field.in_list), field)


def _assign_field(session: Session, part: str, field: FieldSeen) -> None:
    choice = choice_of(session)
    path = field.written
    family = family_in(field, choice) if part in ("prompt", "response", "messages") else ""
    before = choice.named.get(part, "")
    if family and before != family:
        path = family
    named = without_field(_of_one_shape(choice.named, part), path, set())
    named = without_field(named, field.written, set())
    starred = "*" in path or "*" in before
    if part in JOINED and part in choice.own and before and before not in (path, family) and not starred:
        fields = [one.strip() for one in parted(before, "+")]
        path = before if path in fields else f"{before}+{path}"
    named[part] = path
    _change(session, _in_order(named), choice.own | {part})


def _of_one_shape(named: dict[str, str], part: str) -> dict[str, str]:
    """What may stay beside a part: a row is a request with an answer, a list of messages, or a pair of answers."""
    gone: tuple[str, ...] = ()
    if part in PAIR and not (part == "prompt" and "chosen" in named):
        gone = ("text", *LISTS, *(ANSWERS[:1] if part != "prompt" else ()))
    elif part == "text":
        gone = (*PAIR, *LISTS, *ANSWERS, "rejected", "candidates")
    elif part == "chosen":
        gone = ("text", "response", "input", "history", *LISTS)
    return {word: path for word, path in named.items() if word not in gone}


def _in_order(named: dict[str, str]) -> dict[str, str]:
    """Request before answer, as a person reads them."""
    order = ("prompt", "input", "response", "chosen", "rejected")
    return {word: named[word] for word in (*filter(named.__contains__, order), *(w for w in named if w not in order))}


def without_field(named: dict[str, str], path: str, but: set[str]) -> dict[str, str]:
    """The words without this field, except those of `but`."""
    found: dict[str, str] = {}
    for word, fields in named.items():
        if word in but or word in MESSAGE_WORDS:
            found[word] = fields
            continue
        rest = "+".join(one for one in parted(fields, "+") if one.strip() != path)
        if rest:
            found[word] = rest
    return found


def take_off(session: Session) -> None:
    """The field under the cursor is none of the parts."""
    choice = choice_of(session)
    line = choice.here
    if line is None or not part_of(choice, line):
        session.say("this field is not named", "refused")
        return
    named = dict(choice.named)
    if line.word:
        named = without_word(named, line.word)
    else:
        part = part_of(choice, line)
        if part in ("role", "content"):
            del named[part]
            named = {word: path for word, path in named.items() if part != "role" or not word.endswith("_role")}
        elif part in named:
            named = without_field(without_field(named, line.field.written, set()), family_in(line.field, choice), set())
            if part == "messages":
                named = {word: path for word, path in named.items() if word not in MESSAGE_WORDS}
    if named == choice.named:
        session.say("no word names this field", "refused")
        return
    _change(session, named, choice.own)


def toggle_metadata(session: Session) -> None:
    """Content that nobody understood is the record's own, or the other way round."""
    choice = choice_of(session)
    line = choice.here
    if line is None or line.word:
        session.say(NO_FIELD, "refused")
        return
    part, path = part_of(choice, line), line.field.written
    becomes = "other" if part == "metadata" else "metadata"
    named = without_field(choice.named, path, set())
    named[becomes] = "+".join(filter(None, (named.get(becomes, ""), path)))
    _change(session, named, choice.own | {becomes})


def settle(session: Session) -> bool:
    """Read the rows so from now on; whether that is another way than before. Raises TamisError."""
    choice = choice_of(session)
    if choice.lacking:
        raise UsageError(choice.lacking)
    return correct_mapping(session.project, mapping_of_choice(choice))
