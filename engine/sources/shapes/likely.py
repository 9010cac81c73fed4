"""What a file of no known shape may hold: the fields of its rows, a mapping to propose, whom the words of a role mean.

All of it is a guess that is shown to a person; nothing is read by it unseen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

from engine.model import Row
from engine.sources.mapping import Mapping, quoted, written
from engine.sources.messages.messages import ROLES
from engine.sources.messages.own_messages import LONGEST_SPEAKER, form_of, speaker_of
from engine.sources.messages.parts import parsed, plain
from engine.sources.messages.places import places_of
from engine.sources.shapes.map_words import named_parts, partial_mapping
from engine.sources.shapes.names import plain_name

FieldPath = tuple[str | int | None, ...]
"""Names and places in lists; None is any place of a list."""
MOST_FIELDS = 10_000
ROWS_SEEN = 30
MOST_VALUES = 60
DEEPEST = 8
MOST_SPEAKERS = 6
_ASK = frozenset(
    (
        *("customer", "client", "visitor", "guest", "caller", "patient", "student", "interviewer", "asker", "q"),
        *("kunde", "kundin", "besucher", "cliente", "usuario", "utilisateur", "müşteri", "kullanıcı", "soru"),
        *("клиент", "пользователь", "მომხმარებელი", "კლიენტი", "客户", "顾客"),
    )
)
_SAY = frozenset(
    (
        *("agent", "support", "operator", "advisor", "consultant", "doctor", "teacher", "tutor", "expert", "helper"),
        *("berater", "beraterin", "mitarbeiter", "agente", "asistente", "conseiller", "temsilci", "asistan", "cevap"),
        *("оператор", "ассистент", "ოპერატორი", "ასისტენტი", "客服", "interviewee"),
    )
)
_ROLE_NAMES = (
    *("role", "speaker", "who", "from", "sender", "author", "side", "by", "actor", "participant", "party", "user"),
    "agent",
)
_SAID = frozenset({"content", "text", "value", "message", "utterance", "body"})
_ENDINGS = {
    "images": ("png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"),
    "audios": ("wav", "mp3", "flac", "ogg", "m4a"),
    "videos": ("mp4", "mov", "mkv", "webm", "avi"),
}
_MARKED = ("stars", "score", "rating", "rank", "votes", "likes", "best", "accepted", "chosen", "points", "upvotes")
_NUMBERED = re.compile(r"(.*?)([0-9]{1,4})([^0-9]*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """A field of a row: where it stands, and the values there: one, or those of the elements of a list."""

    path: FieldPath
    values: tuple[Any, ...]

    @property
    def written(self) -> str:
        """The path in the words of a mapping."""
        return written(self.path)

    @property
    def in_list(self) -> FieldPath | None:
        """The list in whose elements it stands, None where it stands in none."""
        place = max((place for place, step in enumerate(self.path) if step is None), default=-1)
        return self.path[:place] if place >= 0 else None

    @property
    def is_list(self) -> bool:
        return isinstance(parsed(self.values[0]), list)

    @property
    def is_object(self) -> bool:
        return isinstance(parsed(self.values[0]), dict)

    @property
    def characters(self) -> int:
        """How much text stands here."""
        return sum(len(value) for value in self.values if isinstance(value, str))


def fields_of(*rows: Row) -> list[FieldSeen]:
    """Every field of a row in its order, what holds others before these; the elements of a list as one. Of several rows
    as if they were the elements of a list."""
    found: list[FieldSeen] = []
    for field in _walk(rows, ()):
        found.append(field)
        if len(found) == MOST_FIELDS:
            break
    return found


def _walk(values: Sequence[Any], path: FieldPath) -> Iterator[FieldSeen]:
    told = [value for value in values if value is not None]
    if path:
        yield FieldSeen(path, tuple(told[:MOST_VALUES]) or (None,))
    if len(path) >= DEEPEST:
        return
    opened = [parsed(value) for value in told[:MOST_VALUES]]
    objects = [value for value in opened if isinstance(value, dict)]
    for name in dict.fromkeys(chain.from_iterable(objects)):
        yield from _walk([held[name] for held in objects if name in held], (*path, name))
    lists = [value for value in opened if isinstance(value, list)]
    elements = list(chain.from_iterable(lists))
    if any(isinstance(one, dict | list) for one in elements):
        pairs = [one for one in elements if isinstance(one, list)]
        if len(pairs) == len(elements):
            for place in range(min(4, max(map(len, pairs)))):
                yield from _walk([pair[place] for pair in pairs if place < len(pair)], (*path, None, place))
        else:
            yield from (field for field in _walk(elements, (*path, None)) if field.path[-1] is not None)


def paths_of(rows: Iterable[Row]) -> list[str]:
    """The paths of all fields of some rows, each once."""
    return list(dict.fromkeys(field.written for row in rows for field in fields_of(row)))


def likely_mapping(rows: Sequence[Row]) -> Mapping | None:
    """A mapping to propose for rows of no known shape; None where they hold no texts."""
    seen = fields_of(*rows[:ROWS_SEEN])
    named = next(filter(None, (guess(seen) for guess in _GUESSES)), None)
    return with_role_words(partial_mapping(named), rows) if named else None


def _marked_answers(seen: Sequence[FieldSeen]) -> dict[str, str]:
    """A list of answers with a score or a flag each, and outside of it the longest text that asks."""
    for field in seen:
        if not field.is_list or field.in_list is not None:
            continue
        inside = [one for one in seen if one.in_list == field.path and not (one.is_list or one.is_object)]
        marks = [one for one in inside if plain_name(str(one.path[-1])).removeprefix("is") in _MARKED]
        marks = [one for one in marks if all(isinstance(value, bool | int | float) for value in one.values)]
        texts = [one for one in inside if one.characters]
        outside = [one for one in seen if one.in_list is None and one.path[0] != field.path[0] and one.characters]
        asked = [one for one in outside if isinstance(one.values[0], str) and " " in one.values[0].strip()]
        if marks and texts and asked:
            longest, answer = (max(some, key=lambda one: one.characters) for some in (asked, texts))
            return {"prompt": longest.written, "response": answer.written, "winner": marks[0].written}
    return {}


def _list_of_messages(seen: Sequence[FieldSeen]) -> dict[str, str]:
    for field in seen:
        if field.is_list and field.in_list is None:
            named = message_parts(field, seen)
            if len(named) > 1 or (named and _is_spoken(parsed(field.values[0]))):
                return named
    return {}


def message_parts(field: FieldSeen, seen: Sequence[FieldSeen]) -> dict[str, str]:
    """A list as messages: which of its fields says who speaks, and which what; or which hold both sides."""
    named = {"messages": field.written}
    inside = [one for one in seen if one.in_list == field.path and not (one.is_list or one.is_object)]
    depth = len(field.path) + 1
    texts = [one for one in inside if one.characters]
    speaker = max((one for one in inside if _role_score(one)), key=_role_score, default=None)
    spoken = [one for one in texts if one is not speaker]
    if speaker is not None and spoken:
        content = max(spoken, key=lambda one: (len(one.path) == depth + 1 and one.path[-1] in _SAID, one.characters))
        return named | {"role": written(speaker.path[depth:]), "content": written(content.path[depth:])}
    if len(texts) >= 2:
        first, second = sorted(sorted(texts, key=lambda one: -one.characters)[:2], key=texts.index)
        return named | {"prompt": written(first.path[depth:]), "response": written(second.path[depth:])}
    if texts:
        return named | {"content": written(texts[0].path[depth:])}
    return named if isinstance(_first_element(field), str) else {}


def _first_element(field: FieldSeen) -> Any:
    held = parsed(field.values[0])
    return held[0] if isinstance(held, list) and held else None


def _role_score(field: FieldSeen) -> float:
    """How much the values of a field look like names of who speaks; 0: they cannot be."""
    words = [plain(value).strip().lower() for value in field.values if not isinstance(value, dict | list)]
    kinds = set(words)
    if len(words) != len(field.values) or not words or max(map(len, words)) > LONGEST_SPEAKER:
        return 0
    if "" in kinds or len(kinds) > MOST_SPEAKERS or (len(words) > 2 and len(kinds) == len(words)):
        return 0
    known = len(kinds & (ROLES.keys() | _ASK | _SAY))
    named = plain_name(str(field.path[-1])) in _ROLE_NAMES
    is_flag = any(isinstance(value, bool) for value in field.values)
    if (len(kinds) < 2 or is_flag) and not known and not named:
        return 0
    turns = sum(one != other for one, other in pairwise(words)) / max(1, len(words) - 1)
    return 1 + 2 * known + 2 * named + turns + (0.5 if len(kinds) == 2 else 0)


def _is_spoken(held: Any) -> bool:
    """Whether texts, or the lines of one, begin with who speaks: two words or more, and not each line its own."""
    texts = held.split("\n") if isinstance(held, str) else held if isinstance(held, list) else []
    words = [speaker_of(text) for text in texts if isinstance(text, str)]
    kinds = Counter(word.lower() for word in words if word and not word.startswith(("http", "//")))
    return 2 <= len(kinds) <= MOST_SPEAKERS and words[:1] != [""] and sum(kinds.values()) * 2 >= len(words)


def medium_of(field: FieldSeen) -> str:
    """`images`, `audios` or `videos` where a field says where one lies, by the ending of that; '' for any other."""
    held = parsed(field.values[0])
    value = next((one for one in held if isinstance(one, str)), "") if isinstance(held, list) else held
    if not isinstance(value, str) or len(value.split()) > 1:
        return ""
    ending = value.partition("?")[0].rpartition(".")[2].lower()
    return next((part for part, endings in _ENDINGS.items() if ending in endings and "." in value), "")


def numbered_stem(name: str) -> tuple[str, str, str] | None:
    """`turn12_text` -> ('turn', '12', '_text'); None for a name without a number."""
    found = _NUMBERED.fullmatch(name)
    return (found.group(1), found.group(2), found.group(3)) if found is not None else None


def family_of(field: FieldSeen, seen: Sequence[FieldSeen]) -> str:
    """`q1` beside `q2` -> `q*`: the path that names all of them; '' where the field has no such fellows."""
    for place, step in enumerate(field.path):
        stem = numbered_stem(step) if isinstance(step, str) else None
        if stem is None:
            continue
        fellows = {
            told[1]
            for one in seen
            if len(one.path) == len(field.path)
            and one.path[:place] == field.path[:place]
            and one.path[place + 1 :] == field.path[place + 1 :]
            and isinstance(one.path[place], str)
            and (told := numbered_stem(str(one.path[place]))) is not None
            and (told[0], told[2]) == (stem[0], stem[2])
        }
        before, after = (_bare(part) for part in (stem[0], stem[2]))
        if len(fellows) > 1 and before is not None and after is not None:
            head, tail = written(field.path[:place]), written(field.path[place + 1 :])
            return ".".join(part for part in (head, f"{before}*{after}", tail) if part)
    return ""


def _bare(part: str) -> str | None:
    """A part of a name as it may stand beside a star; None where it needs quotation marks."""
    return part if part == "" or quoted(part) == part or part.strip() == "" else None


def _numbered_turns(seen: Sequence[FieldSeen]) -> dict[str, str]:
    texts = [field for field in seen if field.in_list is None and isinstance(field.values[0], str)]
    families = Counter(family for field in texts[:200] if (family := family_of(field, texts[:200])))
    sides = list(families)[:2]
    if len(sides) < 2 or abs(families[sides[0]] - families[sides[1]]) > 1:
        return {}
    return {"prompt": sides[0], "response": sides[1]}


def _spoken_lines(seen: Sequence[FieldSeen]) -> dict[str, str]:
    texts = (field for field in seen if field.in_list is None and isinstance(field.values[0], str))
    return next(({"messages": field.written} for field in texts if _is_spoken(field.values[0])), {})


def _two_texts(seen: Sequence[FieldSeen]) -> dict[str, str]:
    texts = [field for field in seen if isinstance(field.values[0], str) and field.values[0].strip()]
    texts = [field for field in texts if not isinstance(parsed(field.values[0]), dict | list)]
    longest = sorted(texts, key=lambda field: -len(field.values[0]))[:2]
    in_order = [field for field in texts if field in longest]
    if len(in_order) == 2:
        return {"prompt": in_order[0].written, "response": in_order[1].written}
    return {"text": in_order[0].written} if in_order else {}


_GUESSES = (_marked_answers, _list_of_messages, _numbered_turns, _spoken_lines, _two_texts)


# -- whom the words of a role mean


def with_role_words(mapping: Mapping, rows: Sequence[Row]) -> Mapping:
    """The mapping with the words for user and assistant that its rows use, where it says who speaks and names none:
    by words that are known, else who opens a conversation asks, and who speaks next answers."""
    part = "conversations" if mapping.shape == "sharegpt" else "messages"
    words = spoken_words(mapping, rows)
    told = form_of(mapping.fields)
    if part not in mapping.fields or not words or (told is not None and (told.words or told.sides)):
        return mapping
    unknown = [word for word in words if word.lower() not in ROLES]
    known = {ROLES[word.lower()] for word in words if word.lower() in ROLES}
    users = [word for word in unknown if word.lower() in _ASK]
    answering = [word for word in unknown if word.lower() in _SAY]
    rest = [word for word in unknown if word not in (*users, *answering)]
    if rest and not users and "user" not in known:
        users.append(rest.pop(0))
    if rest and not answering and "assistant" not in known:
        answering.append(rest.pop(0))
    more = {"user_role": users, "assistant_role": answering}
    named = {role: "|".join(map(quoted_word, found)) for role, found in more.items() if found}
    return replace(mapping, fields=mapping.fields | named)


def quoted_word(word: str) -> str:
    """A word of a role as it is written in a list of words; numbers need no quotation marks there."""
    return word if word.isascii() and word.isalnum() else quoted(word)


def spoken_words(mapping: Mapping, rows: Iterable[Row]) -> list[str]:
    """The words that say who speaks in the messages of some rows, those that open a conversation most often first."""
    form = form_of(mapping.fields)
    list_field = named_parts(mapping).get("messages") or named_parts(mapping).get("conversations") or ""
    role = mapping.fields.get("role", "")
    opening: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for row in rows:
        spoken = (
            [word for _, held in places_of(row, list_field) for word in _speakers(held, role)] if list_field else []
        )
        opening.update(word for word in spoken[:1])
        words.update(spoken)
    if form is None and len(words) > MOST_SPEAKERS:
        return []
    return sorted(words, key=lambda word: (-opening[word], -words[word]))


def _speakers(held: Any, role: str) -> list[str]:
    held = parsed(held)
    if isinstance(held, str):
        return [word for line in held.split("\n") if (word := speaker_of(line))] if _is_spoken(held) else []
    elements = list(held.values()) if isinstance(held, dict) else held if isinstance(held, list) else []
    found: list[str] = []
    for element in map(parsed, elements):
        if isinstance(element, str):
            found += [word for word in [speaker_of(element)] if word]
        elif role:
            found += [plain(value).strip() for _, value in places_of(element, role)[:1]]
    return found
