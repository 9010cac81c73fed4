"""From messages to token ids and labels: the one place that decides what is learnt, used to train and to measure.

A token is learnt (its label is its id) where the assistant speaks, end-of-turn included; elsewhere the label is -100.
The ids and labels are the same as TRL's own preparation makes (`assistant_only_loss`, or prompt and completion where
a template cannot say which part is the assistant's); they are made here because TRL drops the row ids, truncates and
drops rows without a word, and because the held-out rows must be cut in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .chat import Chat, Unrenderable, chat_of, rendered, text_before_reply, wants_text_arguments
from .libraries import has_generation_markers, training_template
from .templates import PLAIN_TEMPLATE

IGNORED = -100


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the run's data: its id, its messages and its tools; see `chat.py`."""

    id: str
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """Token ids and labels of one row, equally long; `prompt_ids` lead up to the closing answer.

    `answer` is that answer as a model would write it: with its reasoning and its calls, in the template's own form.
    """

    id: str
    input_ids: tuple[int, ...]
    labels: tuple[int, ...]
    prompt_ids: tuple[int, ...]
    answer: str

    @property
    def learnt(self) -> int:
        """How many tokens the loss is taken over. The first token of a sequence is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows ready for the trainer, and the ids of those that were cut, have nothing left to learn, or that the chat
    template refuses."""

    rows: tuple[LabelledRow, ...]
    truncated: tuple[str, ...]
    dropped: tuple[str, ...]
    refused: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """All tokens of one pass over the rows."""
        return sum(len(row.input_ids) for row in self.rows)

    @property
    def learnt(self) -> int:
        """Tokens of one pass over the rows that are learnt."""
        return sum(row.learnt for row in self.rows)


@dataclass(frozen=True, slots=True)
class Masking:
    """How the assistant's part is found: `template` with generation marks, or None for prompt and completion.

    `text_arguments`: this template wants the arguments of a call as a text.
    """

    template: str | None
    how: str
    last_only: bool = False
    text_arguments: bool = False

    def refusal(self, rows: Sequence[Row]) -> str:
        """Why these rows cannot be labelled as wished, or "": turns this template has no marks for."""
        if self.template is not None or self.last_only:
            return ""
        several = [row.id for row in rows if sum(message["role"] == "assistant" for message in row.messages) > 1]
        if not several:
            return ""
        return (
            f"this chat template does not mark the assistant's part, so only the last of several answers could be "
            f"learnt ({len(several)} rows have several, {several[0]} first): set train_on = last"
        )


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a `data/*.jsonl` of a run."""
    with path.open(encoding="utf-8") as stream:
        objects = [json.loads(line) for line in stream]
    return tuple(Row(value["id"], tuple(value["messages"]), tuple(value.get("tools", ()))) for value in objects)


def choose_masking(tokenizer: Any, train_on: str = "all") -> Masking:
    """Pick the way to mask for this tokenizer; a tokenizer without a chat template is given the plain one.

    `train_on`: "all" assistant turns, or the "last" one alone.
    """
    found = find_masking(tokenizer)
    found = replace(found, text_arguments=wants_text_arguments(tokenizer, found.template))
    if train_on == "last":
        return replace(found, how=found.how.replace("all assistant turns", "the last assistant turn"), last_only=True)
    return found


def find_masking(tokenizer: Any) -> Masking:
    """The way to find the assistant's part for this tokenizer."""
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
        return Masking(PLAIN_TEMPLATE, "all assistant turns; the tokenizer has no chat template, a plain one is used")
    if has_generation_markers(tokenizer.chat_template):
        return Masking(tokenizer.chat_template, "all assistant turns, as the chat template marks them")
    template = training_template(tokenizer)
    if template is not None:
        return Masking(template, "all assistant turns, by TRL's training version of this chat template")
    return Masking(None, "the last assistant turn only: this chat template does not mark the assistant's part")


def prepare(rows: Sequence[Row], tokenizer: Any, masking: Masking, max_length: int) -> Prepared:
    """Tokenise and label `rows`; cut at `max_length` tokens; set aside rows with nothing left to learn, and those that
    the chat template refuses."""
    kept, truncated, dropped, refused = [], [], [], []
    for row in rows:
        try:
            labelled = label(row, tokenizer, masking)
        except Unrenderable:  # the plan says why
            refused.append(row.id)
            continue
        if len(labelled.input_ids) > max_length:
            truncated.append(row.id)
            labelled = cut(labelled, max_length)
        if labelled.learnt:
            kept.append(labelled)
        else:
            dropped.append(row.id)
    return Prepared(tuple(kept), tuple(truncated), tuple(dropped), tuple(refused))


def label(row: Row, tokenizer: Any, masking: Masking) -> LabelledRow:
    """Token ids and labels of one row, uncut. Raises Unrenderable."""
    chat = as_chat(row, masking)
    ends_on_answer = bool(row.messages) and row.messages[-1]["role"] == "assistant"
    if masking.template is not None:
        whole = rendered(tokenizer, chat, masking.template, return_assistant_tokens_mask=True)
        learnt = chosen_turns(row, whole["assistant_masks"], masking.last_only)
        prompt_ids = prompt_of(chat, tokenizer, masking, whole["input_ids"], ends_on_answer)
    else:
        whole = rendered(tokenizer, chat, None)
        prompt_ids = prompt_of(chat, tokenizer, masking, whole["input_ids"], ends_on_answer)
        start = common_prefix_length(prompt_ids, whole["input_ids"]) if ends_on_answer else len(whole["input_ids"])
        wanted = int(not untrained(row.messages[-1])) if ends_on_answer else 0
        learnt = [0] * start + [wanted] * (len(whole["input_ids"]) - start)
    ids = tuple(whole["input_ids"])
    labels = tuple(token if bit else IGNORED for token, bit in zip(ids, learnt, strict=True))
    written = ids[common_prefix_length(prompt_ids, list(ids)) :] if ends_on_answer else ()
    answer = tokenizer.decode(list(written), skip_special_tokens=True)
    return LabelledRow(row.id, ids, labels, tuple(prompt_ids), answer)


def as_chat(row: Row, masking: Masking) -> Chat:
    """The row as a chat template takes it. Raises Unrenderable."""
    return chat_of(row.messages, row.tools, text_arguments=masking.text_arguments)


def prompt_of(
    chat: Chat, tokenizer: Any, masking: Masking, whole: Sequence[int], ends_on_answer: bool
) -> Sequence[int]:
    """The ids that lead up to the closing answer, its opening included.

    Of a row without a request they are what the template writes before the answer: many templates refuse a prompt in
    which no user speaks.
    """
    prompt = chat.messages[:-1] if ends_on_answer else chat.messages
    if any(message["role"] != "system" for message in prompt):
        return list(
            rendered(tokenizer, Chat(prompt, chat.tools), masking.template, add_generation_prompt=True)["input_ids"]
        )
    if not ends_on_answer:
        return list(whole)
    before = text_before_reply(tokenizer, chat, masking.template)
    ids = list(tokenizer(before, add_special_tokens=False)["input_ids"])
    beginning = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return ids or [beginning]  # a model can write behind something only


def common_prefix_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many ids at the beginning of both are the same."""
    differing = (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return next(differing, min(len(one), len(other)))


def untrained(message: Mapping[str, Any]) -> bool:
    """Whether this turn is marked as one not to learn."""
    return message.get("train") == "no"


def chosen_turns(row: Row, mask: Sequence[int], last_only: bool) -> list[int]:
    """The mask without the assistant's turns that are not to be learnt.

    Raises Unrenderable where the template runs turns together, so that one cannot be told from the next.
    """
    spoken = [message for message in row.messages if message["role"] == "assistant"]
    left_out = {place for place, message in enumerate(spoken) if untrained(message)}
    if last_only:
        left_out |= set(range(len(spoken) - 1))
    if not left_out:
        return list(mask)
    turn, learnt, before = -1, [], 0
    for bit in mask:
        turn += bit and not before
        learnt.append(0 if turn in left_out else bit)
        before = bit
    if turn + 1 != len(spoken):
        raise Unrenderable(f"{len(spoken)} answers, but the chat template marks {turn + 1} of them")
    return learnt


def cut(row: LabelledRow, length: int) -> LabelledRow:
    """The first `length` tokens; of the prompt the last ones, so that an answer can still be asked for."""
    return LabelledRow(row.id, row.input_ids[:length], row.labels[:length], row.prompt_ids[-length:], row.answer)
