"""The messages of a conversation as paragraphs: who speaks, what was thought, said, shown and called."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.model import Message, Part, Span, ToolCall
from engine.nesting import loads
from engine.phrases import counted
from workbench.render.parts import FENCE, NOT_COUNTED, folded_json, laid_out, split_lines, tokens_in, with_code
from workbench.text.blocks import FOLDED_SYSTEM, Paragraph, Styled
from workbench.text.escape import visible_line

# Longer conversations tell beside each role how long the turn is.
CHAT_TURNS = 3
BRIEF_ROLES = {"system": "sys", "user": "user", "assistant": "asst", "tool": "tool"}
# What nobody knows, in the theme.
WARNING = "fix"
LONGEST_CALL_LINE = 60
LONGEST_NAME = 60
# Longer reasoning is folded to its beginning.
FOLDED_REASONING = 160

MarkedTexts = Mapping[str, list[Styled]]
"""Texts of a message whose differences are marked, by what they are: `text`, `reasoning`, `calls`."""
NOT_MARKED: MarkedTexts = {}


def turns(
    messages: Sequence[Message],
    row: int,
    flagged: Iterable[Span],
    *,
    unfold: bool,
    prompts: Mapping[int, int] = NOT_COUNTED,
) -> Iterator[Paragraph]:
    """A conversation, words that a flag points at marked; a long system prompt and what was thought folded unless
    `unfold`."""
    spans = list(flagged)
    is_chat = len(messages) > CHAT_TURNS
    for index, (turn, notes) in enumerate(zip(messages, head_notes(messages, ids=unfold), strict=True)):
        if index:
            yield Paragraph(())
        if turn.role == "system" and not unfold and len(turn.text) > FOLDED_SYSTEM:
            yield folded_system(turn, row, prompts)
            continue
        own = [span for span in spans if span.turn == index]
        marked = {"text": with_spans(turn.text, own)} if own else NOT_MARKED
        yield from spoken(turn, row, marked, notes=notes, tokens=is_chat, unfold=unfold)


def spoken(
    turn: Message,
    row: int,
    marked: MarkedTexts = NOT_MARKED,
    *,
    notes: Sequence[Styled] = (),
    tokens: bool = False,
    unfold: bool = False,
) -> Iterator[Paragraph]:
    """One message: what was thought, what is to be known of it, its text, its calls. `tokens` tells beside the role how
    long it is, about; `unfold` shows reasoning and JSON whole."""
    if "reasoning" in marked:
        yield from split_lines(marked["reasoning"], ("reasoning", "muted"), row)
    elif turn.reasoning:
        yield from _reasoning(turn.reasoning, row, unfold=unfold)
    gutter = gutter_of(turn, tokens=tokens)
    if notes:
        yield Paragraph(tuple(notes), gutter, row)
        gutter = ("", "muted")
    styled = marked["text"] if "text" in marked else text_of(turn, unfold=unfold)
    if styled or not turn.tool_calls:
        yield from split_lines(styled or [("(empty)", "muted")], gutter, row)
        gutter = ("", "muted")
    calls = [marked["calls"]] if "calls" in marked else [call_styled(call, ids=unfold) for call in turn.tool_calls]
    for call in calls:
        yield from split_lines(call, gutter, row)
        gutter = ("", "muted")
    if not turn.train:
        yield Paragraph((("(not trained on)", "muted"),), row=row)


def gutter_of(turn: Message, *, tokens: bool = False) -> Styled:
    """Who speaks; a role that is none of ours as the file has it, in the colour of a warning."""
    name, style = role_name(turn.role)
    if tokens and any(turn.content_texts):
        return f"{BRIEF_ROLES.get(turn.role, name)} {tokens_in(turn.content_texts)}", style
    return name, style


def role_name(role: str) -> Styled:
    """A role as it is shown, and its role in the theme: `?narrator` where nobody knows it."""
    return (role, role) if role in BRIEF_ROLES else (f"?{visible_line(role, LONGEST_NAME)}", WARNING)


def head_notes(messages: Sequence[Message], *, ids: bool = False) -> Iterator[list[Styled]]:
    """For each message what is to be known before it is read: that its role is unknown, which call it answers, its
    name. Nothing for a plain one. `ids` names the ids of calls, too."""
    unknown: set[str] = set()
    named: Counter[str] = Counter()
    calls: dict[str, tuple[ToolCall, int]] = {}
    for turn in messages:
        notes: list[Styled] = []
        if turn.role not in BRIEF_ROLES and turn.role not in unknown:
            unknown.add(turn.role)
            role = f'"{visible_line(turn.role, LONGEST_NAME)}"' if turn.role else "none"
            notes.append((f"a role that is not known: {role}", WARNING))
        answered, count = calls.get(turn.tool_call_id, (None, 0))
        if answered is not None:
            of_several = f", call {count}" if named[answered.name] > 1 else ""
            notes.append((f"result of {_shown_name(answered.name)}{of_several}", "muted"))
        elif turn.tool_call_id:
            notes.append((f"answers no call above: {visible_line(turn.tool_call_id, LONGEST_NAME)}", WARNING))
        if turn.name and (answered is None or turn.name != answered.name):
            word = "result of" if turn.role == "tool" and not turn.tool_call_id else "named"
            notes.append((f"{word} {_shown_name(turn.name)}", "muted" if answered is None else WARNING))
        if ids and answered is not None:
            notes.append((visible_line(turn.tool_call_id, LONGEST_NAME), "muted"))
        yield [
            piece for place, note in enumerate(notes) for piece in ([(" \u00b7 ", "muted")] if place else []) + [note]
        ]
        for call in turn.tool_calls:
            named[call.name] += 1
            if call.id:
                calls[call.id] = call, named[call.name]


def _shown_name(name: str) -> str:
    return visible_line(name, LONGEST_NAME) or "a call without a name"


def _reasoning(text: str, row: int, *, unfold: bool) -> Iterator[Paragraph]:
    gutter: Styled = ("reasoning", "muted")
    if unfold or (len(text) <= FOLDED_REASONING and "\n" not in text.strip()):
        yield from split_lines([(text, "muted")], gutter, row)
        return
    head = visible_line(text, FOLDED_REASONING - 40)
    words = counted(len(text.split()), "word")
    yield Paragraph(((f"{head}\u2026 ({words}; w unfolds)", "muted"),), gutter, row)


def text_of(turn: Message, *, unfold: bool = False) -> list[Styled]:
    """What a message says: text as it is, code and JSON that is longer than a line laid out, media by address."""
    if isinstance(turn.content, str):
        return _plain_text(turn.content)
    pieces: list[Styled] = []
    for part in turn.content:
        if pieces:
            pieces.append(("\n", "text"))
        pieces += _plain_text(part.value) if part.type == "text" else _part(part, unfold=unfold)
    return pieces


def _plain_text(text: str) -> list[Styled]:
    text = laid_out(text)
    return with_code(text) if FENCE in text else [(text, "text")] if text else []


def _part(part: Part, *, unfold: bool) -> list[Styled]:
    shown = folded_json(part.value, unfold=unfold) if part.type == "json" else [(part.value, "code")]
    return [(f"{part.type}  ", "muted"), *shown]


def call_styled(call: ToolCall, *, ids: bool = False) -> list[Styled]:
    named = [(f"  {visible_line(call.id, LONGEST_NAME)}", "muted")] if ids and call.id else []
    return [(call_text(call), "tool"), *named]


def call_text(call: ToolCall) -> str:
    """A tool call as `name(arguments)`, arguments one a line where they are long; as they stand where they are no
    JSON."""
    try:
        value = loads(call.arguments) if call.arguments else {}
    except ValueError:
        return f"{call.name}({call.arguments})" if call.name else call.arguments
    short = json.dumps(value, ensure_ascii=False)
    return (
        f"{call.name}({short if len(short) < LONGEST_CALL_LINE else json.dumps(value, ensure_ascii=False, indent=2)})"
    )


def calls_text(turn: Message) -> str:
    """The calls of a message one below the other."""
    return "\n".join(map(call_text, turn.tool_calls))


def answer_line(messages: Sequence[Message]) -> str:
    """What the closing answer is at a glance: its text, else its calls, else its reasoning; '' where there is none."""
    last = messages[-1] if messages else None
    if last is None or last.role != "assistant":
        return ""
    return last.text if last.text.strip() else calls_text(last) or last.reasoning


def with_spans(text: str, spans: list[Span]) -> list[Styled]:
    """The text in pieces, those that a flag points at in the role `flag`."""
    pieces: list[Styled] = []
    at = 0
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(at, span.start), min(span.end, len(text))
        if start >= end:
            continue
        pieces += [(text[at:start], "text"), (text[start:end], "flag")]
        at = end
    pieces.append((text[at:], "text"))
    return [piece for piece in pieces if piece[0]]


def folded_system(turn: Message, row: int, prompts: Mapping[int, int] = NOT_COUNTED) -> Paragraph:
    """The beginning of a long system prompt, how long it is, and in how many rows, once that is counted."""
    shared_by = prompts.get(hash(turn.text), 0)
    words = counted(len(turn.text.split()), "word") + (f", in {counted(shared_by, 'row')}" if shared_by else "")
    head = visible_line(turn.text, FOLDED_SYSTEM - 40)
    return Paragraph(((f"{head}\u2026 ", "system"), (f"({words}; w unfolds)", "muted")), ("system", "system"), row)
