"""A scan with what earlier scans left behind finds what a scan from nothing finds, and works out what changed."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from projects import make_project
from scan_rows import clusters, row, rows, unique

from engine.jobs.scan import scan_project
from engine.model import Act, Example, Findings
from engine.project.project import open_project
from engine.scan.cache import NAME, ScanCache, load_cache, save_cache
from engine.scan.duplicates.pair_judge import JudgedPairs
from engine.scan.pipeline import scan
from engine.scan.requests.guard import Judgement

SUBJECTS = ("harbour", "lantern", "orchard", "violin", "glacier", "pepper", "cathedral", "saddle", "thunder", "marble")
TEMPLATES = (
    "Describe the {} of the old town in winter",
    "List {n} uses of a {} at sea",
    "Why is the {} important to sailors and their children?",
    "Explain to the two types how a {} is made\n\nwith care",
)


def made(seed: int, count: int = 120) -> list[Example]:
    rng = random.Random(seed)
    found = []
    for number in range(count):
        text = rng.choice(TEMPLATES).format(rng.choice(SUBJECTS), n=rng.randint(2, 5))
        if rng.random() < 0.4:
            place = rng.randrange(len(text) - 1)
            text = rng.choice((text.upper(), f"Please {text}", text[:place] + text[place + 1 :], text + " !"))
        found.append(row(number, text, rng.choice(("One.", "two", "Three"))))
    return unique(found)


def contents(findings: Findings) -> Findings:
    return dataclasses.replace(findings, seconds={})


@pytest.mark.parametrize("exhaustive_below", [0, 3000])
@pytest.mark.parametrize("seed", range(4))
def test_a_rescan_after_changes_finds_what_a_scan_from_nothing_finds(
    seed: int, exhaustive_below: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("engine.scan.duplicates.pairs.EXHAUSTIVE_BELOW", exhaustive_below)
    rng = random.Random(seed)
    cache = ScanCache()
    now = made(seed)
    for step in range(4):
        assert contents(scan(now, cache=cache)) == contents(scan(now))
        save_cache(tmp_path, cache)
        cache = load_cache(tmp_path)
        # Some rows go, some are edited, some come.
        kept = [one for one in now if rng.random() > 0.1]
        more = made(seed + 10 * step + 10, 15)
        now = unique(dataclasses.replace(one, number=place) for place, one in enumerate([*kept, *more]))


def test_only_new_texts_are_split_and_only_new_pairs_judged() -> None:
    cache = ScanCache()
    now = made(1)
    scan(now, cache=cache)
    assert cache.worked_out == cache.looked_up > 0
    scan(now, cache=cache)
    assert cache.worked_out == 0
    pairs = set(cache.pairs)
    scan([*now, row(len(now), "Which wood burns longest in an open stove?", "Oak.")], cache=cache)
    assert cache.worked_out == 1
    # One row more may make a word commoner, and a few pairs worth another look.
    assert len(set(cache.pairs) - pairs) < len(pairs) / 10


@pytest.mark.parametrize("exhaustive_below", [0, 3000])
def test_a_rescan_with_three_rows_more_judges_only_pairs_that_touch_them(
    exhaustive_below: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.scan.duplicates.pairs.EXHAUSTIVE_BELOW", exhaustive_below)
    looked_at: list[set[str]] = []
    judged_now = JudgedPairs._judged_now

    def watched(judged: JudgedPairs, left: int, right: int, rows_with: Mapping[str, int]) -> Judgement:
        looked_at.append({judged.nodes[left].text, judged.nodes[right].text})
        return judged_now(judged, left, right, rows_with)

    monkeypatch.setattr(JudgedPairs, "_judged_now", watched)
    # Each word stands in so many rows that three more change nothing about it.
    now = unique(row(n, text, "One.") for n, text in enumerate(made_of_common_words()))
    more = [
        row(len(now), f"Kindly {now[0].messages[0].text}", "One."),
        row(len(now) + 1, now[7].messages[0].text.replace("Describe", "Explain") + " now", "two"),
        row(len(now) + 2, "Which wood burns longest in an open stove?", "Oak."),
    ]
    cache = ScanCache()
    scan(now, cache=cache, signals=())
    assert len(looked_at) > 50
    looked_at.clear()
    scan(now, cache=cache, signals=())
    assert looked_at == []
    found = scan([*now, *more], cache=cache, signals=())
    assert looked_at
    new = {one.messages[0].text for one in more}
    assert all(pair & new for pair in looked_at)
    assert contents(found) == contents(scan([*now, *more], signals=()))


def made_of_common_words() -> list[str]:
    rng = random.Random(0)
    words = (*SUBJECTS, "window", "butter", "pilgrim", "quarry", "blanket", "meadow", "trumpet", "kettle", "village")
    texts = [f"Describe {' '.join(rng.sample(words, 7))}" for _ in range(150)]
    return [*texts, *(text.upper() for text in texts[::3]), *(f"Please {text}!" for text in texts[::2])]


def test_words_of_rows_that_are_gone_do_not_come_back() -> None:
    cache = ScanCache()
    gone = rows(*[(f"Describe the harbour wall number {n}", "x") for n in range(5)])
    now = rows(("Describe the harbuor at dawn", "x"), ("Name a wall", "y"))
    scan([*now, *(dataclasses.replace(one, number=one.number + 2) for one in gone)], cache=cache)
    assert contents(scan(now, cache=cache)) == contents(scan(now))
    assert cache.words is not None
    assert "number" not in cache.words.names


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no", b"{}"])
def test_a_damaged_cache_is_no_cache(damage: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(damage)
    assert load_cache(tmp_path) == ScanCache()
    assert load_cache(tmp_path / "nowhere") == ScanCache()


def alpaca_rows(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"instruction": asked, "input": "", "output": answer} for asked, answer in pairs]


def test_a_changed_rule_makes_everything_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = ScanCache()
    scan(made(1), cache=cache)
    save_cache(tmp_path, cache)
    kept = load_cache(tmp_path)
    assert kept.words is not None
    assert kept.flags.rows
    monkeypatch.setattr("engine.scan.cache.sources_of", lambda room: b"the same with another guard")
    assert load_cache(tmp_path).words is None


def test_what_a_person_said_is_remembered_by_the_next_scan(tmp_path: Path) -> None:
    folder = make_project(
        tmp_path,
        alpaca_rows(
            ("Name the capital of Mali", "Bamako"),
            ("name the capital of Mali.", "Bamako"),
            ("What is 2+2?", "4"),
            ("What is 2+2?", "5"),
        ),
    )
    with open_project(folder, reviewer="ana@example.org") as project:
        assert [cluster.kind for cluster in scan_project(project).clusters] == ["exact", "conflict"]
        project.decide([Act("not_duplicates", (project.rows.id(0), project.rows.id(1)))])
        assert [cluster.kind for cluster in scan_project(project).clusters] == ["conflict"]
        project.decide([Act("fine_together", (project.rows.id(2), project.rows.id(3)))])
        assert scan_project(project).clusters == ()
        project.undo()
        assert [cluster.kind for cluster in scan_project(project).clusters] == ["conflict"]


def test_an_accepted_row_stays_accepted_and_is_the_keeper(tmp_path: Path) -> None:
    folder = make_project(tmp_path, alpaca_rows(*[("Name the capital of Mali", "Bamako")] * 3))
    with open_project(folder, reviewer="ana@example.org") as project:
        project.decide([Act("accept", (project.rows.id(2),))])
        (cluster,) = scan_project(project).clusters
        assert cluster.keeper == 2
        assert project.verdict(2) == "accepted"


def test_exact_clusters_are_saved_before_the_rest_and_a_cancelled_scan_keeps_them(tmp_path: Path) -> None:
    pairs = [("Name the capital of Mali", "Bamako")] * 2 + [("Name the capitol of Mali", "Bamako")]
    folder = make_project(tmp_path, alpaca_rows(*pairs))

    class Stopped(Exception):
        pass

    def stop(findings: Findings) -> None:
        raise Stopped

    with open_project(folder, readonly=True) as project:
        with pytest.raises(Stopped):
            scan_project(project, exact_found=stop)
        assert project.findings is not None
    with open_project(folder, readonly=True) as project:
        assert project.findings is not None
        assert [cluster.rows for cluster in clusters(project.findings, "exact")] == [(0, 1)]
        assert not project.findings.complete
        scan_project(project)
        assert project.findings.complete
        whole = contents(project.findings)
        # What a whole scan found of the same rows is not lost to a scan that is stopped.
        with pytest.raises(Stopped):
            scan_project(project, exact_found=stop)
        assert contents(project.findings) == whole


def test_the_job_says_that_the_exact_clusters_stand(tmp_path: Path) -> None:
    folder = make_project(tmp_path, alpaca_rows(*[("Name the capital of Mali", "Bamako")] * 2))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "engine.jobs.scan", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout is not None
        lines = [json.loads(line) for line in job.stdout]
    stages = [line for line in lines if "stage" in line]
    assert job.returncode == 0
    assert stages == [{"stage": "exact", "clusters": 1}]
    assert lines[-1] == {"done": True, "clusters": 1, "flags": lines[-1]["flags"], "told": []}
    assert (folder / NAME).exists()
