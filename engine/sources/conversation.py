"""Which field of a row is what: from a row in its own shape to its conversation.

The raw row is always kept, so a shape only has to say where the texts are; nothing is converted on reading. What no
shape asks for is sorted by `leaves.py` and carried beside the messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any

from engine.model import Conversation, Leaf, Message, Part, PartType, Row
from engine.sources.beside import label_of, says_label
from engine.sources.guess import guess_row
from engine.sources.leaves import Left, is_rendering, sorted_leaves
from engine.sources.mapping import Mapping, Path, located, parse_path, value_at
from engine.sources.messages import looks_like_messages, messages_in, one_side, tools_in
from engine.sources.parts import is_parts, json_text, parsed, plain, said_in
from engine.sources.preformatted import messages_of_text, system_of_text
from engine.sources.rivals import asked_and_said, behind, ranked_answers, tail_of, verdict
from engine.sources.shapes import is_numbered, pair_in
from engine.sources.trees import current_of, is_linked, is_node_map, is_reply_tree, linked, node_map, reply_tree

Branch = tuple[Message, ...]
_MEDIA: tuple[tuple[str, PartType], ...] = (("images", "image"), ("audios", "audio"), ("videos", "video"))
_HALVES = frozenset({"instruction", "input", "output", "messages", "conversations", "prompt", "chosen", "text"})
_PLAIN_KEYS = frozenset({"role", "from"})
_SURE_LABELS = (
    *("label", "kto_tag", "kto_label", "desirable", "is_desirable", "is_good", "thumbs_up", "feedback", "answer"),
)


def conversation_of(row: Row, mapping: Mapping) -> Conversation:
    """What `row` holds by this mapping; a row of another shape than the mapping's is read by its own."""
    found = _Reading(row, mapping).conversation()
    if found.messages and not _lacks_answer(row, mapping):
        return found
    own = guess_row(row)
    by_own = _Reading(row, own).conversation() if own is not None and own != mapping else Conversation()
    return by_own if _is_better(by_own, found) else found


def as_mapped(row: Row, mapping: Mapping) -> Conversation:
    """What `row` holds by this mapping alone: a field that it names and that is not there is empty."""
    return _Reading(row, mapping).conversation()


def mapping_of(row: Row, mapping: Mapping) -> Mapping:
    """The mapping that a row is read by: that of its source, or its own."""
    found = _Reading(row, mapping).conversation()
    if found.messages and not _lacks_answer(row, mapping):
        return mapping
    own = guess_row(row)
    return own if own is not None and _is_better(_Reading(row, own).conversation(), found) else mapping


def _lacks_answer(row: Row, mapping: Mapping) -> bool:
    """Whether the field that should hold the answer is not in the row at all, so that it may be elsewhere."""
    part = {"alpaca": "output", "preference": "chosen"}.get(mapping.shape, "")
    return part in mapping.fields and value_at(row, parse_path(mapping.fields[part])) is None


def _is_better(by_own: Conversation, found: Conversation) -> bool:
    """Whether a row says more by its own shape: messages at all, or an answer."""
    if not found.messages or not by_own.messages:
        return bool(by_own.messages)
    said = by_own.messages[-1]
    return said.role == "assistant" and bool(said.content or said.tool_calls)


class _Reading:
    """One row on its way to a conversation: what was read of it, and what was left."""

    def __init__(self, row: Row, mapping: Mapping) -> None:
        self.row = row
        self.shape = mapping.shape
        self.fields = mapping.fields
        self.left: list[Left] = []
        self.read: list[Path] = []
        self.rejected: tuple[Branch, ...] = ()
        self.candidates: tuple[Branch, ...] = ()
        self.is_bad = False
        self.told: tuple[Leaf, ...] = ()

    def conversation(self) -> Conversation:
        messages = self._messages()
        tools: tuple[str, ...] = ()
        label: bool | None = None
        if not _HALVES.issuperset(self.fields):
            messages = self._with_media(self._with_reasoning(self._with_system(messages)))
            tools = tools_in(self._value("tools"))
            if self.shape != "preference":
                self.rejected = tuple(behind(messages, one) for one in self._answers("rejected"))
            self.candidates += tuple(one for one in self._answers("candidates") if one != messages[-len(one) :])
        if not self._is_all_read():
            label = self._label()
            self._leave(self.row, ())
        if self.is_bad:
            label = False
        if not self.left:
            return Conversation(messages, tools, self.rejected, self.candidates, label, metadata=self.told)
        return self._with_left(messages, tools, label)

    def _with_left(self, messages: Branch, tools: tuple[str, ...], label: bool | None) -> Conversation:
        tools += tuple(
            chain.from_iterable(tools_in(held) for path, held, inside in self.left if inside and path[-1] == "tools")
        )
        left = [one for one in self.left if not (one[2] and one[0][-1] == "tools") and not _repeats(one[1], messages)]
        everything = (messages, *self.rejected, *self.candidates)
        other, links, metadata = sorted_leaves(left, _texts_of(chain.from_iterable(everything)))
        spoken = [message.text for message in messages if message.role != "system" and message.text.strip()]
        # Many sets hold a rendering of the whole conversation beside it.
        rendered = [leaf for leaf in other if is_rendering(leaf, spoken)] if len(spoken) > 1 else []
        if rendered:
            other = tuple(leaf for leaf in other if leaf not in rendered)
            metadata += tuple(rendered)
        return Conversation(messages, tools, self.rejected, self.candidates, label, other, links, metadata + self.told)

    def _label(self) -> bool | None:
        """Whether the answer is wanted. A bad one is not taken for a good one because the mapping names no label, or
        that of other rows."""
        value = self._value("label")
        label = label_of(value)
        if label is None and value is not None:
            self.left.append((self._at("label"), value, False))
        if label is not None or self.shape == "text":
            return label
        told = next((name for name in _SURE_LABELS if says_label(name, self.row.get(name))), "")
        if not told or (told,) in self.read:
            return None
        self.read.append((told,))
        return label_of(self.row[told])

    # -- fields

    def _value(self, part: str) -> Any:
        """The value of a part of the mapping, which thereby is read; None where it is not there."""
        name = self.fields.get(part)
        if name is None:
            return None
        if name in self.row:
            self.read.append((name,))
            return self.row[name]
        steps, value = located(self.row, parse_path(name))
        if value is not None:
            self.read.append(steps)
        return value

    def _at(self, part: str) -> Path:
        name = self.fields.get(part, "")
        return (name,) if name in self.row else located(self.row, parse_path(name))[0]

    def _is_all_read(self) -> bool:
        return len(self.read) >= len(self.row) and self.row.keys() <= {path[0] for path in self.read if len(path) == 1}

    def _leave(self, held: Any, at: Path) -> None:
        """Note everything below a place that was not read."""
        inside = held.items() if isinstance(held, dict) else enumerate(held)
        for step, value in inside:
            path = (*at, step)
            if path in self.read or value is None:
                continue
            if any(read[: len(path)] == path for read in self.read):
                self._leave(value, path)
            else:
                self.left.append((path, value, False))

    # -- shapes

    def _messages(self) -> Branch:
        if self.shape in ("messages", "sharegpt"):
            part = "messages" if self.shape == "messages" else "conversations"
            value = self._value(part)
            # The commonest of all: a list of messages.
            if isinstance(value, list) and value and isinstance(value[0], dict) and _PLAIN_KEYS & value[0].keys():
                return messages_in(value, self._at(part), self.left)
            messages, self.candidates = self._turns(value, self._at(part))
            return messages
        if self.shape == "preference":
            return self._preference()
        if self.shape == "text":
            value = self._value("text")
            return _text_messages(value) if isinstance(value, str) else self._side("text", value, "assistant")
        return self._pair()

    def _turns(self, value: Any, at: Path) -> tuple[Branch, tuple[Branch, ...]]:
        """The conversation in a value of any of the forms that hold one, and its other branches."""
        held = parsed(value)
        if is_reply_tree(held):
            return reply_tree(held, at, self.left)
        if is_node_map(held) or is_linked(held):
            current = current_of(self.row, at)
            if current is not None:
                self.read.append(current[0])
                self.left.append((*current, True))
            return (node_map if isinstance(held, dict) else linked)(held, current and current[1], at, self.left)
        if isinstance(held, str):
            return _text_messages(held), ()
        if isinstance(held, dict) and is_numbered(held):
            return self._paired(held.items(), at), ()
        if isinstance(held, list) and held and not looks_like_messages(held):
            if all(pair_in(turn) is not None for turn in held):
                return self._paired(enumerate(held), at), ()
            if len(held) > 1 and all(isinstance(text, str) for text in held):
                return tuple(Message(("user", "assistant")[place % 2], text) for place, text in enumerate(held)), ()
        return messages_in(held, at, self.left), ()

    def _paired(self, turns: Iterable[tuple[int | str, Any]], at: Path) -> Branch:
        """Turns that hold request and answer each, with the place where each stands."""
        messages: list[Message] = []
        for place, turn in turns:
            keys = pair_in(turn)
            if keys is None:
                continue
            messages += self._side("", turn[keys[0]], "user", (*at, place, keys[0]))
            messages += self._side("", turn[keys[1]], "assistant", (*at, place, keys[1]))
            if isinstance(turn, dict):
                self.left += [((*at, place, key), inner, True) for key, inner in turn.items() if key not in keys]
        return tuple(messages)

    def _side(self, part: str, value: Any, role: str, at: Path = ()) -> Branch:
        if isinstance(value, bool | int | float):
            return (Message(role, json_text(value)),)
        return one_side(value, role, at or self._at(part), self.left, calls="tools" in self.fields)

    def _answers(self, part: str) -> tuple[Branch, ...]:
        """One answer or several: a text, a list of messages, or a list of either."""
        value = self._value(part)
        held = parsed(value)
        at = self._at(part)
        if isinstance(held, list) and held and not looks_like_messages(held):
            answers = [self._side(part, answer, "assistant", (*at, place)) for place, answer in enumerate(held)]
        elif isinstance(held, list) and part == "candidates":
            answers = [messages_in(answer, (*at, place), self.left) for place, answer in enumerate(held)]
        else:
            answers = [self._side(part, value, "assistant")]
        return tuple(answer for answer in answers if answer)

    def _preference(self) -> Branch:
        """The request and the answer that is wanted. Whole chats in both answers share the request."""
        asked = self._prompt()
        wanted, *further = self._chats("chosen") or [()]
        unwanted = self._chats("rejected")
        if "winner" in self.fields:
            said = verdict(self.row, self.fields["winner"], (self.fields["chosen"], self.fields["rejected"]))
            value = self._value("winner")
            if value is not None:
                self.told = (Leaf(".".join(map(str, self._at("winner"))), json_text(value)),)
            if said in ("tie", "neither"):
                further, unwanted = [*further, *unwanted], []
                self.is_bad = said == "neither"
            elif said == "second" and unwanted:
                wanted, unwanted = unwanted[0], [wanted]
        asked, wanted = asked_and_said(asked, wanted, unwanted)
        self.rejected = tuple(tail_of(one, asked) for one in unwanted if one)
        self.candidates = tuple(tail_of(one, asked) for one in further if one)
        return (*asked, *wanted)

    def _prompt(self) -> Branch:
        value = self._value("prompt")
        if value is None:
            return ()
        if isinstance(value, str):
            return (messages_of_text(value) or (Message("user", value),)) if value.strip() else ()
        return self._turns(value, self._at("prompt"))[0]

    def _chats(self, part: str) -> list[Branch]:
        """The answers in a field, each as its messages; a text may be a whole chat with markers."""
        value = self._value(part)
        if isinstance(value, str):
            return [messages_of_text(value) or self._side(part, value, "assistant")] if value.strip() else []
        return list(self._answers_in(value, self._at(part)))

    def _answers_in(self, value: Any, at: Path) -> Iterable[Branch]:
        if isinstance(value, list) and value and all(isinstance(answer, str | list) for answer in value):
            return [one_side(answer, "assistant", (*at, place), self.left) for place, answer in enumerate(value)]
        side = one_side(value, "assistant", at, self.left)
        return [side] if side else []

    def _pair(self) -> Branch:
        asked, said = self._value("instruction"), self._value("output")
        given = self._value("input") if "input" in self.fields else None
        if asked is None and said is None and not given:
            return ()
        request = self._request(asked, given)
        earlier: Branch = ()
        if "history" in self.fields:
            earlier = self._turns(self._value("history"), self._at("history"))[0]
        if "output" not in self.fields:
            return (*earlier, *request)
        if isinstance(said, list) and said and all(isinstance(text, str) for text in said):
            self.candidates = tuple(one_side(text, "assistant", (), self.left) for text in said[1:])
            said = said[0]
        elif ranked := ranked_answers(said):
            return (*earlier, *request, *self._best_of(ranked, said))
        answer = self._side("output", said, "assistant") if said is not None and said != "" else ()
        if not answer and not request:
            request = (Message("user"),)
        # An empty answer is one: it is what is wrong with the row.
        return (*earlier, *request, *(answer or (Message("assistant", plain(said)),)))

    def _best_of(self, ranked: list[tuple[int, str]], said: list[dict[str, Any]]) -> Branch:
        """The best of several answers, each in an object of its own; the others are further answers."""
        at = self._at("output")
        best, *further = [self._side("", said[place][key], "assistant", (*at, place, key)) for place, key in ranked]
        self.candidates += tuple(further)
        for place, key in ranked:
            self.left += [((*at, place, name), value, True) for name, value in said[place].items() if name != key]
        return best

    def _request(self, asked: Any, given: Any) -> Branch:
        request = self._side("instruction", asked, "user")
        context = plain(given)
        if not context.strip():
            return request
        if len(request) == 1 and isinstance(request[0].content, str):
            return (Message("user", f"{request[0].content}\n\n{context}"),)
        return (*request, Message("user", context))

    # -- what stands beside

    def _with_system(self, messages: Branch) -> Branch:
        value = self._value("system")
        if isinstance(value, str) and isinstance(parts := parsed(value), list) and is_parts(parts):
            value = parts
        if value in (None, "", [], {}):
            return messages
        if isinstance(value, str):
            content: Any = system_of_text(value)
        else:
            said = said_in(value, self._at("system"))
            self.left += [(path, inner, True) for path, inner in said.left if path[-1] != "role"]
            content = said.content
        if not (content.strip() if isinstance(content, str) else content):
            return messages
        if messages and messages[0] == Message("system", content):
            return messages
        return (Message("system", content), *messages)

    def _with_reasoning(self, messages: Branch) -> Branch:
        """Reasoning in a field of its own belongs to the closing answer."""
        value = self._value("reasoning")
        if not isinstance(value, str) or not value.strip():
            return messages
        if not messages or messages[-1].role != "assistant" or messages[-1].reasoning:
            self.left.append((self._at("reasoning"), value, False))
            return messages
        last = messages[-1]
        return (
            *messages[:-1],
            Message("assistant", last.content, value, last.tool_calls, last.tool_call_id, last.name, last.train),
        )

    def _with_media(self, messages: Branch) -> Branch:
        """Media in a column of their own belong to the first request, as trainers read them."""
        parts: list[Part] = []
        for field, kind in _MEDIA:
            value = self._value(field)
            for held in value if isinstance(value, list) else () if value is None else (value,):
                said = said_in([{kind: held}])
                parts += [part for part in said.parts if part.type == kind] or [Part(kind, plain(held))]
        if not parts:
            return messages
        place = next((place for place, message in enumerate(messages) if message.role == "user"), -1)
        if place < 0:
            return (Message("user", tuple(parts)), *messages)
        asked = messages[place]
        texts = asked.content if isinstance(asked.content, tuple) else (Part("text", asked.content),)
        shown = Message("user", (*parts, *texts), name=asked.name)
        return (*messages[:place], shown, *messages[place + 1 :])


def _text_messages(text: str) -> Branch:
    """A text that is the whole row: its turns where it has the form of a chat, else what is to be learnt."""
    return messages_of_text(text) or ((Message("assistant", text),) if text else ())


def _texts_of(messages: Iterable[Message]) -> Collection[str]:
    """Everything that these messages say, as single texts."""
    texts: set[str] = set()
    for message in messages:
        if isinstance(message.content, str):
            texts.add(message.content)
        else:
            texts.update(part.value for part in message.content)
        texts.update((message.reasoning, message.written))
    return texts - {""}


def _repeats(held: Any, messages: Branch) -> bool:
    """Whether a value is a list of messages that were all read already, elsewhere in the row."""
    if not looks_like_messages(held):
        return False
    return set(messages_in(held, (), [])) <= set(messages)


def trainable(turns: Sequence[Message]) -> bool:
    """Whether a trainer can learn from these turns: an answer at the end. A row need not have a request."""
    return bool(turns) and turns[-1].role == "assistant"
