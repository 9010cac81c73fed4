"""What is learnt of seven kinds of conversation on the chat templates of models in use, token by token, against texts
written down by hand (`template_matrix.py`); and what of tokens across a border.

The tokenizers are trained here, in some milliseconds: one of bytes, one that marks words (as SentencePiece's do); the
slow test has the real one of a model at hand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from template_matrix import (
    CONVERSATIONS,
    FROM_BEGINNINGS,
    SHIPPED,
    TEACHES,
    TOOLS,
    WRITTEN_ANEW,
    Teaches,
    asked,
    learnt_by_hand,
    said,
    template_of,
)
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerFast

from engine.training.worker.chat import Unrenderable, as_text
from engine.training.worker.rows import IGNORED, Row, as_chat, choose_masking, label

SPECIAL = """
<unk> <s> </s> <|im_start|> <|im_end|> <|im_sep|> [INST] [/INST] [TOOL_CALLS] [ARGS] [TOOL_RESULTS] [/TOOL_RESULTS]
[AVAILABLE_TOOLS] [/AVAILABLE_TOOLS] [SYSTEM_PROMPT] [/SYSTEM_PROMPT] <|eot_id|> <|start_header_id|> <|end_header_id|>
<start_of_turn> <end_of_turn> <|user|> <|assistant|> <|system|> <|end|> <think> </think> <｜User｜> <｜Assistant｜>
<｜end▁of▁sentence｜> <|start|> <|channel|> <|message|> <|return|> <|call|> <|START_OF_TURN_TOKEN|>
<|END_OF_TURN_TOKEN|> <|CHATBOT_TOKEN|> <|USER_TOKEN|> <|SYSTEM_TOKEN|>
"""
TEXTS = [template_of(name) for name in WRITTEN_ANEW] + [
    "question answer thought a sieve be brief tamis look up for user\n\n"
] * 9

OPENING = "{% if add_generation_prompt %}{{ 'assistant:' }}{% endif %}"


@cache
def tokenizer_of(kind: str) -> Any:
    """A tokenizer trained on some words, with the marks of all templates as its special tokens."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    if kind == "bytes":
        trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trained.decoder = decoders.ByteLevel()
    else:
        trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        trained.decoder = decoders.Metaspace(prepend_scheme="first")
    alphabet = pre_tokenizers.ByteLevel.alphabet() if kind == "bytes" else ["\n", *map(chr, range(33, 127))]
    trainer = trainers.BpeTrainer(
        vocab_size=len(SPECIAL.split()) + len(alphabet) + 150, special_tokens=SPECIAL.split(), initial_alphabet=alphabet
    )
    trained.train_from_iterator(TEXTS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=trained, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def by_hand(text: str, teaches: Teaches, conversation: str) -> tuple[set[int], int]:
    """The characters of `text` that are learnt, and where the closing answer begins."""
    learnt: set[int] = set()
    start = end = 0
    for written, taught in learnt_by_hand(teaches, conversation):
        places = [(text.find(header + written, end), header) for header in teaches.headers]
        place, header = min((place, -len(header), header) for place, header in places if place >= 0)[::2]
        start = place + len(header)
        end = start + len(written)
        learnt |= set(range(start, end)) if taught else set()
    return learnt, start


def differences(tokenizer: Any, teaches: Teaches) -> list[str]:
    """For every conversation in which the labels are not those decided by hand, what they are."""
    masking = choose_masking(tokenizer)
    found = []
    for name, messages in CONVERSATIONS.items():
        row = Row(name, messages, TOOLS if "tool" in name else ())
        try:
            labelled = label(row, tokenizer, masking)
        except Unrenderable as fault:
            if teaches.refuses.get(name, "no reason") not in str(fault):
                found.append(f"{name}: refused, {fault}")
            continue
        text = as_text(tokenizer, as_chat(row, masking), masking.template)
        characters, answer = by_hand(text, teaches, name)
        encoded = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False)
        wanted = [
            token if end > start and end - 1 in characters else IGNORED
            for token, (start, end) in zip(encoded.ids, encoded.offsets, strict=True)
        ]
        prompt = encoded.ids[: sum(end <= answer for _, end in encoded.offsets)]
        if name in teaches.refuses or labelled.input_ids != tuple(encoded.ids):
            found.append(f"{name}: {text}")
        elif labelled.labels != tuple(wanted):
            learnt = [[tokenizer.decode([token for token in side if token >= 0])] for side in (labelled.labels, wanted)]
            found.append(f"{name}: {learnt}")
        elif labelled.prompt_ids != tuple(prompt):
            found.append(f"{name}: measured behind {tokenizer.decode(labelled.prompt_ids)!r}")
    return found


@pytest.mark.parametrize("name", TEACHES)
def test_each_template_teaches_what_was_decided_by_hand(name: str) -> None:
    for kind in ("bytes", "words"):
        tokenizer = tokenizer_of(kind)
        tokenizer.chat_template = template_of(name)
        assert differences(tokenizer, TEACHES[name]) == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_template_that_nobody_knows_teaches_the_same_from_its_beginnings(name: str) -> None:
    for kind in ("bytes", "words"):
        tokenizer = tokenizer_of(kind)
        tokenizer.chat_template = template_of(name) + "{# changed #}"
        assert choose_masking(tokenizer).template is None
        assert differences(tokenizer, FROM_BEGINNINGS.get(name, TEACHES[name])) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", TEACHES)
def test_a_real_models_tokenizer_is_labelled_the_same(name: str, real_tokenizer: Any) -> None:
    for template in (template_of(name), template_of(name) + "{# changed #}"):
        real_tokenizer.chat_template = template
        unknown = choose_masking(real_tokenizer).template is None
        teaches = FROM_BEGINNINGS.get(name, TEACHES[name]) if unknown else TEACHES[name]
        assert differences(real_tokenizer, teaches) == []


@pytest.fixture
def real_tokenizer() -> Iterator[Any]:
    folder = os.environ.get("TAMIS_REAL_MODEL")
    if not folder:
        pytest.skip("TAMIS_REAL_MODEL names no folder of a model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token, tokenizer.bos_token = "</s>", "<s>"
    tokenizer.add_tokens(SPECIAL.split(), special_tokens=True)
    return tokenizer


def learnt_and_prompt(tokenizer: Any, template: str, *messages: dict[str, Any]) -> tuple[str, str]:
    """The tokens that are learnt, and the end of what the closing answer is measured behind."""
    tokenizer.chat_template = template
    row = label(Row("row", messages), tokenizer, choose_masking(tokenizer))
    return tokenizer.decode([token for token in row.labels if token >= 0]), tokenizer.decode(row.prompt_ids)


def test_a_token_across_a_border_belongs_to_where_it_ends() -> None:
    """Of bytes "\\n\\n" is one token: a line end of the header, one of the answer. " user" is one, too: the space is of
    the answer before it, the word of the next header."""
    tokenizer = tokenizer_of("bytes")
    assert len(tokenizer("\n\n")["input_ids"]) == len(tokenizer(" user")["input_ids"]) == 1
    chatml = template_of("ChatML")
    learnt, prompt = learnt_and_prompt(tokenizer, chatml, asked(1), {"role": "assistant", "content": "\n"})
    assert learnt == "\n\n<|im_end|>\n"
    assert prompt.endswith("<|im_start|>assistant")
    spaced = "{% for m in messages %}{{ m.role + ':' + m.content + ' ' }}{% endfor %}" + OPENING
    learnt, prompt = learnt_and_prompt(tokenizer, spaced, asked(1), said(1), asked(2), said(2))
    assert learnt == "answer 1answer 2 "
    assert prompt == "user:question 1 assistant:answer 1 user:question 2 assistant:"


def test_a_chat_that_repeats_itself_does_not_confuse_its_turns() -> None:
    """The thoughts of turns that are over are left out: the second turn alone, and the last two, end alike."""
    same = [asked(1), said(1)] * 3
    learnt, _ = learnt_and_prompt(tokenizer_of("bytes"), template_of("Qwen 3") + "{# changed #}", *same)
    assert learnt == "answer 1<|im_end|>\n" * 2 + "<think>\n\n</think>\n\nanswer 1<|im_end|>\n"
    row = label(Row("row", tuple(same)), tokenizer_of("bytes"), choose_masking(tokenizer_of("bytes")))
    starts = [place for place in range(1, len(row.labels)) if row.labels[place] >= 0 > row.labels[place - 1]]
    assert len(starts) == 3


def test_greetings_before_any_request_are_learnt_where_a_prompt_without_user_is_refused() -> None:
    greetings = {"role": "assistant", "content": "Hello."}, {"role": "assistant", "content": "Are you there?"}
    learnt, _ = learnt_and_prompt(tokenizer_of("bytes"), template_of("Qwen 3.5"), *greetings, asked(1), said(1))
    assert learnt == "Hello.<|im_end|>\nAre you there?<|im_end|>\n\n\n</think>\n\nanswer 1<|im_end|>\n"


def test_a_tokenizer_that_does_not_say_where_its_tokens_lie() -> None:
    tokenizer = ByT5Tokenizer()
    assert not tokenizer.is_fast
    learnt, prompt = learnt_and_prompt(tokenizer, template_of("ChatML"), asked(1), said(1), asked(2), said(2))
    assert learnt == "answer 1<|im_end|>\nanswer 2<|im_end|>\n"
    assert prompt.endswith("question 2<|im_end|>\n<|im_start|>assistant\n")
