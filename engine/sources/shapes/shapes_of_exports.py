"""The table of shapes, what chat programs and their users export."""

from __future__ import annotations

from typing import Any

from engine.sources.shapes.known_shape import Shape
from engine.sources.shapes.shapes_of_chats import ANSWER, ASKED, READS, SAID, USER, said


def _written(role: str, text: str) -> dict[str, Any]:
    return {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}}


EXPORTS = (
    Shape(
        name="ChatGPT's export",
        signs=("mapping:nodes", "!mapping.*.message.fragments"),
        fields={"messages": "mapping"},
        how="a map of nodes: the current branch, others as further answers",
        example={
            "title": "Peru",
            "current_node": "c",
            "mapping": {
                "a": {"id": "a", "message": None, "parent": None, "children": ["b"]},
                "b": {
                    "id": "b",
                    "message": _written("user", "Capital of Peru?"),
                    "parent": "a",
                    "children": ["d", "c"],
                },
                "d": {
                    "id": "d",
                    "message": _written("assistant", "Cusco."),
                    "parent": "b",
                    "children": [],
                },
                "c": {
                    "id": "c",
                    "message": _written("assistant", "Lima."),
                    "parent": "b",
                    "children": [],
                },
            },
        },
        reads=(*READS, "further answer: assistant: Cusco."),
    ),
    Shape(
        name="DeepSeek's export",
        signs=("mapping:nodes",),
        fields={"messages": "mapping"},
        how="a map of nodes: the current branch, others as further answers",
        example={
            "title": "Peru",
            "mapping": {
                "root": {"id": "root", "parent": None, "children": ["1"], "message": None},
                "1": {
                    "id": "1",
                    "parent": "root",
                    "children": ["2"],
                    "message": {"fragments": [{"type": "REQUEST", "content": "Capital of Peru?"}]},
                },
                "2": {
                    "id": "2",
                    "parent": "1",
                    "children": [],
                    "message": {
                        "fragments": [{"type": "THINK", "content": "Coast."}, {"type": "RESPONSE", "content": "Lima."}]
                    },
                },
            },
        },
        reads=(ASKED, "assistant thinks: Coast.", SAID),
    ),
    Shape(
        name="Claude's export",
        signs=("chat_messages.*.sender",),
        fields={"messages": "chat_messages"},
        how="messages that name their parent: the current branch, others as further answers",
        example={
            "uuid": "c",
            "name": "Peru",
            "current_leaf_message_uuid": "3",
            "chat_messages": [
                {"uuid": "1", "sender": "human", "text": "Capital of Peru?", "parent_message_uuid": "0"},
                {"uuid": "2", "sender": "assistant", "text": "Cusco.", "parent_message_uuid": "1"},
                {"uuid": "3", "sender": "assistant", "text": "Lima.", "parent_message_uuid": "1"},
            ],
        },
        reads=(*READS, "further answer: assistant: Cusco."),
    ),
    Shape(
        name="Open WebUI's export",
        signs=("chat.history.messages.*.role", "chat.history.messages.*.childrenIds"),
        fields={"messages": "chat.history.messages"},
        how="a map of nodes: the current branch, others as further answers",
        example={
            "id": "c",
            "title": "Peru",
            "chat": {
                "history": {
                    "currentId": "3",
                    "messages": {
                        "1": USER | {"id": "1", "parentId": None, "childrenIds": ["2", "3"]},
                        "2": said("Cusco.", id="2", parentId="1", childrenIds=[]),
                        "3": ANSWER | {"id": "3", "parentId": "1", "childrenIds": []},
                    },
                },
                "messages": [
                    USER | {"id": "1", "parentId": None, "childrenIds": ["2", "3"]},
                    ANSWER | {"id": "3", "parentId": "1", "childrenIds": []},
                ],
            },
        },
        reads=(*READS, "further answer: assistant: Cusco."),
    ),
    Shape(
        name="LibreChat's export",
        signs=("conversationId", "messages.*.isCreatedByUser", "messages.*.text"),
        fields={"messages": "messages"},
        how="messages that name their parent: the current branch, others as further answers",
        example={
            "conversationId": "c",
            "title": "Peru",
            "messages": [
                {"messageId": "1", "parentMessageId": "0", "text": "Capital of Peru?", "isCreatedByUser": True},
                {"messageId": "2", "parentMessageId": "1", "text": "Lima.", "isCreatedByUser": False},
            ],
        },
        reads=READS,
    ),
    Shape(
        name="Open Assistant's trees",
        signs=("prompt:replies",),
        fields={"messages": "prompt"},
        how="replies within replies: the best ranked way through, others as further answers",
        example={
            "message_tree_id": "t",
            "prompt": {
                "text": "Capital of Peru?",
                "role": "prompter",
                "replies": [
                    {"text": "Cusco.", "role": "assistant", "rank": 1, "replies": []},
                    {"text": "Lima.", "role": "assistant", "rank": 0, "replies": []},
                ],
            },
        },
        reads=(*READS, "further answer: assistant: Cusco."),
    ),
    Shape(
        name="Open Assistant, a message a line",
        signs=("thread.*.message_id", "thread.*.parent_id"),
        fields={"messages": "thread"},
        how="lines joined by their parents",
        example=(
            {"message_id": "1", "parent_id": None, "text": "Capital of Peru?", "role": "prompter"},
            {"message_id": "2", "parent_id": "1", "text": "Lima.", "role": "assistant"},
        ),
        reads=READS,
    ),
    Shape(
        name="SillyTavern's chats",
        signs=("character_name", "messages.*.mes"),
        fields={"messages": "messages"},
        how="lines joined to a chat",
        example=(
            {"user_name": "Ann", "character_name": "Bot", "chat_metadata": {}},
            {"name": "Ann", "is_user": True, "mes": "Capital of Peru?"},
            {"name": "Bot", "is_user": False, "mes": "Lima."},
        ),
        reads=READS,
    ),
)
