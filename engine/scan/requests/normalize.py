"""Requests spelled alike, so that the same request has the same words, and what a word and a number look like."""

from __future__ import annotations

import re

from engine.scan.text import fold, with_factorials, word_set

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
    r"|(?<=\w)(?<!\bman)(?<!\bheisst)(?<!\bwort)(?<!\bbedeutet)(?<!\bsag)(?<!\bsage)(?<!\bsagen)(?<!\bund)(?<!\boder)(?<!\bdas)"
    r"(?<!\bein)(?<!\bfuer)(?<!\bvon) bitte(?= \w)"
    r"|(?<=\w)(?<!\bdice)(?<!\bdecir)(?<!\bpalabra)(?<!\bfrase)(?<!\bse)(?<!\by)(?<!\bde) por favor(?= \w)"
)
# One word on keyboards with and without them.
_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue"}
_ORDERS = word_set(
    """
    explain describe define tell discuss outline state clarify write create generate make compose construct produce
    develop design draft name list identify give provide suggest find enumerate mention calculate compute evaluate
    determine solve arrange rearrange summarize summarise translate convert rewrite compare classify edit correct
    what who when where why how which is are can could do does please
    was wer wann wo warum wie welche welcher welches nenne erkläre beschreibe schreibe
    quel quelle qui quand pourquoi comment explique décris écris qué quién cuándo cuál dónde cómo explica describe
    """
)
# What stands before a request and is no part of it: a label, an address, "let's", the number of a list. A number with a
# point may be an ordinal ("2. Weltkrieg"): it is one of a list where an order or a question follows.
_LABEL = re.compile(
    r"\s{0,9}(?:(?:#{1,4} |\*\*)?(?:q|question|prompt|instruction|task|user|human) ?:(?:\*\*)?\s{0,3}|your task is to "
    r"|(?:dear|hello|hi|hey) (?:assistant|ai|chatbot|chatgpt|gpt|bot|there|all|everyone)\s?[,:!.\n]\s{0,3}"
    r"|let['’]?s |let us |\(?\d{1,2}\)\s{1,3}(?=[^\W\d_])|[a-h]\)\s{1,3}(?=[^\W\d_])"
    rf"|\d{{1,2}}[.:]\s{{1,3}}(?=(?:{'|'.join(sorted(_ORDERS))})\b))(?=\S)"
)
_MOST_LABELS = 3
_WRAPPED = re.compile(r"\s{0,9}<(p|div|span|b|strong|em|i|h[1-6]|li|blockquote)>(.+?)</\1>\s{0,9}", re.DOTALL)
_PARAGRAPHS = re.compile(r"</p>\s{0,9}<p>")
# 3 x 4, not 0x4.
_TIMES = re.compile(r"(?<=\d) x (?=\d)")
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


_LABEL_STARTS = frozenset(("q", "p", "i", "t", "u", "h", "y", "#", "*", "(", " ", "\n", "\t", *"0123456789"))
_OTHER_STARTS = ("let", "dear ", *(f"{letter})" for letter in "abcdefgh"))


def prepare(text: str) -> str:
    """`text` folded and spelled so that the same request has the same tokens (U.S. = US, don't = do not, (AI) after its
    expansion).
    """
    form = fold(text)
    if form[:1] == "<":
        form = _unwrapped(form)
    for _ in range(_MOST_LABELS):
        found = _LABEL.match(form) if form[:1] in _LABEL_STARTS or form.startswith(_OTHER_STARTS) else None
        if found is None:
            break
        form = form[found.end() :]
    if "concept" in form or "notion" in form or "term" in form:
        form = without_frame(form)
    if not form.isascii():
        form = form.replace("’", "'").replace("‘", "'").replace("−", "-")
        form = _SPACELESS.sub(r" \g<0> ", form.translate(_UMLAUTS))
    if "bitte" in form or "por favor" in form or "s'il " in form:
        form = _PLEASE.sub(" ", form.strip())
    if "'" in form:
        form = _NOT.sub(" not", form.replace("won't", "will not")).replace("'s", " ")
    if "!" in form:
        form = with_factorials(form)
    if " x " in form:
        form = _TIMES.sub(" * ", form)
    if "." in form[:-2] and _INNER_POINT.search(form):
        form = _DOTTED.sub(lambda found: found.group().replace(".", ""), form)
    if "(" in form:
        form = _ACRONYM.sub(_drop_expanded, form)
    if "regards" in form or "thank" in form:
        form = _THANKS.sub(" ", form)
    return form


def _unwrapped(form: str) -> str:
    """`form` without a tag around the whole of it."""
    found = _WRAPPED.fullmatch(form)
    if found is None:
        return form
    inside = _PARAGRAPHS.sub("\n", found[2]) if found[1] == "p" else found[2]
    return form if f"<{found[1]}" in inside or f"</{found[1]}" in inside else inside


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
