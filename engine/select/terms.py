"""One term of a selector: from what stands between two spaces to what it asks of a row."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from engine.errors import ProjectError
from engine.model import BUCKETS, CLUSTER_KINDS
from engine.numerals import whole_number
from engine.project.by_source import rows_of_source
from engine.project.proposals import KINDS, is_author, waiting
from engine.project.suspects import KINDS as SUSPECT_KINDS
from engine.scan.signals.names import SIGNAL_NAMES
from engine.select.compared import COMPARE, ROWS_WITH_FIELDS, date_term, field_term, measure_term
from engine.select.regex import regex_term
from engine.select.tree import RowTest, Term
from engine.select.vocabulary import (
    COMPARED,
    FIELD,
    KEYS,
    MOST_NAMED,
    STATES,
    cut,
    nearest,
    shown,
    unknown,
    unknown_name,
    wrong,
    wrong_operator,
)

if TYPE_CHECKING:
    from engine.project.project import Project

ROLES = ("system", "user", "assistant", "tool")
# A name, an operator outside of quotation marks, and what it is compared with.
_NAMED = re.compile(
    r"""(?P<name>(?:[^:<>=~!"]|"[^"]*"|!(?!=))*)(?P<operator>!=|=>|=<|<=|>=|==|<>|~=|=~|[:<>=~])(?P<value>.*)""",
    re.DOTALL,
)
_REGEX = re.compile(r"/.+/i?", re.DOTALL)


def term_of(token: str) -> Term:
    """Raises UsageError with what is wrong and what it is likely meant for."""
    if _REGEX.fullmatch(token):
        return regex_term(token)
    if len(token) > 1 and token[0] == token[-1] == '"' and token.count('"') == 2:
        return words_term(token, token[1:-1])
    named = _NAMED.fullmatch(token)
    return words_term(token, token) if named is None else _named_term(token, *named.group("name", "operator", "value"))


def _named_term(token: str, name: str, operator: str, value: str) -> Term:
    is_field = name.startswith(FIELD)
    if name not in KEYS and name not in COMPARED and not is_field:
        raise unknown_name(token, name, operator, value)
    if (operator != ":") if name in KEYS else (operator not in COMPARE):
        raise wrong_operator(name, operator, value)
    if not value.strip('"'):
        raise wrong(f"{shown(name + operator)} lacks its value")
    if name in KEYS:
        return Term(token, *_keyed(name, value.strip('"')))
    if is_field:
        return field_term(token, name, operator, value)
    return date_term(token, operator, value) if name == "date" else measure_term(token, name, operator, value)


# Words.

# A word this long and of letters only stands in the bytes of a row wherever it stands in its text: no escape, number or
# null turns into it.
FIRST_IN_BYTES = 5


def words_term(token: str, text: str) -> Term:
    """The rows that hold the text, whatever the case of its letters. Raises UsageError for no text at all."""
    if not text:
        raise wrong("an empty text is in every row", "write the words between the quotation marks")
    folded = text.casefold()

    def in_texts(project: Project) -> RowTest:
        return lambda number: any(folded in text.casefold() for text in project.example(number).searched)

    if len(folded) < FIRST_IN_BYTES or not (folded.isascii() and folded.isalpha()):
        return Term(token, in_texts)
    wanted = folded.encode("ascii")

    def bytes_first(project: Project) -> RowTest:
        slow = in_texts(project)

        def test(number: int) -> bool:
            # Most rows lack the word: told from their bytes, at a tenth of the cost of reading them as rows. Letters
            # beyond ASCII may fold to ASCII ones, and any letter may be written as an escape.
            raw = project.rows.raw_bytes(number)
            if raw.isascii() and wanted not in raw.lower() and b"\\u" not in raw and not project.is_edited(number):
                return False
            return slow(number)

        return test

    return Term(token, bytes_first)


# Keys.

TestOf = Callable[["Project"], RowTest]
Check = Callable[["Project"], None]


def _keyed(key: str, value: str) -> tuple[TestOf] | tuple[TestOf, Check]:
    if key == "row":
        return (_row_range(value),)
    if key == "cluster":
        return (_in_cluster(value),)
    if key == "kind":
        _known(value, CLUSTER_KINDS, "kind:")
        return (lambda project: lambda row: any(cluster.kind == value for cluster in project.clusters_of(row)),)
    if key == "bucket":
        _known(value, BUCKETS, "bucket:")
        return (lambda project: lambda row: project.bucket(row) == value,)
    if key == "flag":
        return (_flagged(value),)
    if key == "is":
        return (_state(value),)
    if key == "shard":
        return (_shard(value),)
    if key == "batch":
        return (_batch(value),)
    if key == "role":
        return _spoken_by(value)
    if key == "source":
        return (_from_source(value),)
    if key == "by":
        return _by(value), _known_reviewer(value)
    if key == "proposed":
        _known(value, KINDS, "proposed:")
        return (lambda project: lambda row: any(one.kind == value for one in waiting(project, row)),)
    if key == "tag":
        return (lambda project: lambda row: value in project.tags(row)), _known_tag(value)
    folded = value.casefold()
    return (lambda project: lambda row: folded in project.decision(row).why.casefold(),)


def _known(value: str, names: tuple[str, ...], key: str) -> None:
    if value not in names:
        raise unknown(key, value, names)


def _row_range(value: str) -> TestOf:
    first, dash, last = value.partition("-")
    low, high = whole_number(first), whole_number(last) if dash else whole_number(first)
    if low is None or high is None:
        raise wrong(f"row:{shown(value)} is no row number or range", "write row:17 or row:17-40")
    if high < low:
        raise wrong(f"row:{value} runs backwards", f"write row:{high}-{low}")
    return lambda project: lambda row: low <= row <= high


def _in_cluster(value: str) -> TestOf:
    def test_of(project: Project) -> RowTest:
        try:
            rows = frozenset(project.cluster(value).rows)
        except ProjectError as error:
            ids = list(project.finding_columns.number_by_id) if project.finding_columns is not None else []
            near = None if any(identifier.startswith(value) for identifier in ids) else nearest(value, ids)
            raise wrong(error.title, f"did you mean cluster:{cut(near)}?" if near else error.hint) from error
        return rows.__contains__

    return test_of


def _flagged(value: str) -> TestOf:
    def test_of(project: Project) -> RowTest:
        # A scan of an earlier version may have left signals behind that are there no more.
        left = project.finding_columns.signals if project.finding_columns is not None else ()
        names = (*SIGNAL_NAMES, *SUSPECT_KINDS, *(name for name in left if name not in SIGNAL_NAMES))
        if value not in names:
            raise unknown("flag:", value, names, "the overview and `tamis scan` list those of these rows")
        return lambda row: any(flag.signal == value for flag in project.flags_of(row))

    return test_of


def _by(value: str) -> TestOf:
    """The rows that a person has decided; of an author of proposals those that it proposes something for."""
    if is_author(value):
        return lambda project: lambda row: any(one.by == value for one in project.proposals.of(project.rows.id(row)))
    return lambda project: lambda row: project.decision(row).by == value


def _from_source(value: str) -> TestOf:
    """By the name of the file, its beginning where one alone begins so, or its number, counted from 1."""

    def test_of(project: Project) -> RowTest:
        sources = project.settings.sources
        names = [source.name for source in sources]
        places = [place for place, name in enumerate(names) if name == value]
        number = whole_number(value)
        if not places and number is not None and 1 <= number <= len(sources):
            places = [number - 1]
        places = places or [place for place, name in enumerate(names) if name.startswith(value)]
        if not places:
            raise unknown("source:", value, names)
        # Versions of one file are one source.
        if len({sources[place].path for place in places}) > 1:
            ways = " or ".join(f"source:{place + 1} ({cut(names[place])})" for place in places[:MOST_NAMED])
            raise wrong(f"source:{shown(value)} are several files", f"write {ways}")
        ranges = [rows_of_source(project, place) for place in places]
        return lambda row: any(row in rows for rows in ranges)

    return test_of


def _known_reviewer(value: str) -> Check:
    def check(project: Project) -> None:
        # Rows that reviewers differ on are by all of them: "ann, bob".
        names = {name for name in (*project.reviewers, project.reviewer, *project.proposals.authors) if name}
        if not names.issuperset(value.split(", ")):
            raise unknown("by:", value, sorted(names), "nobody has decided a row yet")

    return check


def _spoken_by(value: str) -> tuple[TestOf] | tuple[TestOf, Check]:
    """A role of ours, or one that only the file has, as it stands there."""

    def speaks(project: Project) -> RowTest:
        return lambda row: any(turn.role == value for turn in project.example(row).messages)

    def speaks_or_slip(project: Project) -> RowTest:
        # Nobody waits for all rows while typing: a slip is told from the first ones.
        near = nearest(value, ROLES)
        if near is not None and value not in _roles(project, ROWS_WITH_FIELDS):
            raise unknown("role:", value, ROLES)
        return speaks(project)

    def check(project: Project) -> None:
        found = _roles(project, len(project.rows))
        if value not in found:
            raise unknown("role:", value, (*ROLES, *sorted(found.difference(ROLES))))

    return (speaks,) if value in ROLES else (speaks_or_slip, check)


def _roles(project: Project, rows: int) -> set[str]:
    return {turn.role for row in range(min(rows, len(project.rows))) for turn in project.example(row).messages}


def _known_tag(value: str) -> Check:
    def check(project: Project) -> None:
        tags = {tag for row in range(len(project.rows)) for tag in project.tags(row)}
        if value not in tags:
            raise unknown("tag:", value, sorted(tags), "no row has a tag yet" if not tags else "")

    return check


def _state(value: str) -> TestOf:
    _known(value, STATES, "is:")
    tests: dict[str, Callable[[Project, int], bool]] = {
        "edited": lambda project, row: project.is_edited(row),
        "disputed": lambda project, row: project.is_disputed(row),
        "heldout": lambda project, row: project.is_heldout(row),
        "seen": lambda project, row: project.is_seen(row),
        "leak": lambda project, row: project.is_leaking(row),
        "changed": lambda project, row: project.changed_from(row) is not None,
        "suspect": lambda project, row: project.is_suspect(row),
        "proposed": lambda project, row: bool(waiting(project, row)),
        "recheck": lambda project, row: "recheck" in project.tags(row),
        "open": lambda project, row: any(project.is_open(cluster) for cluster in project.clusters_of(row)),
    }
    if value not in tests:
        return lambda project: lambda row: project.verdict(row) == value
    test = tests[value]
    return lambda project: partial(test, project)


def _shard(value: str) -> TestOf:
    """`1/2`: the first of two shares; `1/2+10%`: with a tenth of all rows that every share has, to agree on."""
    share, plus, common = value.partition("+")
    part, _, whole = share.partition("/")
    place, shares = whole_number(part), whole_number(whole)
    percent = whole_number(common.removesuffix("%")) if plus else 0
    if place is None or shares is None or percent is None or not 1 <= place <= shares or percent > 100:
        raise wrong(f"shard:{shown(value)} is no share", "write shard:1/2, or shard:1/2+10%")

    def test(project: Project, row: int) -> bool:
        # By content, so that the shares stay the same when the source is re-ordered.
        content = int(project.rows.id(row)[:16], 16)
        return content % shares == place - 1 or content // shares % 100 < percent

    return lambda project: partial(test, project)


def _batch(value: str) -> TestOf:
    """`RUN/31`: the rows that step 31 of that run of this project was made of."""
    run, _, number = value.rpartition("/")
    step = whole_number(number)
    if not run or step is None or "/" in run or run.startswith("."):
        raise wrong(f"batch:{shown(value)} is no step of a run", "write batch:RUN/31")

    def test_of(project: Project) -> RowTest:
        from engine.training.runs.data_files import rows_by_step

        runs = project.folder / "runs"
        try:
            known = sorted(path.name for path in runs.iterdir() if path.is_dir())
        except OSError:
            known = []
        if run not in known:
            near = nearest(run, known)
            hint = f"did you mean batch:{cut(near)}/{step}?" if near else "see `tamis runs PROJECT`"
            raise wrong(f"batch: this project has no run {cut(run)}", hint)
        ids = set(rows_by_step(runs / run).get(step, ()))
        return lambda row: project.rows.id(row) in ids

    return test_of
