"""What a row is about, as yes or no: hints too weak to flag anything, from which verdicts show which of them count.

Each stands for a kind of request that goes wrong in ways of its own (it needs a picture, it points at a text, it asks
for what is so right now) or for a form of answer. A person's taste decides: nothing here says that a row is bad.
"""

from __future__ import annotations

import re


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
