"""Conversations that branch: trees of replies (Open Assistant), maps of nodes (ChatGPT's export).

One way through the tree is the conversation; every other one is a candidate, from where it leaves that way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.model import Message, Row
from engine.sources.mapping import Path, value_at
from engine.sources.messages.leaves import Left
from engine.sources.messages.messages import messages_in, with_their_thoughts

Branch = tuple[Message, ...]


@dataclass(slots=True)
class _Node:
    """One message of a tree, where it stands, and what was said to it; `raw` is None for a root without words."""

    raw: dict[str, Any] | None
    at: Path
    replies: list[_Node] = field(default_factory=list)


_LINKS = (
    *(("uuid", "parent_message_uuid"), ("messageId", "parentMessageId"), ("message_id", "parent_id")),
    *(("id", "parentId"), ("id", "parent_id")),
)
"""The names of a message's own id and of its parent's."""
_CURRENT = ("current_node", "current_leaf_message_uuid", "currentId")


def is_reply_tree(value: Any) -> bool:
    """`{"text", "role", "replies": [the same, …]}`."""
    return isinstance(value, dict) and isinstance(value.get("replies"), list) and "role" in value


def is_node_map(value: Any) -> bool:
    """`{id: {"message", "parent", "children"}, …}`, or with messages for nodes, `{id: {"parentId", "childrenIds"}}`."""
    if not isinstance(value, dict) or not all(isinstance(node, dict) for node in value.values()):
        return False
    # A root may be without a message.
    nodes = value.values()
    return (all("children" in node for node in nodes) and any("message" in node for node in nodes)) or (
        bool(nodes) and all("childrenIds" in node for node in nodes)
    )


def is_linked(value: Any) -> bool:
    """Messages in a list that each name the one they answer, where two answer the same: it holds several branches."""
    names = _link_names(value) if isinstance(value, list) and len(value) > 2 else None
    if names is None:
        return False
    own, parents = ([_key(message[name]) for message in value] for name in names)
    named = [parent for parent in parents if parent is not None]
    return len(set(own)) == len(own) and None not in own and len(set(named)) < len(named) and bool({*named} & {*own})


def _link_names(value: list[Any]) -> tuple[str, str] | None:
    if not all(isinstance(message, dict) for message in value):
        return None
    return next((names for names in _LINKS if all(name in message for name in names for message in value)), None)


def _key(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) else None


def current_of(row: Row, at: Path) -> tuple[Path, Any] | None:
    """Where beside the messages at a place it says which is the last one of the branch in front, and its id."""
    outer = value_at(row, at[:-1])
    name = next((name for name in _CURRENT if isinstance(outer, dict) and name in outer), "")
    return ((*at[:-1], name), outer[name]) if name else None


def linked(value: list[Any], current: Any, at: Path, left: list[Left]) -> tuple[Branch, tuple[Branch, ...]]:
    """Of messages that `is_linked` knows the branch that ends at `current` (else at the last message, the latest), and
    the others."""
    own, parent = _link_names(value) or _LINKS[0]
    current = value[-1][own] if current is None else current
    nodes = {str(message[own]): _Node(message, (*at, place)) for place, message in enumerate(value)}
    return _of_nodes(nodes, {str(message[own]): message[parent] for message in value}, current, at, left)


def reply_tree(value: dict[str, Any], at: Path, left: list[Left]) -> tuple[Branch, tuple[Branch, ...]]:
    """The conversation and its other branches: of several replies that of the best rank, else the first."""
    root = _Node(_alone(value, "replies"), at)
    waiting = [(root, value)]
    while waiting:
        node, held = waiting.pop()
        for place, reply in enumerate(held["replies"]):
            inner = (*node.at, "replies", place)
            if is_reply_tree(reply) or (isinstance(reply, dict) and "role" in reply):
                child = _Node(_alone(reply, "replies"), inner)
                node.replies.append(child)
                if isinstance(reply.get("replies"), list):
                    waiting.append((child, reply))
            elif reply is not None:
                left.append((inner, reply, False))
    return _branches(root, _best_ranked, left)


def node_map(value: dict[str, Any], current: Any, at: Path, left: list[Left]) -> tuple[Branch, tuple[Branch, ...]]:
    """The conversation that ends at the node `current` (else the last one, at each step), and its other branches."""
    nodes: dict[str, _Node] = {}
    for key, node in value.items():
        if "childrenIds" not in node:
            nodes[key] = _Node(node.get("message"), (*at, key, "message"))
            left += [((*at, key, name), inner, True) for name, inner in node.items() if name != "message"]
        else:
            nodes[key] = _Node(node, (*at, key))
    parents = {key: node.get("parent", node.get("parentId")) for key, node in value.items()}
    return _of_nodes(nodes, parents, current, at, left)


def _of_nodes(
    nodes: dict[str, _Node], parents: dict[str, Any], current: Any, at: Path, left: list[Left]
) -> tuple[Branch, tuple[Branch, ...]]:
    roots = []
    for key, node in nodes.items():
        parent = _key(parents[key])
        if parent is not None and parent in nodes and parent != key:
            nodes[parent].replies.append(node)
        else:
            roots.append(node)
    on_way: set[int] = set()
    step = _key(current)
    while step is not None and step in nodes and id(nodes[step]) not in on_way:
        on_way.add(id(nodes[step]))
        step = _key(parents[step])
    left += [(nodes[key].at, nodes[key].raw, False) for key in nodes.keys() - _reached(nodes, roots)]
    root = _Node(None, at, roots)
    return _branches(root, lambda replies: next((node for node in replies if id(node) in on_way), replies[-1]), left)


def _reached(nodes: dict[str, _Node], roots: list[_Node]) -> set[str]:
    """The ids of the nodes that hang on a root: those of a ring hang on none."""
    names = {id(node): key for key, node in nodes.items()}
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        node = waiting.pop()
        found.add(names[id(node)])
        waiting += node.replies
    return found


def _alone(held: dict[str, Any], without: str) -> dict[str, Any]:
    return {key: value for key, value in held.items() if key != without}


def _best_ranked(replies: list[_Node]) -> _Node:
    def rank(node: _Node) -> float:
        held = (node.raw or {}).get("rank")
        return held if isinstance(held, int | float) else float("inf")

    return min(replies, key=rank)


def _branches(
    root: _Node, chosen: Callable[[list[_Node]], _Node], left: list[Left]
) -> tuple[Branch, tuple[Branch, ...]]:
    found: list[Branch] = []
    waiting = [root]
    while waiting:
        node: _Node | None = waiting.pop(0)
        branch: list[Message] = []
        while node is not None:
            if node.raw is not None:
                branch += messages_in(node.raw, node.at, left)
            following = chosen(node.replies) if node.replies else None
            waiting += [reply for reply in node.replies if reply is not following]
            node = following
        if branch or not found:
            found.append(tuple(message for _, message in with_their_thoughts(list(enumerate(branch)))))
    return found[0], tuple(found[1:])
