"""What answers to the questions of a labelling tool come to: a verdict, a mended text, labels, numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.model import Row
from engine.sources.conversation.text_edits import with_texts
from engine.sources.shapes.names import LABEL_WORDS, plain_name

Proposed = Literal["accept", "reject", "skip", ""]

LONGEST_WHY = 200
# No score is larger; beyond it a whole number may be no float.
LARGEST = 10**15
LONGEST_TAG = 40
MOST_LABEL_WORDS = 3
DIFFER = "annotators-differ"
WORDS = {
    **LABEL_WORDS,
    **dict.fromkeys(("correct", "keep", "approve", "approved", "valid", "pass", "like", "upvote", "thumbup"), True),
    **dict.fromkeys(("incorrect", "discard", "drop", "disapproved", "invalid", "fail", "dislike", "downvote"), False),
    "thumbdown": False,
}
ANSWERS = ("response", "output", "completion", "generation", "answer")
SAYING = frozenset({*ANSWERS[:-1], "messages", "conversations", "text", "html"})
SCORES = frozenset({"score", "rating", "quality", "stars", "grade", "reward", "helpfulness", "overall"})
# What a corrected text is called beside the name of what it corrects.
AFFIXES = frozenset(
    {
        *("new", "original", "corrected", "correction", "edited", "edit", "improved", "revised", "fixed", "final"),
        *("updated", "human", "better", "rewritten", "rewrite", "suggested"),
    }
)


@dataclass(frozen=True, slots=True)
class Said:
    """What one tool says of a row: a verdict, or the whole row with a mended text (that is a yes, too), and labels.
    `why` quotes the field that says so."""

    tool: str
    verdict: Proposed = ""
    edited: Row | None = None
    tags: tuple[str, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Heard:
    """What the answers to the questions of a tool come to, gathered one by one."""

    verdicts: list[tuple[Proposed, str]] = field(default_factory=list)
    texts: list[tuple[str, str, str]] = field(default_factory=list)
    """(question, text, why)"""
    tags: dict[str, str] = field(default_factory=dict)
    scores: dict[str, float] = field(default_factory=dict)

    def answer(self, name: str, value: Any, by: str = "", *, is_text: bool = False) -> None:
        """One answer to the question `name`: a word that judges, a label, a number, or a text."""
        values = value if isinstance(value, list) else [value]
        words = [one for one in values if isinstance(one, str) and one.strip()]
        why = f"{name}: {', '.join(words)}{by}"
        for number in values:
            if is_number(number):
                self.scores.setdefault(name, float(number))
        judged = {verdict for word in words if (verdict := judging(word))}
        if len(judged) == 1:
            self.verdicts.append((judged.pop(), why))
        elif words and not is_text and all(map(is_label, words)) and bare(name) not in SAYING:
            self.tags |= {f"{as_tag(name)}={as_tag(word)}": why for word in words}
        if len(words) == 1:
            self.texts.append((name, words[0], why))

    def said(self, tool: str, row: Row, fields: Mapping[str, Any], at: tuple[str, ...]) -> Said | None:
        """`fields` are the texts that were shown, `at` where they stand in the row."""
        edits, kept = self._edits(row, fields, at)
        verdict, why, tags = together([*self.verdicts, *kept])
        labels = [tag for tag, why in self.tags.items() if corrected(why.partition(":")[0], fields) is None]
        tags = (*tags, *labels)
        if edits and verdict in ("", "accept") and DIFFER not in tags:
            mended = with_texts(row, {path: text for _, path, text in edits})
            return Said(tool, "", mended, tags, cut_why(", ".join(name for name, _, _ in edits)))
        if not verdict and not tags:
            return None
        return Said(
            tool, verdict, None, tags, cut_why(why or "; ".join(dict.fromkeys(self.tags[tag] for tag in labels)))
        )

    def _edits(
        self, row: Row, fields: Mapping[str, Any], at: tuple[str, ...]
    ) -> tuple[list[tuple[str, tuple[str, ...], str]], list[tuple[Proposed, str]]]:
        """(name of a field, its path, the text that is to stand there), and what was looked at and left as it was."""
        edits: dict[str, tuple[str, tuple[str, ...], str]] = {}
        kept: list[tuple[Proposed, str]] = []
        for question, text, _ in self.texts:
            name = corrected(question, fields)
            if name is None:
                continue
            if text == fields[name]:
                kept.append(("accept", f"{bare(name) or name}: as it was"))
            elif name in edits and edits[name][2] != text:
                # Two people mended it in two ways: neither is taken for the other's.
                del edits[name]
                kept += [("accept", f"{name}: mended"), ("reject", f"{name}: mended otherwise")]
            else:
                edits[name] = (name, (*at, name), text)
        return list(edits.values()), kept


def judging(word: Any) -> Proposed:
    """What a word says of an answer, where it is one that judges."""
    if isinstance(word, bool):
        return "accept" if word else "reject"
    if not isinstance(word, str) or len(word) > LONGEST_TAG:
        return ""
    wanted = {"\N{THUMBS UP SIGN}": True, "\N{THUMBS DOWN SIGN}": False}.get(word.strip()[:1])
    wanted = WORDS.get(plain_name(word.strip())) if wanted is None else wanted
    return "" if wanted is None else "accept" if wanted else "reject"


def together(verdicts: list[tuple[Proposed, str]]) -> tuple[Proposed, str, tuple[str, ...]]:
    """The verdict that all give, and why; where people differ nobody is given right."""
    counts = Counter(verdict for verdict, _ in verdicts)
    if not counts:
        return "", "", ()
    if len(counts) > 1 and set(counts) != {"skip"}:
        said = ", ".join(f"{number} {verdict}" for verdict, number in sorted(counts.items()))
        return "", f"annotators differ: {said}", (DIFFER,)
    return verdicts[0][0], verdicts[0][1], ()


def corrected(question: str, fields: Mapping[str, Any]) -> str | None:
    """The text that an answer is to stand in the place of: that of the same name, but for words such as `new`."""
    texts = [name for name, value in fields.items() if isinstance(value, str) and name != question]
    if isinstance(fields.get(question), str) and not AFFIXES & set(parts_of(question)):
        return question
    if not AFFIXES & set(parts_of(question)):
        return next((name for name in texts if bare(name) == question and bare(name) != name), None)
    wanted = bare(question) or next(iter([name for name in ANSWERS if name in texts]), "")
    return next((name for name in texts if bare(name) == wanted), None)


def parts_of(name: str) -> list[str]:
    return name.lower().replace("_", "-").replace(".", "-").replace(" ", "-").split("-")


def bare(name: str) -> str:
    return "-".join(part for part in parts_of(name) if part not in AFFIXES)


def names_a_score(name: str) -> bool:
    parts = parts_of(name)
    return parts[-1] in SCORES or name.lower() in SCORES


def is_label(word: str) -> bool:
    return len(word) <= LONGEST_TAG and len(word.split()) <= MOST_LABEL_WORDS and word[-1] not in ".!?"


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def number_in(value: Any) -> float | None:
    if isinstance(value, str) and len(value) <= 20:
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if is_number(value) else None


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def objects(value: Any) -> Iterator[dict[str, Any]]:
    return (one for one in (value if isinstance(value, list) else ()) if isinstance(one, dict))


def plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def told_with(name: str, value: str, comment: Any) -> str:
    more = f" ({comment.strip()})" if isinstance(comment, str) and comment.strip() else ""
    return cut_why(f"{name}: {value}{more}")


def cut_why(why: str) -> str:
    return why if len(why) <= LONGEST_WHY else f"{why[: LONGEST_WHY - 1]}\u2026"


def as_tag(word: str) -> str:
    """A label as a tag can be: one word, without what no terminal shows."""
    signs = (" " if sign in '()"/:' or not sign.isprintable() else sign for sign in word)
    return "-".join("".join(signs).split())[:LONGEST_TAG]
