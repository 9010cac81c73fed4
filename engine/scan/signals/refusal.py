"""Answers in which a model declines or speaks of itself."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_EXAMINED = 300
_CANNOT = r"(?:can'?t|cannot|can not|unable to|not able to)"
_DOING = (
    r"(?:answer|provide|help|assist|generate|create|access|complete|fulfil\w{0,4}|perform|process|comply|display|"
    r"view|see|"
    r"open|browse|translate|share|do (?:this|that|so))"
)
_DONE = (
    r"(?:fulfil\w{0,4}|display\w{0,3}|perform\w{0,3}|visuali[sz]\w{0,4}|generated?|completed?|created?|provided?|"
    r"determined?|"
    r"executed?|answered|processed|rendered)"
)
_MODEL = r"(?:ai|artificial intelligence|(?:large )?language model"
_TASK = r"(?:task|request|instruction|question|prompt|input|image|output|command)"
_PATTERN = re.compile(
    "|".join(
        (
            rf"\bas an? {_MODEL}|text-based|virtual assistant|machine)\b"
            r"(?![- ](?:learning|generated|based|powered|driven))",
            rf"\bi(?: am|'m) (?:just )?(?:only )?an? {_MODEL}|machine learning)\b",
            rf"\b(?:sorry|afraid|apologi[sz]e)\b[^.\n]{{0,40}}?\b(?:{_CANNOT}|don't have|do not have)",
            rf"\bi(?:'m| am)? {_CANNOT} {_DOING}\b(?! but\b)",
            r"\bi (?:don't|do not) have (?:the |enough )?(?:ability|access|personal|capability|information|context)\b",
            rf"\Ano output[^.\n]{{0,40}}\b(?:{_CANNOT}|could not|not possible to) (?:be )?{_DONE}\b",
            rf"\A(?:(?:this|the) {_TASK}|this|it|sorry|unfortunately)\b[^.\n]{{0,60}}?\b"
            rf"(?:{_CANNOT}|could not|not possible to) (?:be )?{_DONE}\b",
            r"\bgpt models? (?:cannot|can't|is not|are not)\b|\bno output (?:as|since|because|required|needed)\b",
            r"\bmy (?:training data|knowledge cutoff)\b|\bdeveloped by openai\b",
            r"\bdésolée?\b[^.\n]{0,40}\bje ne peux pas\b|\ben tant qu['’ ]ia\b|\ben tant que modèle de langage\b",
            r"\bes tut mir leid\b[^.\n]{0,40}\bkann\b|\bals (?:ki|sprachmodell)\b|\bcomo (?:un )?modelo de lenguaje\b",
            r"\blo siento\b[^.\n]{0,40}\bno puedo\b",
            r"作为(?:一个|一名)?(?:人工智能|ai|语言模型)|(?:抱歉|对不起)[^。\n]{0,20}(?:无法|不能)",
        )
    ),
    re.IGNORECASE,
)
# Saying sorry and being unable, side by side: how a refusal reads in many languages. The rules above know more ways.
_SORRY_CANNOT = tuple(
    re.compile(rf"\A\W{{0,3}}(?:{sorry})[^.\n。！!]{{0,60}}?(?:{cannot})", re.IGNORECASE)
    for sorry, cannot in (
        (
            r"es tut mir|tut mir|leider|entschuldigung|ich bedaure",
            r"kann\b[^.\n]{0,60}\bnicht|kann (?:ich )?(?:nicht|keine)",
        ),
        (
            r"(?:je suis )?désolée?|je regrette|malheureusement",
            r"ne peux pas|ne suis pas en mesure|ne peux (?:ni|vous|t')",
        ),
        (r"lo siento|lo lamento|lamentablemente|perdón|disculp\w{1,4}", r"no puedo|no me es posible|no soy capaz"),
        (r"mi dispiace|spiacente|purtroppo|scusa\w{0,3}", r"non posso|non sono in grado|non riesco"),
        (r"desculp\w{1,4}|sinto muito|lamento|infelizmente", r"não posso|não consigo|não sou capaz"),
        (r"het spijt me|sorry|helaas", r"kan ik (?:\w+ )?(?:niet|geen)|ik kan (?:\w+ ){0,3}(?:niet|geen)"),
        (
            r"(?:jag är )?ledsen|tyvärr|beklager|desværre|undskyld|jeg beklager|dessverre",
            r"kan (?:jag |jeg )?(?:inte|ikke)",
        ),
        (r"przykro mi|przepraszam|niestety", r"nie mogę|nie jestem w stanie"),
        (r"omlouvám se|bohužel|je mi líto", r"nemohu|nemůžu"),
        (r"извини\w{0,2}|простите|к сожалению|мне жаль|прошу прощения", r"не могу|не в состоянии|не умею"),
        (r"вибач\w{1,3}|на жаль|перепрошую", r"не можу"),
        (
            r"üzgünüm|maalesef|özür dilerim|kusura bakma\w{0,3}",
            r"edem(?:em|iyorum)|yapam(?:am|ıyorum)|veremem|olamam|cevaplayamam",
        ),
        (r"عذر[اًا]{1,2}|آسف|أعتذر|للأسف", r"لا أستطيع|لا يمكنني|لا أقدر"),
        (r"क्षमा करें|माफ़? ?कीजिए|माफ़ करें|मुझे खेद है", r"नहीं कर सकता|नहीं कर सकती|असमर्थ|नहीं दे सकता"),
        (r"抱歉|对不起|對不起|很遗憾|很抱歉", r"无法|不能|無法"),
        (r"申し訳|すみません|ごめんなさい|残念ながら", r"できません|出来ません|いたしかねます|お答えできない"),
        (r"죄송|미안|유감", r"수 없|못 ?합니다|어렵습니다"),
        (r"xin lỗi|rất tiếc", r"không thể"),
        (r"maaf|mohon maaf", r"tidak (?:bisa|dapat)|tak (?:bisa|boleh)"),
        (r"ขอโทษ|ขออภัย|เสียใจ", r"ไม่สามารถ|ไม่ได้"),
    )
)
_CANNOT_HELP = re.compile(
    r"\A[^.\n。]{0,30}(?:kann (?:ich )?(?:\w+ ){0,3}nicht (?:helfen|beantworten|weiterhelfen)"
    r"|ne peux pas (?:vous |t'|y )?(?:aider|répondre)|no puedo (?:ayudar|responder|hacer eso)"
    r"|non posso (?:aiutar|risponder)|não posso (?:ajudar|responder|fazer)"
    r"|не могу (?:\w+ ){0,2}(?:помочь|ответить|выполнить)|nie mogę (?:\w+ ){0,2}(?:pomóc|odpowiedzieć)"
    r"|kan ik (?:\w+ ){0,3}niet (?:mee helpen|helpen|beantwoorden)"
    r"|无法(?:回答|提供|帮助)|不能(?:回答|提供|帮)|お答えできません|お手伝いできません|도와드릴 수 없|답변할 수 없)",
    re.IGNORECASE,
)
# One of these stands in every match: most answers are done with after this.
_HINTS = (
    *(
        "as a",
        "i'm",
        "i am",
        "sorry",
        "afraid",
        "apolog",
        "can't",
        "cannot",
        "can not",
        "unable",
        "not able",
        "don't have",
    ),
    *(
        "do not have",
        "no output",
        "could not",
        "not possible",
        "gpt model",
        "my training data",
        "knowledge cutoff",
        "openai",
    ),
    *("désolé", "en tant qu", "leid", "als ki", "sprachmodell", "siento", "modelo de", "作为", "抱歉", "对不起"),
)
# Requests that ask for such words: letters, songs, dialogues.
_ASKED_FOR = re.compile(
    r"apolog|excuse|letter|e-?mail|complain|customer|dialog|conversation|story|song|poem|lyric|tweet|refus|declin|"
    r"repl(?:y|ies)|respond|response|chat ?bot|gpt|proof|assistant|role.?play|pretend|script|"
    r"message|character|artificial",
    re.IGNORECASE,
)
# A customer service set answers with letters; a refusal of the task itself still reads like one.
_SELF = re.compile(
    rf"\bas an? {_MODEL})\b|\bi(?: am|'m) (?:just )?(?:only )?an? {_MODEL})\b|"
    r"\A\W{0,3}(?:i'm sorry|i am sorry|sorry)[^.\n]{0,20}\bi (?:can't|cannot|can not|am unable to|am not able to) "
    r"(?:help|assist|answer|comply|do (?:this|that))\b",
    re.IGNORECASE,
)


def find_refusal(answer: str) -> tuple[int, int] | None:
    """Where in the first 300 characters of `answer` a refusal stands, or None."""
    start = answer[:_EXAMINED].replace("’", "'")
    lowered = start.lower()
    if not any(hint in lowered for hint in _HINTS):
        return None
    found = _PATTERN.search(start)
    return found.span() if found else None


def refuses(answer: str, request: str = "") -> bool:
    """Whether an answer declines, in whatever language: what two answers to `request` are compared by."""
    start = answer[:_EXAMINED].replace("’", "'")
    if not (
        find_refusal(answer) is not None
        or _CANNOT_HELP.match(start) is not None
        or any(pattern.match(start) for pattern in _SORRY_CANNOT)
    ):
        return False
    return not _is_asked_for(request, start)


def _is_asked_for(request: str, start: str) -> bool:
    """Whether the first line of a request asks for a text in which someone may decline, and the answer is one."""
    return _ASKED_FOR.search(request.strip().partition("\n")[0][:400]) is not None and _SELF.search(start) is None


def _refusal(example: Reading, survey: None) -> Found | None:
    answer = example.answer
    place = find_refusal(answer)
    if place is None:
        return None
    prompt = example.prompt[:4000]
    if answer[place[0] : place[1]] in prompt:
        return None
    # What the words are asked for stands in the first line; a complaint in the text below is only what the task is
    # about.
    if _is_asked_for(prompt, answer[:_EXAMINED].replace("’", "'")):
        return None
    return Found(
        f'refusal or talk of being a model: "{shorten(answer[place[0] : place[1]])}"', Span(last_turn(example), *place)
    )


REFUSAL = Signal("refusal", "drop", "the answer declines, or speaks as a model", _refusal)
