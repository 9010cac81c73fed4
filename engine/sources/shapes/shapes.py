"""Which fields of one object hold a conversation, by their names and by what stands in them."""

from __future__ import annotations

from typing import Any

from engine.model import Row
from engine.sources.mapping import Mapping
from engine.sources.messages.leaves import is_metadata
from engine.sources.messages.messages import looks_like_message, looks_like_messages
from engine.sources.messages.parts import parsed
from engine.sources.messages.preformatted import messages_of_text
from engine.sources.messages.speakers import SPEAKERS, speaker
from engine.sources.messages.trees import is_reply_tree
from engine.sources.shapes import names
from engine.sources.shapes.beside import beside, is_answer, is_texts, is_verdict
from engine.sources.shapes.names import by_plain_name, plain_name
from engine.sources.shapes.rivals import is_winner, ranked_answers

_FEWEST_WORDS = 3


def guess_fields(row: Row) -> Mapping | None:
    by_name = by_plain_name(row)
    for guess in (_preference, _chat, _pair, _text):
        found = guess(row, by_name)
        if found is not None:
            return with_beside(row, found)
    return None


def with_beside(row: Row, found: Mapping) -> Mapping:
    """A mapping with what stands beside the conversation in this row."""
    more = beside(row, found.fields.values())
    if not more and (found.shape != "preference" or "prompt" in found.fields):
        return found
    if found.shape == "text":
        # The label of a lone text is what a classifier learns.
        more.pop("label", None)
    if found.shape == "preference" and plain_name(more.get("reasoning", "")) in names.REASONS:
        # Why one answer is better is said by whoever compared them.
        more.pop("reasoning")
    fields = found.fields | {part: at for part, at in more.items() if part not in found.fields}
    if found.shape == "preference" and "prompt" not in fields:
        prompt = _prompt_beside(row, by_plain_name(row), set(fields.values()))
        fields = ({"prompt": prompt} if prompt else {}) | fields
    return Mapping(found.shape, fields)


def _held(row: Row, by_name: dict[str, str], name: str) -> Any:
    """The value of a field by its plain name; None where it is empty or not there."""
    value = row.get(by_name[name]) if name in by_name else None
    return None if value in ("", [], {}) else value


def _preference(row: Row, by_name: dict[str, str]) -> Mapping | None:
    for wanted, other in names.PREFERENCES:
        if wanted not in by_name or other not in by_name:
            continue
        if not (is_answer(row[by_name[wanted]]) and is_answer(row[by_name[other]])):
            continue
        fields = {"chosen": by_name[wanted], "rejected": by_name[other]}
        prompt = _prompt_beside(row, by_name, set(fields.values()))
        given = _context_beside(row, by_name, {prompt, *fields.values()}) if prompt else {}
        return Mapping("preference", ({"prompt": prompt} if prompt else {}) | given | fields)
    for one, other in names.RIVALS:
        if one not in by_name or other not in by_name:
            continue
        fields = {"chosen": by_name[one], "rejected": by_name[other]}
        rivals = (by_name[one], by_name[other])
        winners = (by_name[name] for name in names.WINNERS if name in by_name)
        winner = next((name for name in winners if is_winner(row, name, rivals)), "")
        prompt = _prompt_beside(row, by_name, {*fields.values(), winner})
        if winner:
            return Mapping("preference", ({"prompt": prompt} if prompt else {}) | fields | {"winner": winner})
        if prompt:
            # Where nobody says which is the better one, both stand.
            return _as_pair(row, by_name, prompt, by_name[one]).with_field("candidates", by_name[other])
    return None


def _prompt_beside(row: Row, by_name: dict[str, str], taken: set[str]) -> str:
    """The request of a pair of answers, wherever it stands; '' where the answers hold it."""
    for name in ("prompt", *names.CHAT_NAMES, *names.REQUESTS):
        field = by_name.get(name, "")
        if not field or field in taken:
            continue
        value = row[field]
        if looks_like_messages(value) or (isinstance(value, str) and value.strip()):
            return field
        if isinstance(value, dict):
            deeper = only_text(value, field)
            if deeper:
                return deeper
    return ""


def _chat(row: Row, by_name: dict[str, str]) -> Mapping | None:
    """A list of messages: under a name that says so, else under any name."""
    for name in names.CHAT_NAMES:
        if name in by_name and _is_chat(row[by_name[name]], name):
            return _as_chat(row, by_name[name], by_name)
    if any(answer in by_name and request in by_name for request, answer in names.PAIRS):
        return None
    chats = [field for field, value in row.items() if looks_like_messages(value) or is_reply_tree(value)]
    plain = [field for field in chats if not any(word in plain_name(field) for word in names.COPY_WORDS)]
    found = next(iter(plain or chats), "")
    return _as_chat(row, found, by_name) if found else None


def _is_chat(value: Any, name: str) -> bool:
    held = parsed(value)
    if isinstance(held, list) and any(looks_like_message(turn) for turn in held):
        return True
    if isinstance(held, dict):
        return is_numbered(held) or bool(turns_of_columns(held))
    if not isinstance(held, list):
        return False
    # `turns` as texts are those of the user alone (MT-bench), and who speaks in a `history` nobody says.
    return is_list_of_pairs(held) or (len(held) > 1 and is_texts(held) and name in names.TURNS_OF_BOTH)


def is_list_of_pairs(held: list[Any]) -> bool:
    """Turns as pairs: `[[request, answer], …]`, `[{"input", "output"}, …]`."""
    return bool(held) and all(pair_in(turn) is not None for turn in held)


def turns_of_columns(held: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of `{"role": ["user", …], "content": ["Hi", …]}`, as tables of the Hub write a list of objects; []
    where an object is not that."""
    lists = {name: values for name, values in held.items() if isinstance(values, list) and values}
    if len(lists) < 2 or len(lists) != len(held) or len(set(map(len, lists.values()))) != 1:
        return []
    turns = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return turns if looks_like_messages(turns) else []


def is_numbered(held: dict[str, Any]) -> bool:
    """Turns under names that count them: `{"turn_1": {"Human": …, "MOSS": …}, …}`."""
    return bool(held) and all(isinstance(turn, dict) and pair_in(turn) is not None for turn in held.values())


def pair_in(turn: Any) -> tuple[str | int, str | int] | None:
    """The keys of request and answer in one turn that holds both; None where it is no such turn."""
    if isinstance(turn, list):
        # The last pair of a history (Gradio's) may wait for its answer.
        return (0, 1) if len(turn) == 2 and isinstance(turn[0], str) and isinstance(turn[1], str | None) else None
    if not isinstance(turn, dict):
        return None
    by_name = by_plain_name(turn)
    for request, answer in names.PAIRS:
        if request in by_name and answer in by_name and not isinstance(turn[by_name[answer]], bool | int | float):
            return by_name[request], by_name[answer]
    return None


def _as_chat(row: Row, field: str, by_name: dict[str, str]) -> Mapping | None:
    """The mapping of a list of messages, unless it is one half of a pair: then the pair is the row."""
    held = parsed(row[field])
    if plain_name(field) in names.HISTORIES or (
        plain_name(field) in names.REQUESTS and field not in by_name.get("messages", "")
    ):
        pair = _pair(row, by_name) or (_said_next(row, by_name) if plain_name(field) in names.HISTORIES else None)
        if pair is not None and pair.fields["instruction"] != pair.fields.get("output"):
            return pair
    if looks_like_messages(held) and all("from" in turn and "role" not in turn for turn in held):
        return Mapping("sharegpt", {"conversations": field})
    return Mapping("messages", {"messages": field})


def _said_next(row: Row, by_name: dict[str, str]) -> Mapping | None:
    """A request behind a history that waits for its answer."""
    asked = next((by_name[name] for name in names.REQUESTS if name in by_name and _asks(name, row[by_name[name]])), "")
    if not asked:
        return None
    fields = _as_pair(row, by_name, asked, asked).fields
    return Mapping("alpaca", {part: field for part, field in fields.items() if part != "output"})


def _pair(row: Row, by_name: dict[str, str]) -> Mapping | None:
    for request, answer in names.PAIRS:
        if request in by_name and answer in by_name and _are_sides(row, by_name[request], by_name[answer]):
            return _as_pair(row, by_name, by_name[request], by_name[answer])
    requests = [by_name[name] for name in names.REQUESTS if name in by_name and _asks(name, row[by_name[name]])]
    answers = [by_name[name] for name in names.ANSWERS if name in by_name and _has_text(row[by_name[name]])]
    if not answers:
        # `generated_solution`, `gpt4_response`: where only one name says so.
        called = [name for name in row if names.ends_on_answer(name) and _has_text(row[name])]
        answers = called if len(called) == 1 else []
    for asked in requests:
        for said in answers:
            if asked != said and not is_verdict(row[said]):
                return _as_pair(row, by_name, asked, said)
    return None


def _are_sides(row: Row, request: str, answer: str) -> bool:
    """Whether two fields can be the halves of a row. One of the two may be empty."""
    asked, said = row[request], row[answer]
    if is_verdict(said) or _is_spans(said):
        return False
    if isinstance(asked, str) and asked.strip() and _is_structured(said, request, answer):
        return True
    if _is_numbers(asked) or _is_numbers(said):
        return False
    if isinstance(said, bool | int | float):
        # `{"question", "answer": 42}`; the number beside any other text is more likely a class.
        return plain_name(answer) in names.ANSWERS_TO and isinstance(asked, str) and bool(asked.strip())
    if isinstance(asked, dict) and not looks_like_message(asked) and not only_text(asked, request):
        return False
    return not (isinstance(said, dict) and not looks_like_message(said) and not only_text(said, answer))


def _is_structured(said: Any, request: str, answer: str) -> bool:
    """Whether an answer is a value: an object to extract, a number. Only where the names leave no doubt, and where it
    is no answer of a model with words somewhere inside."""
    if (plain_name(request), plain_name(answer)) not in names.SURE_PAIRS:
        return False
    if not isinstance(said, dict):
        return (isinstance(said, bool | int | float) or _is_numbers(said)) and plain_name(request) == "instruction"
    return bool(said) and not any(plain_name(name) in names.OF_ENVELOPES for name in said)


def _is_numbers(value: Any) -> bool:
    """Whether a value is a list of numbers: ids of tokens, features, no words."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, int | float) for one in value)


def _is_spans(value: Any) -> bool:
    """Whether a value says which parts of a text are what: `[[0, 2, "ORG"], …]`."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, list) and one[:2] for one in value)
        and all(isinstance(place, int) for one in value for place in one[:2])
    )


def _has_text(value: Any) -> bool:
    if isinstance(value, str):
        return bool(value.strip())
    return is_texts(value) or looks_like_messages(value) or bool(ranked_answers(value))


def _asks(name: str, value: Any) -> bool:
    """Whether a field can be the request: under `user` a word alone is somebody's name."""
    if name in names.SPEAKERS and isinstance(value, str) and len(value.split()) < _FEWEST_WORDS:
        return False
    return _has_text(value)


def _as_pair(row: Row, by_name: dict[str, str], request: str, answer: str) -> Mapping:
    said = answer if _is_structured(row[answer], request, answer) else _inside(row, answer)
    fields = {"instruction": _inside(row, request)} | first_choice(said)
    fields |= _context_beside(row, by_name, {request, answer})
    history = next((by_name[name] for name in names.HISTORIES if name in by_name), "")
    if history and history not in (request, answer) and isinstance(parsed(row[history]), list):
        fields["history"] = history
    return Mapping("alpaca", fields)


def _context_beside(row: Row, by_name: dict[str, str], taken: set[str]) -> dict[str, str]:
    """What a request is asked about, in a field of its own."""
    fields = (by_name[name] for name in names.CONTEXTS if name in by_name)
    found = (name for name in fields if name not in taken and (row[name] is None or isinstance(row[name], str)))
    return {"input": given} if (given := next(found, "")) else {}


def first_choice(path: str) -> dict[str, str]:
    """The mapping of an answer; of several that came back at once (`choices`) the first is the answer."""
    return {"output": f"{path}.0", "candidates": path} if plain_name(path) == "choices" else {"output": path}


def _inside(row: Row, field: str) -> str:
    """Where in a field the words stand: in the field itself, or in the one place of an object that holds words."""
    value = row[field]
    if isinstance(value, dict) and not looks_like_message(value):
        return only_text(value, field) or field
    return field


def only_text(held: dict[str, Any], at: str) -> str:
    """The path of the messages, or of the one text, inside an object; '' where that is not clear."""
    chats = [name for name, value in held.items() if looks_like_messages(value) or looks_like_message(value)]
    if chats:
        return f"{at}.{chats[0]}"
    texts = [name for name, value in held.items() if (isinstance(value, str) and value.strip()) or is_texts(value)]
    texts = [name for name in texts if plain_name(name) != "label" and not _is_the_records_own(name, held[name])]
    told = [name for name in texts if plain_name(name) in (*names.REQUESTS, *names.ANSWERS)]
    if len(texts) == 1 or len(told) == 1:
        return f"{at}.{(told or texts)[0]}"
    return ""


def _is_the_records_own(name: str, value: Any) -> bool:
    return is_metadata((name,), value if isinstance(value, str) else value[0], in_message=True)


def _text(row: Row, by_name: dict[str, str]) -> Mapping | None:
    if speaker(dict(row)) in SPEAKERS:
        # One message of a conversation that nothing ties to the others: what a user says is nothing to learn.
        return None
    texts = [name for name in names.TEXTS if name in by_name and isinstance(row[by_name[name]], str)]
    for name in texts:
        if name in names.TEXTS[:2] or messages_of_text(row[by_name[name]]) is not None:
            return Mapping("text", {"text": by_name[name]})
    return None


def guess_alone(row: Row) -> Mapping | None:
    """A text with the markers of a chat, whatever it is called, or a request that waits for its answer."""
    for name, value in row.items():
        if isinstance(value, str) and messages_of_text(value) is not None:
            return Mapping("text", {"text": name})
    by_name = by_plain_name(row)
    for name in names.REQUESTS[:8]:
        if isinstance(_held(row, by_name, name), str) and _asks(name, row[by_name[name]]):
            found = _as_pair(row, by_name, by_name[name], by_name[name])
            fields = {part: at for part, at in found.fields.items() if part != "output"}
            return Mapping("alpaca", fields | beside(row, fields.values()))
    return None
