"""Requests about a page behind a link, which a model that reads only text cannot open."""

from __future__ import annotations

import re

from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, in_prompt
from engine.scan.text import shorten

_LINK = re.compile(
    r"https?://[^\s<>\"')\]]{3,2000}|\bwww\.\w[^\s<>\"')\]]{2,2000}|\b[\w-]{2,40}\.(?:com|org|net|io)/\S{1,200}", re.I
)
_ABOUT_LINKS = re.compile(
    r"\b(?:urls?|links?|domains?|hyperlinks?|hostname|protocol|query string|shorten|parse|extract|validate|valid|"
    r"format|cit(?:e|ation)|reference|bibliography|apa|mla)\b",
    re.IGNORECASE,
)
ENOUGH_TEXT = 40
"""Words beside the link from which the text itself is there, and the link only says where it comes from."""


def _link(row: Reading, survey: None) -> Found | None:
    if not row.is_single or row.shows_media:
        return None
    prompt = row.prompt[:20_000]
    if "://" not in prompt and "www." not in prompt and "/" not in prompt:
        return None
    found = _LINK.search(prompt)
    if found is None or row.about_code:
        return None
    asked_about = _LINK.sub(" ", row.request)
    if _ABOUT_LINKS.search(asked_about) and not re.search(
        r"\b(?:at|from|in|on|of) (?:this|the|that) (?:link|url)", asked_about, re.I
    ):
        return None
    around = _LINK.sub(" ", row.material or row.request)
    if len(around.split()) >= ENOUGH_TEXT:
        return None
    return Found(
        f'asks about a page that cannot be opened: "{shorten(found.group(), 50)}"', in_prompt(row, found.group())
    )


LINK = Signal("link", "drop", "the request needs a page behind a link", _link)
