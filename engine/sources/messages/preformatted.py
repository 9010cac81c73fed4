"""A training text that is formatted already: the conversation between its markers, and where each turn stands in it.

A text is one only where all of it has the form: it begins with a marker (behind a token that begins a text, or blanks),
its turns come in a sensible order, and nothing but blanks stands between the end of a turn and the next marker. A text
that only speaks of markers, or shows some, stays the text it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from engine.model import Message
from engine.sources.messages.answer_marks import calls_in, reasoning_in

_LIMIT_OF_PREFACE = 4000
# Tokens that begin or end a whole text; where they stand between turns they say nothing more.
_BOUNDS = (
    r"<s>|</s>|<bos>|<eos>|<\|begin_of_text\|>|<\|end_of_text\|>|<\|endoftext\|>|<\|startoftext\|>|<BOS_TOKEN>|"
    r"<EOS_TOKEN>|\[gMASK\]|<sop>|<｜begin▁of▁sentence｜>|<｜end▁of▁sentence｜>|<\|eot_id\|>"
)
_DEEPSEEK_BEGIN = "<｜begin▁of▁sentence｜>"
_BETWEEN = re.compile(rf"(?:\s|{_BOUNDS})*+")
_SPACES = re.compile(r"[^\S\n]*+")
_BLANK_LINES = re.compile(r"(?:[^\S\n]*\n)*+")
_LIKELY = re.compile(
    r"[<\[#]|(?:SYSTEM|USER|System|User|Human|GPT4(?: Correct)? User) ?:|Below |You are |A chat between |The following "
)
# Qwen hands a result of a tool over as the user.
_TOOL_RESPONSE = re.compile(r"<tool_response>\s*((?:(?!</?tool_response>).)*?)\s*</tool_response>", re.DOTALL)
# How texts begin that tell the model what it is before the first marker of a turn.
_PREFACE = re.compile(r"(?=Below |You are |A chat between |The following )")

_ROLES = {
    "developer": "system",
    "system_prompt": "system",
    "available_tools": "system",
    "human": "user",
    "prompter": "user",
    "instruction": "user",
    "inst": "user",
    "model": "assistant",
    "gpt": "assistant",
    "bot": "assistant",
    "ai": "assistant",
    "chatbot": "assistant",
    "response": "assistant",
    "/inst": "assistant",
    "/tool_results": "assistant",
    "tool_results": "tool",
    "function response": "tool",
    "function": "tool",
    "observation": "tool",
    "ipython": "tool",
    "tool_response": "tool",
}


@dataclass(frozen=True, slots=True)
class TurnSpan:
    """Characters `start:end` of a text are what `role` says there, with its reasoning and calls as they are written."""

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Family:
    """A way of formatting. `pattern` finds what opens a turn (group `role`, perhaps `name`) or, without it, closes one.

    `closed`: a turn ends with a mark of its own. `ordered`: user and assistant take turns, an answer among them;
    without it any order is one. `preface` says where a text may stand before the first turn: it is the system's.
    """

    pattern: str
    lines: bool = False
    closed: bool = False
    ordered: bool = False
    repeats: bool = False
    preface: re.Pattern[str] | None = None

    @property
    def marks(self) -> re.Pattern[str]:
        return _compiled(self.pattern, re.MULTILINE if self.lines else 0)


@cache
def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    """Few sources hold such texts: no other start of the program pays for the patterns."""
    return re.compile(pattern, flags)


def _family(
    header: str,
    end: str = "",
    *,
    lines: bool = False,
    closed: bool = False,
    ordered: bool = False,
    repeats: bool = False,
    preface: re.Pattern[str] | None = None,
) -> _Family:
    ends = f"{end}|{_BOUNDS}" if end else _BOUNDS
    # No group around the ends: so the search passes over what no mark begins with.
    return _Family(f"{ends}|{header}", lines, closed, ordered, repeats, preface)


_LINE = r"(?:^|(?<=</s>)|(?<=<\|endoftext\|>))"
_FAMILIES = (
    # ChatML, and Phi-4, which parts role and text by a token.
    _family(
        r"<\|im_start\|>(?P<role>\w+)(?: name=(?P<name>\S+))?(?:\r?\n|<\|im_sep\|>|\Z)", r"<\|im_end\|>", closed=True
    ),
    # Llama 3 and 4, Gemma, Granite, Command R.
    _family(r"<\|start_header_id\|>(?P<role>\w+)<\|end_header_id\|>", r"<\|eom_id\|>", closed=True),
    _family(r"<\|header_start\|>(?P<role>\w+)<\|header_end\|>", r"<\|eot\|>|<\|eom\|>", closed=True),
    _family(r"<start_of_turn>(?P<role>\w+)(?:\n|\Z)", r"<end_of_turn>", closed=True),
    _family(r"<\|start_of_role\|>(?P<role>\w+)<\|end_of_role\|>", closed=True),
    _family(
        r"<\|START_OF_TURN_TOKEN\|><\|(?P<role>USER|CHATBOT|SYSTEM)_TOKEN\|>", r"<\|END_OF_TURN_TOKEN\|>", closed=True
    ),
    # Phi-3, Zephyr, TinyLlama, GLM-4: some close turns, some do not.
    _family(
        r"<\|(?P<role>(?i:system|user|assistant|prompter|human|model|bot|tool|observation|function))\|>", r"<\|end\|>"
    ),
    _family(r"<｜(?P<role>User|Assistant)｜>", preface=re.compile(rf"(?<={_DEEPSEEK_BEGIN})")),
    # Llama 2 and Mistral.
    _family(
        r"\[(?P<role>/?INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|/?TOOL_RESULTS)\]",
        r"\[/(?:SYSTEM_PROMPT|AVAILABLE_TOOLS)\]",
        ordered=True,
    ),
    # Alpaca; Guanaco, StableBeluga; OIG; Baize; OpenChat.
    _family(r"^### ?(?P<role>Instruction|Input|Response|System):", lines=True, ordered=True, preface=_PREFACE),
    _family(
        r"### ?(?P<role>Human|User|Prompter|Assistant|Bot|AI|System):",
        r"### ?End\b",
        ordered=True,
        preface=_PREFACE,
    ),
    _family(r"^<(?P<role>human|user|bot|assistant|system)>:", lines=True, ordered=True),
    # Huatuo: all on one line, and a request alone.
    _family(r"(?<!\S)<(?P<role>human|user|bot|assistant|system)>:"),
    _family(r"\[\|(?P<role>Human|AI|System)\|\]:?", ordered=True, preface=_PREFACE),
    _family(r"GPT4(?: Correct)? (?P<role>User|Assistant):", r"<\|end_of_turn\|>", ordered=True),
    # Glaive, and what is written in its way; Vicuna, which has it all on one line; HH.
    _family(
        rf"{_LINE}(?P<role>SYSTEM|USER|ASSISTANT|FUNCTION RESPONSE):",
        lines=True,
        ordered=True,
        preface=_PREFACE,
    ),
    _family(r"(?<![^\s>])(?P<role>SYSTEM|USER|ASSISTANT):", ordered=True, preface=_PREFACE),
    _family(
        rf"{_LINE}(?P<role>System|Human|User|Assistant|AI|Bot):",
        lines=True,
        ordered=True,
        repeats=True,
        preface=_PREFACE,
    ),
)


@dataclass(slots=True)
class _Turn:
    """One turn while it is read: what it says may stand in several pieces (Alpaca's instruction and input)."""

    role: str
    name: str
    pieces: list[tuple[int, int]]
    is_closed: bool = False

    @property
    def is_empty(self) -> bool:
        return all(start == end for start, end in self.pieces)

    def says(self, text: str) -> str:
        return "\n\n".join(text[start:end] for start, end in self.pieces if start < end)


def messages_of_text(text: str) -> tuple[Message, ...] | None:
    """The conversation in a preformatted text; None where it is a text like any other.

    Every character that is no marker, and no blank around a turn, is in a message. Reasoning and tool calls inside of
    an answer are read as such.
    """
    turns = _turns(text)
    return None if turns is None else tuple(_message(turn, text) for turn in turns)


def system_of_text(text: str) -> str:
    """A system prompt that stands in a field of its own, without the `SYSTEM:` that Glaive puts before it."""
    return text.removeprefix("SYSTEM:").strip() if text.startswith("SYSTEM:") else text


def turn_spans(text: str) -> tuple[TurnSpan, ...] | None:
    """Where each message of `messages_of_text` stands in the text, in the same order; None where that is None."""
    turns = _turns(text)
    if turns is None:
        return None
    return tuple(TurnSpan(turn.role, turn.pieces[0][0], turn.pieces[-1][1]) for turn in turns)


def _turns(text: str) -> list[_Turn] | None:
    start = _end(_BETWEEN, text, 0)
    if _LIKELY.match(text, start) is None and _DEEPSEEK_BEGIN not in text[:start]:
        return None
    for family in _FAMILIES:
        turns = _read(family, text, start)
        if turns:
            return turns
    return None


def _read(family: _Family, text: str, start: int) -> list[_Turn] | None:
    """The turns of a text that has the family's form from `start` on, else None."""
    turns: list[_Turn] = []
    at = start
    header = family.marks.match(text, at)
    if header is None and family.preface is not None and family.preface.match(text, at):
        header = family.marks.search(text, at, at + _LIMIT_OF_PREFACE)
        if header is not None:
            turns.append(_Turn("system", "", [_trimmed(text, at, header.start())], is_closed=True))
    while header is not None and header["role"] is not None:
        closing = family.marks.search(text, header.end())
        end = len(text) if closing is None else closing.start()
        is_closed = closing is not None and closing["role"] is None
        if family.closed and closing is not None and not is_closed:
            return None
        if not _add(turns, header, _trimmed(text, header.end(), end), is_closed, text):
            return None
        at = end if closing is None or not is_closed else _end(_BETWEEN, text, closing.end())
        header = family.marks.match(text, at)
    if at < len(text) or (family.ordered and not _in_order([turn.role for turn in turns], family)):
        return None
    # Where the model is to go on: no turn yet.
    if turns and turns[-1].is_empty and not turns[-1].is_closed:
        turns.pop()
    return turns


def _add(turns: list[_Turn], header: re.Match[str], piece: tuple[int, int], is_closed: bool, text: str) -> bool:
    """Take a turn in; whether it can be one."""
    said = header["role"].lower()
    if said == "input":
        # More of the request: Alpaca parts the task from what it is done to.
        if not turns or turns[-1].role != "user":
            return False
        turns[-1].pieces.append(piece)
        return True
    if said == "inst" and text.startswith("<<SYS>>", piece[0]):
        until = text.find("<</SYS>>", piece[0], piece[1])
        if until < 0:
            return False
        turns.append(_Turn("system", "", [_trimmed(text, piece[0] + len("<<SYS>>"), until)], is_closed=True))
        piece = _trimmed(text, until + len("<</SYS>>"), piece[1])
    name = header.groupdict().get("name") or ""
    turn = _Turn(_ROLES.get(said, said), name, [piece], is_closed)
    if turn.role == "user" and _TOOL_RESPONSE.fullmatch(text, *piece):
        turn.role = "tool"
    turns.append(turn)
    return True


def _in_order(roles: list[str], family: _Family) -> bool:
    """Whether a user speaks first and someone answers, in turn; tools may give several results."""
    spoken = [role for role in roles if role != "system"]
    if spoken[:1] != ["user"] or "assistant" not in spoken:
        return False
    return family.repeats or all(one != other or one == "tool" for one, other in pairwise(spoken))


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the blanks around it; what indents its first line, where that begins one, stays."""
    end = start + len(text[start:end].rstrip())
    begin = _end(_BLANK_LINES, text, start)
    if begin == start and text[start - 1 : start] != "\n":
        begin = _end(_SPACES, text, start)
    return min(begin, end), end


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return start if found is None else found.end()


def _message(turn: _Turn, text: str) -> Message:
    said = turn.says(text)
    if turn.role == "assistant":
        reasoning, rest = reasoning_in(said)
        content, calls = calls_in(rest)
        return Message("assistant", content, reasoning, calls, name=turn.name)
    result = _TOOL_RESPONSE.fullmatch(said) if turn.role == "tool" else None
    return Message(turn.role, said if result is None else result[1], name=turn.name)
