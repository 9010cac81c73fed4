"""Lists of messages in the forms that APIs, chat programs and trainers write them in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.model import Message, ToolCall
from engine.sources.mapping import Path
from engine.sources.messages.answer_marks import reasoning_in
from engine.sources.messages.leaves import Left
from engine.sources.messages.parts import (
    Said,
    call_of,
    first_of,
    is_tool_of_vercel,
    json_text,
    looks_like_calls,
    parsed,
    plain,
    said_in,
)

ROLES: dict[str, str] = {
    **dict.fromkeys(("system", "developer", "system_prompt", "系统"), "system"),
    **dict.fromkeys(("user", "human", "prompter", "用户", "prompt", "question"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "model", "bot", "ai", "chatbot", "claude", "助手"), "assistant"),
    **dict.fromkeys(("response", "answer"), "assistant"),
    **dict.fromkeys(("sistema", "système", "система", "システム", "시스템", "النظام"), "system"),
    **dict.fromkeys(("usuario", "usuário", "utilisateur", "utente", "benutzer", "nutzer", "пользователь"), "user"),
    **dict.fromkeys(("ユーザー", "사용자", "kullanıcı", "użytkownik", "gebruiker", "المستخدم"), "user"),
    **dict.fromkeys(("asistente", "assistente", "assistent", "ассистент", "アシスタント", "어시스턴트"), "assistant"),
    **dict.fromkeys(("asistan", "asystent", "المساعد"), "assistant"),
    **dict.fromkeys(("function_call", "tool_call", "tool_calls"), "assistant"),
    **dict.fromkeys(("tool", "function", "observation", "tool_response", "tool_result", "ipython"), "tool"),
    **dict.fromkeys(("function_response", "function_call_output"), "tool"),
}
_CALL_ROLES = frozenset({"function_call", "tool_call", "tool_calls"})
_ROLE_KEYS = ("role", "from", "sender", "author", "speaker", "from_role")
_TEXT_KEYS = (
    *("content", "value", "text", "mes", "parts", "message", "utterance", "body", "output", "markdown"),
    *("refusal", "say", "blocks", "fragments"),
)
_REASONING_KEYS = ("reasoning_content", "thinking", "reasoning", "thought", "thoughts", "reasoning_text")
_CALL_LISTS = ("tool_calls", "function_call", "toolCalls", "calls", "tool_call")
_CALL_IDS = ("tool_call_id", "tool_use_id", "call_id", "toolCallId")
# `weight` is OpenAI's, `train` axolotl's, `loss` that of ms-swift.
_TRAIN_KEYS = ("weight", "train", "loss", "loss_weight", "training", "trainable", "train_on_turn")
# Flags that say whether a person speaks.
_SPEAKER_FLAGS = {
    **dict.fromkeys(("is_user", "is_human", "isUser", "isHuman", "from_user", "fromUser", "isCreatedByUser"), True),
    **dict.fromkeys(("is_bot", "isBot", "is_ai", "from_bot", "fromBot"), False),
}
_MASK_KEYS = ("masked", "mask", "ignore_loss", "no_loss")
_NO = frozenset({"0", "0.0", "false", "no"})
_YES = frozenset({"1", "1.0", "true", "yes"})
_MARKS = frozenset({*_TRAIN_KEYS, *_MASK_KEYS})
_SPOKEN_AS = frozenset({"system", "user", "human", "assistant", "gpt", "bot", "chatbot"})
# What is read of a message; the rest is left beside it.
_READ = frozenset({*_CALL_LISTS, *_CALL_IDS})
# Items of OpenAI's responses that are no messages in themselves.
_ITEMS = frozenset({"function_call", "function_call_output", "reasoning"})


def looks_like_message(held: Any) -> bool:
    """Whether an object says who speaks, and what."""
    if not isinstance(held, dict):
        return False
    if isinstance(held.get("type"), str) and held["type"] in _ITEMS and "content" not in held:
        return len(held) > 1
    held = _in_known_case(held)
    speaker, inner = _speaker_in(held), _unwrapped(held)[0]
    if inner is held:
        return speaker is not None and any(key in held for key in (*_TEXT_KEYS, *_CALL_LISTS, *_REASONING_KEYS))
    return speaker is not None or _speaker_in(inner) is not None


def has_speaker(held: dict[str, Any]) -> bool:
    """Whether an object says who speaks."""
    return _speaker_in(held) is not None


def speaker_in(held: dict[str, Any]) -> str:
    """The word that says who speaks, as it is written; `?` where nothing says so."""
    return (_speaker_in(_unwrapped(_in_known_case(held))[0]) or ("", "?"))[1]


def looks_like_messages(value: Any) -> bool:
    """Whether a value, or the JSON text it is, is a list of messages."""
    held = parsed(value)
    return isinstance(held, list) and bool(held) and all(looks_like_message(message) for message in held)


def messages_in(value: Any, at: Path, left: list[Left]) -> tuple[Message, ...]:
    """The messages in a list of them, in one alone, or in the JSON text of either; `left` gets what else is there."""
    return tuple(message for _, message in placed_messages(value, at, left))


def placed_messages(value: Any, at: Path, left: list[Left]) -> list[tuple[int, Message]]:
    """Each message with the place in the list that it came from: what a tool returned inside a user's message is a
    message of its own."""
    held = parsed(value)
    if isinstance(held, dict):
        return [(0, message) for message in _messages_of(held, at, left)]
    if not isinstance(held, list):
        return []
    found: list[tuple[int, Message]] = []
    for place, raw in enumerate(held):
        if isinstance(raw, dict):
            # Most messages are a role and a text.
            if len(raw) == 2:
                if "role" in raw:
                    role, text = raw["role"], raw.get("content")
                else:
                    role, text = raw.get("from"), raw.get("value")
                if type(text) is str and type(role) is str and role in _PLAIN and "<" not in text[:8]:
                    found.append((place, Message(ROLES[role], text)))
                    continue
            found += [(place, message) for message in _messages_of(raw, (*at, place), left)]
        elif raw is not None:
            left.append(((*at, place), raw, False))
    if any(isinstance(raw, dict) and raw.get("type") == "reasoning" for raw in held):
        return with_their_thoughts(found)
    if held and isinstance(held[0], dict) and "speaker" in held[0]:
        return _with_answers_of_the_system(found)
    return found


def _with_answers_of_the_system(found: list[tuple[int, Message]]) -> list[tuple[int, Message]]:
    """In sets of dialogues with a machine (MultiWOZ, SGD) the speaker `SYSTEM` is the one that answers."""
    roles = [message.role for _, message in found]
    if "assistant" in roles or roles[:1] != ["user"] or "system" not in roles:
        return found
    return [(at, replace(said, role="assistant") if said.role == "system" else said) for at, said in found]


def with_their_thoughts(found: list[tuple[int, Message]]) -> list[tuple[int, Message]]:
    """A thought that stands by itself in the list belongs to what the assistant says next."""
    joined: list[tuple[int, Message]] = []
    thoughts: list[tuple[int, Message]] = []
    for place, message in found:
        if message.role == "assistant" and not (message.content or message.tool_calls):
            thoughts.append((place, message))
            continue
        if message.role == "assistant":
            told = [thought.reasoning for _, thought in thoughts] + [message.reasoning]
            message = replace(message, reasoning="\n".join(filter(None, told)))
        else:
            joined += thoughts
        thoughts = []
        joined.append((place, message))
    return joined + thoughts


_PLAIN = frozenset(ROLES) - _CALL_ROLES


def _messages_of(raw: dict[str, Any], at: Path, left: list[Left]) -> list[Message]:
    """One object as the message it is; as several, where it holds results of tools."""
    raw, at = _unwrapped(_in_known_case(raw), at, left)
    item = raw.get("type")
    if isinstance(item, str) and item in _ITEMS and _speaker_in(raw) is None:
        return _item(raw, item, at, left)
    if steps := _steps_of(raw):
        return [message for step in steps for message in _messages_of(step, at, left)]
    role_key, spoken = _speaker_in(raw) or ("", "")
    word = spoken.strip().lower()
    role = ROLES.get(word, spoken)
    text_key, content = first_of(raw, _TEXT_KEYS)
    if word in _CALL_ROLES and text_key:
        said = Said(calls=_calls(parsed(content), (*at, text_key), left))
    else:
        said = said_in(content, (*at, text_key))
    reasoning_key, reasoning = first_of(raw, _REASONING_KEYS)
    read = {role_key, text_key, *_READ, *marks_in(raw)}
    if spoken in raw and raw[spoken] is content:
        read.add(spoken)
    if item == "message":
        read.add("type")
    if isinstance(raw.get("name"), str):
        read.add("name")
    if isinstance(raw.get(role_key), dict):
        left += [((*at, role_key, key), value, True) for key, value in raw[role_key].items() if key != "role"]
    if isinstance(reasoning, str):
        read.add(reasoning_key)
        said.reasoning.insert(0, reasoning)
    for key in _CALL_LISTS:
        if raw.get(key) is not None and key != text_key:
            said.calls += _calls(parsed(raw[key]), (*at, key), left)
    left += [((*at, key), value, True) for key, value in raw.items() if key not in read and value is not None]
    left += [(path, value, True) for path, value in said.left]
    return _built(raw, role, said)


def _steps_of(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """One object for each step of an answer that holds calls with their results between its texts (Vercel's AI SDK);
    [] for any other message. What stands beside the parts is told of the first."""
    parts = raw.get("parts")
    if not isinstance(parts, list) or not any(isinstance(part, dict) and is_tool_of_vercel(part) for part in parts):
        return []
    steps: list[list[Any]] = [[]]
    for before, part in zip([None, *parts], parts, strict=False):
        if before is not None and is_tool_of_vercel(before) and not is_tool_of_vercel(part):
            steps.append([])
        steps[-1].append(part)
    if len(steps) == 1:
        return []
    speaker = _speaker_in(raw)
    own = {speaker[0]: raw[speaker[0]]} if speaker else {}
    return [raw | {"parts": steps[0]}, *(own | {"parts": step} for step in steps[1:])]


def _built(raw: dict[str, Any], role: str, said: Said) -> list[Message]:
    content, written = said.content, ""
    if role == "assistant" and isinstance(content, str) and "<" in content[:16]:
        thought, rest = reasoning_in(content)
        if thought:
            written, content = content, rest
            said.reasoning.append(thought)
    messages = said.results
    alone = messages and not content and not said.calls and not said.reasoning
    if not alone:
        # What a tool returned stands behind the call of the same message, else it was asked for before.
        results = messages if said.calls else []
        messages = [
            *(messages if not said.calls else []),
            Message(
                role,
                content,
                "\n".join(said.reasoning),
                tuple(said.calls),
                plain(first_of(raw, _CALL_IDS)[1]),
                raw["name"] if isinstance(raw.get("name"), str) else "",
                # A mark on what is not the model's own words changes nothing: those are never learnt.
                role != "assistant" or is_trained(raw),
                written,
            ),
            *results,
        ]
    return messages


def _calls(held: Any, at: Path, left: list[Left]) -> list[ToolCall]:
    beside: list[tuple[Path, Any]] = []
    if isinstance(held, list):
        calls = [call_of(call, (*at, place), beside) for place, call in enumerate(held) if call is not None]
    else:
        calls = [] if held in (None, "", {}) else [call_of(held, at, beside)]
    left += [(path, value, True) for path, value in beside]
    return calls


def _item(raw: dict[str, Any], kind: str, at: Path, left: list[Left]) -> list[Message]:
    """A call, a result or a thought that stands in the list by itself, as in OpenAI's responses."""
    said = said_in([raw], at)
    left += [(path, value, True) for path, value in said.left]
    if kind == "function_call_output":
        return said.results
    return [Message("assistant", said.content, "\n".join(said.reasoning), tuple(said.calls))]


def is_trained(raw: dict[str, Any]) -> bool:
    """False where a message carries one of the marks that trainers know for "not to be learnt"."""
    return all(_yes_or_no(raw[key]) is not (key in _MASK_KEYS) for key in marks_in(raw))


def marks_in(raw: dict[str, Any]) -> list[str]:
    """The keys that say whether a message is learnt. A weight between none and all is no such mark."""
    return [key for key in (*_TRAIN_KEYS, *_MASK_KEYS) if key in raw and _yes_or_no(raw[key]) is not None]


def _yes_or_no(mark: Any) -> bool | None:
    word = str(mark).strip().lower()
    return True if word in _YES else False if word in _NO else None


def _speaker_in(raw: dict[str, Any]) -> tuple[str, str] | None:
    """The key that says who speaks, and the word it says."""
    for key in _ROLE_KEYS:
        spoken = raw.get(key)
        if isinstance(spoken, str):
            # Beside a name that is no role (`"sender": "GPT-4"`) a flag may say who speaks.
            return (key, spoken) if spoken.strip().lower() in ROLES else _flag_in(raw) or (key, spoken)
        if isinstance(spoken, dict):
            named = next((spoken[inner] for inner in ("role", "name") if isinstance(spoken.get(inner), str)), None)
            if named is not None:
                return key, named
        if key == "role" and spoken is not None:
            return key, json_text(spoken)
    if flagged := _flag_in(raw):
        return flagged
    if isinstance(raw.get("fragments"), list):
        # DeepSeek's export says it of the pieces.
        asks = any(isinstance(piece, dict) and piece.get("type") == "REQUEST" for piece in raw["fragments"])
        return "fragments", "user" if asks else "assistant"
    kind = raw.get("type")
    if isinstance(kind, str) and kind.strip().lower() in ROLES and kind not in _ITEMS:
        return "type", kind
    # Keys with a common prefix: `message.role`, `message.content`.
    dotted = next((key for key in raw if isinstance(key, str) and key.endswith(".role")), "")
    return (dotted, raw[dotted]) if dotted and isinstance(raw[dotted], str) else None


def _flag_in(raw: dict[str, Any]) -> tuple[str, str] | None:
    flag = next((key for key in _SPEAKER_FLAGS if isinstance(raw.get(key), bool)), "")
    return (flag, "user" if raw[flag] is _SPEAKER_FLAGS[flag] else "assistant") if flag else None


def _in_known_case(raw: dict[str, Any]) -> dict[str, Any]:
    """A message whose keys are known in small letters only (`Role`, `Content`), with those; one whose key is who speaks
    (`{"user": "Hi"}`), with a role and a content."""
    if _speaker_in(raw) is not None:
        return raw
    spoken = [key for key in raw if key not in _MARKS]
    if len(spoken) == 1 and spoken[0].lower() in _SPOKEN_AS and isinstance(raw[spoken[0]], str):
        return raw | {"role": spoken[0], "content": raw[spoken[0]]}
    if not any(key[:1].isupper() for key in raw):
        return raw
    return {key.lower() if key.lower() in (*_ROLE_KEYS, *_TEXT_KEYS) else key: value for key, value in raw.items()}


def _unwrapped(raw: dict[str, Any], at: Path = (), left: list[Left] | None = None) -> tuple[dict[str, Any], Path]:
    """The message inside what is put around it: `{"message": {…}}`, LangChain's `{"type", "data": {…}}` and
    `{"kwargs": {…}}`, keys with a common prefix. What stands beside it is put on `left`."""
    speaker = _speaker_in(raw)
    if speaker is not None and speaker[0].endswith(".role"):
        prefix = speaker[0].removesuffix("role")
        return {key.removeprefix(prefix): value for key, value in raw.items()}, at
    for key in ("data", "kwargs", "message"):
        inner = raw.get(key)
        if not isinstance(inner, dict):
            continue
        if speaker is None and _speaker_in(inner) is None:
            continue
        if any(name in raw for name in _TEXT_KEYS if name != key):
            continue
        if left is not None:
            read = {key, speaker[0] if speaker else "", *(("lc", "id", "type") if key == "kwargs" else ())}
            left += [((*at, name), value, True) for name, value in raw.items() if name not in read]
        spoken = {} if speaker is None or _speaker_in(inner) is not None else {"role": speaker[1]}
        return inner | spoken, (*at, key)
    return raw, at


def tools_in(value: Any) -> tuple[str, ...]:
    """Definitions of tools as one JSON text each; what is no list of them stands as it is."""
    held = parsed(value)
    if held is None or held in ("", [], {}):
        return ()
    if isinstance(held, list):
        return tuple(tool if isinstance(tool, str) else json_text(tool) for tool in held)
    return (held if isinstance(held, str) else json_text(held),)


def one_side(value: Any, role: str, at: Path, left: list[Left], *, calls: bool = False) -> tuple[Message, ...]:
    """One half of a pair: a text is one message, a list of messages, or one alone, is read as such. A list of calls is
    one where there are tools to call (`calls`), else a text like any other. () where there is nothing."""
    if isinstance(value, str):
        if not value.strip():
            return ()
        head = value.lstrip()
        if head[0] not in "[{" and not head.startswith("array(["):
            return (_spoken(role, value),)
    held = parsed(value)
    if looks_like_messages(held) or looks_like_message(held):
        return messages_in(held, at, left)
    if isinstance(value, str) and isinstance(held, dict):
        # The body of a request to a model, or of its response, as JSON text.
        for key in ("messages", "choices"):
            if looks_like_messages(held.get(key)):
                left += [((*at, name), inner, False) for name, inner in held.items() if name != key]
                return messages_in(held[key], (*at, key), left)
    if calls and role == "assistant" and looks_like_calls(held):
        return (Message(role, tool_calls=tuple(_calls(held, at, left))),)
    if isinstance(value, str):
        return (_spoken(role, value),)
    said = said_in(value, at)
    left += [(path, inner, True) for path, inner in said.left]
    return tuple(_built({}, role, said)) if said.parts or said.calls or said.results or said.reasoning else ()


def _spoken(role: str, text: str) -> Message:
    if role == "assistant" and "<" in text[:16]:
        thought, rest = reasoning_in(text)
        if thought:
            return Message(role, rest, thought, written=text)
    return Message(role, text)
