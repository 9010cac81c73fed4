"""Nothing of a row is invisible: every value of every file is on the screen (unfolded), and found by a search."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from forms import HERE, expectations
from reading_now import examples_of

from engine.errors import TamisError
from workbench.render.content import beside_paragraphs
from workbench.render.messages import turns
from workbench.text.escape import visible

# Who speaks, of what type a part is, whether an answer is learnt or wanted: told in words of our own.
FORM = {"role", "from", "sender", "speaker", "is_user", "is_human", "type", "block_type", "content_type"}
FORM |= {"label", "answer", "feedback", "iscreatedbyuser"}
FORM |= {"weight", "train", "loss", "loss_weight", "training", "trainable", "masked"}
# What is thought stands apart from what is said, and each turn of a formatted text by itself.
MARKERS = re.compile(
    r"</?think>|SYSTEM: |USER: |ASSISTANT: |<[|]endoftext[|]>|\n\nHuman: |\n\nAssistant: | ?<(?:user|bot)>: "
)


def values(held: Any) -> Iterator[str]:
    """Every text, number and flag that is no form; JSON text is opened."""
    if isinstance(held, dict):
        for key, inner in held.items():
            is_form = key.strip().lower().rpartition(".")[2] in FORM
            if is_form and key == "from" and isinstance(inner, list):
                continue  # who speaks, turn by turn
            if not is_form or isinstance(inner, dict | list) or (isinstance(inner, str) and " " in inner.strip()):
                yield from values(inner)
    elif isinstance(held, list):
        for inner in held:
            yield from values(inner)
    elif isinstance(held, str) and held.startswith("array("):
        yield from values(ast.literal_eval(held[len("array(") : held.rindex("]") + 1]))
    elif isinstance(held, str) and held[:1] in ("{", "["):
        yield from values(json.loads(held) if held[:3] != "[{'" else ast.literal_eval(held))
    elif held not in (None, "") and held == held:
        yield from MARKERS.split(held if isinstance(held, str) else json.dumps(held))


def squeezed(text: str) -> str:
    return "".join(visible(text).split())


def files() -> list[str]:
    return [name for name, expected in expectations().items() if "refused" not in expected]


@pytest.mark.parametrize("name", files())
def test_every_value_is_on_the_screen_and_found(name: str) -> None:
    try:
        examples = examples_of(HERE / "files" / name)
    except TamisError:
        return
    for one in examples:
        if not one.messages:
            continue  # shown as it stands
        paragraphs = [
            *turns(one.messages, 0, (), unfold=True),
            *beside_paragraphs(one.conversation, 0, unfold=True),
        ]
        screen = squeezed("".join(text for paragraph in paragraphs for text, _ in paragraph.styled))
        searched = squeezed("".join(one.searched))
        for value in map(squeezed, values(one.raw)):
            assert value in screen, (one.number, value)
            assert value in searched, (one.number, value)
