"""The words of `--map`: a mapping as a person writes it, `prompt=a.b,response=c`, and a mapping written back."""

from __future__ import annotations

from collections.abc import Mapping as Fields
from difflib import get_close_matches

from engine.errors import UsageError
from engine.model import ShapeName
from engine.sources.mapping import Mapping, parted

# Words that say what shape the rows have, and the part they fill.
_HALVES: dict[str, tuple[ShapeName, str]] = {
    "prompt": ("alpaca", "instruction"),
    "instruction": ("alpaca", "instruction"),
    "input": ("alpaca", "input"),
    "context": ("alpaca", "input"),
    "response": ("alpaca", "output"),
    "completion": ("alpaca", "output"),
    "output": ("alpaca", "output"),
    "answer": ("alpaca", "output"),
    "history": ("alpaca", "history"),
    "messages": ("messages", "messages"),
    "conversations": ("sharegpt", "conversations"),
    "chosen": ("preference", "chosen"),
    "rejected": ("preference", "rejected"),
    "text": ("text", "text"),
}
# What one message of a list looks like: who speaks, what is said, and which words mean whom.
MESSAGE_WORDS = ("role", "content", "user_role", "assistant_role", "system_role", "tool_role")
# What may stand beside a conversation of any shape; `other` is content, though its name says metadata.
BESIDE_WORDS = (
    *("system", "tools", "reasoning", "label", "rejected", "candidates", "winner"),
    *("images", "audios", "videos", "metadata", "other"),
)
MAP_WORDS = tuple(dict.fromkeys((*_HALVES, *MESSAGE_WORDS, *BESIDE_WORDS)))
# What people write for one of these words.
_MEANT = {"user": "user_role", "assistant": "assistant_role", "tool": "tool_role", "question": "prompt"}
_WORD_OF = {"instruction": "prompt", "output": "response"}
EXAMPLE = "for example --map prompt=question,response=answer"


def words_of(mapping: Mapping) -> str:
    """A mapping in the words of `--map`: `prompt=question,response=answer`."""
    return words_for(named_parts(mapping))


def words_for(named: Fields[str, str]) -> str:
    """Words and fields as one line."""
    return ",".join(f"{word}={path}" for word, path in named.items())


def named_parts(mapping: Mapping) -> dict[str, str]:
    """Word of `--map` -> field, of a mapping."""
    return {_WORD_OF.get(part, part): path for part, path in mapping.fields.items()}


def mapping_from_words(words: str) -> Mapping:
    """The mapping a person gave as `prompt=a.b,response=c`. Raises UsageError, with the nearest word."""
    named: dict[str, str] = {}
    for pair in parted(words, ","):
        word, equals, path = pair.strip().partition("=")
        word = word.strip()
        if not equals or not path.strip() or word not in MAP_WORDS:
            raise UsageError(f"--map does not understand {pair.strip()[:60]!r}", "", _nearest(word))
        if word in named:
            raise UsageError(
                f"--map names {word} twice", "", f"join fields with +: {word}={named[word]}+{path.strip()}"
            )
        named[word] = path.strip()
    return mapping_of_parts(named)


def _nearest(word: str) -> str:
    near = [_MEANT[word]] if word in _MEANT else get_close_matches(word, MAP_WORDS, n=1)
    head = f"did you mean {near[0]}? " if near else ""
    return f"{head}write WORD=FIELD with WORD one of: {', '.join(MAP_WORDS)}"


def mapping_of_parts(named: Fields[str, str]) -> Mapping:
    """The mapping that these words with their fields make. Raises UsageError where they make none."""
    mapping = partial_mapping(named)
    fields = mapping.fields
    if mapping.shape == "alpaca" and not {"instruction", "output"} <= fields.keys():
        if not {"instruction", "output", "input", "history"} & fields.keys():
            raise UsageError("--map names no field of a conversation", "", EXAMPLE)
        raise UsageError("--map needs both halves of a row", "", EXAMPLE)
    if mapping.shape == "preference" and not {"chosen", "rejected"} <= fields.keys():
        raise UsageError("--map needs both answers of a pair", "", "for example --map prompt=p,chosen=a,rejected=b")
    if mapping.shape == "messages" and ("prompt" in fields) != ("response" in fields):
        raise UsageError(
            "--map needs both sides of a turn", "", "for example --map messages=turns,prompt=asked,response=said"
        )
    return mapping


def partial_mapping(named: Fields[str, str]) -> Mapping:
    """The same of words that may be too few yet. Raises UsageError where they are of two shapes."""
    shapes = {word: _HALVES[word][0] for word in named if word in _HALVES and word != "rejected"}
    shape = _shape_of(shapes, named)
    fields: dict[str, str] = {}
    for word, path in named.items():
        part = _HALVES[word][1] if word in _HALVES else word
        if part in ("instruction", "output") and shape in ("preference", "messages"):
            part = "prompt" if part == "instruction" else "response"
        if part in fields:
            raise UsageError(f"--map names the {part} twice", "", "leave one of the two words out")
        fields[part] = path
    return Mapping(shape, fields)


def _shape_of(shapes: dict[str, ShapeName], named: Fields[str, str]) -> ShapeName:
    """The one shape of which all these words are. A request may stand before a pair of answers; request and answer may
    be those of each element of a list."""
    if "chosen" in named:
        shapes = {word: shape for word, shape in shapes.items() if word not in ("prompt", "input", "context")}
    if "messages" in named:
        inside = ("prompt", "response")
        shapes = {word: shape for word, shape in shapes.items() if word not in inside}
    kinds = list(dict.fromkeys(shapes.values()))
    if len(kinds) > 1:
        raise UsageError(f"--map mixes {kinds[0]} and {kinds[1]} words", "", "name the fields of one shape only")
    if kinds:
        return kinds[0]
    return "alpaca"
