"""Names of fields in published data sets, most telling first. Case, `_` and `-` say nothing: `plain_name`."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TypeVar

CHAT_NAMES = (
    *("messages", "conversations", "conversation", "dialogue", "dialog", "dialogs", "chat", "turns", "chatrounds"),
    *("thread", "contents", "chatmessages", "items", "chathistory", "trajectory", "traces", "history", "data", "log"),
)
"""Lists of messages."""
TURNS_OF_BOTH = ("messages", "conversations", "conversation", "dialogue", "dialog", "dialogs", "chat", "data")
"""Lists of texts in turn: the first one is the user's."""
COPY_WORDS = (
    "original",
    "raw",
    "old",
    "unedited",
    "source",
    "backup",
    "rejected",
    "bad",
    "negative",
    "reference",
    "uncleaned",
)
"""A list of messages whose name holds one of these words is not the conversation where there is another one."""

# A request and its answer. The order is that in which they are tried; both have to be there.
PAIRS: tuple[tuple[str, str], ...] = (
    ("instruction", "output"),
    ("instruction", "response"),
    ("prompt", "completion"),
    ("prompt", "response"),
    ("question", "answer"),
    ("question", "response"),
    ("query", "response"),
    ("query", "answer"),
    ("problem", "solution"),
    ("input", "output"),
    ("context", "response"),
    ("inputs", "outputs"),
    ("questions", "answers"),
    ("prompts", "completions"),
    ("prompts", "responses"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("human", "moss"),
    ("user", "bot"),
    ("user", "gpt"),
    ("user", "ai"),
    ("user", "model"),
    ("human", "bot"),
    ("human", "gpt"),
    ("human", "ai"),
    ("human", "chatgpt"),
    ("question", "answers"),
    ("query", "answers"),
    ("question", "sql"),
    ("question", "query"),
    ("nl", "sql"),
    ("patient", "doctor"),
    ("input", "target"),
    ("input", "expectedoutput"),
    ("input", "expected"),
    ("source", "target"),
    ("src", "tgt"),
    ("q", "a"),
    ("request", "reply"),
    ("request", "response"),
    ("article", "highlights"),
    ("article", "summary"),
    ("dialogue", "summary"),
    ("document", "summary"),
    ("text", "summary"),
    ("description", "code"),
    ("docstring", "code"),
    ("prompt", "chosen"),
    ("prompt", "text"),
    ("description", "solutions"),
    ("instruction", "content"),
    ("prompt", "content"),
    ("question", "content"),
    ("input", "content"),
    ("sentence", "label"),
    ("text", "label"),
    ("text", "target"),
)
SURE_PAIRS = frozenset(
    (asked, said)
    for asked in ("instruction", "prompt", "question", "query", "input")
    for said in ("output", "completion", "answer")
)
"""Under these names what answers may be a value: an object, a number."""
# The same in other languages, as plain names.
_WORDS_FOR_REQUESTS = tuple(
    """
    问题 問題 指令 输入 輸入 提问 问 提示 用户 指示 質問 入力 問い 질문 지시 지시문 명령어 입력 질의
    frage anweisung eingabe aufgabe question consigne entrée entree requête requete pregunta instrucción instruccion
    entrada consulta pergunta instrução instrucao comando domanda istruzione richiesta vraag instructie opdracht
    вопрос инструкция запрос задание питання запитання інструкція запит въпрос pytanie instrukcja polecenie otázka
    pokyn întrebare intrebare kérdés kerdes fråga spørgsmål spørsmål kysymys ερώτηση soru komut talimat
    سؤال السؤال سوال پرسش تعليمات التعليمات שאלה प्रश्न सवाल निर्देश প্রশ্ন கேள்வி คำถาม คำสั่ง câuhỏi cauhoi hướngdẫn
    yêucầu pertanyaan instruksi soalan swali
    """.split()  # noqa: SIM905 - a word a line would hide which belong together
)
_WORDS_FOR_ANSWERS = tuple(
    """
    答案 回答 输出 答复 回复 输出结果 答 助手 輸出 出力 答え 応答 解答 답변 출력 응답 대답 정답
    antwort ausgabe lösung réponse reponse sortie respuesta salida resposta saída saida risposta uscita antwoord uitvoer
    ответ вывод решение відповідь отговор odpowiedź odpowiedz wyjście odpověď odpoved răspuns raspuns válasz valasz svar
    vastaus απάντηση cevap yanıt çıktı çıkış جواب الجواب إجابة الإجابة اجابة الاجابة پاسخ תשובה उत्तर जवाब উত্তর பதில்
    คำตอบ câutrảlời cautraloi trảlời đápán jawaban keluaran jawapan jibu
    """.split()  # noqa: SIM905 - a word a line would hide which belong together
)
_WORDS_FOR_CONTEXTS = tuple(
    """
    输入 輸入 上下文 背景 入力 文脈 입력 문맥 eingabe kontext entrada contexto entrée contexte contesto invoer kontekst
    контекст giriş girdi bağlam السياق سياق संदर्भ บริบท ngữcảnh konteks masukan
    """.split()  # noqa: SIM905 - a word a line would hide which belong together
)
# Where none of these is there: the first request and the first answer that are texts.
REQUESTS = (
    *("instruction", "instructions", "prompt", "question", "query", "problem", "user", "human", "request", "input"),
    *("inputs", "usermessage", "userprompt", "userinput", "humanmessage", "ask", "q", "patient", "problemstatement"),
    *("task", "taskdescription", "goal", "nl", "naturallanguage", "utterance", "article", "dialogue", "document"),
    *("passage", "description", "sentence", "sourcetext", "source", "src", "inputtext", "context", "premise", "post"),
    *("message", "comment", "statement", "ticket", "email", "subject", "title", "text"),
    *_WORDS_FOR_REQUESTS,
)
ANSWERS = (
    *(
        "output",
        "outputs",
        "response",
        "responses",
        "completion",
        "answer",
        "answers",
        "assistant",
        "reply",
        "solution",
        *("completions", "generations"),
    ),
    *("target", "targets", "assistantresponse", "assistantmessage", "assistantoutput", "modelresponse", "modelanswer"),
    *(
        "modeloutput",
        "gptresponse",
        "bot",
        "botresponse",
        "gpt",
        "chatgpt",
        "doctor",
        "therapist",
        "agent",
        "generation",
    ),
    *("generatedtext", "generated", "finalanswer", "correctanswer", "bestanswer", "goldanswer", "gold", "expected"),
    *("expectedoutput", "idealresponse", "ideal", "outputtext", "targettext", "tgt", "chosen", "highlights", "summary"),
    *("abstractivesummary", "tldr", "sql", "code", "cypher", "program", "canonicalsolution", "translation", "result"),
    *("humananswers", "chatgptanswers", "groundtruth", "goldenanswer", "goldenanswers", "referenceanswer"),
    *("explanation", "a", "label", "completiontext"),
    *_WORDS_FOR_ANSWERS,
)
ANSWERS_TO = ("answer", "completion", "response", "solution")
"""Answers that may be a number, or yes and no."""
OF_ENVELOPES = frozenset(
    (
        *("text", "content", "contents", "message", "messages", "role", "parts", "choices", "generations", "value"),
        *("body", "data", "result", "results", "output", "outputs", "response", "answer", "answers", "completion"),
        *("error", "type", "model", "label", "labels", "answerstart", "markdown"),
    )
)
"""An object of one of these fields has the answer inside of it, or says something about it."""
SPEAKERS = ("user", "human")
SAID = ("response", "completion", "output", "answer", "reply", "assistant", "generation", "modelresponse")
"""An answer beside the messages that wait for it."""
REQUESTED = frozenset(("instruction", "prompt", "question", "query", "problem", "description"))
"""Where one of these stands outside, a pair inside of an object is about something else."""
HISTORIES = ("history", "chathistory", "conversationhistory", "dialoguehistory", "previousmessages", "previousturns")
"""What was said before the request."""
CONTEXTS = (
    *("input", "context", "passage", "paragraph", "schema", "sqlcontext", "dbschema", "knowledge", "background"),
    *_WORDS_FOR_CONTEXTS,
)
"""What a request is asked about, in a field of its own."""
PREFERENCES: tuple[tuple[str, str], ...] = (
    ("chosen", "rejected"),
    ("preferredoutput", "nonpreferredoutput"),
    ("preferred", "dispreferred"),
    ("preferred", "nonpreferred"),
    ("preferred", "rejected"),
    ("accepted", "rejected"),
    ("chosenresponse", "rejectedresponse"),
    ("response", "rejectedresponse"),
    ("output", "rejectedoutput"),
    ("answer", "rejectedanswer"),
    ("completion", "rejectedcompletion"),
    ("textchosen", "textrejected"),
    ("responsej", "responsek"),
    ("better", "worse"),
    ("win", "lose"),
    ("good", "bad"),
    ("pos", "neg"),
)
"""The answer that is wanted, and the one that is not."""
RIVALS: tuple[tuple[str, str], ...] = tuple(
    (f"{stem}{one}", f"{stem}{other}")
    for one, other in (("a", "b"), ("1", "2"), ("0", "1"))
    for stem in ("response", "answer", "output", "completion", "conversation", "generation", "summary", "humanref")
)
"""Two answers of which another field names the winner, or tells how well each did."""
ASKING = ("request", "input", "prompt", "query")
SAYING = ("response", "output", "completion", "answer", "generation", "result")
"""Words in the names of two objects, of which one holds what was sent to a model and the other what came back."""
WINNERS = (
    *("winner", "preference", "preferred", "winnermodela", "better", "chosen", "vote", "label", "labels"),
    *("betterresponseid", "saferresponseid", "preferencestrength", "overallpreference", "betterresponse"),
    *("betteranswer", "winnerid", "preferredresponse", "preferredanswer", "selected", "scorea", "score1", "score0"),
)
"""Who won; of a pair of scores that of the first answer."""
SIGNED_WINNERS = ("preferencestrength", "overallpreference")
"""Of these a number below nought speaks for the first answer, one above it for the second."""
SYSTEMS = (
    *("system", "systemprompt", "systeminstruction", "systemmessage", "systeminstructions", "sys", "sysprompt"),
    *("preprompt", "persona", "metainstruction", "preamble"),
    *("système", "systeme", "sistema", "система", "系统", "系統", "システム", "시스템", "النظام"),
)
TOOLS = ("tools", "functions", "function", "availabletools", "tooldefinitions", "toolschemas", "functiondefinitions")
SURE_REASONINGS = ("reasoningcontent", "complexcot", "cot", "chainofthought", "reasoningtrace", "scratchpad")
"""A word alone under one of these is no setting."""
REASONINGS = (
    *SURE_REASONINGS,
    *("thinking", "reasoning", "thought", "thoughts", "rationale", "think"),
)
LABELS = ("label", "ktotag", "ktolabel", "desirable", "isdesirable", "isgood", "thumbsup", "feedback")
LABEL_WORDS = {
    **dict.fromkeys(("true", "accept", "accepted", "good", "thumbsup", "desirable", "chosen", "liked"), True),
    **dict.fromkeys(("false", "reject", "rejected", "bad", "thumbsdown", "undesirable", "disliked"), False),
}
"""What such a field says, as plain names."""
REJECTED = (
    "rejectedresponse",
    "rejected",
    "rejectedmessages",
    "rejectedoutput",
    "rejectedresponses",
    "nonpreferredoutput",
)
REASONS = ("rationale", "reasoning")
FURTHER_ANSWERS = ("candidates", "alternatives", "responses", "completions", "generations")
CANDIDATES = (*FURTHER_ANSWERS, "choices")
MEDIA = {
    **dict.fromkeys(("images", "image", "imagepath", "imageurl", "imagepaths"), "images"),
    **dict.fromkeys(("audios", "audio", "audiopath"), "audios"),
    **dict.fromkeys(("videos", "video", "videopath"), "videos"),
}
TEXTS = (
    "text",
    "content",
    "chat",
    "conversation",
    "conversations",
    "dialogue",
    "dialog",
    "sample",
    "document",
    "prompt",
)
"""One text that is the whole row. All but the first two only where the text has the form of a chat."""

FIELD_NAMES = frozenset(
    itertools.chain(
        *(CHAT_NAMES, REQUESTS, ANSWERS, CONTEXTS, HISTORIES, SYSTEMS, TOOLS, REASONINGS, LABELS, REJECTED, TEXTS),
        *(*PAIRS, *PREFERENCES, *RIVALS),
    )
)
"""Every name by which a field is known, as a plain name: what tells the header of a table from a record."""

_ANSWERING = frozenset({"answer", "answers", "response", "output", "completion", "solution", "reply", "generation"})
_BAD = frozenset(("bad", "worse", "worst", "wrong", "incorrect", "false", "rejected", "negative", "dispreferred"))
_NOT_THE_ANSWER = _BAD | frozenset(
    {"other", "old", "original", "raw",
     "expected", "reference", "num", "number", "no", "is", "has", "per", "to", "max", "input", "test", "example",
     "sample", "user", "human", "tool", "id", "accepted"}
)  # fmt: skip
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")


def ends_on_answer(name: str) -> bool:
    """Whether a field's name, as it is written, says that it holds somebody's answer: `gpt4_response`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return len(words) > 1 and words[-1] in _ANSWERING and _NOT_THE_ANSWER.isdisjoint(words)


def ends_on_bad_answer(name: str) -> bool:
    """Whether a field's name says that it holds an answer, or answers, that nobody wants: `rejected_answers`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return len(words) > 1 and words[-1].removesuffix("s") in _ANSWERING and not _BAD.isdisjoint(words)


def plain_name(name: str) -> str:
    """A name without case, `_`, `-`, blanks, and what stands in front of its last dot."""
    if not name.isascii():
        # An accent may be a character of its own.
        name = unicodedata.normalize("NFC", name)
    return name.rpartition(".")[2].replace("_", "").replace("-", "").replace(" ", "").casefold()


MOST_OF_NAMES = 4_000
"""Rows whose names are longer together have data for keys: nothing is kept of them."""
Told = TypeVar("Told")


def kept_by_names(told: Callable[[tuple[str, ...]], Told]) -> Callable[[Iterable[str]], Told]:
    """What the names of a row's fields say, worked out once for all rows alike: what it returns is shared."""
    kept = lru_cache(maxsize=512)(told)

    def of_row(row: Iterable[str]) -> Told:
        names = tuple(row)
        return kept(names) if len("".join(names)) <= MOST_OF_NAMES else told(names)

    return of_row


@kept_by_names
def by_plain_name(names: tuple[str, ...]) -> dict[str, str]:
    """The fields of a row by their plain names, of equal ones the first. What annotators said in Argilla stands in
    columns of its own, `QUESTION.responses`: these are no fields of the row."""
    annotated = any(name.endswith(".responses.status") for name in names)
    return {plain_name(name): name for name in reversed(names) if not (annotated and "." in name)}
