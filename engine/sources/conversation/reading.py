"""One row on its way from its own shape to its conversation: which field of it is what.

The raw row is always kept, so a shape only has to say where the texts are; nothing is converted on reading. What no
shape asks for is sorted by `leaves.py` and carried beside the messages.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import chain
from typing import Any

from engine.model import Conversation, Leaf, Message, Row
from engine.sources.conversation.attached import with_attached
from engine.sources.conversation.row_fields import RowFields, is_missing, joined
from engine.sources.mapping import Mapping, Path
from engine.sources.messages.leaves import is_rendering, sorted_leaves
from engine.sources.messages.messages import looks_like_messages, messages_in, one_side, tools_in
from engine.sources.messages.own_messages import NO_FORM, MessageForm, form_of, own_messages, spoken_lines
from engine.sources.messages.parts import json_text, parsed, plain
from engine.sources.messages.places import is_numbered_path, named_by
from engine.sources.messages.preformatted import messages_of_text
from engine.sources.messages.trees import (
    current_of,
    is_linked,
    is_node_map,
    is_reply_tree,
    linked,
    node_map,
    reply_tree,
)
from engine.sources.shapes import names
from engine.sources.shapes.beside import label_of, mark_of, says_label
from engine.sources.shapes.rivals import asked_and_said, behind, ranked_answers, tail_of, verdict
from engine.sources.shapes.shapes import is_numbered, pair_in, turns_of_columns

Branch = tuple[Message, ...]
_HALVES = frozenset({"instruction", "input", "output", "messages", "conversations", "prompt", "chosen", "text"})
# A request in Anthropic's markers that ends where the answer begins, and one in those of OIG and Huatuo.
_WAITING = re.compile(r"\s*Human:.*\n\nAssistant:\s*|\s*<(?:human|user)>:.*", re.DOTALL)
_PLAIN_KEYS = frozenset({"role", "from"})
_SURE_LABELS = (
    *("label", "kto_tag", "kto_label", "desirable", "is_desirable", "is_good", "thumbs_up", "feedback", "answer"),
)


class Reading:
    """One row on its way to a conversation: what was read of it, and what was left."""

    def __init__(self, row: Row, mapping: Mapping) -> None:
        self.row = row
        self.shape = mapping.shape
        self.names = mapping.fields
        self.is_plain = _HALVES.issuperset(mapping.fields)
        self.form: MessageForm | None = None if self.is_plain else form_of(mapping.fields)
        self.fields = RowFields(row, mapping.fields)
        self.left = self.fields.left
        self.rejected: tuple[Branch, ...] = ()
        self.candidates: tuple[Branch, ...] = ()
        self.is_bad = False
        self.told: tuple[Leaf, ...] = ()

    def conversation(self) -> Conversation:
        messages = self._messages()
        tools: tuple[str, ...] = ()
        label: bool | None = None
        if not self.is_plain:
            messages = with_attached(messages, self.fields)
            tools = tools_in(self.fields.value("tools"))
            if self.shape != "preference":
                self.rejected = tuple(behind(messages, one) for one in self._answers("rejected"))
            known = (*self.rejected, *self.candidates)
            self.candidates += tuple(
                one for one in self._answers("candidates") if one not in known and one != messages[-len(one) :]
            )
        if not self.fields.is_all_read():
            label = self._label()
            self.fields.leave_rest()
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
        told = self._told_of if {"metadata", "other"} & self.names.keys() else None
        other, links, metadata = sorted_leaves(left, _texts_of(chain.from_iterable(everything)), told)
        spoken = [message.text for message in messages if message.role != "system" and message.text.strip()]
        # Many sets hold a rendering of the whole conversation beside it.
        rendered = [leaf for leaf in other if is_rendering(leaf, spoken)] if len(spoken) > 1 else []
        if rendered:
            other = tuple(leaf for leaf in other if leaf not in rendered)
            metadata += tuple(rendered)
        return Conversation(messages, tools, self.rejected, self.candidates, label, other, links, metadata + self.told)

    def _told_of(self, path: Path) -> bool | None:
        """Whether the mapping says of a place that it is metadata; None where it says nothing."""
        own = {part: named_by(self.names[part], path) for part in ("metadata", "other") if part in self.names}
        return None if not any(own.values()) else own.get("metadata", 0) > own.get("other", 0)

    def _label(self) -> bool | None:
        """Whether the answer is wanted. A bad one is not taken for a good one because the mapping names no label, or
        that of other rows."""
        value = self.fields.value("label")
        label = label_of(value)
        if label is None and value is not None:
            self.left.append((self.fields.at("label"), value, False))
        if label is not None or self.shape == "text":
            return label
        told = next((name for name in _SURE_LABELS if says_label(name, self.row.get(name))), "")
        if not told or (told,) in self.fields.read or (not self.is_plain and self._told_of((told,)) is not None):
            return None
        self.fields.read.append((told,))
        return label_of(self.row[told])

    # -- shapes

    def _messages(self) -> Branch:
        if self.shape in ("messages", "sharegpt"):
            part = "messages" if self.shape == "messages" else "conversations"
            if self.form is not None or self._is_numbered(part):
                form = self.form or NO_FORM
                lists = self.fields.places(part)
                return tuple(said for at, held in lists for said in own_messages(held, form, at, self.left))
            value = self.fields.value(part)
            # The commonest of all: a list of messages.
            if isinstance(value, list) and value and isinstance(value[0], dict) and _PLAIN_KEYS & value[0].keys():
                return messages_in(value, self.fields.at(part), self.left)
            messages, self.candidates = self._turns(value, self.fields.at(part))
            return messages
        if self.shape == "preference":
            return self._preference()
        if self.shape == "text":
            value = self.fields.value("text")
            return _text_messages(value) if isinstance(value, str) else self._side("text", value, "assistant")
        return self._pair()

    def _turns(self, value: Any, at: Path) -> tuple[Branch, tuple[Branch, ...]]:
        """The conversation in a value of any of the forms that hold one, and its other branches."""
        held = parsed(value)
        if self.form is not None and held is not None:
            return own_messages(held, self.form, at, self.left), ()
        if is_reply_tree(held):
            return reply_tree(held, at, self.left)
        if is_node_map(held) or is_linked(held):
            current = current_of(self.row, at)
            if current is not None:
                self.fields.read.append(current[0])
                self.left.append((*current, True))
            return (node_map if isinstance(held, dict) else linked)(held, current and current[1], at, self.left)
        if isinstance(held, str):
            return messages_of_text(held) or spoken_lines(held) or _text_messages(held), ()
        if isinstance(held, dict) and is_numbered(held):
            return self._paired(held.items(), at), ()
        if isinstance(held, dict) and (turns := turns_of_columns(held)):
            return messages_in(turns, at, self.left), ()
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
            # XTuner says the system prompt in the first pair.
            system = "" if messages or not isinstance(turn, dict) else _system_in(turn)
            if system:
                messages += self._side("", turn[system], "system", (*at, place, system))
            messages += self._side("", turn[keys[0]], "user", (*at, place, keys[0]))
            messages += self._side("", turn[keys[1]], "assistant", (*at, place, keys[1]))
            if isinstance(turn, dict):
                self.left += [
                    ((*at, place, key), inner, True) for key, inner in turn.items() if key not in (*keys, system)
                ]
        return tuple(messages)

    def _side(self, part: str, value: Any, role: str, at: Path = ()) -> Branch:
        if isinstance(value, bool | int | float):
            return (Message(role, json_text(value)),)
        if self.form is not None and isinstance(parsed(value), list | dict):
            return own_messages(value, self.form, at or self.fields.at(part), self.left)
        return one_side(value, role, at or self.fields.at(part), self.left, calls="tools" in self.names)

    def _answers(self, part: str) -> tuple[Branch, ...]:
        """One answer or several: a text, a list of messages, or a list of either."""
        if self._is_numbered(part):
            return self._each(part)
        value = self.fields.value(part)
        held = parsed(value)
        at = self.fields.at(part)
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
        if "input" in self.names:
            asked = _with_context(asked, self.fields.value("input"))
        wanted, *further = self._chats("chosen") or [()]
        unwanted = self._chats("rejected")
        if "winner" in self.names:
            said = verdict(self.row, self.names["winner"], (self.names["chosen"], self.names["rejected"]))
            value = self.fields.value("winner")
            if value is not None:
                self.told = (Leaf(".".join(map(str, self.fields.at("winner"))), json_text(value)),)
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
        value = self.fields.value("prompt")
        if value is None:
            return ()
        if isinstance(value, str):
            return (messages_of_text(value) or (Message("user", value),)) if value.strip() else ()
        return self._turns(value, self.fields.at("prompt"))[0]

    def _chats(self, part: str) -> list[Branch]:
        """The answers in a field, each as its messages; a text may be a whole chat with markers."""
        if self._is_numbered(part):
            return list(self._each(part))
        value = self.fields.value(part)
        if isinstance(value, str):
            return [messages_of_text(value) or self._side(part, value, "assistant")] if value.strip() else []
        return list(self._answers_in(value, self.fields.at(part)))

    def _answers_in(self, value: Any, at: Path) -> Iterable[Branch]:
        if isinstance(value, list) and value and all(isinstance(answer, str | list) for answer in value):
            return [one_side(answer, "assistant", (*at, place), self.left) for place, answer in enumerate(value)]
        side = one_side(value, "assistant", at, self.left)
        return [side] if side else []

    def _is_numbered(self, part: str) -> bool:
        return "*" in self.names.get(part, "") and is_numbered_path(self.names[part])

    def _each(self, part: str) -> tuple[Branch, ...]:
        """What stands at each of the places that a field with a star names, as answers."""
        answers = [self._side(part, value, "assistant", at) for at, value in self.fields.places(part)]
        return tuple(answer for answer in answers if answer)

    def _pair(self) -> Branch:
        has_star = "*" in self.names.get("instruction", "") or "*" in self.names.get("output", "")
        if has_star and (self._is_numbered("instruction") or self._is_numbered("output")):
            return self._numbered()
        asked, said = self.fields.value("instruction"), self.fields.value("output")
        given = self.fields.value("input") if "input" in self.names else None
        if asked is None and said is None and not given:
            return ()
        request = self._request(asked, given)
        earlier: Branch = ()
        if "history" in self.names:
            earlier = self._turns(self.fields.value("history"), self.fields.at("history"))[0]
        if "output" not in self.names:
            return (*earlier, *request)
        if isinstance(said, list) and said and all(isinstance(text, str) for text in said):
            # SQuAD says the same answer several times.
            further = (text for text in dict.fromkeys(said) if text != said[0])
            self.candidates = tuple(one_side(text, "assistant", (), self.left) for text in further)
            said = said[0]
        elif ranked := ranked_answers(said):
            return (*earlier, *request, *self._best_of(ranked, said))
        answer = self._side("output", said, "assistant") if said is not None and said != "" else ()
        if not answer and not request:
            request = (Message("user"),)
        if said is None and request and is_missing(self.row.get(self.names["output"])):
            return (*earlier, *request)
        # An empty answer is one: it is what is wrong with the row.
        return (*earlier, *request, *(answer or (Message("assistant", plain(said)),)))

    def _numbered(self) -> Branch:
        """Several requests and answers by their numbers (`q*`, `a*`), or several answers to one request."""
        asked = self.fields.numbered("instruction")
        said = self.fields.numbered("output")
        earlier = (
            self._turns(self.fields.value("history"), self.fields.at("history"))[0] if "history" in self.names else ()
        )
        given = self.fields.value("input") if "input" in self.names else None
        if not self._is_numbered("instruction"):
            answers = [self._side("output", value, "assistant", at) for _, at, value in said]
            best = self._best_place([count for count, _, _ in said])
            self.candidates = tuple(one for place, one in enumerate(answers) if place != best and one)
            request = self._request(joined(value for _, _, value in asked), given)
            return (*earlier, *request, *((answers[best] if answers else ()) or (Message("assistant"),)))
        turns = [(count, 0, at, value) for count, at, value in asked] + [
            (count, 1, at, value) for count, at, value in said
        ]
        spoken: Branch = ()
        for _, side, at, value in sorted(turns, key=lambda turn: turn[:2]):
            if side == 0 and not spoken and given:
                spoken += self._request(value, given)
            elif value != "":
                spoken += self._side("", value, ("user", "assistant")[side], at)
            elif side == 1 and spoken and spoken[-1].role == "user":
                # An empty answer is one: it is what is wrong with the row.
                spoken += (Message("assistant"),)
        return (*earlier, *spoken)

    def _best_place(self, counts: list[tuple[int, ...]]) -> int:
        """Which of several answers is the best by the flags or scores that stand beside them; else the first."""
        marks = {count: mark_of(value) for count, _, value in self.fields.numbered("winner")}
        found = [marks.get(count) for count in counts]
        if None in found or not found:
            return 0
        self.is_bad = all(marks.get(count) is False for count in counts)
        return max(range(len(found)), key=lambda place: (found[place] or 0, -place))

    def _best_of(self, ranked: list[tuple[int, str]], said: list[dict[str, Any]]) -> Branch:
        """The best of several answers, each in an object of its own; the others are further answers."""
        at = self.fields.at("output")
        best, *further = [self._side("", said[place][key], "assistant", (*at, place, key)) for place, key in ranked]
        self.candidates += tuple(further)
        for place, key in ranked:
            self.left += [((*at, place, name), value, True) for name, value in said[place].items() if name != key]
        return best

    def _request(self, asked: Any, given: Any) -> Branch:
        request = self._side("instruction", asked, "user")
        if isinstance(asked, str) and _WAITING.fullmatch(asked):
            request = messages_of_text(asked) or request
        return _with_context(request, given)


def _system_in(turn: dict[str, Any]) -> str:
    return next((key for key, text in turn.items() if key in names.SYSTEMS and isinstance(text, str) and text), "")


def _with_context(request: Branch, given: Any) -> Branch:
    """A request and what it is asked about."""
    context = plain(given)
    if not context.strip():
        return request
    if len(request) == 1 and isinstance(request[0].content, str):
        return (Message("user", f"{request[0].content}\n\n{context}"),)
    return (*request, Message("user", context))


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
