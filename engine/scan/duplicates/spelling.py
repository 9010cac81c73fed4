"""Requests spelled alike, so that the same request has the same words, and what a word and a number look like."""

from __future__ import annotations

import re

from engine.scan.duplicates.lexicon import SPACELESS
from engine.scan.text import fold

_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.){1,8}[^\W\d_](?!\w)\.?")
_ACRONYM = re.compile(r"\(([a-z]{2,7})\)")
_THANKS = re.compile(r"\b(?:many |best |kind )?(?:thanks|thank you|regards)(?: (?:so|very) much)?(?: in advance)?\b")
_NOT = re.compile(r"n't\b")
_SPACELESS = re.compile("[" + "".join(f"{first}-{last}" for first, last in SPACELESS) + "]")
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
WORD = rf"[^\W\d_]+(?:[{_MARKS}][^\W\d_]*)*"
NUMBER = r"(?:(?<![^\s(=<>+*/^,:])-)?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)*)"


def prepare(text: str) -> str:
    """`text` folded and spelled so that the same request has the same tokens (U.S. = US, don't = do not, (AI) after its
    expansion).
    """
    form = fold(text)
    if not form.isascii():
        form = form.replace("’", "'").replace("‘", "'").replace("−", "-")
        form = _SPACELESS.sub(r" \g<0> ", form)
    if "'" in form:
        form = _NOT.sub(" not", form.replace("won't", "will not")).replace("'s", " ")
    if "." in form:
        form = _DOTTED.sub(lambda found: found.group().replace(".", ""), form)
    if "(" in form:
        form = _ACRONYM.sub(_drop_expanded, form)
    if "regards" in form or "thank" in form:
        form = _THANKS.sub(" ", form)
    return form


def _drop_expanded(found: re.Match[str]) -> str:
    letters = found.group(1)
    before = found.string[max(0, found.start() - 25 * len(letters)) : found.start()].split()[-len(letters) :]
    initials = "".join(word[0] for word in before)
    return " " if initials == letters else found.group()
