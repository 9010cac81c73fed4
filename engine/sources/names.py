"""Names of fields in published data sets, most telling first. Case, `_` and `-` say nothing: `plain_name`."""

from __future__ import annotations

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
    ("inputs", "targets"),
    ("context", "response"),
    ("inputmessages", "outputmessages"),
    ("inputs", "outputs"),
    ("user", "assistant"),
    ("human", "assistant"),
    ("human", "moss"),
    ("user", "bot"),
    ("question", "answers"),
    ("query", "answers"),
    ("question", "sql"),
    ("question", "query"),
    ("nl", "sql"),
    ("patient", "doctor"),
    ("input", "target"),
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
    ("sentence", "label"),
    ("text", "label"),
    ("text", "target"),
)
# Where none of these is there: the first request and the first answer that are texts.
REQUESTS = (
    *("instruction", "instructions", "prompt", "question", "query", "problem", "user", "human", "request", "input"),
    *("inputs", "usermessage", "userprompt", "userinput", "humanmessage", "ask", "q", "patient", "problemstatement"),
    *("task", "taskdescription", "goal", "nl", "naturallanguage", "utterance", "article", "dialogue", "document"),
    *("passage", "description", "sentence", "sourcetext", "source", "src", "inputtext", "context", "premise", "post"),
    *("message", "comment", "statement", "ticket", "email", "subject", "title", "text"),
    *("问题", "指令", "输入", "提问", "질문", "質問", "вопрос", "frage", "pregunta", "pergunta", "domanda", "soru"),
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
    *("humananswers", "chatgptanswers", "explanation", "a", "label", "completiontext"),
    *("答案", "回答", "输出", "答复", "답변", "対話", "ответ", "antwort", "respuesta", "resposta", "risposta", "cevap"),
)
CONTEXTS = ("input", "context", "passage", "paragraph", "schema", "sqlcontext", "dbschema", "knowledge", "background")
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
RIVALS: tuple[tuple[str, str], ...] = (
    ("responsea", "responseb"),
    ("answera", "answerb"),
    ("outputa", "outputb"),
    ("completiona", "completionb"),
    ("conversationa", "conversationb"),
    ("response1", "response2"),
    ("output1", "output2"),
    ("answer1", "answer2"),
    ("response0", "response1"),
)
"""Two answers of which another field names the winner."""
ASKING = ("request", "input", "prompt", "query")
SAYING = ("response", "output", "completion", "answer", "generation", "result")
"""Words in the names of two objects, of which one holds what was sent to a model and the other what came back."""
WINNERS = ("winner", "preference", "preferred", "winnermodela", "better", "chosen", "vote", "label", "saferresponseid")
SYSTEMS = (
    *("system", "systemprompt", "systeminstruction", "systemmessage", "systeminstructions", "sys", "sysprompt"),
    *("preprompt", "persona", "metainstruction"),
)
TOOLS = ("tools", "functions", "availabletools", "tooldefinitions", "toolschemas", "functiondefinitions")
REASONINGS = (
    *("reasoningcontent", "complexcot", "cot", "chainofthought", "thinking", "reasoning", "thought", "thoughts"),
    *("rationale", "reasoningtrace", "think", "scratchpad"),
)
LABELS = (
    "label",
    "ktotag",
    "ktolabel",
    "desirable",
    "isdesirable",
    "isgood",
    "thumbsup",
    "answer",
    "feedback",
)
REJECTED = (
    "rejectedresponse",
    "rejected",
    "rejectedmessages",
    "rejectedoutput",
    "rejectedresponses",
    "nonpreferredoutput",
)
CANDIDATES = ("candidates", "alternatives", "choices", "responses", "completions", "generations")
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


def plain_name(name: str) -> str:
    """A name without case, `_`, `-`, blanks, and what stands in front of its last dot."""
    return name.rpartition(".")[2].replace("_", "").replace("-", "").replace(" ", "").casefold()
