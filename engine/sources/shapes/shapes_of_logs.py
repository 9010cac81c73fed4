"""The table of shapes, what programs keep of their calls of a model, and what people wrote in annotation tools."""

from __future__ import annotations

from engine.sources.shapes.known_shape import Shape
from engine.sources.shapes.shapes_of_chats import ANSWER, READS, SAID, USER

_CHOICE = {"index": 0, "message": ANSWER, "finish_reason": "stop"}
_OTHER_CHOICE = {"index": 1, "message": {"role": "assistant", "content": "Cusco."}}
_CUSCO = "further answer: assistant: Cusco."

LOGS = (
    Shape(
        name="OpenAI batch output",
        signs=("custom_id", "response.body.choices.*.message"),
        fields={"messages": "response.body.choices.0", "candidates": "response.body.choices"},
        example={"custom_id": "1", "response": {"status_code": 200, "body": {"choices": [_CHOICE, _OTHER_CHOICE]}}},
        reads=(SAID, _CUSCO),
    ),
    Shape(
        name="OpenAI batch output (responses)",
        signs=("custom_id", "response.body.output.*.type"),
        fields={"messages": "response.body.output"},
        example={
            "custom_id": "1",
            "response": {
                "body": {
                    "output": [
                        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Lima."}]}
                    ]
                }
            },
        },
        reads=(SAID,),
    ),
    Shape(
        name="OpenAI batch input",
        signs=("custom_id", "body.messages.*.role"),
        fields={"messages": "body.messages", "tools": "body.tools"},
        example={"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [USER]}},
        reads=READS[:1],
    ),
    Shape(
        name="OpenAI batch input (responses)",
        signs=("custom_id", "body.input"),
        fields={"prompt": "body.input", "system": "body.instructions", "tools": "body.tools"},
        example={"custom_id": "1", "url": "/v1/responses", "body": {"input": "Capital of Peru?"}},
        reads=READS[:1],
    ),
    Shape(
        name="Anthropic batch output",
        signs=("custom_id", "result.message.content"),
        fields={"messages": "result.message"},
        example={
            "custom_id": "1",
            "result": {
                "type": "succeeded",
                "message": {"role": "assistant", "content": [{"type": "text", "text": "Lima."}]},
            },
        },
        reads=(SAID,),
    ),
    Shape(
        name="Anthropic batch input",
        signs=("custom_id", "params.messages.*.role"),
        fields={"messages": "params.messages", "system": "params.system", "tools": "params.tools"},
        example={"custom_id": "1", "params": {"system": "Be brief.", "messages": [USER]}},
        reads=("system: Be brief.", *READS[:1]),
    ),
    Shape(
        name="Gemini batch output",
        signs=("request.contents.*.parts", "response.candidates.*.content"),
        fields={
            "prompt": "request.contents",
            "response": "response.candidates.0.content",
            "system": "request.systemInstruction|request.system_instruction",
            "tools": "request.tools",
        },
        example={
            "request": {"contents": [{"role": "user", "parts": [{"text": "Capital of Peru?"}]}]},
            "response": {"candidates": [{"content": {"role": "model", "parts": [{"text": "Lima."}]}}]},
        },
        reads=READS,
    ),
    Shape(
        name="LiteLLM's log",
        signs=("messages.*.role", "response.choices.*.message"),
        fields={"prompt": "messages", "response": "response.choices.0", "candidates": "response.choices"},
        example={"call_type": "acompletion", "messages": [USER], "response": {"choices": [_CHOICE]}},
        reads=READS,
    ),
    Shape(
        name="OpenAI's stored completions",
        signs=("messages.*.role", "choices.*.message"),
        fields={"prompt": "messages", "response": "choices.0", "candidates": "choices", "tools": "tools"},
        example={"object": "chat.completion", "messages": [USER], "choices": [_CHOICE, _OTHER_CHOICE]},
        reads=(*READS, _CUSCO),
    ),
    Shape(
        name="OpenAI responses",
        signs=("output.*.type=message|function_call|reasoning", "input"),
        fields={"prompt": "input", "response": "output", "system": "instructions", "tools": "tools"},
        example={
            "instructions": "Be brief.",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Capital of Peru?"}]}],
            "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Lima."}]}],
        },
        reads=("system: Be brief.", *READS),
    ),
    Shape(
        name="Phoenix spans",
        signs=("attributes.llm.input_messages", "attributes.llm.output_messages"),
        fields={"prompt": "attributes.llm.input_messages", "response": "attributes.llm.output_messages"},
        example={
            "name": "ChatCompletion",
            "attributes": {
                "llm.input_messages": [{"message.role": "user", "message.content": "Capital of Peru?"}],
                "llm.output_messages": [{"message.role": "assistant", "message.content": "Lima."}],
            },
        },
        reads=READS,
    ),
    Shape(
        name="OpenTelemetry spans (gen_ai)",
        signs=("attributes.gen_ai.input.messages", "attributes.gen_ai.output.messages"),
        fields={
            "prompt": "attributes.gen_ai.input.messages",
            "response": "attributes.gen_ai.output.messages",
            "system": "attributes.gen_ai.system_instructions",
        },
        example={
            "name": "chat",
            "attributes": {
                "gen_ai.system_instructions": '[{"type": "text", "content": "Be brief."}]',
                "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}]',
                "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Lima."}]}]',
            },
        },
        reads=("system: Be brief.", "user: Why?", SAID),
    ),
    Shape(
        name="LangSmith runs",
        signs=("inputs.messages.*", "outputs"),
        how="what was sent and what came back, in two objects",
        example={"inputs": {"messages": [USER]}, "outputs": {"output": ANSWER}, "metadata": {}},
        reads=READS,
    ),
    Shape(
        name="LangSmith examples",
        signs=("inputs:object", "outputs:object"),
        fields={"prompt": "inputs.*", "response": "outputs.*"},
        example={"inputs": {"question": "Capital of Peru?"}, "outputs": {"answer": "Lima."}, "metadata": {}},
        reads=READS,
    ),
    Shape(
        name="Langfuse observations",
        signs=("input.*.role|input.messages.*.role", "output.role|output.content|output:text", "metadata|traceId"),
        fields={"prompt": "input.messages|input", "response": "output", "tools": "input.tools"},
        example={"id": "1", "name": "generation", "input": [USER], "output": ANSWER, "metadata": {}, "tags": []},
        reads=READS,
    ),
    Shape(
        name="MLflow traces",
        signs=("trace_id|request_id", "request:text", "response:text"),
        fields={"prompt": "request", "response": "response"},
        how="bodies as JSON text",
        example={
            "trace_id": "1",
            "request": '{"messages": [{"role": "user", "content": "Capital of Peru?"}]}',
            "response": '{"choices": [{"message": {"role": "assistant", "content": "Lima."}}]}',
        },
        reads=READS,
    ),
    Shape(
        name="promptfoo results",
        signs=("prompt.raw:text", "response.output"),
        fields={"prompt": "prompt.raw", "response": "response.output"},
        example={"vars": {}, "prompt": {"raw": "Capital of Peru?"}, "response": {"output": "Lima."}},
        reads=READS,
    ),
    Shape(
        name="Label Studio, two answers",
        signs=("annotations.*.result.*.value.selected=left|right", "data:object"),
        fields={
            "prompt": "data.prompt|data.question|data.instruction|data.query|data.input",
            "chosen": "data.response_a|data.response_1|data.response1|data.answer_a|data.answer_1|data.answer1",
            "rejected": "data.response_b|data.response_2|data.response2|data.answer_b|data.answer_2|data.answer2",
            "winner": "annotations.0.result.0.value.selected",
        },
        example={
            "id": 1,
            "data": {"prompt": "Capital of Peru?", "answer1": "Cusco.", "answer2": "Lima."},
            "annotations": [{"result": [{"type": "pairwise", "value": {"selected": "right"}}]}],
        },
        reads=(*READS, "not wanted: assistant: Cusco."),
    ),
    Shape(
        name="Label Studio, an answer in words",
        signs=("annotations.*.result.*.value.text", "data:object"),
        fields={"prompt": "data.*", "response": "annotations.0.result.0.value.text"},
        example={
            "id": 1,
            "data": {"prompt": "Capital of Peru?"},
            "annotations": [{"result": [{"type": "textarea", "value": {"text": ["Lima."]}}], "was_cancelled": False}],
        },
        reads=READS,
    ),
    Shape(
        name="Argilla records",
        signs=("fields:object", "responses|suggestions"),
        fields={
            "prompt": "fields.prompt|fields.instruction|fields.question|fields.input|fields.query|fields.text",
            "response": "fields.response|fields.output|fields.completion|fields.answer|fields.generation",
        },
        example={
            "id": "1",
            "status": "completed",
            "fields": {"prompt": "Capital of Peru?", "response": "Lima."},
            "responses": {},
            "suggestions": {},
        },
        reads=READS,
    ),
    Shape(
        name="Prodigy, prompt and response",
        signs=("prompt:text", "response|completion:text", "answer=accept|reject|ignore"),
        fields={"prompt": "prompt", "response": "response|completion", "label": "answer"},
        example={"prompt": "Capital of Peru?", "response": "Lima.", "_task_hash": 2, "answer": "accept"},
        reads=(*READS, "label: wanted"),
    ),
    Shape(
        name="Prodigy, an answer in words",
        signs=("text|prompt|question:text", "user_input:text", "answer=accept|reject|ignore"),
        fields={"prompt": "text|prompt|question", "response": "user_input", "label": "answer"},
        example={"text": "Capital of Peru?", "user_input": "Lima.", "_task_hash": 2, "answer": "accept"},
        reads=(*READS, "label: wanted"),
    ),
    Shape(
        name="doccano, texts and labels",
        signs=("text|data:text", "label.0:text"),
        fields={"prompt": "text|data", "response": "label"},
        example={"id": 0, "text": "Capital of Peru?", "label": ["Lima."]},
        reads=READS,
    ),
)
