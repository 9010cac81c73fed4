"""Whether two short answers are in two languages, so that other words are no other answer."""

from __future__ import annotations

import re

from engine.scan.text import word_set

_LETTERS = re.compile(r"[^\W\d_]+")
_SCRIPTS = re.compile(
    r"(?P<latin>[a-z\u00c0-\u024f\u1e00-\u1eff])|(?P<greek>[\u0370-\u03ff])|(?P<cyrillic>[\u0400-\u052f])"
    r"|(?P<hebrew>[\u0590-\u05ff])|(?P<arabic>[\u0600-\u06ff])|(?P<india>[\u0900-\u0dff])|(?P<thai>[\u0e00-\u0e7f])"
    r"|(?P<east>[\u3040-\u30ff\u3400-\u9fff])|(?P<hangul>[\uac00-\ud7af])",
    re.IGNORECASE,
)
# Words that hold a sentence together, each in one of these languages alone.
_TIES = tuple(
    map(
        word_set,
        (
            "the of is are was were and it this that with by from which has have they not",
            "der das ist sind und ein eine von den dem mit nicht wurde wird auf hat im zum zur",
            "le les est sont et une du dans des avec pas par cette qui ont été c'est l'",
            "el los las es y una del en con por que fue son está lo",
            "il lo gli è sono e della dello di nel con che una stato",
            "o os as é são e uma do da dos das em com foi não",
            "het een van zijn niet met voor op wordt werd aan",
        ),
    )
)
_FEWEST = 2


def in_two_languages(one: str, other: str) -> bool:
    """Whether the letters of two answers are of two scripts, or the small words of each of another language."""
    scripts = _scripts(one), _scripts(other)
    if scripts[0] and scripts[1] and scripts[0].isdisjoint(scripts[1]):
        return True
    words = [set(_LETTERS.findall(text.lower())) for text in (one, other)]
    mine, theirs = ([len(each & ties) for ties in _TIES] for each in words)
    first, second = mine.index(max(mine)), theirs.index(max(theirs))
    return (
        first != second
        and mine[first] >= _FEWEST
        and theirs[second] >= _FEWEST
        and mine[second] < _FEWEST
        and theirs[first] < _FEWEST
    )


def _scripts(text: str) -> set[str]:
    return {str(found.lastgroup) for found in _SCRIPTS.finditer(text)}
