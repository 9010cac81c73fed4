"""Answers in another language than the request, where no other language was asked for."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import word_set

FEWEST_LETTERS = 40
SURE = 0.9
FEWEST_WORDS = 12
_EXAMINED = 600
_SCRIPTS = (
    ("Han", re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")),
    ("Kana", re.compile(r"[\u3040-\u30ff]")),
    ("Hangul", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("Cyrillic", re.compile(r"[\u0400-\u04ff]")),
    ("Arabic", re.compile(r"[\u0600-\u06ff]")),
    ("Devanagari", re.compile(r"[\u0900-\u097f]")),
    ("Greek", re.compile(r"[\u0370-\u03ff]")),
    ("Hebrew", re.compile(r"[\u0590-\u05ff]")),
    ("Thai", re.compile(r"[\u0e00-\u0e7f]")),
)
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH = word_set(
    "the a an of to and in is are was for that it with on as by this be or from at which you your not have has can "
    "will how what i he she they we my his her their do does write give list describe explain"
)
# One language under several codes: their probabilities are added before anything is compared.
VARIANTS = {
    "wuu": "zh",
    "yue": "zh",
    "zh": "zh",
    "nb": "no",
    "nn": "no",
    "no": "no",
    "da": "no",
    "hr": "sr",
    "bs": "sr",
    "sr": "sr",
    "id": "ms",
    "ms": "ms",
    "jv": "ms",
    "gl": "pt",
    "pt": "pt",
    "ca": "es",
    "es": "es",
    "an": "es",
    "sk": "cs",
    "cs": "cs",
    "af": "nl",
    "nl": "nl",
    "lb": "de",
    "de": "de",
    "oc": "es",
    "hi": "hi",
    "mr": "hi",
    "ne": "hi",
    "fa": "fa",
    "ps": "fa",
    "ur": "ur",
}
_OTHER_WANTED = re.compile(
    r"translat|\b(?:french|spanish|german|italian|chinese|mandarin|japanese|korean|russian|latin|portuguese|arabic|"
    r"hindi|dutch|swedish|greek|turkish|"
    r"polish|english|hebrew|vietnamese|thai|ukrainian|czech|uzbek|persian|indonesian|hungarian|finnish|danish|"
    r"norwegian|romanian|bengali|urdu|tamil|language|idioma|langue|sprache)\b|"
    r"翻译|翻譯|英文|英语|英語|中文|法语|西班牙|德语|日语|韩语|traduc|tradui|übersetz|tradu[zç]|перевед|перевод|ترجم|tarjima|ingliz|inglés|"
    r"anglais|englisch|inglês|англий",
    re.IGNORECASE,
)


@lru_cache(maxsize=1)
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # imports numpy: only where a text needs it

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def script_of(text: str) -> str:
    """The script that most letters of `text` are written in: "Latin", "Han" ...; '' where there are no letters."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return ""
    if text.isascii():
        return "Latin"
    for name, pattern in _SCRIPTS:
        if len(pattern.findall(text)) > 0.4 * letters:
            return "Han" if name == "Kana" else name
    return "Latin"


def language_of(text: str) -> tuple[str, float]:
    """The likeliest language code and its probability, variants counted as one."""
    total: dict[str, float] = {}
    for code, probability in _identifier().rank(text):
        name = VARIANTS.get(str(code), str(code))
        total[name] = total.get(name, 0.0) + float(probability)
    best = max(total, key=lambda name: total[name])
    return best, total[best]


def _is_english(text: str) -> bool:
    words = _WORD.findall(text[:400].lower())[:60]
    return sum(word in _ENGLISH for word in words) >= max(2, 0.2 * len(words))


def _language(row: Reading, survey: None) -> Found | None:
    if row.asking < 0 or not row.answer or row.messages[-1].calls:
        return None
    request = row.messages[row.asking].text[:_EXAMINED]
    answer = row.answer[:_EXAMINED]
    if request.isascii() and answer.isascii() and _is_english(answer) and _is_english(request):
        return None
    spoken, answered = script_of(request), script_of(answer)
    if not spoken or not answered:
        return None
    if _OTHER_WANTED.search(request) or any(
        turn.role == "system" and _OTHER_WANTED.search(turn.text[:2000]) for turn in row.messages
    ):
        return None
    if "```" in row.answer or row.about_code or row.is_code:
        return None
    place = Span(last_turn(row), 0, len(row.answer))
    shortest = FEWEST_LETTERS if "Latin" in (spoken, answered) else 12
    letters = (len(_LETTER.findall(request)), len(_LETTER.findall(answer)))
    if spoken != answered:
        # A request that also speaks the answer's language may want it.
        if min(letters) < min(shortest, 15) or _shares(request, answered) > 0.3 or _shares(answer, spoken) > 0.1:
            return None
        return Found(f"the request is in {spoken} script, the answer in {answered}", place)
    if min(letters) < FEWEST_LETTERS or spoken != "Latin":
        return None
    # The material may be in any language; what is asked, and in which, stands in the request. Function words tell
    # English for less than the identifier takes.
    english = _is_english(request), _is_english(answer)
    if all(english) or (english[0] and len(_WORD.findall(answer)) < FEWEST_WORDS):
        return None  # names, lists of names
    asked, sure_asked = ("en", 1.0) if english[0] else language_of(request)
    if sure_asked < SURE or (asked == "en") != english[0]:
        return None
    said, sure_said = ("en", 1.0) if english[1] else language_of(answer)
    if asked == said or sure_said < SURE or (said == "en") != english[1]:
        return None
    return Found(f"the request is in {asked!r}, the answer in {said!r}", place)


def _shares(text: str, script: str) -> float:
    letters = len(_LETTER.findall(text)) or 1
    if script == "Latin":
        return len(re.findall(r"[A-Za-z\u00c0-\u024f]", text)) / letters
    patterns = dict(_SCRIPTS)
    return len(patterns[script].findall(text)) / letters


LANGUAGE = Signal("language_mismatch", "check", "the answer is in another language than the request", _language)
