"""From messages to token ids and labels: the one place that decides what is learnt, used to train and to measure.

A token is learnt (its label is its id) where the assistant speaks, end-of-turn included; elsewhere the label is -100.
The ids are those of TRL's own preparation. So are the labels where the template has marks around the assistant's part
(`assistant_only_loss`) or there is one answer (prompt and completion), but for what the generation prompt already
holds, which TRL learns with some templates; the other turns are found in `turns.py`. They are made here because TRL
drops the row ids, truncates and drops rows without a word, and the held-out rows must be cut in the same way.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .chat import USUAL_TERMS, Chat, Terms, Unrenderable, chat_of, check_template, rendered, terms_of
from .fitting import AS_IT_IS, Fitting, fitted
from .libraries import has_generation_markers, training_template
from .templates import PLAIN_TEMPLATE
from .turns import common_length, is_asked, start_of, turns_in, written

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

    Of a row that ends on an answer they are the ids in front of what is learnt of it (or would be): it is measured
    behind what it was trained behind.

    `answer` is that answer as a model would write it: with its reasoning, its calls and its end, in the template's own
    form; `seen_answer.py` tells what a user sees of it.
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
    """How the assistant's part is found: `template` with generation marks, or None for the tokenizer's, without.

    `terms`: what the template calls things; `fitting`: what is changed for it, as the run's settings say.
    """

    template: str | None
    how: str
    last_only: bool = False
    terms: Terms = USUAL_TERMS
    fitting: Fitting = AS_IT_IS


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a `data/*.jsonl` of a run."""
    with path.open(encoding="utf-8") as stream:
        objects = [json.loads(line) for line in stream]
    return tuple(Row(value["id"], tuple(value["messages"]), tuple(value.get("tools", ()))) for value in objects)


def choose_masking(tokenizer: Any, train_on: str = "all", fitting: Fitting = AS_IT_IS) -> Masking:
    """Pick the way to mask for this tokenizer; a tokenizer without a chat template is given the plain one.

    `train_on`: "all" assistant turns, or the "last" one alone.
    """
    found = find_masking(tokenizer)
    how = "; ".join(filter(None, (found.how, fitting.in_words())))
    found = replace(found, how=how, terms=terms_of(tokenizer, found.template), fitting=fitting)
    if train_on == "last":
        return replace(found, how=found.how.replace("all assistant turns", "the last assistant turn"), last_only=True)
    return found


def find_masking(tokenizer: Any) -> Masking:
    """The way to find the assistant's part for this tokenizer."""
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
        return Masking(PLAIN_TEMPLATE, "all assistant turns; the tokenizer has no chat template, a plain one is used")
    check_template(tokenizer)
    if has_generation_markers(tokenizer.chat_template):
        return Masking(tokenizer.chat_template, "all assistant turns, as the chat template marks them")
    template = training_template(tokenizer)
    if template is not None:
        return Masking(template, "all assistant turns, by TRL's training version of this chat template")
    return Masking(None, "all assistant turns: what the chat template adds at each of them")


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
    row = replace(row, messages=fitted(row.messages, masking.fitting))
    chat = as_chat(row, masking)
    ends_on_answer = bool(row.messages) and row.messages[-1]["role"] == "assistant"
    find = marked_turns if masking.template is not None else rendered_turns
    ids, learnt, first = find(row, chat, tokenizer, masking)
    if ends_on_answer:
        prompt_ids = ids[:first] or (beginning_of(tokenizer),)  # a model can write behind something only
    else:
        prompt_ids = tuple(rendered(tokenizer, chat, masking.template, add_generation_prompt=True)["input_ids"])
    labels = tuple(token if bit else IGNORED for token, bit in zip(ids, learnt, strict=True))
    answer = tokenizer.decode(list(ids[first:])) if ends_on_answer else ""
    return LabelledRow(row.id, ids, labels, prompt_ids, answer)


def as_chat(row: Row, masking: Masking) -> Chat:
    """The row as a chat template takes it. Raises Unrenderable."""
    return chat_of(fitted(row.messages, masking.fitting), row.tools, masking.terms)


def rendered_turns(row: Row, chat: Chat, tokenizer: Any, masking: Masking) -> tuple[tuple[int, ...], list[int], int]:
    """Ids, whether each is learnt, and where the closing answer begins: by what the template writes of beginnings."""
    whole = written(tokenizer, chat, masking.template)
    wanted = learnt_places(row, masking.last_only)
    closing = len(row.messages) - 1
    turns = turns_in(whole, chat, masking.template, sorted({*wanted, closing} & {*answers(row)}))
    learnt = [0] * len(whole.ids)
    for place in wanted:
        first, end = whole.tokens_until(turns[place].start), whole.tokens_until(turns[place].end)
        learnt[first:end] = [1] * (end - first)
    return whole.ids, learnt, whole.tokens_until(turns[closing].start) if closing in turns else len(whole.ids)


def marked_turns(row: Row, chat: Chat, tokenizer: Any, masking: Masking) -> tuple[tuple[int, ...], list[int], int]:
    """The same by the template's own marks, but for what its generation prompt holds: that is given, not written."""
    whole = rendered(tokenizer, chat, masking.template, return_assistant_tokens_mask=True)
    ids, mask = tuple(whole["input_ids"]), whole["assistant_masks"]
    learnt = chosen_turns(row, mask, masking.last_only)
    first = max((place for place, bit in enumerate(mask) if bit and not (place and mask[place - 1])), default=0)
    places = answers(row)
    if not places or not is_asked(chat, places[-1]):
        return ids, learnt, first
    prompt = Chat(chat.messages[: places[-1]], chat.tools)
    asked = rendered(tokenizer, prompt, masking.template, add_generation_prompt=True)["input_ids"]
    if common_length(asked, ids) > first:
        # The marks begin before the generation prompt ends: at a line's end, at its "<think>\n".
        text = written(tokenizer, chat, masking.template)
        behind = 0
        for place in places:
            start = first = text.tokens_until(start_of(text, chat, masking.template, place))
            while start > behind and mask[start - 1]:
                start -= 1
            if start > behind or not behind:  # else the mark of an answer before goes on into this one
                learnt[start:first] = [0] * (first - start)
            behind = first
    return ids, learnt, first


def beginning_of(tokenizer: Any) -> int:
    """The token that a text begins with."""
    return int(tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id)


def answers(row: Row) -> list[int]:
    """The places of the assistant's messages."""
    return [place for place, message in enumerate(row.messages) if message["role"] == "assistant"]


def learnt_places(row: Row, last_only: bool) -> list[int]:
    """The places of the assistant's messages that are to be learnt."""
    places = answers(row)
    return [place for place in (places[-1:] if last_only else places) if not untrained(row.messages[place])]


def untrained(message: Mapping[str, Any]) -> bool:
    """Whether this turn is marked as one not to learn."""
    return message.get("train") == "no"


def chosen_turns(row: Row, mask: Sequence[int], last_only: bool) -> list[int]:
    """The mask without the assistant's turns that are not to be learnt.

    Raises Unrenderable where the template runs turns together, so that one cannot be told from the next.
    """
    spoken, wanted = answers(row), learnt_places(row, last_only)
    left_out = {turn for turn, place in enumerate(spoken) if place not in wanted}
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
