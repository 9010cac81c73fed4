"""The pieces that documents of the reader are made of: marks, JSON, code, differences.

Texts leave here visible (text/escape.py) and split at line feeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.nesting import loads
from engine.phrases import counted
from engine.project.project import Project
from engine.project.proposals import waiting
from engine.review.recheck import TAG
from engine.tokens import about_tokens
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import seen_blanks, visible
from workbench.text.worddiff import Piece, lit, word_diff

# Rows by the hash of their system prompt, before anybody has counted them.
NOT_COUNTED: Mapping[int, int] = {}
# Before a held-out row, and before their number.
HELD_OUT_MARK = "H"
LONGEST_JSON_LINE = 88
FENCE = "```"
# A wrapped line goes on where it was set in, and a little further; deeper than this there is no room left.
DEEPEST = 24
VERDICT_MARKS: dict[str, Styled] = {
    "accepted": ("\u2713a", "accepted"),
    "rejected": ("\u2717x", "rejected"),
    "skipped": ("\u2192s", "skipped"),
    "undecided": ("\u00b7 ", "undecided"),
    "edited": ("\u00b1e", "edited"),
    "disputed": ("\u2260d", "disputed"),
    "again": ("? ", "undecided"),
}
# A question, and the letter of what is proposed.
PROPOSED_MARKS: dict[str, Styled] = {
    "accept": ("?a", "accepted"),
    "reject": ("?x", "rejected"),
    "skip": ("?s", "skipped"),
    "edit": ("?e", "edited"),
    "tag": ("?t", "key"),
    "differ": ("?d", "disputed"),
}


def mark_of(project: Project, row: int) -> Styled:
    """Glyph and letter of a verdict, and its role: never told by colour alone."""
    if TAG in project.tags(row):
        # A second look is blind: what was said at the first one is not shown.
        return VERDICT_MARKS["again"]
    if project.is_disputed(row):
        return VERDICT_MARKS["disputed"]
    verdict = project.verdict(row)
    if verdict == "undecided" and (proposed := waiting(project, row)):
        kinds = {one.kind for one in proposed if one.kind != "tag"} or {"tag"}
        return PROPOSED_MARKS[kinds.pop()] if len(kinds) == 1 else PROPOSED_MARKS["differ"]
    if verdict == "accepted" and project.is_edited(row):
        return VERDICT_MARKS["edited"]
    return VERDICT_MARKS[verdict]


def with_code(text: str) -> list[Styled]:
    """The text in pieces, what stands between code fences in the role `code`, the fences with it."""
    pieces: list[Styled] = []
    at = 0
    while (start := text.find(FENCE, at)) >= 0:
        end = text.find(FENCE, start + len(FENCE))
        # A fence that is never closed holds the rest.
        end = len(text) if end < 0 else end + len(FENCE)
        pieces += [(text[at:start], "text"), (text[start:end], "code")]
        at = end
    pieces.append((text[at:], "text"))
    return [piece for piece in pieces if piece[0]]


def laid_out(text: str) -> str:
    """A JSON object or list in lines of its own, what it holds unchanged; any other text as it is."""
    if len(text) <= LONGEST_JSON_LINE or "\n" in text.strip() or text.strip()[:1] not in ("{", "["):
        return text
    try:
        value = loads(text)
    except ValueError:
        return text
    return json.dumps(value, ensure_ascii=False, indent=2)


def folded_json(text: str, *, unfold: bool) -> list[Styled]:
    """JSON text on one line where that is short, else its beginning; with `unfold` all of it, laid out."""
    if unfold:
        return [(laid_out(text), "code")]
    if len(text) <= LONGEST_JSON_LINE and "\n" not in text:
        return [(text, "code")]
    head = " ".join(text[: 2 * LONGEST_JSON_LINE].split())[:LONGEST_JSON_LINE]
    return [(f"{head}\u2026 ", "code"), (f"({counted(len(text), 'character')}; w unfolds)", "muted")]


def tokens_in(texts: Iterable[str]) -> str:
    """How many tokens these texts are, about: `~84`, `~1.2k`."""
    tokens = round(about_tokens(texts))
    return f"~{tokens}" if tokens < 1000 else f"~{tokens / 1000:.1f}k" if tokens < 10_000 else f"~{tokens // 1000}k"


def diff_styled(pieces: list[Piece] | None, whole: str) -> list[Styled]:
    """A word difference in the roles of the theme; the whole text where there is none.

    Between a word and the one in its place stands an arrow: the two must not run into each other, in any colour. Where
    only blanks went or came they are shown as glyphs.
    """
    if pieces is None:
        return [(whole, "text")]
    roles = {"same": "text", "removed": "removed", "added": "added", "gap": "muted"}
    out: list[Styled] = []
    seen = _blanks_seen(pieces)
    for (kind, text), (following, new) in zip(seen, [*seen, ("", "")][1:], strict=True):
        replaced = (kind, following) == ("removed", "added") and bool(text.strip() or new.strip())
        out.append((text.rstrip() or text if replaced else text, roles[kind]))
        if replaced:
            out.append(("\u2192", "muted"))
    return out


def _blanks_seen(pieces: list[Piece]) -> list[Piece]:
    """The same, with glyphs for blanks where a piece and the one in its place differ in nothing else."""
    out: list[Piece] = []
    for before, (kind, text), behind in zip([("", ""), *pieces], pieces, [*pieces[1:], ("", "")], strict=False):
        beside = {"removed": ("added", behind), "added": ("removed", before)}.get(kind)
        if beside is not None:
            wanted, (found, other) = beside
            if text.split() == (other.split() if found == wanted else []):
                text = seen_blanks(text, breaks=kind == "added")
        out.append((kind, text))
    return out


def marked(text: str, *others: str) -> list[Styled]:
    """The text with the words marked that are not in every one of `others`."""
    return diff_styled(lit(text, others), text)


def compared(text: str, others: Sequence[str], *, only_mark: bool = False) -> list[Styled]:
    """The text against those it is set beside: the words marked that one of them lacks and, unless `only_mark`, those
    that only the first of them has."""
    return marked(text, *others) if only_mark else diff_styled(word_diff(others[0], text), text)


def split_lines(styled: Iterable[Styled], gutter: Styled, row: int | None) -> Iterator[Paragraph]:
    """Styled text cut at its line feeds and made visible."""
    line: list[Styled] = []
    for text, role in styled:
        start = 0
        while (end := text.find("\n", start)) >= 0:
            line.append((visible(text[start:end]), role))
            yield Paragraph(tuple(line), gutter, row, _hang(line))
            line, gutter, start = [], ("", "muted"), end + 1
        if start < len(text):
            line.append((visible(text[start:]), role))
    if line:
        yield Paragraph(tuple(line), gutter, row, _hang(line))


def _hang(line: list[Styled]) -> int:
    """Where a wrapped line of code goes on: a little further in than it began."""
    text, role = line[0]
    return min(len(text) - len(text.lstrip(" ")) + 2, DEEPEST) if role == "code" else 0
