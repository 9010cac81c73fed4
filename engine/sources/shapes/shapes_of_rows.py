"""The table of shapes, rows of few texts: pairs, preferences, texts; and what is told by the names of fields alone."""

from __future__ import annotations

from engine.sources.shapes.known_shape import Shape
from engine.sources.shapes.shapes_of_chats import ANSWER, READS, SAID, USER, WEATHER

_NOT_WANTED = "not wanted: assistant: Cusco."
_PROMPTS = "prompt|question|instruction|input|query|messages"

PREFERENCES = (
    Shape(
        name="OpenAI preferences",
        signs=("input.messages.*.role", "preferred_output", "non_preferred_output"),
        fields={
            "prompt": "input.messages",
            "chosen": "preferred_output",
            "rejected": "non_preferred_output",
            "tools": "input.tools",
        },
        example={
            "input": {"messages": [USER], "tools": []},
            "preferred_output": [ANSWER],
            "non_preferred_output": [{"role": "assistant", "content": "Cusco."}],
        },
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="preferences as whole chats",
        signs=("chosen:messages", "rejected:messages"),
        fields={"prompt": _PROMPTS, "chosen": "chosen", "rejected": "rejected"},
        example={"chosen": [USER, ANSWER], "rejected": [USER, {"role": "assistant", "content": "Cusco."}]},
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="preferences as formatted chats (HH)",
        signs=("chosen:marked", "rejected:marked", "!prompt"),
        fields={"chosen": "chosen", "rejected": "rejected"},
        how="markers in the text",
        example={
            "chosen": "\n\nHuman: Capital of Peru?\n\nAssistant: Lima.",
            "rejected": "\n\nHuman: Capital of Peru?\n\nAssistant: Cusco.",
        },
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="preferences",
        signs=("chosen:answer", "rejected:answer"),
        fields={"prompt": _PROMPTS, "input": "input|context", "chosen": "chosen", "rejected": "rejected"},
        example={"prompt": "Capital of Peru?", "chosen": "Lima.", "rejected": "Cusco."},
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="two answers and the better one by its number (PKU)",
        signs=("prompt", "response_0", "response_1", "better_response_id"),
        fields={"prompt": "prompt", "chosen": "response_0", "rejected": "response_1", "winner": "better_response_id"},
        how="the winner stands beside",
        example={"prompt": "Capital of Peru?", "response_0": "Cusco.", "response_1": "Lima.", "better_response_id": 1},
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="two answers, the better one first (Stack Exchange)",
        signs=("question:text", "response_j:text", "response_k:text"),
        fields={"prompt": "question", "chosen": "response_j", "rejected": "response_k"},
        example={"question": "Capital of Peru?", "response_j": "Lima.", "response_k": "Cusco."},
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="two answers and a signed strength (HelpSteer)",
        signs=("prompt|context", "response_1", "response_2|response2", "preference_strength|overall_preference"),
        fields={
            "prompt": "prompt|context",
            "chosen": "response_1",
            "rejected": "response_2",
            "winner": "preference_strength|overall_preference",
        },
        how="the winner stands beside",
        example={"prompt": "Capital of Peru?", "response_1": "Lima.", "response_2": "Cusco.", "overall_preference": -2},
        reads=(*READS, _NOT_WANTED),
    ),
    Shape(
        name="two answers of an arena",
        signs=("prompt", "response_a", "response_b", "winner|winner_model_a"),
        fields={
            "prompt": "prompt",
            "chosen": "response_a",
            "rejected": "response_b",
            "winner": "winner_model_a|winner",
        },
        how="the winner stands beside",
        example={"prompt": "Capital of Peru?", "response_a": "Lima.", "response_b": "Cusco.", "winner": "model_a"},
        reads=(*READS, _NOT_WANTED),
    ),
)
PAIRS = (
    Shape(
        name="Alpaca",
        signs=("instruction:text", "output:text"),
        fields={"prompt": "instruction", "input": "input", "response": "output", "history": "history"},
        example={"instruction": "Capital of this?", "input": "Peru", "output": "Lima."},
        reads=("user: Capital of this?\n\nPeru", SAID),
    ),
    Shape(
        name="Dolly",
        signs=("instruction:text", "response:text", "context"),
        fields={"prompt": "instruction", "input": "context", "response": "response"},
        example={"instruction": "Capital of this?", "context": "Peru", "response": "Lima.", "category": "qa"},
        reads=("user: Capital of this?\n\nPeru", SAID),
    ),
    Shape(
        name="instruction and response",
        signs=("instruction:text", "response:text"),
        fields={"prompt": "instruction", "input": "input", "response": "response"},
        example={"instruction": "Capital of Peru?", "response": "Lima."},
        reads=READS,
    ),
    Shape(
        name="prompt, completion and a label (KTO)",
        signs=("prompt:answer", "completion|response:answer", "label|kto_tag"),
        example={"prompt": "Capital of Peru?", "completion": "Cusco.", "label": False},
        reads=("user: Capital of Peru?", "assistant: Cusco.", "label: not wanted"),
    ),
    Shape(
        name="prompt and completion",
        signs=("prompt:answer", "completion:answer"),
        fields={"prompt": "prompt", "response": "completion"},
        example={"prompt": "Capital of Peru?", "completion": "Lima."},
        reads=READS,
    ),
    Shape(
        name="queries and calls (xLAM)",
        signs=("query:text", "answers", "tools"),
        fields={"prompt": "query", "response": "answers", "tools": "tools"},
        example={
            "query": "Weather in Lima?",
            "answers": '[{"name": "weather", "arguments": {"city": "Lima"}}]',
            "tools": [WEATHER],
        },
        reads=("user: Weather in Lima?", 'assistant calls: weather {"city": "Lima"}', "tools: weather"),
    ),
    Shape(
        name="query, response and history pairs (ms-swift)",
        signs=("query:text", "response:text", "history"),
        fields={"prompt": "query", "response": "response", "history": "history", "system": "system"},
        example={"system": "Be brief.", "query": "Capital of Peru?", "response": "Lima.", "history": [["Hello", "Hi"]]},
        reads=("system: Be brief.", "user: Hello", "assistant: Hi", *READS),
    ),
    Shape(
        name="Cohere's chat",
        signs=("chat_history", "message:text", "text:text"),
        fields={"prompt": "message", "response": "text", "history": "chat_history", "system": "preamble"},
        example={
            "preamble": "Be brief.",
            "chat_history": [{"role": "USER", "message": "Hello"}, {"role": "CHATBOT", "message": "Hi"}],
            "message": "Capital of Peru?",
            "text": "Lima.",
        },
        reads=("system: Be brief.", "user: Hello", "assistant: Hi", *READS),
    ),
    Shape(
        name="question, chain of thought, response",
        signs=("Question:text", "Complex_CoT:text", "Response:text"),
        fields={"prompt": "Question", "reasoning": "Complex_CoT", "response": "Response"},
        example={"Question": "Capital of Peru?", "Complex_CoT": "It lies on the coast.", "Response": "Lima."},
        reads=(READS[0], "assistant thinks: It lies on the coast.", SAID),
    ),
    Shape(
        name="SQuAD",
        signs=("context:text", "question:text", "answers.text"),
        fields={"prompt": "question", "input": "context", "response": "answers.text"},
        example={"context": "Peru", "question": "Its capital?", "answers": {"text": ["Lima."], "answer_start": [0]}},
        reads=("user: Its capital?\n\nPeru", SAID),
    ),
    Shape(
        name="FLAN and xP3, with ids of tokens",
        signs=("inputs_pretokenized:text", "targets_pretokenized:text"),
        fields={"prompt": "inputs_pretokenized", "response": "targets_pretokenized"},
        example={
            "inputs": [3],
            "inputs_pretokenized": "Capital of Peru?",
            "targets": [5],
            "targets_pretokenized": "Lima.",
        },
        reads=(*READS, "beside: targets"),
    ),
    Shape(
        name="FLAN and xP3",
        signs=("inputs:text", "targets:text"),
        fields={"prompt": "inputs", "response": "targets"},
        example={"inputs": "Capital of Peru?", "targets": "Lima."},
        reads=READS,
    ),
    Shape(
        name="questions to SQL",
        signs=("question|nl|sql_prompt|instruction:text", "sql|query:text", "!answer", "!response"),
        fields={
            "prompt": "question|nl|sql_prompt|instruction",
            "input": "sql_context|context|schema|db_schema|input",
            "response": "sql|query",
        },
        example={"question": "How many towns?", "context": "CREATE TABLE towns (name TEXT)", "sql": "SELECT 1"},
        reads=("user: How many towns?\n\nCREATE TABLE towns (name TEXT)", "assistant: SELECT 1"),
    ),
    Shape(
        name="texts and their summaries",
        signs=(
            "article|dialogue|document|text:text",
            "highlights|summary:text",
            *("!prompt", "!instruction", "!question"),
        ),
        fields={"prompt": "article|dialogue|document|text", "response": "highlights|summary"},
        example={"article": "Lima is the capital of Peru, they say.", "highlights": "Peru's capital is Lima."},
        reads=("user: Lima is the capital of Peru, they say.", "assistant: Peru's capital is Lima."),
    ),
    Shape(
        name="a chat, its answer beside (Nemotron)",
        signs=("input:messages", "output:text"),
        fields={"prompt": "input", "response": "output", "system": "system_prompt"},
        example={"system_prompt": "Be brief.", "input": [USER], "output": "Lima."},
        reads=("system: Be brief.", *READS),
    ),
)
BY_NAMES = (
    Shape(
        name="formatted text",
        signs=("text|chat|prompt|conversation|content:marked",),
        guessed="text",
        how="markers in the text",
        example={"text": "<|im_start|>user\nCapital of Peru?<|im_end|>\n<|im_start|>assistant\nLima.<|im_end|>\n"},
        reads=READS,
    ),
    Shape(
        name="text",
        signs=(),
        guessed="text",
        example={"text": "Lima is the capital of Peru."},
        reads=("assistant: Lima is the capital of Peru.",),
    ),
    Shape(
        name="pairs by names",
        signs=(),
        guessed="alpaca",
        example={"Pregunta": "Capital of Peru?", "Respuesta": "Lima."},
        reads=READS,
    ),
    Shape(
        name="messages by names",
        signs=(),
        guessed="messages",
        example={"talk": {"log": [USER, ANSWER]}},
        reads=READS,
    ),
    Shape(
        name="ShareGPT by names",
        signs=(),
        guessed="sharegpt",
        example={"dialog_log": [{"from": "human", "value": "Capital of Peru?"}, {"from": "gpt", "value": "Lima."}]},
        reads=READS,
    ),
    Shape(
        name="preferences by names",
        signs=(),
        guessed="preference",
        example={"question": "Capital of Peru?", "better": "Lima.", "worse": "Cusco."},
        reads=(*READS, _NOT_WANTED),
    ),
)
