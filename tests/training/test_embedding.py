"""A local embedding model tells the topics of a pick: a real model from a folder, in the worker's process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import pytest

from engine.errors import TrainingError, UsageError
from engine.jobs.pick import pick_rows
from engine.project.create import create_project
from engine.project.project import open_project
from engine.training.eval.embedding import embeddings
from engine.trust import remember_made

TEXTS = ["The lamp is red.", "a much longer text about chairs and spoons " * 9, "", "The lamp is red."]


@pytest.mark.slow
def test_vectors_are_the_texts_own_and_are_kept(tiny_model: Path, tmp_path: Path) -> None:
    cache = tmp_path / "kept"
    vectors = embeddings(TEXTS, str(tiny_model), cache=cache)
    assert vectors.shape[0] == 4
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert numpy.allclose(vectors[0], vectors[3], atol=1e-5)
    assert not numpy.allclose(vectors[0], vectors[1], atol=1e-2)
    alone = embeddings(TEXTS[:1], str(tiny_model))
    assert numpy.allclose(alone[0], vectors[0], atol=1e-4), "its neighbours in a batch change nothing"
    # An interpreter that cannot run is not asked for what is known.
    assert numpy.array_equal(embeddings(TEXTS, str(tiny_model), cache=cache, command=("/nowhere/python",)), vectors)
    with pytest.raises(TrainingError, match="cannot be started"):
        embeddings(TEXTS[:2], str(tiny_model), cache=cache, command=("/nowhere/python",))


def test_a_folder_without_a_model_gets_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        embeddings(TEXTS, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match="gives no vectors"):
        embeddings(TEXTS, str(tmp_path))


def test_the_pick_of_a_project_uses_the_model_that_its_settings_name(tiny_model: Path, tmp_path: Path) -> None:
    source = tmp_path / "raw.jsonl"
    rows = [{"instruction": f"Sort the lamp number {n}.", "output": f"lamp {n}"} for n in range(12)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder = create_project(source)
    remember_made(folder)
    (folder / "config.toml").write_text(f"embedding = {json.dumps(str(tiny_model))}\n")
    with open_project(folder, readonly=True) as project:
        found = pick_rows(project, 4)
        kept = (folder / "pick.vectors").read_bytes()
        assert found.rows, "some of them: the rest are too alike"
        assert pick_rows(project, 4) == found
    assert (len(kept) - 64) % (12 * 4) == 0, "a row of float32 for every candidate"
