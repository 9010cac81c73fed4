"""Conversations that branch: trees of replies (Open Assistant), maps of nodes (ChatGPT's export).

One way through the tree is the conversation; every other one is a candidate, from where it leaves that way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.model import Message
from engine.sources.leaves import Left
from engine.sources.mapping import Path
from engine.sources.messages import messages_in

Branch = tuple[Message, ...]


@dataclass(slots=True)
class _Node:
    """One message of a tree, where it stands, and what was said to it; `raw` is None for a root without words."""

    raw: dict[str, Any] | None
    at: Path
    replies: list[_Node] = field(default_factory=list)


def is_reply_tree(value: Any) -> bool:
    """`{"text", "role", "replies": [the same, …]}`."""
    return isinstance(value, dict) and isinstance(value.get("replies"), list) and "role" in value


def is_node_map(value: Any) -> bool:
    """`{id: {"message", "parent", "children"}, …}`."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(node, dict) and "message" in node and "children" in node for node in value.values())
    )


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
    nodes = {key: _Node(node["message"], (*at, key, "message")) for key, node in value.items()}
    roots = []
    for key, node in value.items():
        left += [((*at, key, name), inner, True) for name, inner in node.items() if name != "message"]
        parent = node.get("parent")
        if isinstance(parent, str) and parent in nodes and parent != key:
            nodes[parent].replies.append(nodes[key])
        else:
            roots.append(nodes[key])
    on_way: set[int] = set()
    step = current if isinstance(current, str) else None
    while step in nodes and id(nodes[step]) not in on_way:
        on_way.add(id(nodes[step]))
        step = value[step].get("parent")
    left += [(nodes[key].at, nodes[key].raw, False) for key in value.keys() - _reached(nodes, roots)]
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
            found.append(tuple(branch))
    return found[0], tuple(found[1:])
