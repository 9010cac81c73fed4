"""Every file of `files/` is read, compared and converted as was written down beforehand. The form: README.md."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any

import pytest
from forms import HERE, expectations, not_yet, one_form, strings
from reading_now import examples_of, reading_of

from engine.errors import TamisError, UsageError
from engine.export.convert import CONVERSIONS, needs_wide
from engine.model import Cluster
from engine.scan.pipeline import scan

EXPECTED = expectations()
NOT_YET = not_yet()


def cases(names: Iterator[tuple[str, tuple[Any, ...]]]) -> list[Any]:
    """Each case under its name; one that does not hold yet has to fail."""
    return [
        pytest.param(
            *values,
            id=name,
            marks=[pytest.mark.xfail(reason=NOT_YET[name], strict=True)] if name in NOT_YET else [],
        )
        for name, values in names
    ]


def readings() -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield from ((f"read {file}", (file,)) for file in EXPECTED)


def comparisons() -> Iterator[tuple[str, tuple[Any, ...]]]:
    for file, expected in EXPECTED.items():
        for said in expected.get("comparison", ()):
            yield f"compare {file} {'-'.join(map(str, said['rows']))}", (file, said["rows"], said["is"])


def conversions() -> Iterator[tuple[str, tuple[Any, ...]]]:
    for file, expected in EXPECTED.items():
        for target, wanted in expected.get("conversion", {}).items():
            yield f"convert {file} {target}", (file, target, wanted)


@pytest.mark.parametrize("file", cases(readings()))
def test_a_file_is_read_as_was_written_down(file: str) -> None:
    expected, found = EXPECTED[file], reading_of(HERE / "files" / file)
    if "refused" in expected:
        assert isinstance(found, dict), found
        said = expected["refused"]
        assert not [word for word in said if word not in found["refused"]] if isinstance(said, list) else True, found
        return
    assert not isinstance(found, dict), found
    assert [one_form(row) for row in found] == [one_form(row) for row in expected["rows"]]


@pytest.mark.parametrize(
    ("file", "encoding"), [(file, name) for file, expected in EXPECTED.items() for name in expected.get("read_as", ())]
)
def test_a_file_is_read_by_the_encoding_that_is_named(file: str, encoding: str) -> None:
    found = reading_of(HERE / "files" / file, encoding)
    assert not isinstance(found, dict), found
    assert [one_form(row) for row in found] == [one_form(row) for row in EXPECTED[file]["read_as"][encoding]]


@pytest.mark.parametrize(("file", "rows", "allowed"), cases(comparisons()))
def test_two_rows_are_told_apart_or_together(file: str, rows: list[int], allowed: list[str]) -> None:
    clusters, count = clusters_of(file)
    assert count > max(rows), "the rows are not read"
    said = {pair: relation(clusters, *pair) for pair in combinations(rows, 2)}
    assert set(said.values()) <= set(allowed), said


@cache
def clusters_of(file: str) -> tuple[tuple[Cluster, ...], int]:
    examples = examples_of(HERE / "files" / file)
    return tuple(scan(examples, signals=(), processes=1).clusters), len(examples)


def relation(clusters: tuple[Cluster, ...], one: int, other: int) -> str:
    """What the scan says of two rows; rows that give the same answer inside a conflict are near."""
    said = []
    for cluster in clusters:
        if {one, other} <= set(cluster.rows):
            voice = dict(zip(cluster.rows, cluster.voices, strict=False))
            if cluster.kind == "conflict" and voice.get(one) == voice.get(other) is not None:
                said.append("near")
            else:
                said.append("alternatives" if cluster.alternatives else cluster.kind)
    for kind in ("exact", "conflict", "near", "alternatives", "prefix", "variant"):
        if kind in said:
            return kind
    return "none"


@pytest.mark.parametrize(("file", "target", "wanted"), cases(conversions()))
def test_a_conversion_names_what_it_loses(file: str, target: str, wanted: dict[str, Any]) -> None:
    examples = examples_of(HERE / "files" / file)
    assert len(examples) == len(EXPECTED[file]["rows"])
    conversion = CONVERSIONS[target]
    convert = conversion.convert
    if conversion.wide is not None and any(needs_wide(example) for example in examples):
        convert = conversion.wide
    if "cannot" in wanted:
        with pytest.raises(UsageError):
            convert(examples[0])
        return
    for example, row in zip(examples, EXPECTED[file]["rows"], strict=True):
        try:
            converted = convert(example)
        except TamisError as error:
            pytest.fail(f"refused: {error}")
        written = json.dumps(converted.row, ensure_ascii=False)
        for text in wanted.get("never", ()):
            assert text not in written
        fields = [name for name in wanted["lost"] if name.isidentifier()]
        effects = [name for name in wanted["lost"] if name not in fields]
        if not fields:
            assert not [text for text in texts_of(row) if text not in "\n".join(strings(converted.row))]
        if not wanted["lost"]:
            assert not converted.losses
        named = " ".join((*converted.losses, *converted.left_behind)).replace("_", " ").lower()
        gone = [name for name in fields if f'"{name}"' in json.dumps(example.raw) and f'"{name}"' not in written]
        assert not [name for name in (*gone, *effects) if name.replace("_", " ") not in named], named


def texts_of(row: dict[str, Any]) -> Iterator[str]:
    """Every text of a row's messages and tools."""
    for message in row["messages"]:
        yield from strings({key: value for key, value in message.items() if key != "role"})
    yield from strings(row.get("tools"))


def test_what_does_not_hold_yet_names_cases_there_are() -> None:
    known = {name for every in (readings(), comparisons(), conversions()) for name, _ in every}
    assert set(NOT_YET) <= known
