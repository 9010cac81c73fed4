"""What a row holds beside its messages (rejected answers, candidates, a label, tools, fields nobody understood, its
metadata), and all its content by name, for what differs between two rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from engine.model import Conversation, Example, Leaf, Message
from engine.nesting import loads
from engine.phrases import counted
from workbench.render.messages import WARNING, calls_text, role_name, spoken
from workbench.render.parts import compared, folded_json, split_lines
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line

BESIDE = 1 << 30
"""In the place of a message's number: what stands beside the messages."""
PartName = tuple[int, str, str]
"""(number of the message, what of it, its role); beside the messages (BESIDE, what, path or number)"""

SHORT_WORDS = {"rejected": "reject", "candidate": "cand"}
LONGEST_VALUE = 60
LONGEST_PATH = 200
# Of the values that nobody understood so many are shown before they are unfolded.
MOST_LEAVES = 8
# On one line of metadata, and of the names of tools.
LONGEST_LINE = 160
LABELS: dict[bool, Styled] = {
    True: ("its answer is marked as wanted", "accepted"),
    False: ("its answer is marked as not wanted", "rejected"),
}


def named_parts(held: Conversation) -> dict[PartName, str]:
    """Every text that is content, by the message it is of and what it is there; links and metadata are left out."""
    parts = {name: text for place, turn in enumerate(held.messages) for name, text in _parts_of(turn, place)}
    for word, answers in (("rejected", held.rejected), ("candidate", held.candidates)):
        for number, answer in enumerate(answers, 1):
            parts[BESIDE, word, _numbered(word, number, len(answers))] = answer_text(answer)
    if held.label is not None:
        parts[BESIDE, "label", "label"] = LABELS[held.label][0]
    if held.tools:
        parts[BESIDE, "tools", "tools"] = "\n".join(held.tools)
    return parts | {(BESIDE, "other", leaf.path): leaf.text for leaf in held.other}


def _parts_of(turn: Message, place: int) -> Iterator[tuple[PartName, str]]:
    yield (place, "text", turn.role), turn.text
    for name, text in (("name", turn.name), ("reasoning", turn.reasoning), ("calls", calls_text(turn))):
        if text:
            yield (place, name, ""), text
    if not turn.train:
        yield (place, "mark", ""), "not trained on"


def answer_text(answer: Sequence[Message]) -> str:
    """An answer as one text; of several messages each behind its role."""
    texts = ["\n".join(filter(None, (turn.reasoning, turn.text, calls_text(turn)))) for turn in answer]
    if len(answer) < 2:
        return "".join(texts)
    return "\n".join(f"{turn.role}: {text}" for turn, text in zip(answer, texts, strict=True))


def closing_text(example: Example) -> str:
    """All of the closing answer, what was thought and what is called with it; '' where the row does not end on one."""
    last = example.messages[-1:]
    return answer_text(last) if last and last[0].role == "assistant" else ""


def part_label(name: PartName) -> Styled:
    """How a part is called where only it is shown: `assistant`, `reasoning`, `?narrator`, the path of a field."""
    _, what, which = name
    return role_name(which) if what == "text" else (visible_line(which or what, LONGEST_PATH), "muted")


def beside_paragraphs(
    held: Conversation, row: int, *, others: Sequence[Conversation] = (), unfold: bool = False, only_mark: bool = False,
    metadata: bool = True,
) -> Iterator[Paragraph]:  # fmt: skip
    """What stands beside the messages, behind a blank line; nothing where nothing does. What is not the same in all of
    the `others` is shown whole, with its differences marked."""
    parts = [Paragraph(()), *_beside(held, row, others, unfold=unfold, only_mark=only_mark)]
    if metadata:
        parts += _metadata(held.metadata, row, unfold=unfold)
        parts += _leaves("links", held.links, row) if unfold else ()
    for before, paragraph in pairwise([*parts, Paragraph(())]):
        # Blank lines stand between, one at a time.
        if before.styled or paragraph.styled:
            yield before


def _beside(
    held: Conversation, row: int, others: Sequence[Conversation], *, unfold: bool, only_mark: bool
) -> Iterator[Paragraph]:
    theirs = [named_parts(other) for other in others]
    own = named_parts(held)

    def difference(what: str, which: str) -> list[Styled] | None:
        """The text with its differences marked; None where there are none."""
        name = (BESIDE, what, which)
        if all(parts.get(name, "") == own.get(name, "") for parts in theirs):
            return None
        return compared(own.get(name, ""), [parts.get(name, "") for parts in theirs], only_mark=only_mark)

    if held.label is not None:
        yield Paragraph((LABELS[held.label],), ("label", "muted"), row)
    for word, answers in (("rejected", held.rejected), ("candidate", held.candidates)):
        for number, answer in enumerate(answers, 1):
            name = _numbered(word, number, len(answers))
            yield Paragraph(())
            yield from _answer(answer, name, row, difference(word, name), unfold=unfold)
    if held.rejected or held.candidates:
        yield Paragraph(())
    if held.tools:
        yield from _tools(held.tools, row, difference("tools", "tools"), unfold=unfold)
    folded = 0
    for number, leaf in enumerate(held.other):
        marked = difference("other", leaf.path)
        if number >= MOST_LEAVES and marked is None and not unfold:
            folded += 1
            continue
        path = (f"{visible_line(leaf.path, LONGEST_PATH)}  ", "muted")
        gutter: Styled = ("", "muted") if number else ("other", WARNING)
        yield from split_lines([path, *(marked or _value(leaf, unfold=unfold))], gutter, row)
    if folded:
        yield Paragraph(((f"\u2026 {counted(folded, 'value')} more (w unfolds)", "muted"),), row=row)
    if theirs and not only_mark:
        for gone, text in theirs[0].items():
            if gone[0] == BESIDE and gone not in own:
                styled: list[Styled] = [(f"{part_label(gone)[0]}  ", "muted"), (text, "removed")]
                yield from split_lines(styled, ("not here", "muted"), row)


def _numbered(word: str, number: int, of: int) -> str:
    """`rejected`; of several `reject 2`: the gutter has nine columns."""
    return word if of == 1 else f"{SHORT_WORDS[word]} {number}"


def _answer(
    answer: Sequence[Message], name: str, row: int, difference: list[Styled] | None, *, unfold: bool
) -> Iterator[Paragraph]:
    style = "rejected" if name.startswith("reject") else "muted"
    if difference is not None:
        yield from split_lines(difference, (name, style), row)
        return
    for place, turn in enumerate(answer):
        gutter: Styled = (name if not place else "", style)
        if len(answer) > 1:
            yield Paragraph((role_name(turn.role),), gutter, row)
            gutter = ("", "muted")
        for paragraph in spoken(turn, row, unfold=unfold):
            is_thought = paragraph.gutter[0] == "reasoning"
            thought: tuple[Styled, ...] = (("reasoning  ", "muted"),) if is_thought else ()
            yield Paragraph((*thought, *paragraph.styled), gutter, row, paragraph.hang)
            gutter = ("", "muted")


def _tools(tools: Sequence[str], row: int, difference: list[Styled] | None, *, unfold: bool) -> Iterator[Paragraph]:
    gutter: Styled = ("tools", "tool")
    if difference is not None:
        yield from split_lines(difference, gutter, row)
    elif unfold:
        for place, tool in enumerate(tools):
            yield from split_lines(folded_json(tool, unfold=True), ("", "muted") if place else gutter, row)
    else:
        names = visible_line(", ".join(map(_tool_name, tools)), LONGEST_LINE)
        yield Paragraph(((f"{len(tools)}: {names} ", "text"), ("(w unfolds)", "muted")), gutter, row)


def _tool_name(tool: str) -> str:
    """The name in a definition of a tool, whichever wrapper it is in; its beginning where it has none."""
    try:
        value = loads(tool)
    except ValueError:
        value = None
    for holder in (value, value.get("function") if isinstance(value, dict) else None):
        if isinstance(holder, dict) and isinstance(holder.get("name"), str):
            return str(holder["name"])
    return visible_line(tool, LONGEST_VALUE)


def _value(leaf: Leaf, *, unfold: bool) -> list[Styled]:
    """A text as it is, JSON folded where it is long."""
    if leaf.value.startswith('"'):
        return [(leaf.text, "text")]
    return folded_json(leaf.text, unfold=unfold)


def _metadata(leaves: Sequence[Leaf], row: int, *, unfold: bool) -> Iterator[Paragraph]:
    """The record's own fields on one muted line, those of every message as one; with `unfold` each on its own."""
    if unfold:
        yield from _leaves("meta", leaves, row)
        return
    if not leaves:
        return
    times = Counter(map(_without_places, leaves))
    values = {_without_places(leaf): leaf.text for leaf in reversed(leaves)}
    shown: list[str] = []
    length = 0
    for path, count in times.items():
        value = f"({count})" if count > 1 else visible_line(values[path], LONGEST_VALUE)
        text = f"{visible_line(path, LONGEST_VALUE)} {value}"
        if shown and length + len(text) > LONGEST_LINE:
            break
        shown.append(text)
        length += len(text)
    more = len(times) - len(shown)
    rest = f" \u00b7 {counted(more, 'field')} more (w unfolds)" if more else ""
    yield Paragraph(((" \u00b7 ".join(shown) + rest, "muted"),), ("meta", "muted"), row)


def _without_places(leaf: Leaf) -> str:
    """The path without places in lists: `messages.id` for each of them."""
    return ".".join(step for step in leaf.path.split(".") if not step.isdigit()) or leaf.path


def _leaves(word: str, leaves: Sequence[Leaf], row: int) -> Iterator[Paragraph]:
    """Values one a line, whole."""
    for place, leaf in enumerate(leaves):
        gutter: Styled = (word, "muted") if not place else ("", "muted")
        yield from split_lines([(f"{visible_line(leaf.path, LONGEST_PATH)} {leaf.text}", "muted")], gutter, row)
