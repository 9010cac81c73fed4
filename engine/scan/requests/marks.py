"""Signs and names in a request that are no words and no operators, and still are what it is about."""

from __future__ import annotations

import re

# Currency, arrows, signs of mathematics, pictures. Degrees, trademarks and the like only dress a word.
_SYMBOL = re.compile("[$€£¥¢₠-⃏←-⇿∀-∑∓-⋿⌀-⏿■-◿☀-➿⬀-⯿±\U0001f000-\U0001faff]")
_BULLET = re.compile(r"\n[ \t]{0,20}[■-➿←-⇿](?=[ \t])")
_QUOTED = r"\"'“”‘’«»`"
# A mark between blanks that ends no line, one before a name (`.box`, `#box`), one between quotes or brackets, one that
# ends a text and is no stop.
_ALONE = re.compile(
    rf"(?<=[{_QUOTED}(\[])[^\w\s]{{1,3}}(?=[{_QUOTED})\]])|(?<!\S)(?:[^\w\s]{{1,3}}(?= {{1,3}}\S)|[.#~](?=[A-Za-z]))"
    r"|(?<= )[;:,](?=\s*\Z)"
    r"|(?:(?<=symbol )|(?<=sign )|(?<=mark )|(?<=character )|(?<=operator )|(?<=Zeichen ))[.!?](?=\s*\Z)"
)
_WORD_IN_QUOTES = re.compile(rf"(?<![\w])[{_QUOTED}]([^\W\d_]{{2,40}})[{_QUOTED}](?!\w)")
_ABOUT_CASE = re.compile(
    r"\b(?:upper|lower|title|camel|case)[ -]?(?:case|sensitive)|\bcapital (?:or |and )?(?:letter|small)|\bcapitali[sz]"
    r"|\bgroßbuchstab|\bkleinbuchstab|\bmajuscul|\bminuscul|\bmayúscul|\bminúscul|\bmaiúscul"
    r"|заглавн|прописн|строчн|大写|小写|大文字|小文字|대문자|소문자",
    re.IGNORECASE,
)
# Both begin with what is rare: most letters are passed over at once.
_CAPITALS = re.compile(r"[A-Z](?<!\w[A-Z])[A-Z]{1,39}\b")
_MAY_BE_CAMEL = re.compile(r"[A-Z](?<=[a-z]{2}[A-Z])[a-z]")
_CAMEL = re.compile(r"\b[a-z]{2,40}(?:[A-Z][a-z\d]{1,40}){1,8}\b")


def symbols_of(text: str) -> tuple[str, ...]:
    """Currency, emoji and the like, in order; bullets at the beginning of a line aside."""
    if text.isascii():
        return ("$",) * text.count("$") if "$" in text else ()
    return tuple(_SYMBOL.findall(_BULLET.sub("\n", text)))


def marks_of(text: str) -> tuple[str, ...]:
    """Marks that stand by themselves ("the symbol ; is called"), in order. Some write a blank before every colon, so
    that only two that both hold as many marks are told apart by them."""
    return tuple(_ALONE.findall(text))


def names_of(text: str) -> frozenset[str]:
    """Words that are meant as they are written, in small letters: quoted ones, names of programs (`getItems`), and
    those in capitals, but for a text that is all in capitals and more than one word.
    """
    names = _WORD_IN_QUOTES.findall(text)
    if _MAY_BE_CAMEL.search(text):
        names += _CAMEL.findall(text)
    capitals = _CAPITALS.findall(text)
    if capitals and (2 * sum(map(len, capitals)) < len(text) or capitals == text.split()[:2]):
        names += capitals
    return frozenset([name.lower() for name in names])


def marks_differ(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether marks that stand by themselves tell two texts apart."""
    return one != other and len(one) == len(other)


def case_tells(one: str, other: str) -> bool:
    """Whether two requests in the same words may ask for two things by their capitals: Co and CO, or letters that
    are to be counted.
    """
    if one == other:
        return False
    words = one.split(), other.split()
    unlike = [pair for pair in zip(*words, strict=False) if pair[0] != pair[1]]
    if len(words[0]) != len(words[1]) or any(mine.lower() != theirs.lower() for mine, theirs in unlike):
        return False
    if _ABOUT_CASE.search(one):
        return True
    return any(
        not mine.islower() and not theirs.islower() and not one.isupper() and not other.isupper()
        for mine, theirs in unlike
    )
