"""What jq answers on a file of event lines; where jq is not installed, the same for the few forms used here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

QUESTION = re.compile(r"^select\((?P<terms>[^)]*)\) \| \.(?P<key>[a-z_.]+)$")
TERM = re.compile(r'^\.(?P<key>[a-z_]+)==(?P<value>"[^"]*"|-?[0-9.]+)$')


def traced(path: Path, question: str) -> list[Any]:
    """The values that `jq -c QUESTION FILE` prints, in order."""
    if shutil.which("jq"):
        done = subprocess.run(["jq", "-c", question, str(path)], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]
    form = QUESTION.match(question)
    assert form is not None, f"{question}: not one of the forms that docs/verdict.md uses"
    wanted = {}
    for term in form["terms"].split(" and "):
        part = TERM.match(term)
        assert part is not None, term
        wanted[part["key"]] = json.loads(part["value"])
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if all(event.get(key) == value for key, value in wanted.items()):
            for key in form["key"].split("."):
                event = event[key]
            found.append(event)
    return found


DOCS = Path(__file__).resolve().parents[2] / "docs" / "verdict.md"


def documented(letter: str) -> list[str]:
    """Every question to jq that docs/verdict.md names for a kind of file (R: a run, C: a comparison), a key each."""
    questions = []
    for row in DOCS.read_text(encoding="utf-8").splitlines():
        if row.startswith("| ") and f"`{letter}`: `select(" in row:
            first, *others = re.findall(r"`([^`]+)`", row.split(f"`{letter}`: ", 1)[1].replace("\\|", "|"))
            select = first.rsplit(" | ", 1)[0]
            questions += [first, *(f"{select} | {key}" for key in others)]
    return questions
