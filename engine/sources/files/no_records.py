"""Text in which no record is told from the next: prose, tables drawn in characters, JSON behind something else on each
line. What it is, and the command that makes rows of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from engine.errors import SourceError
from engine.nesting import loads

SHOWN_CHARACTERS = 40
LOOKED_AT = 50
LIST_OF_CELLS = "a JSON array, not an object"
# JSON to the end of a line, behind something that does not belong to it: a time, a number, `data:`.
_BEHIND_TEXT = re.compile(r"([^\s{\[\"',\x1e\ufeff][^{\[\n]*[^{\[\n\t,;|]|[^\s{\[\"',\x1e\ufeff\t,;|])(\{.*\})\s*")
_DRAWN_LINE = re.compile(r"[ \t]*[|+]?(?:[ \t]*:?[-=]{3,}:?[ \t]*[|+]?)+[ \t]*")
_PRINTED_FRAME = re.compile(r"\S+(?: \S+)*[ \t]{2,}\S.*\n\d+[ \t]{2,}\S")
_SCRIPT = re.compile(
    r"(?:(?:export default|(?:(?:const|let|var) )?[\w.$]+ *=|[\w.$]+\()\s*)[\[{].*[\]}]\s*\)?;?\s*", re.DOTALL
)
_R_TABLE = re.compile(r'"[^"\n]*"(?: "[^"\n]*")+\r?\n"[^"\n]*"(?: (?:"[^"\n]*"|[\w.]+))+\r?(?:\n|\Z)')
_CHAT = re.compile(r"\[?\d{1,4}[./-]\d{1,2}[./-]\d{2,4},? \d{1,2}:\d{2}")
TO_TEXT_ROWS = "to make a row of each line: jq -cR '{{text: .}}' {path} > {name}.jsonl"
BEHIND_TEXT = "leave that out: sed -n 's/^[^{{]*{{/{{/p' {path} > {name}.jsonl"
OUT_OF_SCRIPT = "take it out: sed 's/^[^[{{]*//; s/[;) ]*$//' {path} > {name}.json"
NAME_CELLS = "give them names: jq -c '.[] | {{prompt: .[0], response: .[1]}}' {path} > {name}.jsonl"
NAME_CELLS_OF_LINES = "give them names: jq -c '{{prompt: .[0], response: .[1]}}' {path} > {name}.jsonl"


def begins_behind_text(head: str) -> str:
    """What stands before the JSON of the first line, where most lines have something there; else ''."""
    lines = [line for line in head.split("\n")[:LOOKED_AT] if line.strip()]
    found = [match for line in lines if (match := _BEHIND_TEXT.fullmatch(line)) and _is_json(match[2])]
    return found[0][1] if len(found) * 2 > len(lines) else ""


def is_drawn(head: str) -> bool:
    """Whether the second line of a table is a line drawn below its column names."""
    first = head.lstrip("\n").split("\n", 3)[:3]
    return any(_DRAWN_LINE.fullmatch(line.rstrip("\r")) for line in first[:2]) and any("|" in line for line in first)


def refuse_plain_text(path: Path, text: bytes) -> None:
    """Raise SourceError where the first lines of a text are no JSON, and no table either."""
    head = text.decode("utf-8", "replace")
    if before := begins_behind_text(head):
        raise _refusal(path, f"has something before the JSON of each line ({_quoted(before)})", BEHIND_TEXT)
    if _SCRIPT.fullmatch(head.strip().split("\n", 1)[0]):
        raise _refusal(path, "is JavaScript around JSON", OUT_OF_SCRIPT)
    if b"{" in text or b"[" in text or _is_json(head.lstrip().split("\n", 1)[0]):
        return
    if is_drawn(head):
        step = "write it as CSV where it was made (psql --csv), or as JSON lines"
        raise _refusal(path, "is a table drawn in characters", step)
    if _PRINTED_FRAME.match(head):
        step = 'write it as lines where it was printed: .to_json("rows.jsonl", orient="records", lines=True)'
        raise _refusal(path, "is a table as it was printed, with texts that may be cut", step)
    if _R_TABLE.match(head):
        raise _refusal(path, "is a table separated by blanks", "write it with write.csv(…, row.names = FALSE)")
    if _CHAT.match(head):
        raise _refusal(path, "is the text of a chat, not records", "export the chat as JSON")
    raise _refusal(path, f"is plain text, not records ({_quoted(head.strip())})", TO_TEXT_ROWS)


def no_rows(path: Path, reason: str) -> SourceError:
    """The refusal of a source of which every record is set aside; `reason` is that of the first."""
    if reason.endswith(LIST_OF_CELLS):
        step = NAME_CELLS if path.suffix.lower() == ".json" else NAME_CELLS_OF_LINES
        return _refusal(path, "holds lists of values without names", step)
    return SourceError(f"{path}: none of its lines can be read as a row", reason, "check that it is the right file")


def _is_json(text: str) -> bool:
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _quoted(text: str) -> str:
    line = "".join(c if c.isprintable() else " " for c in text.split("\n", 1)[0])
    return f"\u201c{line[:SHOWN_CHARACTERS].strip()}{'…' if len(line) > SHOWN_CHARACTERS else ''}\u201d"


def _refusal(path: Path, what: str, step: str) -> SourceError:
    return SourceError(f"{path}: {what}", "", step.format(path=shlex.quote(str(path)), name=plain_name_of(path)))


def plain_name_of(path: Path) -> str:
    """The name for what a command makes of a file, without its ending; never such that the file itself is written."""
    plain = path.with_suffix("")
    return shlex.quote(f"{plain}-rows" if path.suffix.lower() in (".json", ".jsonl", ".parquet") else str(plain))
