"""Pick: diverse, within its quotas, with a reason for each row, and never a decision."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy
import pytest

from engine.errors import UsageError
from engine.project.create import create_project
from engine.project.project import open_project
from engine.review.pick import Candidate, propose
from workbench.cli.main import main

SUBJECTS = {
    "kitchen": "knead dough oven bread yeast flour crust bake",
    "harbour": "boat anchor quay tide rope sail mast crane",
    "garden": "seed soil compost rose hedge prune water mulch",
    "music": "violin chord melody tempo string bow tune scale",
}


def made(sizes: dict[str, int], seed: int = 0) -> list[Candidate]:
    draw = random.Random(seed)
    found = []
    for subject, size in sizes.items():
        words = SUBJECTS[subject].split()
        for _ in range(size):
            number = len(found)
            prompt = f"Explain {subject}: {' '.join(draw.sample(words, 4))}"
            answer = "so " * draw.choice((5, 40, 200))
            found.append(Candidate(number, prompt, answer, str(2018 + number % 3)))
    return found


def subjects(rows: list[Candidate], numbers: list[int]) -> set[str]:
    return {rows[number].prompt.split()[1].rstrip(":") for number in numbers}


def test_small_subjects_are_not_crowded_out() -> None:
    rows = made({"kitchen": 300, "harbour": 20, "garden": 20, "music": 20})
    pick = propose(rows, 24)
    numbers = [one.number for one in pick.rows]
    assert len(numbers) == len(set(numbers)) == 24
    assert subjects(rows, numbers) == set(SUBJECTS)
    assert sum(topic.picked for topic in pick.topics) == 24
    assert pick.coverage >= 0.9
    assert len({rows[number].slice for number in numbers}) == 3
    assert len({len(rows[number].answer) for number in numbers}) == 3
    assert all("topic " in one.reason and "no issue found" in one.reason for one in pick.rows)
    assert propose(rows, 24) == pick


def test_near_copies_and_flagged_rows_come_last() -> None:
    rows = [Candidate(number, "Bake the very same bread again", "Yes.") for number in range(50)]
    rows += [Candidate(50 + number, f"Tune {word} on a violin", "Yes.") for number, word in enumerate("abcdef")]
    rows.append(Candidate(60, "Anchor the boat at the quay", "Yes.", "", 1.0, ("refusal",)))
    pick = propose(rows, 5)
    assert sum(one.number < 50 for one in pick.rows) <= 1
    everything = propose(rows, 60)
    flagged = [one for one in everything.rows if one.number == 60]
    assert len(everything.rows) < 60
    assert all("flagged refusal" in one.reason for one in flagged)


def test_locked_rows_stay_and_swapped_rows_go() -> None:
    rows = made({"kitchen": 60, "harbour": 60})
    first = propose(rows, 10)
    away = first.rows[0].number
    stays = next(one.number for one in first.rows if one.number != away)
    again = propose(rows, 10, locked=[stays], refused=[away])
    numbers = {one.number: one for one in again.rows}
    assert away not in numbers
    assert numbers[stays].locked
    assert len(numbers) == 10


def test_topics_follow_embeddings_where_there_are_any() -> None:
    """Vectors that part rows of equal words into two topics, one of them five times as large."""
    rows = [Candidate(n, f"Tell the story of {n} again", "once upon a time") for n in range(60)]
    rare = set(range(0, 60, 6))
    vectors = numpy.array([[0.0, 1.0] if n in rare else [1.0, 0.0] for n in range(60)], numpy.float32)
    found = propose(rows, 12, embeddings=vectors)
    topic = {one.number: one.topic for one in found.rows}
    assert not {topic[n] for n in topic if n in rare} & {topic[n] for n in topic if n not in rare}
    assert sorted(topic.rows for topic in found.topics) == [10, 50]
    without = propose(rows, 12, embeddings=vectors, refused=rare)
    assert [topic.rows for topic in without.topics] == [50], "a refused row takes its vector with it"


def test_texts_without_words_and_nothing_at_all() -> None:
    assert len(propose([Candidate(number, "!?", "...") for number in range(5)], 2).rows) == 2
    with pytest.raises(UsageError):
        propose([], 3)
    with pytest.raises(UsageError):
        propose(made({"music": 3}), 0)


def test_the_command_proposes_and_decides_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "raw.jsonl"
    rows = made({"kitchen": 40, "harbour": 40})
    source.write_text("".join(json.dumps({"instruction": row.prompt, "output": row.answer}) + "\n" for row in rows))
    folder = create_project(source)
    assert main(["scan", str(folder)]) == 0
    capsys.readouterr()
    assert main(["pick", str(folder), "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    numbers = [row["row"] for row in found["rows"]]
    assert len(numbers) == 8
    assert 0 < found["coverage"] <= 1
    assert main(["pick", str(folder), "8", "--swap", f"row:{numbers[0]}", "--lock", f"row:{numbers[1]}"]) == 0
    told = capsys.readouterr()
    assert f"row:{numbers[0]}\t" not in told.out
    assert f"row:{numbers[1]}\t" in told.out
    assert "nothing was decided" in told.err
    with open_project(folder, readonly=True) as project:
        assert project.counts()["undecided"] == 80
    assert main(["pick", str(folder), "0"]) == 2
