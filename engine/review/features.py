"""A pool of rows as numbers to learn from: flags, counts, hints, words, pieces of words, and what the texts are about.

Made once per pool: verdicts change, rows do not. Which blocks there are and how much each weighs was chosen on one half
of the development labels and confirmed on the other (docs/benchmarks.md). Imported by the job only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log1p, sqrt
from typing import Any

from engine.model import Severity

# -- hints: what a row is about, as yes or no. Too weak to flag anything; verdicts show which of them count.
#
# Each stands for a kind of request that goes wrong in ways of its own (it needs a picture, it points at a text, it asks
# for what is so right now) or for a form of answer. A person's taste decides: nothing here says that a row is bad.


def _any(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


REQUEST: dict[str, re.Pattern[str]] = {
    "speaks of media": _any(
        r"\b(?:image|picture|photo\w{0,10}|screenshot|video|audio|recording|painting|drawing|diagram|chart|graph|map|"
        r"file|attachment|website|web ?page|url|link|podcast|artwork|logo|poster|banner|infographic|animation|gif|"
        r"slide|flyer|icon|3d)s?\b"
    ),
    "asks to make something": _any(
        r"^(?:please )?(?:design|create|draw|build|develop|construct|make|produce|compose|render|sketch|paint|record|"
        r"edit|upload)\b"
    ),
    "points at a text": _any(
        r"\b(?:the following|given|provided|below|above|this (?:text|sentence|paragraph|article|passage|list|data|code|"
        r"table|poem|story|document|statement|question|email|image|picture))\b"
    ),
    "asks for what is so now": _any(
        r"\b(?:current(?:ly)?|latest|today|now|recent(?:ly)?|this (?:year|week|month)|news|weather|20[12]\d|stock|"
        r"price|real[- ]time)\b"
    ),
    "asks for a number of things": _any(r"\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten)\b"),
    "asks to calculate": _any(
        r"\d\s?[-+*/x^=%]\s?\d|\b(?:calculate|compute|solve|sum|multiply|divide|subtract|equation|average|percent\w{0,4})\b"
    ),
    "asks to sort": _any(r"\b(?:sort|order|arrange|rank|alphabetical(?:ly)?|ascending|descending|reorder|rearrange)\b"),
    "holds a blank": _any(r"\[[^\]]{0,40}\]|<[^>]{0,40}>|\{[^}]{0,40}\}|_{3}|\.\.\."),
    "holds a link": _any(r"https?://|www\.|\.com\b"),
    "speaks to somebody": _any(r"\b(?:you|your|yourself|i|my|me|we|our)\b"),
    "asks to act": _any(
        r"\b(?:search|browse|look up|find out|visit|download|install|open|play|click|send|call|book|schedule|google|"
        r"research|interview|survey|collect|measure|test|run|execute)\b"
    ),
    "asks for a program": _any(
        r"\b(?:function|code|script|program|query|sql|python|java\w{0,6}|html|css|algorithm|regex|api|class)\b"
    ),
    "asks for a fact": _any(r"^(?:what|who|when|where|which|how many|how much|name)\b"),
    "asks for a text": _any(
        r"\b(?:story|poem|essay|song|lyrics|joke|haiku|dialogue|speech|letter|email|tweet|article|blog|review|"
        r"description|slogan|headline)\b"
    ),
    "asks to work on a text": _any(
        r"\b(?:classify|categorize|identify|rewrite|convert|translate|summari[sz]e|paraphrase|edit|correct|complete|"
        r"fill|match|compare|extract|detect|predict|determine|evaluate|analy[sz]e)\b"
    ),
}
MATERIAL = ("speaks of media", "holds a link", "holds a blank", "asks to calculate", "asks for a program")
"""Of those, the ones that are also looked for in the input."""
ANSWER: dict[str, re.Pattern[str]] = {
    "answer declines": _any(
        r"\b(?:sorry|cannot|can't|unable|not able|as an ai|do not have|don't have|not possible|unfortunately)\b"
    ),
    "answer describes a thing": _any(
        r"^(?:the|this|a|an|my) (?:\w{1,20} ){0,3}(?:logo|design|image|picture|poster|chart|graph|diagram|drawing|"
        r"painting|website|app|video|infographic|sketch|map|banner|animation)\b"
    ),
    "answer holds a link": _any(r"https?://|www\."),
    "answer is a list": re.compile(r"^\s{0,8}(?:\d{1,3}[.)]|[-*•])\s", re.MULTILINE),
    "answer holds a program": re.compile(r"```|;\s*$|\bdef |</", re.MULTILINE),
    "answer holds a blank": _any(r"\[[^\]]{2,40}\]|\b(?:n/a|none|no (?:in|out)put|placeholder|example\.com|lorem)\b"),
    "answer is a number": re.compile(r"^\W{0,8}\d[\d.,]{0,30}\W{0,8}$"),
    "answer asks": re.compile(r"\?\s*$"),
}
TOGETHER = (
    "points at nothing",
    "points at an input",
    "makes media",
    "asks for a fact of now",
    "media, but no text",
    "works on no input",
    "short input",
    "long input",
)
NAMES = (*REQUEST, *TOGETHER, *(f"input: {name}" for name in MATERIAL), *ANSWER, "answer repeats the request")


def hints_of(request: str, material: str, answer: str) -> list[float]:
    """One number for each of NAMES, from texts that the caller has cut to a length worth reading."""
    asked = {name: float(pattern.search(request) is not None) for name, pattern in REQUEST.items()}
    points, media = asked["points at a text"], asked["speaks of media"]
    together = [
        points * (not material),
        points * bool(material),
        media * asked["asks to make something"],
        asked["asks for what is so now"] * asked["asks for a fact"],
        media * (1 - asked["asks for a text"]),
        asked["asks to work on a text"] * (not material),
        float(0 < len(material) < 20),
        float(len(material) > 290),
    ]
    given = [float(REQUEST[name].search(material) is not None) for name in MATERIAL]
    said = [float(pattern.search(answer) is not None) for pattern in ANSWER.values()]
    repeats = len(answer) > 20 and answer.strip()[:60] in f"{request}\n{material}"
    return [*asked.values(), *together, *given, *said, float(repeats)]


# -- the rows of a pool, and the blocks of their features

_STRENGTH = {"drop": 3.0, "fix": 3.0, "check": 1.5, "info": 0.5}
MOST_FOR_PIECES = 20_000
"""On a larger pool, pieces of words cost more than they give."""
SUBJECTS = 60
"""Leading components that say what a text is about (latent semantic analysis, Deerwester et al. 1990)."""
PIECE = "letters:"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Case:
    """One row as the queue sees it: texts and the severity of each signal that flagged it."""

    prompt: str
    answer: str
    flags: Mapping[str, Severity]

    @property
    def strength(self) -> float:
        """How strongly the flags speak, before anybody has judged anything."""
        return min(3.0, sum(_STRENGTH[severity] for severity in self.flags.values()))


@dataclass(frozen=True, slots=True)
class Block:
    """One kind of text feature: TF-IDF of `part`, its squared weight among the others, and whether it is reduced to
    the leading components."""

    label: str
    part: str
    ngrams: tuple[int, int]
    most: int
    weight: float
    analyzer: str = "word"
    reduced: bool = False


BLOCKS = (
    Block("word", "request", (1, 2), 40_000, 1.0),
    Block("input", "material", (1, 1), 20_000, 0.25),
    Block("answer", "answer", (1, 1), 20_000, 0.25),
    Block(PIECE.removesuffix(":"), "request", (3, 5), 40_000, 1.0, "char_wb"),
    # Few verdicts say little about single words and more about subjects: the whole pool, judged or not, teaches those.
    Block("subject", "prompt", (1, 1), 20_000, 1.0, reduced=True),
    Block("subject", "row", (1, 1), 20_000, 0.5, reduced=True),
    Block("subject", "answer", (1, 1), 20_000, 0.3, reduced=True),
)


class Features:
    """The cases as a sparse matrix whose columns have `names` a person can read, and a dense one that is only counted
    with."""

    def __init__(self, cases: Sequence[Case]) -> None:
        from numpy import float32, hstack, zeros
        from scipy.sparse import csr_matrix
        from scipy.sparse import hstack as side_by_side

        signals = sorted({signal for case in cases for signal in case.flags})
        blocks: list[Any] = [csr_matrix([[*_shape(case), *_traits(case), *_hints(case)] for case in cases])]
        names = [*_SHAPE, *_TRAITS, *NAMES]
        if signals:
            blocks.append(csr_matrix([[float(signal in case.flags) for signal in signals] for case in cases]))
            names += [f"flag:{signal}" for signal in signals]
        dense = [zeros((len(cases), 0), float32)]
        parts = _parts(cases)
        for block in BLOCKS:
            if block.analyzer != "word" and len(cases) > MOST_FOR_PIECES:
                continue
            made = _tfidf(parts[block.part], block)
            if made is None:
                continue
            if block.reduced:
                dense.append(_reduced(made[0]) * float32(sqrt(block.weight)))
            else:
                blocks.append(made[0] * sqrt(block.weight))
                names += [f"{block.label}:{word}" for word in made[1]]
        self.matrix = side_by_side(blocks, format="csr")
        self.dense = hstack(dense)
        self.names = tuple(names)


def _parts(cases: Sequence[Case]) -> dict[str, list[str]]:
    """The texts that blocks are made of; each is capped, so that one long row does not cost what a thousand do."""
    split = [case.prompt.partition("\n") for case in cases]
    return {
        "request": [head[:600] for head, _, _ in split],
        "material": [rest[:300] for _, _, rest in split],
        "answer": [case.answer[:400] for case in cases],
        "prompt": [case.prompt[:900] for case in cases],
        "row": [f"{case.prompt[:600]} {case.answer[:400]}" for case in cases],
    }


_SHAPE = ("length:request", "length:answer", "short answer", "question", "number in request")


def _shape(case: Case) -> list[float]:
    return [
        log1p(len(case.prompt.split())) / 3,
        log1p(len(case.answer.split())) / 3,
        float(len(case.answer.split()) <= 3),
        float("?" in case.prompt[:400]),
        float(re.search(r"\d", case.prompt[:400]) is not None),
    ]


_TRAITS = (
    "has input",
    "length:input",
    "length:first line",
    "characters:answer",
    "digits:request",
    "digits:answer",
    "capitals:answer",
    "marks:answer",
    "marks:request",
    "answer of several lines",
    "request ends with a question mark",
    "request ends with a full stop",
    "request begins in lower case",
    "answer begins in lower case",
    "answer without an end mark",
    "answer repeats words of the request",
    "different words in the answer",
    "request of several sentences",
    "colon in request",
    "quotes in request",
    "answer of one word",
    "request beyond ASCII",
    "answer beyond ASCII",
)
_TRAIT_WEIGHT = sqrt(0.3)
_HINT_WEIGHT = sqrt(0.5)
_LONGEST = 4000


def _traits(case: Case) -> list[float]:
    """Traits of form: shares are stretched to the range of the yes-or-no ones."""
    prompt, answer = case.prompt[:_LONGEST], case.answer[:_LONGEST]
    head, _, rest = prompt.partition("\n")
    material = rest.strip()
    asked = set(_WORD.findall(prompt.lower()))
    said = _WORD.findall(answer.lower())
    found: list[float] = [
        bool(material),
        log1p(len(material.split())) / 3,
        log1p(len(head.split())) / 3,
        log1p(len(answer)) / 5,
        3 * _share(prompt, str.isdigit),
        3 * _share(answer, str.isdigit),
        3 * _share(answer, str.isupper),
        3 * _share(answer, _is_mark),
        3 * _share(prompt, _is_mark),
        "\n" in answer,
        head.endswith("?"),
        head.endswith("."),
        head[:1].islower(),
        answer[:1].islower(),
        not answer.rstrip().endswith((".", "!", "?", '"', ")", "`")),
        sum(word in asked for word in said) / max(1, len(said)),
        len(set(said)) / max(1, len(said)),
        head.count(".") > 1,
        ":" in head,
        '"' in head,
        len(said) <= 1,
        not prompt.isascii(),
        not answer.isascii(),
    ]
    return [_TRAIT_WEIGHT * value for value in found]


def _hints(case: Case) -> list[float]:
    head, _, rest = case.prompt.partition("\n")
    return [_HINT_WEIGHT * value for value in hints_of(head[:600], rest.strip()[:300], case.answer[:600])]


def _share(text: str, test: Any) -> float:
    return float(sum(map(test, text)) / max(1, len(text)))


def _is_mark(character: str) -> bool:
    return not character.isalnum() and not character.isspace()


def _tfidf(texts: Sequence[str], block: Block) -> tuple[Any, list[str]] | None:
    from numpy import float32
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer=block.analyzer,
        ngram_range=block.ngrams,
        min_df=2 if len(texts) > 50 else 1,
        max_features=block.most,
        sublinear_tf=True,
        dtype=float32,
    )
    try:
        matrix = vectorizer.fit_transform(texts)
    except ValueError:  # no word stands in two rows, or none at all
        return None
    return matrix, list(vectorizer.get_feature_names_out())


def _reduced(matrix: Any) -> Any:
    """Unit vectors in the space of the leading components."""
    from numpy import errstate, float32
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize

    components = min(SUBJECTS, min(matrix.shape) - 1)
    if components < 2:
        return matrix.toarray()
    with errstate(invalid="ignore", divide="ignore"):  # equal texts have no variance to explain: that is fine
        points = TruncatedSVD(components, random_state=0).fit_transform(matrix)
    return normalize(points).astype(float32)
