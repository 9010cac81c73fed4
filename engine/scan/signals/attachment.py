"""Requests about a picture, recording or file that is not there."""

from __future__ import annotations

import re

from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, in_prompt
from engine.scan.text import shorten

_MEDIUM = (
    r"(?:images?|pictures?|photo(?:graph)?s?|pics?|screenshots?|videos?|audio(?: (?:clip|file|recording))?|"
    r"recordings?|paintings?|"
    r"drawings?|diagrams?|charts?|(?:bar |line |pie )?graphs?|maps?|attachments?|podcasts?|artworks?|illustrations?|"
    r"web ?sites?|web ?pages?|urls?|logos?|gifs?|pdfs?|spreadsheets?|sculptures?)"
)
# The whole material is a stand-in for something that was shown elsewhere.
_STAND_IN = re.compile(
    rf"!\[[^\]\n]{{0,200}}\]\(|<img\b|[\[<(]\s?(?:a|an|the|insert|attached?|see|upload(?:ed)?|link(?: to)?)?\s?"
    rf"(?:\w{{1,20}} )?{_MEDIUM}\b[^\])>\n]{{0,80}}[\])>]|"
    rf"\A\W{{0,3}}(?:an? |the )?{_MEDIUM}\W{{0,3}}\Z|"
    rf"\A\W{{0,3}}(?:attached|uploaded|(?:an? |the )?{_MEDIUM} (?:of|attached|provided|included|below|"
    rf"above))\b[^\n]{{0,60}}\Z|"
    r"\S\.(?:jpe?g|png|gif|bmp|mp3|mp4|wav|mov|avi|pdf|xlsx?|docx?|pptx?)\b",
    re.IGNORECASE,
)
_SHOWN = re.compile(
    rf"\b(?:attached|(?:the |these )?(?:following|given|provided|accompanying)|the uploaded|this|these|"
    rf"below) (?:\w{{1,20}} )?{_MEDIUM}\b|"
    rf"\b(?:the|an?) {_MEDIUM}[^.\n]{{0,20}}? (?:attached|provided|below|above|shown|given)\b|"
    rf"\b(?:in|from|on|of) (?:the|this) (?:image|picture|photo(?:graph)?|screenshot|video|audio clip|diagram|"
    rf"attachment)\b(?! of)|"
    r"\bdescribe the (?:image|picture|photo(?:graph)?|screenshot|video|painting)\b(?! of)|"
    r"\b(?:attached|uploaded) (?:file|document|spreadsheet)\b",
    re.IGNORECASE,
)
# "Suggest a caption for a picture of ...": the words are the material.
_WORDS_ENOUGH = 25


def _attachment(row: Reading, survey: None) -> Found | None:
    if not row.is_single or row.about_code or row.shows_media:
        return None
    if row.material:
        found = _STAND_IN.search(row.material[:300])
        if found and len(row.material.split()) < _WORDS_ENOUGH:
            return _told(row, found.group())
    request = row.request[:2000]
    found = _SHOWN.search(request)
    if found is None:
        return None
    if len(row.material.split()) >= _WORDS_ENOUGH or len(request.split()) > 60:
        return None
    # What the thing shows is told in words right after it.
    told = request[found.end() : found.end() + 80].lstrip()
    if (
        re.match(r"(?:of|showing|depicting|that shows|where|with|:|\"|“)", told, re.IGNORECASE)
        and len(told.split()) > 3
    ):
        return None
    return _told(row, found.group())


def _told(row: Reading, words: str) -> Found:
    return Found(f'speaks of something that is not in the text: "{shorten(words, 40)}"', in_prompt(row, words))


ATTACHMENT = Signal("attachment", "drop", "the request needs a picture, recording or file", _attachment)
