"""A conversation with tools and reasoning, and a chat template in the style of those that write them."""

from __future__ import annotations

import json

from engine.export.training_rows import training_row
from engine.model import Conversation, Example, Message, ToolCall, TrainingRow

WEATHER = json.dumps(
    {
        "name": "get_weather",
        "description": "Weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
)
"""A bare function definition, as the older `functions` field holds it."""

ASKED = Message("user", "Weather in Köln?")
CALLING = Message(
    "assistant", "", "I need the tool.", (ToolCall("get_weather", '{"city": "Köln", "days": 2}', "call_9"),)
)
RESULT = Message("tool", "12 C", tool_call_id="call_9", name="get_weather")
ANSWER = Message("assistant", "It is 12 C.", "The tool said so.")

TOOL_TEMPLATE = """
{%- if tools %}
    {{- '<|im_start|>system\\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}
    {{- '<tools>' }}
    {%- for tool in tools %}{{- '\\n' + (tool | tojson) }}{%- endfor %}
    {{- '\\n</tools><|im_end|>\\n' }}
{%- elif messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'user' %}
        {{- '<|im_start|>user\\n' + message.content + '<|im_end|>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
        {%- if message.reasoning_content %}
            {{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- message.content }}
        {%- for call in message.tool_calls %}
            {{- '<tool_call>\\n{"name": "' + call.function.name + '", "arguments": ' }}
            {{- call.function.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
        {%- endgeneration %}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- elif message.role != 'system' %}
        {{- raise_exception('no turn of a ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""

SAID_BY_TOOL_TEMPLATE = (
    "[<|im_start|>system\n"
    '<tools>\n{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city.", '
    '"parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}\n</tools><|im_end|>\n'
    "<|im_start|>user\nWeather in Köln?<|im_end|>\n"
    "<|im_start|>assistant\n]<think>\nI need the tool.\n</think>\n\n"
    '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Köln", "days": 2}}\n</tool_call><|im_end|>\n'
    "[<|im_start|>user\n<tool_response>\n12 C\n</tool_response><|im_end|>\n"
    "<|im_start|>assistant\n]<think>\nThe tool said so.\n</think>\n\nIt is 12 C.<|im_end|>\n"
)
"""What the template writes of the conversation, what is not learnt in brackets."""


def conversation_row(*messages: Message, tools: tuple[str, ...] = (), name: str = "tools") -> TrainingRow:
    return training_row(Example(name, 0, Conversation(messages, tools), "", 1, {}))


def tool_row() -> TrainingRow:
    return conversation_row(ASKED, CALLING, RESULT, ANSWER, tools=(WEATHER,))
