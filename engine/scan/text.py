"""Forms of a text that are compared instead of the text itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from engine.scan.code import is_program, may_hold_code, with_pieces

# What stands at the edges of a sentence and says nothing about what it asks.
EDGE_PUNCTUATION = " .,!?;:…\"'`“”‘’«»。！？，、；：\u200b\ufeff"
SCORED_HEAD, SCORED_TAIL = 1500, 500

_LONGEST_SUM = 120
_FACTORIAL = re.compile(r"(?<=\d)!(?!=)(?=\s?[-+*/^=×÷]\s?[\d(])|(?<=\d)!(?=\))")
# An exclamation mark behind the last number is a sign only where nothing is said but a sum.
_ENDS_IN_FACTORIAL = re.compile(
    r"(?:(?:(?:please|what|is|what's|whats|calculate|compute|evaluate|find|solve|determine|simplify|the|value|result|of"
    r"|berechne|was|ist|calcule|calculez|combien|font|calcula|cuánto|es)[ :]{1,3}|计算|请){1,8}[-\d .,+*/^()×÷]{0,40}"
    r"|[-\d .,+*/^()×÷]{1,40}[-+*/^=×÷] ?)(?<=[ :(+*/^=×÷算-])\d{1,3}(!)[ ?.？]{0,3}"
)

_RAISED_RUN = re.compile(r"[⁺⁻]?[⁰¹²³⁴-⁹ⁿⁱ]+")
_FRACTION = re.compile(r"(?<=\d)[¼-¾⅐-⅞]")
_RAISED = re.compile(r"[⁰¹²³⁴-⁹ⁿⁱ¼-¾⅐-⅞]")
# "What is the symbol ;": a mark that stands for itself is no punctuation.
_MARKS_NAMED = tuple(".,;:!?…")
_NAMED_MARK = re.compile(
    r" [;:,]+$|\b(?:symbol|sign|mark|character|operator|zeichen|symbole|signe|signo|símbolo) [.!?…]$"
)
_NOT_WORDS = re.compile(r"[\W_]+")
# What `_NOT_WORDS` does to folded ASCII, at a tenth of its cost.
_ASCII_WORDS = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)
_CHUNK, _BETWEEN = 2000, "\x00"
_NO_EDGES = dict.fromkeys(map(ord, EDGE_PUNCTUATION))
_UNTOLD = bytes(code for code in range(128) if chr(code).isspace() or chr(code) in EDGE_PUNCTUATION)


def word_set(words: str) -> frozenset[str]:
    """The words of a text, for tables that are read as text."""
    return frozenset(words.split())


def fold(text: str) -> str:
    """`text` in compatibility form and without case, so that full-width, ligature and capital letters compare equal."""
    return text.lower() if text.isascii() else _compatible(text).casefold()


def _lowered(text: str) -> str:
    """`text` in compatibility form and small letters; "Maße" is not "Masse"."""
    return text.lower() if text.isascii() else _compatible(text).lower()


def _compatible(text: str) -> str:
    """NFKC, where x² becomes x^2 and not x2, and 1½ not 11/2."""
    if _RAISED.search(text):
        text = _FRACTION.sub(r" \g<0>", _RAISED_RUN.sub(_raised, text))
    return unicodedata.normalize("NFKC", text)


def _raised(found: re.Match[str]) -> str:
    return "^" + unicodedata.normalize("NFKC", found.group())


def exact_form(text: str) -> str:
    """The form in which two texts count as the same text: case, spacing and outer punctuation aside.

    Programs keep their case and their lines: `Print` is not `print`, and indentation is Python's grammar. So does what
    looks like a piece of one: `ls -r` is not `ls -R`.
    """
    if may_hold_code(text):
        if is_program(text):
            return "\n".join([line.rstrip() for line in text.strip("\r\n").rstrip().splitlines()])
        form = " ".join(with_pieces(text, _lowered).split())
    else:
        form = " ".join(_lowered(text).split())
    if "!" in form[-6:] and (found := _last_factorial(form)):
        return form[:found]
    if form.endswith(_MARKS_NAMED) and (named := _NAMED_MARK.search(form)):
        return form[: named.end()]
    # A text of nothing but punctuation is still a text: "." is not "!".
    return form.strip(EDGE_PUNCTUATION) or form


def with_factorials(form: str) -> str:
    """Folded text with "5 factorial" for "5!" where the mark is a sign of a sum, and no mark of a loud voice."""
    end = _last_factorial(form)
    if end:
        form = form[: end - 1] + " factorial" + form[end:]
    return _FACTORIAL.sub(" factorial", form)


def _last_factorial(form: str) -> int:
    """Where the factorial ends that a sum ends in; 0 where it ends in none. "5!!" is a loud five."""
    if len(form) > _LONGEST_SUM:
        return 0
    found = _ENDS_IN_FACTORIAL.fullmatch(form.strip())
    return found.end(1) + len(form) - len(form.lstrip()) if found else 0


def coarse_forms(texts: Sequence[str]) -> list[bytes]:
    """For each text what is left without case, space and the signs that may stand at its edges.

    Texts with equal `exact_form` have equal coarse forms, not the other way round. Many texts are done by one call: it
    takes a quarter of the time of looking at each.
    """
    found: list[bytes] = []
    for first in range(0, len(texts), _CHUNK):
        chunk = [text.lower() if text.isascii() else _bare(text) for text in texts[first : first + _CHUNK]]
        joined = _BETWEEN.join(chunk)
        if joined.count(_BETWEEN) >= len(chunk):
            joined = _BETWEEN.join([text.replace(_BETWEEN, "\x01") for text in chunk])
        found += joined.encode("utf-8", "surrogatepass").translate(None, _UNTOLD).split(_BETWEEN.encode())
    return found


def _bare(text: str) -> str:
    return "".join(fold(text).split()).translate(_NO_EDGES)


def score_form(text: str) -> str:
    """The form that similarity is measured on: words and numbers parted by single spaces.

    Very long texts are measured by their beginning and end (1,500 + 500 characters): scoring is quadratic.
    """
    if len(text) > 2 * (SCORED_HEAD + SCORED_TAIL):
        text = text[: 2 * SCORED_HEAD] + " " + text[-2 * SCORED_TAIL :]
    form = words_form(text)
    if len(form) > SCORED_HEAD + SCORED_TAIL:
        return form[:SCORED_HEAD] + form[-SCORED_TAIL:]
    return form


def words_form(text: str) -> str:
    """All words and numbers of a text, parted by single spaces."""
    if text.isascii():
        return " ".join(text.encode("ascii").translate(_ASCII_WORDS).decode("ascii").split())
    return _NOT_WORDS.sub(" ", fold(text)).strip()


def sorted_form(form: str) -> str:
    """`form` with its words in order: the plain ratio of two such forms is their token-sort ratio, at a seventh of its
    cost.
    """
    return " ".join(sorted(form.split()))


# Where the case of letters counts for nothing, a pattern takes these for `s` and `i`.
_SAME_BUT_FOR_CASE = {0x017F: "s", 0x0130: "i", 0x0131: "i"}


def lowered(word: str) -> str:
    """A word that a pattern of ASCII letters has found whatever their case, in small ASCII letters."""
    return word.translate(_SAME_BUT_FOR_CASE).lower()


def shorten(text: str, limit: int = 60) -> str:
    """`text` on one line for a reason, cut at `limit` characters with an ellipsis."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
