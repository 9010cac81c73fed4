"""Nothing foreign reaches a terminal raw, because there is one way to say something, one line and one area to type
into: read from the source, so that no new one comes in unseen."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Who may touch the standard streams, and why.
OWN_STREAMS = {
    "workbench/cli/output.py": "the one place that says something",
    "workbench/terminal/capabilities.py": "looks up how the stream spells text, writes nothing",
    "workbench/commands/__main__.py": "writes the tables of the docs: names of files of ours",
    "engine/jobs/protocol.py": "lines of JSON to the process that asked, in ASCII",
    "engine/select/regex_process.py": "frames of bytes to the process that asked",
    "engine/training/runs/supervisor.py": "lines of JSON to the process that launched it, in ASCII",
    "engine/training/worker/answering.py": "the file descriptors of libraries that print, sent to a log",
    "engine/training/worker/preflight.py": "its log is no terminal",
    "engine/training/worker/serve.py": "its log is no terminal",
}
# Questions about a stream, which write nothing.
ASKED = {"isatty"}
# Widgets that show text: our own are made safe, and take no markup.
OWN_WIDGETS = {"Input": "workbench/ui/widgets/safe_input.py", "TextArea": "workbench/ui/widgets/text_area.py"}
PLAIN_WIDGETS = {"Static"}
NO_WIDGETS = {"EditResult", "Location"}
# What Textual reads as markup, or sends to the terminal by itself.
TITLES = {"title", "sub_title", "border_title", "border_subtitle", "tooltip"}
# A module that names none of these says nothing.
MAY_SAY = re.compile(r"print|\binput\b|std(?:out|err)|rich")
TELLING = (ast.Name, ast.Attribute, ast.ImportFrom, ast.Import, ast.Call, ast.Assign, ast.AnnAssign)
Nodes = list[ast.AST]
SOURCES = sorted(path for room in ("engine", "workbench") for path in (ROOT / room).rglob("*.py"))


@cache
def trees() -> list[tuple[str, Nodes]]:
    """Each module of ours that may say or show something, with the nodes that tell."""
    found = []
    for path in SOURCES:
        text, name = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
        if name.startswith("workbench/") or MAY_SAY.search(text):
            found.append((name, nodes_of(text)))
    return found


def nodes_of(text: str) -> Nodes:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, TELLING)]


def stream_uses(nodes: Nodes) -> Iterator[int]:
    """Lines that print, ask, or take a standard stream for anything but a question about it."""
    asked = {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Attribute) and node.attr in ASKED and isinstance(node.value, ast.Attribute)
    }
    for node in nodes:
        if isinstance(node, ast.Name) and node.id in ("print", "input"):
            yield node.lineno
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            out = node.attr in ("stdout", "stderr", "__stdout__", "__stderr__")
            if out and id(node) not in asked:
                yield node.lineno
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rich"):
            yield from (node.lineno for name in node.names if name.name in ("print", "inspect", "get_console"))
        if isinstance(node, ast.ImportFrom) and node.module == "sys":
            yield from (node.lineno for name in node.names if name.name in ("stdout", "stderr"))
        if isinstance(node, ast.ImportFrom | ast.Import) and any(
            "rich.console" in name
            for name in (getattr(node, "module", None) or "", *(each.name for each in node.names))
        ):
            yield node.lineno


def test_there_is_one_place_that_says_something() -> None:
    found = {f"{name}:{line}" for name, nodes in trees() if name not in OWN_STREAMS for line in stream_uses(nodes)}
    assert found == set()


def test_every_exception_is_one_still() -> None:
    assert {name for name, nodes in trees() if any(stream_uses(nodes))} == set(OWN_STREAMS)


def widget_uses(name: str, nodes: Nodes) -> Iterator[str]:
    """What shows text with a widget that nobody made safe."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual.widgets"):
            for each in node.names:
                if OWN_WIDGETS.get(each.name) != name and each.name not in PLAIN_WIDGETS | NO_WIDGETS:
                    yield f"{name}:{node.lineno} {each.name}"
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in PLAIN_WIDGETS and not any(
                word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
                for word in node.keywords
            ):
                yield f"{name}:{node.lineno} {called} without markup=False"
            if called in ("notify", "from_markup"):
                yield f"{name}:{node.lineno} {called}"
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Attribute) and target.attr in TITLES:
                    yield f"{name}:{node.lineno} {target.attr}"


def test_there_is_one_line_and_one_area_to_type_into_and_no_markup() -> None:
    screens = [(name, nodes) for name, nodes in trees() if name.startswith("workbench/")]
    assert {use for name, nodes in screens for use in widget_uses(name, nodes)} == set()


@pytest.mark.parametrize(
    "line",
    [
        "print(name)",
        "say = print",
        "answer = input('name: ')",
        "sys.stdout.write(name)",
        "print(name, file=sys.stderr)",
        "out = sys.stderr",
        "from rich import print",
        "from rich.console import Console",
        "import rich.console",
    ],
)
def test_a_new_way_to_say_something_is_seen(line: str) -> None:
    assert list(stream_uses(nodes_of(line)))


@pytest.mark.parametrize(
    "line",
    [
        "from textual.widgets import Input",
        "from textual.widgets import Label",
        "Static(name)",
        "Static(name, markup=True)",
        "self.notify(name)",
        "self.border_title = name",
    ],
)
def test_a_new_way_to_show_something_is_seen(line: str) -> None:
    assert list(widget_uses("workbench/ui/screens/new.py", nodes_of(line)))
