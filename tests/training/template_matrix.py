"""Chat templates of models in use, and by hand what of seven conversations each of them teaches.

The templates are read from the installed TRL where it ships them; the others are written anew from the published
prompt formats. What is learnt is given as text, turn by turn; None where the template refuses the conversation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trl

WRITTEN_ANEW = {
    "SmolLM2": """
{%- if messages[0].role != 'system' %}{{- '<|im_start|>system\\nYou are SmolLM.<|im_end|>\\n' }}{%- endif %}
{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}""",
    "ChatML": """
{%- for m in messages %}{{- '<|im_start|>' + m.role + '\\n' + m.content + '<|im_end|>\\n' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}""",
    "Zephyr": """
{%- for m in messages %}{{- '<|' + m.role + '|>\\n' + m.content + eos_token + '\\n' }}
{%- if loop.last and add_generation_prompt %}{{- '<|assistant|>\\n' }}{%- endif %}{%- endfor %}""",
    "Mistral v3": """
{{- bos_token }}{%- set ns = namespace(user=0, calls=false) %}
{%- for m in messages %}{%- if m.role == 'user' %}{%- set ns.user = loop.index0 %}{%- endif %}{%- endfor %}
{%- for m in messages if m.role == 'user' or (m.role == 'assistant' and not m.tool_calls) %}
    {%- if (m.role == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {%- endif %}
{%- endfor %}
{%- for m in messages %}
    {%- if m.role == 'user' %}
        {%- if tools and loop.index0 == ns.user %}
            {{- '[AVAILABLE_TOOLS] ' + tools | tojson + '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {{- '[INST] ' + m.content + '[/INST]' }}
    {%- elif m.tool_calls %}
        {{- '[TOOL_CALLS] [' }}
        {%- for call in m.tool_calls %}
            {{- {'name': call.function.name, 'arguments': call.function.arguments} | tojson }}
        {%- endfor %}
        {{- ']' + eos_token }}
    {%- elif m.role == 'assistant' %}{{- ' ' + m.content | trim + eos_token }}
    {%- elif m.role == 'tool' %}{{- '[TOOL_RESULTS] {"content": ' + m.content | tojson + '}[/TOOL_RESULTS]' }}
    {%- else %}{{- raise_exception('Only user, assistant and tool roles are supported!') }}
    {%- endif %}
{%- endfor %}""",
    "Mistral tekken": """
{{- bos_token }}
{%- for m in messages %}
    {%- if m.role == 'system' %}{{- '[SYSTEM_PROMPT]' + m.content + '[/SYSTEM_PROMPT]' }}
    {%- elif m.role == 'user' %}{{- '[INST]' + m.content + '[/INST]' }}
    {%- elif m.role == 'tool' %}{{- '[TOOL_RESULTS]' + m.content + '[/TOOL_RESULTS]' }}
    {%- else %}
        {{- m.content }}
        {%- for call in m.tool_calls %}
            {{- '[TOOL_CALLS]' + call.function.name + '[ARGS]' + call.function.arguments | tojson }}
        {%- endfor %}
        {{- eos_token }}
    {%- endif %}
{%- endfor %}""",
    "Phi-4": """
{%- for m in messages %}{{- '<|im_start|>' + m.role + '<|im_sep|>' + m.content + '<|im_end|>' }}{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant<|im_sep|>' }}{%- endif %}""",
}


@dataclass(frozen=True)
class Teaches:
    """What a template teaches, as text: of an answer that others follow, of the closing one, of a call (in one that
    drops it, what is left), of an answer with a thought (not given: the thought is dropped). `headers` stand before.

    `refuses`: the conversations it refuses, and a word of the reason.
    """

    headers: tuple[str, ...]
    answer: str
    closing: str = ""
    call: str = ""
    past_call: str = ""
    past_thought: str = ""
    thought: str = ""
    refuses: dict[str, str] = field(default_factory=dict)


CHATML = ("<|im_start|>assistant\n",)
LLAMA = ("<|start_header_id|>assistant<|end_header_id|>\n\n",)
LLAMA_CALL = '{"name": "look_up", "parameters": {"word": "tamis"}}<|eot_id|>'
JSON_CALL = '<tool_call>\n{"name": "look_up", "arguments": {"word": "tamis"}}\n</tool_call><|im_end|>\n'
XML_CALL = (
    "<tool_call>\n<function=look_up>\n<parameter=word>\ntamis\n</parameter>\n</function>\n</tool_call><|im_end|>\n"
)
NO_TURNS = dict.fromkeys(("tool", "tool, then more", "two users"), "must alternate")
OTHERWISE = "otherwise once turns follow"
EMPTY = "<think>\n\n</think>\n\n"

TEACHES = {
    "SmolLM2": Teaches(CHATML, "{}<|im_end|>\n", call="<|im_end|>\n"),
    "ChatML": Teaches(CHATML, "{}<|im_end|>\n", call="<|im_end|>\n"),
    "Zephyr": Teaches(("<|assistant|>\n",), "{}</s>\n", call="</s>\n"),
    "Mistral v3": Teaches(
        ("[/INST]", "[/TOOL_RESULTS]"),
        " {}</s>",
        call='[TOOL_CALLS] [{"name": "look_up", "arguments": {"word": "tamis"}}]</s>',
        # The tools stand before the last request: the prompt of the call held them in another place.
        refuses={"system": "roles are supported", "two users": "must alternate", "tool, then more": OTHERWISE},
    ),
    "Mistral tekken": Teaches(
        ("[/INST]", "[/TOOL_RESULTS]"), "{}</s>", call='[TOOL_CALLS]look_up[ARGS]{"word": "tamis"}</s>'
    ),
    "Phi-4": Teaches(("<|im_start|>assistant<|im_sep|>",), "{}<|im_end|>", call="<|im_end|>"),
    "Llama 3": Teaches(LLAMA, "{}<|eot_id|>", call="<|eot_id|>"),
    "Llama 3.1": Teaches(LLAMA, "{}<|eot_id|>", call=LLAMA_CALL),
    "Llama 3.2": Teaches(LLAMA, "{}<|eot_id|>", call=LLAMA_CALL),
    "Gemma 2": Teaches(
        ("<start_of_turn>model\n",), "{}<end_of_turn>\n", refuses={"system": "System role not supported", **NO_TURNS}
    ),
    "Gemma 3": Teaches(("<start_of_turn>model\n",), "{}<end_of_turn>\n", refuses=NO_TURNS),
    "Phi-3": Teaches(("<|assistant|>\n",), "{}<|end|>\n", "{}<|end|>\n</s>", call="<|end|>\n"),
    "Qwen 2.5": Teaches(CHATML, "{}<|im_end|>\n", call=JSON_CALL),
    # The empty block of thoughts is not in the prompt, so it is learnt.
    "Qwen 3": Teaches(
        CHATML,
        EMPTY + "{}<|im_end|>\n",
        call=EMPTY + JSON_CALL,
        thought="<think>\n{thought}\n</think>\n\n{}<|im_end|>\n",
    ),
    # The prompt opens it: what closes it is learnt.
    "Qwen 3.5": Teaches(
        ("<|im_start|>assistant\n<think>\n",),
        "\n</think>\n\n{}<|im_end|>\n",
        call="\n</think>\n\n" + XML_CALL,
        thought="{thought}\n</think>\n\n{}<|im_end|>\n",
    ),
    # The prompt holds all of it.
    "Qwen 3.5 without thoughts": Teaches(
        ("<|im_start|>assistant\n" + EMPTY, "<|im_start|>assistant\n<think>\n"),
        "{}<|im_end|>\n",
        call=XML_CALL,
        thought="{thought}\n</think>\n\n{}<|im_end|>\n",
    ),
    # The prompt opens a thought that these answers do not have: they are trained and measured without it.
    "DeepSeek R1": Teaches(
        ("<｜Assistant｜>", "<｜tool▁outputs▁end｜>"), "{}<｜end▁of▁sentence｜>", call="<｜end▁of▁sentence｜>"
    ),
    "GPT-OSS": Teaches(
        ("<|start|>assistant",),
        "<|channel|>final<|message|>{}<|end|>",
        "<|channel|>final<|message|>{}<|return|>",
        call=' to=functions.look_up<|channel|>commentary json<|message|>{"word": "tamis"}<|call|>',
        past_thought="<|channel|>final<|message|>{}<|end|>",
        thought="<|channel|>analysis<|message|>{thought}<|end|>"
        "<|start|>assistant<|channel|>final<|message|>{}<|return|>",
    ),
    "Command R": Teaches(("<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",), "{}<|END_OF_TURN_TOKEN|>", refuses=NO_TURNS),
}

FROM_BEGINNINGS = {
    "Qwen 3": Teaches(
        CHATML,
        "{}<|im_end|>\n",
        EMPTY + "{}<|im_end|>\n",
        call=JSON_CALL,
        thought="<think>\n{thought}\n</think>\n\n{}<|im_end|>\n",
        past_thought="{}<|im_end|>\n",
    ),
    "Qwen 3.5": Teaches(
        ("<|im_start|>assistant\n<think>\n", *CHATML),
        "{}<|im_end|>\n",
        "\n</think>\n\n{}<|im_end|>\n",
        call="\n</think>\n\n" + XML_CALL,
        past_call=XML_CALL,
        thought="{thought}\n</think>\n\n{}<|im_end|>\n",
        past_thought="{}<|im_end|>\n",
    ),
    "Qwen 3.5 without thoughts": Teaches(
        ("<|im_start|>assistant\n" + EMPTY, "<|im_start|>assistant\n<think>\n", *CHATML),
        "{}<|im_end|>\n",
        call=XML_CALL,
        thought="{thought}\n</think>\n\n{}<|im_end|>\n",
        past_thought="{}<|im_end|>\n",
    ),
    # The end of a turn is another token once turns follow, and nothing says which.
    "GPT-OSS": Teaches(
        TEACHES["GPT-OSS"].headers,
        TEACHES["GPT-OSS"].answer,
        TEACHES["GPT-OSS"].closing,
        call=TEACHES["GPT-OSS"].call,
        refuses=dict.fromkeys(("three turns", "tool, then more", "thinking", "two users", "do not train"), OTHERWISE),
    ),
}
"""Where a copy of the template that nobody knows teaches something else than TRL's training version of it."""

SHIPPED = {
    "Llama 3": "llama3",
    "Llama 3.1": "llama3_1",
    "Llama 3.2": "llama3_2",
    "Gemma 2": "gemma",
    "Gemma 3": "gemma3",
    "Phi-3": "phi3",
    "Qwen 2.5": "qwen2_5",
    "Qwen 3": "qwen3",
    "Qwen 3.5": "qwen3_5_think",
    "Qwen 3.5 without thoughts": "qwen3_5_nothink",
    "DeepSeek R1": "deepseek_r1_distill",
    "GPT-OSS": "gptoss",
    "Command R": "cohere",
}


def template_of(name: str) -> str:
    """The chat template."""
    if name in WRITTEN_ANEW:
        return WRITTEN_ANEW[name]
    return (Path(trl.__file__).parent / "chat_templates" / f"{SHIPPED[name]}.jinja").read_text(encoding="utf-8")


def asked(number: int) -> dict[str, Any]:
    return {"role": "user", "content": f"question {number}"}


def said(number: int, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": f"answer {number}", **more}


CALL = {"name": "look_up", "arguments": '{"word": "tamis"}'}
CALLED = (
    {"role": "assistant", "content": "", "tool_calls": [{"id": "call00009", "function": CALL}]},
    {"role": "tool", "content": "a sieve", "tool_call_id": "call00009", "name": "look_up"},
)
TOOLS = (json.dumps({"name": "look_up", "description": "d", "parameters": {"type": "object", "properties": {}}}),)

CONVERSATIONS: dict[str, tuple[dict[str, Any], ...]] = {
    "single": (asked(1), said(1)),
    "system": ({"role": "system", "content": "be brief"}, asked(1), said(1)),
    "three turns": (asked(1), said(1), asked(2), said(2), asked(3), said(3)),
    "tool": (asked(1), *CALLED, said(1)),
    "tool, then more": (asked(1), *CALLED, said(1), asked(2), said(2)),
    "thinking": (asked(1), said(1, reasoning_content="thought 1"), asked(2), said(2, reasoning_content="thought 2")),
    "two users": (asked(1), asked(2), said(1), asked(3), said(2)),
    "do not train": (asked(1), said(1), asked(2), said(2, train="no"), asked(3), said(3)),
}


def learnt_by_hand(teaches: Teaches, conversation: str) -> list[tuple[str, bool]]:
    """What is written of each of the assistant's turns, and whether it is learnt."""
    closing, more = teaches.closing or teaches.answer, conversation == "tool, then more"
    if conversation == "thinking":
        thought = teaches.thought or closing
        past = teaches.past_thought or teaches.thought or teaches.answer
        return [
            (past.format("answer 1", thought="thought 1"), True),
            (thought.format("answer 2", thought="thought 2"), True),
        ]
    turns = (
        [(teaches.past_call if more and teaches.past_call else teaches.call, True)] if "tool" in conversation else []
    )
    answers = [message for message in CONVERSATIONS[conversation] if message["content"].startswith("answer")]
    for message in answers:
        form = closing if message is answers[-1] else teaches.answer
        turns.append((form.format(message["content"]), message.get("train") != "no"))
    return turns
