"""`tamis plan PROJECT|FILE --show ROW`: rows as the trainer sees them, token by token."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from engine.workflows.token_view import TokenView, more_than_shown, tokens_in_file, tokens_in_project
from workbench.cli.common import open_to_look
from workbench.cli.output import DIM, LIT, SPECIAL, UNDIMMED, UNLIT, UNSPECIAL, in_colour, narrate, print_json, say
from workbench.render.token_lines import CLOSE, LEARNT, OPEN, TokenLine, headline, shown_parts, token_lines


def show_tokens(arguments: argparse.Namespace, settings: dict[str, object], is_project: bool) -> int:
    """Print the rows that `--show` names."""
    path: Path = arguments.project
    if is_project:
        with open_to_look(path) as project:
            view = tokens_in_project(project, arguments.show, model=arguments.model, settings=settings)
    else:
        view = tokens_in_file(
            path, arguments.show, model=arguments.model, settings=settings, encoding=arguments.encoding
        )
    if arguments.json:
        print_json(view.to_json())
    else:
        for line in view_lines(view, colour=in_colour()):
            say(line, dims=True)
    if more := more_than_shown(view):
        narrate(more)
    return 0


def view_lines(view: TokenView, *, colour: bool) -> Iterator[str]:
    """The rows in words; without colour special tokens stand between guillemets."""
    yield f"model {view.model}; learnt: {view.masking}"
    for row in view.rows:
        yield ""
        yield headline(row, view.max_length)
        if row["note"]:
            yield f"warning: {row['note']}"
        for line in token_lines(row):
            yield f"{line.told:<8}| {_line(line, colour)}"


def _line(line: TokenLine, colour: bool) -> str:
    parts = shown_parts(line)
    if not colour:
        return "".join(f"{OPEN}{text}{CLOSE}" if special else text for text, special in parts)
    words = "".join(f"{SPECIAL}{text}{UNSPECIAL}" if special else text for text, special in parts)
    return f"{LIT}{words}{UNLIT}" if line.told == LEARNT else f"{DIM}{words}{UNDIMMED}"
