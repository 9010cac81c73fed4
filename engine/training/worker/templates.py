"""The chat templates that come with tamis: the built-in model's, and a plain one for tokenizers that have none.

Both write all that a message can hold: reasoning, what is said, tool calls, the speaker's name; the tools stand in the
system turn. A conversation of plain texts is written as it is.
"""

from __future__ import annotations

REPLY = (
    "{% if message.reasoning_content %}{{ '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{% endif %}"
    "{{ message.content }}"
    "{% for call in message.tool_calls %}"
    "{{ '\\n' if message.content or not loop.first }}"
    "{{ '<tool_call>\\n' + ({'name': call.function.name, 'arguments': call.function.arguments} | tojson) }}"
    "{{ '\\n</tool_call>' }}"
    "{% endfor %}"
)
TOOLS = "{{ 'Tools:' }}{% for tool in tools %}{{ '\\n' + (tool | tojson) }}{% endfor %}"
NAME = "{{ ' name=' + message.name if message.name }}"

CHATML_TEMPLATE = (
    "{% if tools and messages[0].role != 'system' %}"
    "{{ '<|im_start|>system\\n' }}" + TOOLS + "{{ '<|im_end|>\\n' }}"
    "{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] }}" + NAME + "{{ '\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}" + REPLY + "{{ '<|im_end|>' }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] }}"
    "{% if tools and loop.first and message.role == 'system' %}{{ '\\n\\n' }}" + TOOLS + "{% endif %}"
    "{{ '<|im_end|>\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
"""Of the built-in model."""

PLAIN_TEMPLATE = (
    "{% if tools %}" + TOOLS + "{{ '\\n\\n' }}{% endif %}"
    "{% for message in messages %}{{ message['role'] }}" + NAME + "{{ ':\\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}" + REPLY + "{{ eos_token }}{% endgeneration %}{{ '\\n' }}"
    "{% else %}{{ message['content'] + '\\n\\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant:\\n' }}{% endif %}"
)
"""For base models whose tokenizer has no chat template."""
