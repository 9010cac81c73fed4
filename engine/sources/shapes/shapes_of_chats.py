"""The table of shapes, conversations: lists of messages as APIs and trainers write them."""

from __future__ import annotations

from typing import Any

from engine.sources.shapes.known_shape import Shape

USER = {"role": "user", "content": "Capital of Peru?"}
ANSWER = {"role": "assistant", "content": "Lima."}
ASKED, SAID = "user: Capital of Peru?", "assistant: Lima."
READS = (ASKED, SAID)
WEATHER: dict[str, Any] = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
SYSTEMS = "system|system_prompt|systemPrompt|system_message|systemMessage|system_instruction|systemInstruction"
LISTS = "messages|conversations|conversation|dialogue|dialog|chat|turns"


def said(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content} | more


CHATS = (
    Shape(
        name="chat messages and the answer not wanted (ms-swift)",
        signs=("messages.*.role", "rejected_response|rejected_messages"),
        fields={"messages": "messages", "rejected": "rejected_response|rejected_messages"},
        example={"messages": [USER, ANSWER], "rejected_response": "Cusco."},
        reads=(*READS, "not wanted: assistant: Cusco."),
    ),
    Shape(
        name="Gemini contents",
        signs=("contents.*.parts",),
        fields={"messages": "contents", "system": SYSTEMS},
        example={
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Capital of Peru?"}]},
                {"role": "model", "parts": [{"text": "Lima."}]},
            ],
        },
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="Anthropic messages",
        signs=("messages.*.content.*.type=tool_use|tool_result|thinking|redacted_thinking",),
        fields={"messages": "messages", "system": SYSTEMS},
        example={
            "system": "Be brief.",
            "messages": [
                USER,
                said([{"type": "thinking", "thinking": "Coast."}, {"type": "tool_use", "id": "1", "name": "atlas"}]),
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1", "content": "Lima"}]},
                said([{"type": "text", "text": "Lima."}]),
            ],
        },
        reads=("system: Be brief.", ASKED, "assistant thinks: Coast.", "assistant calls: atlas", "tool: Lima", SAID),
    ),
    Shape(
        name="Bedrock Converse messages",
        signs=("messages.*.content.*.text|messages.*.content.*.toolUse", "!messages.*.content.*.type"),
        fields={"messages": "messages", "system": SYSTEMS, "tools": "toolConfig.tools|tools"},
        example={
            "schemaVersion": "bedrock-conversation-2024",
            "system": [{"text": "Be brief."}],
            "messages": [{"role": "user", "content": [{"text": "Capital of Peru?"}]}, said([{"text": "Lima."}])],
        },
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="LangChain messages",
        signs=("messages.*.data.content|messages.*.kwargs.content",),
        fields={"messages": "messages"},
        example={
            "messages": [
                {"type": "human", "data": {"content": "Capital of Peru?"}},
                {"type": "ai", "data": {"content": "Lima."}},
            ]
        },
        reads=READS,
    ),
    Shape(
        name="LangChain messages, flat",
        signs=("messages.*.type=human|ai", "messages.*.content"),
        fields={"messages": "messages"},
        example={"messages": [{"type": "human", "content": "Capital of Peru?"}, {"type": "ai", "content": "Lima."}]},
        reads=READS,
    ),
    Shape(
        name="messages with parts (Vercel AI SDK)",
        signs=("messages.*.parts.*.type", "messages.*.role"),
        fields={"messages": "messages"},
        example={
            "messages": [
                {"role": "user", "parts": [{"type": "text", "text": "Capital of Peru?"}]},
                {"role": "assistant", "parts": [{"type": "text", "text": "Lima."}]},
            ]
        },
        reads=READS,
    ),
    Shape(
        name="chat messages with functions",
        signs=("messages.*.function_call.name",),
        fields={"messages": "messages", "tools": "functions|tools"},
        example={
            "functions": [WEATHER],
            "messages": [
                {"role": "user", "content": "Weather in Lima?"},
                {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
                {"role": "function", "name": "weather", "content": "19 degrees"},
                said("19 degrees."),
            ],
        },
        reads=(
            *("user: Weather in Lima?", "assistant calls: weather {}", "tool: 19 degrees", "assistant: 19 degrees."),
            "tools: weather",
        ),
    ),
    Shape(
        name="chat messages with tool calls",
        signs=("messages.*.tool_calls.*",),
        fields={"messages": "messages", "tools": "tools|functions"},
        example={
            "tools": [{"type": "function", "function": WEATHER}],
            "messages": [
                {"role": "user", "content": "Weather in Lima?"},
                said(None, tool_calls=[{"id": "1", "function": {"name": "weather", "arguments": "{}"}}]),
                {"role": "tool", "tool_call_id": "1", "content": "19 degrees"},
                said("19 degrees."),
            ],
        },
        reads=(
            *("user: Weather in Lima?", "assistant calls: weather {}", "tool: 19 degrees", "assistant: 19 degrees."),
            "tools: weather",
        ),
    ),
    Shape(
        name="chat messages with tool turns (ms-swift)",
        signs=("messages.*.role=tool_call|function_call|tool_response",),
        fields={"messages": "messages", "tools": "tools"},
        example={
            "tools": '[{"name": "weather"}]',
            "messages": [
                {"role": "user", "content": "Weather in Lima?"},
                {"role": "tool_call", "content": '{"name": "weather", "arguments": {}}'},
                {"role": "tool_response", "content": "19 degrees"},
                said("19 degrees."),
            ],
        },
        reads=(
            *("user: Weather in Lima?", "assistant calls: weather {}", "tool: 19 degrees", "assistant: 19 degrees."),
            "tools: weather",
        ),
    ),
    Shape(
        name="chat messages with reasoning",
        signs=("messages.*.reasoning_content|messages.*.reasoning|messages.*.thinking|messages.*.thought",),
        fields={"messages": "messages", "system": SYSTEMS},
        example={"messages": [USER, said("Lima.", reasoning_content="Coast.")]},
        reads=(ASKED, "assistant thinks: Coast.", SAID),
    ),
    Shape(
        name="chat messages with content parts",
        signs=("messages.*.content.*.type", "!messages.*.content.*.value"),
        fields={"messages": "messages", "system": SYSTEMS},
        example={
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Capital of Peru?"}]},
                said([{"type": "text", "text": "Lima."}]),
            ]
        },
        reads=READS,
    ),
    Shape(
        name="chat messages with parts that hold a value",
        signs=("messages.*.content.*.value|messages.*.content.*.content",),
        fields={"messages": "messages", "system": SYSTEMS},
        example={
            "messages": [
                {"role": "user", "content": [{"type": "text", "value": "Capital of Peru?"}]},
                said([{"type": "text", "value": "Lima."}]),
            ]
        },
        reads=READS,
    ),
    Shape(
        name="chat messages as text of JSON or Python",
        signs=(f"{LISTS}:written",),
        fields={"messages": LISTS},
        how="the text is read as the list it is written from",
        example={"id": 1, "messages": str([USER, ANSWER])},
        reads=READS,
    ),
    Shape(
        name="chat messages and a label",
        signs=("messages.*.role", "label|kto_tag|feedback|thumbs_up"),
        example={"messages": [USER, ANSWER], "label": False},
        reads=(*READS, "label: not wanted"),
    ),
    Shape(
        name="chat messages with a system prompt beside",
        signs=("messages.*.role", SYSTEMS),
        fields={"messages": "messages", "system": SYSTEMS},
        example={"system_prompt": "Be brief.", "messages": [USER, ANSWER]},
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="chat messages",
        signs=("messages.*.role", "!messages.*.mes", "!preferred_output", "!chosen", "!response", "!choices"),
        fields={"messages": "messages"},
        example=[
            {"role": "System", "content": "Be brief."},
            {"role": "User", "content": "Capital of Peru?"},
            {"role": "Chatbot", "content": "Lima."},
        ],
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="ShareGPT",
        signs=("conversations.*.from",),
        fields={"conversations": "conversations", "system": SYSTEMS},
        example={
            "conversations": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima."}],
            "system": "Be brief.",
        },
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="chat rounds (CodeFuse)",
        signs=("chat_rounds.*.role",),
        fields={"messages": "chat_rounds"},
        example={
            "data_name": "x",
            "chat_rounds": [
                {"role": "system", "content": "Be brief.", "chat_round_id": 0},
                {"role": "human", "content": "Capital of Peru?", "chat_round_id": 1},
                {"role": "bot", "content": "Lima.", "chat_round_id": 1},
            ],
        },
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="a thread (Open Assistant)",
        signs=("thread.*.text", "thread.*.role"),
        fields={"messages": "thread"},
        example={
            "thread": [{"text": "Capital of Peru?", "role": "prompter"}, {"text": "Lima.", "role": "assistant"}],
            "source": "oa",
        },
        reads=READS,
    ),
    Shape(
        name="turns as lists of messages (BFCL)",
        signs=("question|questions|conversation|turns:lists",),
        fields={
            "messages": "question.*|questions.*|conversation.*|turns.*",
            "tools": "function|functions|tools",
        },
        example={"id": "1", "question": [[USER], [{"role": "user", "content": "Sure?"}]], "function": [WEATHER]},
        reads=(ASKED, "user: Sure?", "tools: weather"),
    ),
    Shape(
        name="chat messages under another name",
        signs=("conversation.*.role|conversations.*.role|dialogue.*.role|dialog.*.role|chat.*.role|turns.*.role",),
        fields={"messages": "conversation|conversations|dialogue|dialog|chat|turns"},
        example={"conversation_hash": "h", "model": "m", "conversation": [USER, ANSWER]},
        reads=READS,
    ),
    Shape(
        name="dialogues with speakers (MultiWOZ, SGD)",
        signs=("turns.*.speaker", "turns.*.utterance"),
        fields={"messages": "turns"},
        example={
            "dialogue_id": "1",
            "turns": [
                {"speaker": "USER", "utterance": "Capital of Peru?"},
                {"speaker": "SYSTEM", "utterance": "Lima."},
            ],
        },
        reads=READS,
    ),
    Shape(
        name="turns as pairs (Capybara)",
        signs=("conversation|conversations|dialogue|messages|data:pairs",),
        fields={"messages": "conversation|conversations|dialogue|messages|data"},
        example={"source": "x", "conversation": [{"input": "Capital of Peru?", "output": "Lima."}]},
        reads=READS,
    ),
    Shape(
        name="turns as texts (UltraChat)",
        signs=("data|conversation|conversations|dialogue|dialog|messages:texts",),
        fields={"messages": "data|conversation|conversations|dialogue|dialog|messages"},
        example={"id": "0", "data": ["Capital of Peru?", "Lima."]},
        reads=READS,
    ),
    Shape(
        name="numbered turns (MOSS)",
        signs=("chat|conversation|conversations|turns:numbered",),
        fields={"messages": "chat|conversation|conversations|turns", "system": "meta_instruction"},
        example={"chat": {"turn_1": {"Human": "Capital of Peru?", "MOSS": "Lima."}}},
        reads=READS,
    ),
)
