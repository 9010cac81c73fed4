"""One fact told in the active and in the passive voice: "Anna beat Ben", "Ben was beaten by Anna".

Who does what to whom is read from the order of the words around "was ... by" (English, German, French, Spanish); where
that does not tell it surely, nothing is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from engine.scan.answers.facts import one_spelling
from engine.scan.text import fold, word_set

_PASSIVE = re.compile(
    r"(?P<patient>.{1,80}?)\s(?:"
    r"(?:is|are|was|were|has been|have been|had been|got|gets)\s(?P<en>\w[\w ]{1,60}?)\sby"
    r"|(?:wird|werden|wurde|wurden|ist|sind|war|waren)\s(?:\w[\w ]{0,40}?\s)?(?:von|vom|durch)"
    r"|(?:est|sont|était|étaient|fut|furent|a été|ont été)\s(?P<fr>\w[\w ]{1,60}?)\spar"
    r"|(?:es|son|era|eran|fue|fueron|ha sido|han sido)\s(?P<es>\w[\w ]{1,60}?)\spor"
    r")\s(?P<agent>.{1,80})",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+")
_TIES = word_set(
    """
    a an the is are was were has have had been be got gets by in on at of and to
    hat haben hatte hatten habe avait ont
    der die das den dem des ein eine einen einem einer wird werden wurde wurden worden ist sind war waren von vom durch
    im le la les l un une est sont était étaient fut furent a été ont par en de du
    el los las una uno es son era eran fue fueron ha sido han por al del
    """
)
_NOT = word_set("not never no nor nicht nie kein keine pas jamais ne no nunca t")
# Past and participle that share less than three letters at the start.
_IRREGULAR = frozenset(
    frozenset(pair.split("/"))
    for pair in word_set(
        """
        wrote/written took/taken gave/given drove/driven saw/seen knew/known grew/grown drew/drawn did/done sang/sung
        drank/drunk rang/rung ate/eaten rode/ridden swam/swum shook/shaken flew/flown blew/blown rose/risen
        write/written take/taken give/given drive/driven see/seen do/done eat/eaten
        """
    )
)
# A German object may stand first: "Den Mann biss der Hund".
_OBJECT_FIRST = word_set("den einen ihn dem einem ihm")


@dataclass(frozen=True, slots=True)
class _Passive:
    words: list[str]
    patient: set[str]
    by: list[str]


def told_in_two_voices(one: str, other: str) -> Literal["", "same", "turned", "unsure"]:
    """Whether one of two sentences is the other in the passive voice: the same fact, the roles turned round, or not
    surely told. '' where they are no such pair.
    """
    passives = _passive(one), _passive(other)
    if (passives[0] is None) == (passives[1] is None):
        return ""
    passive = passives[0] or passives[1]
    active = _words(other if passives[0] else one)
    if passive is None or _NOT & {*passive.words, *active}:
        return ""
    mine, theirs = ([word for word in words if word not in _TIES] for words in (passive.words, active))
    verb = [word for word in mine if word not in theirs], [word for word in theirs if word not in mine]
    if len(mine) != len(theirs) or len(mine) < 3 or len(verb[0]) > 1 or len(verb[1]) > 1:
        return ""
    if verb[0] and not (verb[1] and _one_verb(verb[0][0], verb[1][0])):
        return ""
    places = {word: place for place, word in enumerate(active)}
    patient = [places[word] for word in passive.patient if word in places]
    agent = next((places[word] for word in passive.by if word in places and word not in _TIES), None)
    if not patient or agent is None or _OBJECT_FIRST.intersection(active[:1]):
        return "unsure"
    if agent < min(patient):
        return "same"
    return "turned" if not _OBJECT_FIRST.intersection(active) else "unsure"


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(one_spelling(text)))


def _passive(text: str) -> _Passive | None:
    found = _PASSIVE.fullmatch(" ".join(text.split()).strip(" .!"))
    if found is None:
        return None
    patient = {word for word in _words(found["patient"]) if word not in _TIES}
    return _Passive(_words(text), patient, _words(found["agent"])) if patient else None


def _one_verb(one: str, other: str) -> bool:
    if frozenset((one, other)) in _IRREGULAR:
        return True
    bare = one.removeprefix("ge"), other.removeprefix("ge")
    return any(len(left) >= 3 and len(right) >= 3 and left[:3] == right[:3] for left, right in ((one, other), bare))
