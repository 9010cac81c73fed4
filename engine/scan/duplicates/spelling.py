"""Requests spelled alike, so that the same request has the same words, and what a word and a number look like."""

from __future__ import annotations

import re

from engine.scan.text import fold, word_set

# Kana, Han, Thai and Lao, Burmese, Khmer: scripts written without spaces.
SPACELESS = (
    ("\u3040", "\u30ff"),
    ("\u3400", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\u0e00", "\u0eff"),
    ("\u1000", "\u109f"),
    ("\u1780", "\u17ff"),
    ("\U00020000", "\U0003ffff"),
)
_DOTTED = re.compile(r"(?<!\w)(?:[^\W\d_]\.){1,8}[^\W\d_](?!\w)\.?")
# A point before a letter: stands in every acronym, and in few sentences.
_INNER_POINT = re.compile(r"\.[^\W\d_]")
_ACRONYM = re.compile(r"\(([a-z]{2,7})\)")
_NO_COURTESY = "".join(
    rf"(?<!\b{word} )" for word in sorted(word_set("say saying word phrase translate write of for a the and to"))
)
_THANKS = re.compile(
    rf"(?<![\"'“‘«]){_NO_COURTESY}\b(?:many |best |kind )?(?:thanks|thank you|regards)(?: (?:so|very) much)?"
    r"(?: in advance)?(?=[\s.,;!]*(?:$|\n|please|can |could ))"
)
_PLEASE = re.compile(
    r"\A(?:bitte|por favor|s'il (?:te|vous) pla[iî]t)\b,?(?=\s\w)"
    r"|,\s?(?:bitte|por favor|s'il (?:te|vous) pla[iî]t)(?=[\s.!?]*\Z)"
)
# One word on keyboards with and without them.
_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"}
_LABEL = re.compile(
    r"\s{0,9}(?:(?:#{1,4} )?(?:q|question|prompt|instruction|task|user|human) ?:\s{0,3}|your task is to )(?=\S)"
)
# "the concept of X" asks for X.
_FRAME = re.compile(
    r"\b(?:the )?(?:concept|notion)s? of |\bthe term (?=[\"'“‘«]|[\w-]{1,40}(?: [\w-]{1,40})?\s{0,3}[.?]?\s{0,3}$)",
    re.IGNORECASE,
)
_MADE = re.compile(
    r"\b(?:write|create|generate|make|compose|construct|produce|develop|craft|build|design|draft|draw|compare)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)
_NOT = re.compile(r"n't\b")
_SPACELESS = re.compile("[" + "".join(f"{first}-{last}" for first, last in SPACELESS) + "]")
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0903\u093a-\u094f\u0980-\u0dff"
WORD = rf"[^\W\d_]+(?:[{_MARKS}][^\W\d_]*)*"
NUMBER = r"(?:(?<![^\s(=<>+*/^,:])-)?(?:\d{1,3}(?:,\d{3})+(?![\d,])(?:\.\d+)?|\d+(?:\.\d+)*)"


_LABEL_STARTS = frozenset(("q", "p", "i", "t", "u", "h", "y", "#", " ", "\n", "\t"))


def prepare(text: str) -> str:
    """`text` folded and spelled so that the same request has the same tokens (U.S. = US, don't = do not, (AI) after its
    expansion).
    """
    form = fold(text)
    if form[:1] in _LABEL_STARTS:
        form = _LABEL.sub("", form, count=1) if _LABEL.match(form) else form
    if "concept" in form or "notion" in form or "term" in form:
        form = without_frame(form)
    if not form.isascii():
        form = form.replace("’", "'").replace("‘", "'").replace("−", "-")
        form = _SPACELESS.sub(r" \g<0> ", form.translate(_UMLAUTS))
    if "bitte" in form or "por favor" in form or "s'il " in form:
        form = _PLEASE.sub(" ", form.strip())
    if "'" in form:
        form = _NOT.sub(" not", form.replace("won't", "will not")).replace("'s", " ")
    if "." in form[:-2] and _INNER_POINT.search(form):
        form = _DOTTED.sub(lambda found: found.group().replace(".", ""), form)
    if "(" in form:
        form = _ACRONYM.sub(_drop_expanded, form)
    if "regards" in form or "thank" in form:
        form = _THANKS.sub(" ", form)
    return form


def without_thanks(text: str) -> str:
    """`text` without the courtesy that is no part of what it asks."""
    return _THANKS.sub(" ", fold(text)) if "thank" in text.lower() or "regards" in text.lower() else text


def without_frame(text: str) -> str:
    """`text` without "the concept of" and "the term", which add nothing where something is to be explained. A poem
    about the concept of love is another poem.
    """

    def bare(found: re.Match[str]) -> str:
        return found.group() if _MADE.search(text[max(0, found.start() - 60) : found.start()]) else ""

    return _FRAME.sub(bare, text)


def _drop_expanded(found: re.Match[str]) -> str:
    letters = found.group(1)
    before = found.string[max(0, found.start() - 25 * len(letters)) : found.start()].split()[-len(letters) :]
    initials = "".join(word[0] for word in before)
    return " " if initials == letters else found.group()
