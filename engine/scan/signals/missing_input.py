"""Requests that point at a text which is not there."""

from __future__ import annotations

import re

from engine.scan.signals.placeholder import INPUT
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, in_prompt
from engine.scan.text import shorten

_TEXT = (
    r"(?:texts?|sentences?|paragraphs?|articles?|passages?|lists?|words|numbers|data(?: ?set)?|code|tables?|poems?|"
    r"stor(?:y|ies)|documents?|"
    r"statements?|equations?|expressions?|phrases?|e-?mails?|essays?|reviews?|conversations?|dialogues?|strings?|"
    r"arrays?|snippets?|"
    r"quotes?|tweets?|lyrics|excerpts?|reports?|letters?|items?|headlines?|speech|transcript|abstract|sequence|recipe)"
)
_POINTS = re.compile(
    rf"\b(?:(?:the |these |this )?(?:following|given|provided)|this) (?:\w{{1,20}} ){{0,2}}?{_TEXT}\b|"
    rf"\b{_TEXT} (?:below|above|provided|that follows)\b|\bthe (?:following|below)\s{{0,3}}[.:]?\Z",
    re.IGNORECASE,
)
_READS = re.compile(
    rf"\A\W{{0,3}}(?:please )?(?:summari[sz]e|proofread|paraphrase|rewrite|edit|translate|correct|analy[sz]e|punctuate|"
    rf"rephrase|simplify|shorten|reword|critique|annotate) (?:the|this|these|that|my) (?:\w{{1,20}} ){{0,1}}?{_TEXT}\b",
    re.IGNORECASE,
)
_SLOT = re.compile(
    r"[\[<{](?:insert|enter|add|your|name of|company|product|first|last|customer|user|city|date|topic|title|text|"
    r"article|sentence|paragraph)"
    r"(?: [\w' -]{1,40})?[\]>}]|\bX{3,10}\b|_{5,}",
    re.IGNORECASE,
)
_MADE = re.compile(
    r"\b(?:function|algorithm|program|script|method|class|regex|regular expression|pseudocode|formula|template)\b|"
    r"\bhow (?:would|do|to|can|does)\b|\b(?:write|create|generate|compose|draft|make|come up with|give me|"
    r"tell me) (?:an?|the|me|\d)\b|"
    r"\bin (?:this|the following) (?:order|format|style|form)\b",
    re.IGNORECASE,
)
# It is there after all, in quotes or after a colon, or by its name.
_THERE = re.compile(r"[:\"“”`«\n]|(?<!\w)'|\d|[.?!] \w|[-–—] |\(")
MOST_WORDS = 25


def _missing_input(row: Reading, survey: None) -> Found | None:
    if not row.is_single:
        return None
    request = row.request
    if (
        (row.material and not INPUT.fullmatch(row.material))
        or len(request.split()) > MOST_WORDS
        or _MADE.search(request)
    ):
        return None
    found = _POINTS.search(request)
    if found is not None:
        if _THERE.search(request):
            return None
    else:
        found = _READS.match(request)
        if found is None or _THERE.search(request[found.end() :]):
            return None
        # "Summarize the story of Romeo and Juliet", "the article Common Sense": known by its name.
        if re.search(r"\b[A-Z]\w", request[found.end() :]):
            return None
    return Found(f'"{shorten(found.group(), 50)}", but no text is given', in_prompt(row, found.group()))


def _unfilled(row: Reading, survey: None) -> Found | None:
    """A slot of a template in the material, where a text was meant to be put."""
    if not row.is_single or row.about_code or not row.material or len(row.material.split()) > 12:
        return None
    if re.search(r"\b(?:blanks?|template|placeholder|complete|fill|missing)\b", row.request, re.IGNORECASE):
        return None
    found = _SLOT.search(row.material)
    return (
        None
        if found is None
        else Found(f'a slot was never filled in: "{shorten(found.group(), 40)}"', in_prompt(row, found.group()))
    )


def _find(row: Reading, survey: None) -> Found | None:
    return _missing_input(row, survey) or _unfilled(row, survey)


MISSING_INPUT = Signal("missing_input", "check", "the request points at a text that is not there", _find)
