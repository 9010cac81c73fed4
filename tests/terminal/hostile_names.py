"""A hundred names that nobody should be called, a project where everything bears them, and what of them got out raw."""

from __future__ import annotations

import json
import os
import re
from itertools import groupby
from pathlib import Path
from typing import Any
from unicodedata import category

import planted

from engine.model import Act, Cluster, Findings, Flag
from engine.project.project import open_project

# What a terminal obeys.
ORDERS = [
    "\x1b]52;c;aGk=\x07", "\x1b]52;c;aGk=\x1b\\", "\x1b]0;title\x07", "\x1b]2;title\x1b\\",
    "\x1b]8;;http://x\x1b\\x\x1b]8;;\x1b\\", "\x1b]4;1;?\x07", "\x1b]10;?\x07", "\x1b]1337;File=:aGk=\x07",
    "\x1b]777;notify;a;b\x07", "\x1b]9;4;1\x07", "\x1bP+q544e\x1b\\", "\x1bP1$r0m\x1b\\", "\x1b_Gi=1,a=q;\x1b\\",
    "\x1b^private\x1b\\", "\x1bXstring\x1b\\", "\x1bktitle\x1b\\", "\x1b[2J", "\x1b[3J", "\x1b[H", "\x1b[10;10H",
    "\x1b[31m", "\x1b[8m", "\x1b[?1049l", "\x1b[?1049h", "\x1b[?1000h", "\x1b[?1003h", "\x1b[?2004l", "\x1b[?25l",
    "\x1b[?7h", "\x1b[5n", "\x1b[6n", "\x1b[c", "\x1b[>c", "\x1b[>q", "\x1b[21t", "\x1b[3;0;0t", "\x1b[4i", "\x1b[5i",
    "\x1b[20h", "\x1b[!p", "\x1b[1 q", "\x1b[r", "\x1b[2;5r", "\x1b[?u", "\x1b[>1u", "\x1b[200~", "\x1b[201~",
    "\x1bc", "\x1b#8", "\x1b7", "\x1b8", "\x1b(0", "\x1bM", "\x1b=", "\x1b[", "\x1b", "\x9b31m", "\x9d52;c;aGk=\x9c",
    "\x90+q\x9c", "\x9e", "\x9f", "\x84", "\x85", "\x8d", "\x00", "\x05", "\x07", "\x08\x08\x08", "\x0b", "\x0c",
    "\x0e", "\x0f", "\r", "\rtamis: all well", "\n", "\ntamis: x", "\t", "\x18", "\x1a", "\x7f", "\x7f\x7f\x7f",
]  # fmt: skip
# What a terminal hides, turns round or piles up, and what is markup elsewhere.
TRICKS = [
    "\u202egnp.exe", "\u2066\u2067", "\u2069", "\u200b\u200b", "\u200d\u200c", "\u2060", "\ufeff", "\u00ad", "\u034f",
    "\u061c", "\u3164", "\u115f", "\u180e", "\U000e0041\U000e0042", "\U000e0100\U000e01ef", "a\ufe00",
    "\ufff9x\ufffa", "\U0001d173", "e" + "\u0301" * 3000, "\u1161" * 200, "\ud800", "\udfff", "\ufffe", "\ue0b0",
    "\U0010ffff", "\u2028", "\u2029", "[/x]", "[bold red]x[/]", "[link=http://x]y[/link]", "[@click=app.quit]z[/]",
    "\\[", "\u2800", "x" * 5000,
]  # fmt: skip
NAMES = [*ORDERS, *TRICKS]
# What we send ourselves: on a screen, and from a command.
OURS = re.compile(
    rb"\x1b\[[0-9;]*[HmXKABCDGJ]|\x1b\[\?[0-9;]+[hl]|\x1b\[\?\d+\$p|\x1b\[[<>=]\d*u|\x1b\[5n|\x1b\]22;\w*\x07|\x0b"
)
OURS_OF_COMMANDS = re.compile(rb"\r\x1b\[K|\x1b\[22?m")
# Sequences of that form that only a name would send.
NEVER = re.compile(rb"\x1b\[(?:[23]J|8m|\?7h)")
_HIDDEN = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2060-\u206f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def leaks(sent: bytes, *, screen: bool = False) -> list[str]:
    """What a terminal would obey or hide in what was sent; of a screen what comes while it is the workbench's."""
    if screen:
        sent = sent.partition(b"\x1b[?1049h")[2].rpartition(b"\x1b[?1049l")[0] or sent
    found = [ascii(match.group()) for match in NEVER.finditer(sent)]
    text = (OURS if screen else OURS_OF_COMMANDS).sub(b"", sent).decode("utf-8", "surrogateescape")
    text, kinds = text.replace("\r\n", "\n"), {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    ours = "\r\n" if screen else "\n\t"
    for character in text:
        no_character = ord(character) & 0xFFFE == 0xFFFE
        if (category(character) in kinds and character not in ours) or no_character or _HIDDEN.match(character):
            found.append(ascii(character))
    runs = (len(list(run)) for is_mark, run in groupby(text, lambda c: category(c)[0] == "M") if is_mark)
    return [*found, *(f"{length} marks" for length in runs if length > 8)]


def for_files(name: str, most: int = 120) -> str:
    """The name as a file may have it."""
    kept = os.fsencode(name.encode("utf-8", "replace").decode()).replace(b"\0", b"").replace(b"/", b"")[:most]
    return kept.decode("utf-8", "ignore")


def hostile_project(home: Path, name: str) -> Path:
    """A project whose file, folder, fields, findings, people, notes, tags, place and merged journal bear a name."""
    folder = home / for_files(name, 60)
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = [
        {"instruction": f"{number} {name}", "input": name, "output": f"a {name}", name: name, "meta": {name: number}}
        for number in range(6)
    ]
    source = folder / f"{for_files(name)}.jsonl"
    source.write_bytes(
        b"".join(json.dumps(row).encode() + b"\n" for row in rows) + b"{ " + name.encode("utf-8", "replace")
    )
    made = planted.create_project(source)
    with open_project(made, reviewer="ann") as project:
        ids = [project.rows.id(number) for number in range(6)]
        flags = tuple(Flag(number, "truncated", "check", f"it says {name}") for number in (0, 3))
        clusters = (
            Cluster("cn0001", "near", (0, 1, 2), 0, (name,)),
            Cluster("cc0002", "conflict", (3, 4), 3, (name,), (90.0, 100.0), False, (0, 1)),
        )
        project.save_findings(Findings(clusters, flags, ("check",) * 6, {"total": 0.1}))
        project.decide([Act("tag", tuple(ids[:3]), extra={"tags": [name]})], why=name)
        project.decide([Act("note", tuple(ids[:3]), extra={"text": name})], why=name)
        project.decide([Act("reject", (ids[5],)), Act("edit", (ids[4],), {ids[4]: rows[4] | {"output": f"b {name}"}})])
    line = {
        "v": 1,
        "n": 1,
        "at": "2026-01-01T00:00:00Z",
        "by": name,
        "why": name,
        "acts": [{"do": "accept", "ids": ids}],
    }
    # One that counts, and one that is told of as left out.
    lines_of_eve = [line, line | {"n": 2, "at": name, "acts": [{"do": name, "ids": ids}]}]
    journal = made / "decisions" / f"{for_files(name, 40)}@00000000.jsonl"
    journal.write_text("".join(json.dumps(each) + "\n" for each in lines_of_eve))
    place = {"v": 1, "screen": "overview", "filter": name, "asked": ["mapping", "heldout"], "filters": [name, "a"]}
    (made / "session.json").write_text(json.dumps(place | {"drafts": {ids[0]: [[["output"], name]]}}))
    return made
