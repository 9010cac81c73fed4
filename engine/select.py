"""The selector language: which rows a filter, a bulk act or an export speaks of.

    bucket:drop and not is:heldout          kind:near or flag:truncated
    row:17-40 (turns>4 tokens>500)          field.meta.year<=2018 /refund(ed)?/ "order number"

Two terms side by side mean `and`. The same words work on the command line, in the filter box and in the palette.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import ProjectError, UsageError
from engine.model import BUCKETS, CHARS_PER_TOKEN, CLUSTER_KINDS
from engine.scan.dates import date_of
from engine.sources.mapping import parse_path, value_at

if TYPE_CHECKING:
    from engine.project.project import Project

Test = Callable[["Project", int], bool]

STATES = (
    "undecided",
    "accepted",
    "edited",
    "rejected",
    "skipped",
    "disputed",
    "heldout",
    "seen",
    "leak",
    "open",
    "changed",
    "recheck",
    "suspect",
)
COLON_KEYS = ("row", "cluster", "kind", "bucket", "flag", "is", "by", "tag", "shard", "role", "why", "field", "batch")
COMPARED = ("turns", "tokens", "chars", "date")
DATE_FIELDS = ("date", "created_at", "created", "timestamp", "time", "year")
_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[()])|(?P<regex>/(?:[^/\\]|\\.)+/i?(?=[\s()]|$))|(?P<quoted>"[^"]*")|(?P<word>(?:[^\s()"]|"[^"]*")+))""",
)
_COMPARE = re.compile(r"(?P<key>[A-Za-z_][\w.]*)(?P<operator><=|>=|!=|<|>|=)(?P<value>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Selector:
    """A parsed selector. `text` is what was written; an empty text matches every row."""

    text: str
    test: Test


def select(project: Project, text: str) -> list[int]:
    """The row numbers that match, ascending. Raises UsageError where the text is no selector."""
    selector = parse_selector(text)
    return [number for number in range(len(project.rows)) if selector.test(project, number)]


def parse_selector(text: str) -> Selector:
    """Raises UsageError with what is wrong and what is known."""
    tokens = _tokens(text)
    if not tokens:
        return Selector("", lambda project, number: True)
    parser = _Parser(tokens)
    test = parser.alternatives()
    if parser.rest():
        raise UsageError(f"selector {text!r}: cannot make sense of {parser.rest()!r}", "", "check its parentheses")
    return Selector(text.strip(), test)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UsageError(f"selector: cannot read {text[at:].strip()[:20]!r}", "", "close the quotation mark")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over: or < and (also unwritten) < not < term."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def rest(self) -> str:
        return " ".join(self._tokens[self._at :])

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self._peek().lower() == "or":
            self._take()
            tests.append(self._conjunction())
        return tests[0] if len(tests) == 1 else lambda project, number: any(test(project, number) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._negation()]
        while self._peek() and self._peek() != ")" and self._peek().lower() != "or":
            if self._peek().lower() == "and":
                self._take()
            tests.append(self._negation())
        return tests[0] if len(tests) == 1 else lambda project, number: all(test(project, number) for test in tests)

    def _negation(self) -> Test:
        if self._peek().lower() == "not":
            self._take()
            inner = self._negation()
            return lambda project, number: not inner(project, number)
        token = self._take()
        if token == "(":
            inner = self.alternatives()
            if self._take() != ")":
                raise UsageError("selector: a parenthesis is not closed")
            return inner
        if not token or token == ")" or token.lower() in ("and", "or"):
            raise UsageError(f"selector: a term is missing before {token or 'the end'!r}")
        return _term(token)


def _term(token: str) -> Test:
    if len(token) > 1 and token.startswith("/") and re.search(r"/i?$", token[1:]):
        return _regex(token)
    if token.startswith('"') and token.endswith('"') and len(token) > 1:
        return _words(token[1:-1])
    key, colon, value = token.partition(":")
    if colon and key in COLON_KEYS and key != "field":
        return _keyed(key, value.strip('"'))
    compared = _COMPARE.fullmatch(token)
    if compared is not None:
        key = compared["key"]
        if key in COMPARED or key.startswith("field."):
            return _comparison(key, compared["operator"], compared["value"].strip('"'))
    return _words(token)


def _regex(token: str) -> Test:
    ignore_case = token.endswith("i")
    pattern = token[1 : -2 if ignore_case else -1]
    try:
        compiled = re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        raise UsageError(f"selector: {token} is no regular expression ({error})") from error
    return lambda project, number: any(compiled.search(turn.text) is not None for turn in project.example(number).turns)


# A word this long and of letters only stands in the bytes of a row wherever it stands in its text: no escape, number or
# null turns into it.
FIRST_IN_BYTES = 5


def _words(text: str) -> Test:
    folded = text.casefold()

    def test(project: Project, number: int) -> bool:
        return any(folded in turn.text.casefold() for turn in project.example(number).turns)

    if len(folded) < FIRST_IN_BYTES or not (folded.isascii() and folded.isalpha()):
        return test
    wanted = folded.encode("ascii")

    def test_bytes_first(project: Project, number: int) -> bool:
        # Most rows lack the word: told from their bytes, at a tenth of the cost of reading them as rows. Letters beyond
        # ASCII may fold to ASCII ones, and any letter may be written as an escape.
        raw = project.rows.raw_bytes(number)
        if raw.isascii() and wanted not in raw.lower() and b"\\u" not in raw and not project.is_edited(number):
            return False
        return test(project, number)

    return test_bytes_first


def _keyed(key: str, value: str) -> Test:
    if not value:
        raise UsageError(f"selector: {key}: lacks its value")
    if key == "row":
        return _row_range(value)
    if key == "cluster":
        return _in_cluster(value)
    if key == "kind":
        _known(value, CLUSTER_KINDS, "kind")
        return lambda project, number: any(cluster.kind == value for cluster in project.clusters_of(number))
    if key == "bucket":
        _known(value, BUCKETS, "bucket")
        return lambda project, number: project.bucket(number) == value
    if key == "flag":
        return lambda project, number: any(flag.signal == value for flag in project.flags_of(number))
    if key == "is":
        return _state(value)
    if key == "shard":
        return _shard(value)
    if key == "batch":
        return _batch(value)
    simple: dict[str, Test] = {
        "by": lambda project, number: project.decision(number).by == value,
        "tag": lambda project, number: value in project.tags(number),
        "role": lambda project, number: any(turn.role == value for turn in project.example(number).turns),
        "why": lambda project, number: value.casefold() in project.decision(number).why.casefold(),
    }
    return simple[key]


def _known(value: str, names: tuple[str, ...], key: str) -> None:
    if value not in names:
        raise UsageError(f"selector: {key}:{value} is unknown", "", f"known: {', '.join(names)}")


def _row_range(value: str) -> Test:
    first, dash, last = value.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise UsageError(f"selector: row:{value} is no row number or range", "", "write row:17 or row:17-40")
    low, high = int(first), int(last) if dash else int(first)
    return lambda project, number: low <= number <= high


def _in_cluster(value: str) -> Test:
    def test(project: Project, number: int) -> bool:
        try:
            return number in project.cluster(value).rows
        except ProjectError as error:
            raise UsageError(f"selector: {error.title}", "", error.hint) from error

    return test


def _state(value: str) -> Test:
    _known(value, STATES, "is")
    tests: dict[str, Test] = {
        "edited": lambda project, number: project.is_edited(number),
        "disputed": lambda project, number: project.is_disputed(number),
        "heldout": lambda project, number: project.is_heldout(number),
        "seen": lambda project, number: project.is_seen(number),
        "leak": lambda project, number: project.is_leaking(number),
        "changed": lambda project, number: project.changed_from(number) is not None,
        "suspect": lambda project, number: project.is_suspect(number),
        "recheck": lambda project, number: "recheck" in project.tags(number),
        "open": lambda project, number: any(project.is_open(cluster) for cluster in project.clusters_of(number)),
    }
    return tests.get(value, lambda project, number: project.verdict(number) == value)


def _shard(value: str) -> Test:
    """`1/2`: the first of two shares; `1/2+10%`: with a tenth of all rows that every share has, to agree on."""
    share, _, common = value.partition("+")
    part, slash, whole = share.partition("/")
    percent = common.removesuffix("%") or "0"
    if not slash or not (part.isdigit() and whole.isdigit() and percent.isdigit()) or not 1 <= int(part) <= int(whole):
        raise UsageError(f"selector: shard:{value} is no share", "", "write shard:1/2, or shard:1/2+10%")

    def test(project: Project, number: int) -> bool:
        # By content, so that the shares stay the same when the source is re-ordered.
        content = int(project.rows.id(number)[:16], 16)
        return content % int(whole) == int(part) - 1 or content // int(whole) % 100 < int(percent)

    return test


def _batch(value: str) -> Test:
    """`RUN/31`: the rows that step 31 of that run of this project was made of."""
    run, slash, step = value.rpartition("/")
    if not slash or not run or not step.isdigit():
        raise UsageError(f"selector: batch:{value} is no step of a run", "", "write batch:RUN/31")
    ids: set[str] | None = None

    def test(project: Project, number: int) -> bool:
        nonlocal ids
        if ids is None:
            from engine.training.runs.data_files import rows_by_step

            folder = project.folder / "runs" / run
            if "/" in run or not folder.is_dir():
                raise UsageError(f"selector: batch: this project has no run {run}", "", "see `tamis runs PROJECT`")
            ids = set(rows_by_step(folder).get(int(step), ()))
        return project.rows.id(number) in ids

    return test


def _comparison(key: str, operator: str, value: str) -> Test:
    read = _reader(key, value)
    wanted = _comparable(value)

    def test(project: Project, number: int) -> bool:
        found = read(project, number)
        return found is not None and _compare(found, operator, wanted, value)

    return test


def _reader(key: str, value: str) -> Callable[[Project, int], Any]:
    if key in ("turns", "tokens", "chars") and not isinstance(_comparable(value), float):
        raise UsageError(f"selector: {key} is compared with a number, not {value!r}")
    if key == "turns":
        return lambda project, number: len(project.example(number).turns)
    if key == "chars":
        return _characters
    if key == "tokens":
        return lambda project, number: _characters(project, number) / CHARS_PER_TOKEN
    if key == "date":
        return lambda project, number: row_date(project.current_row(number), len(value))
    path = parse_path(key.removeprefix("field."))
    return lambda project, number: value_at(project.current_row(number), path)


def _characters(project: Project, number: int) -> int:
    return sum(len(turn.text) for turn in project.example(number).turns)


def row_date(row: Any, length: int = 10) -> str | None:
    """The date a row carries, as many characters of it as are asked for: `date<2024-01` compares months."""
    if not hasattr(row, "get"):
        return None
    if found := date_of(row):
        return found[:length]
    # Not a date as we know them: it still compares as the text it is.
    values = (str(row.get(name)) for name in DATE_FIELDS if row.get(name) is not None and str(row[name]).strip())
    return next((value[:length] for value in values), None)


def _comparable(value: Any) -> Any:
    try:
        return float(value)
    except OverflowError:
        # A whole number beyond what a float holds.
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return str(value)


def _compare(found: Any, operator: str, wanted: Any, text: str) -> bool:
    left = _comparable(found) if isinstance(wanted, float) else str(found)
    right: Any = wanted
    if type(left) is not type(right):
        left, right = str(found), text
    if operator == "=":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    if operator == "<":
        return bool(left < right)
    if operator == "<=":
        return bool(left <= right)
    return bool(left > right) if operator == ">" else bool(left >= right)
