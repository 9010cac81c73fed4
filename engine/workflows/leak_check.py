"""Asking the scan, in a process of its own, which rows of several sets ask what a held-out row asks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence

from engine.errors import TamisError
from engine.job_process import job_command
from engine.model import TrainingRow
from engine.scratch import scratch_folder


def find_leaks(
    sets: Mapping[str, Sequence[TrainingRow]],
    heldout: Sequence[TrainingRow],
    apart: Sequence[Sequence[str]] = (),
) -> dict[str, list[str]]:
    """Set -> ids of its rows that leak. `apart` are groups of ids that a person has told apart.

    Raises TamisError where the scan fails.
    """
    if not heldout or not any(sets.values()):
        return {name: [] for name in sets}
    question = {
        "heldout": [row_json(row) for row in heldout],
        "sets": {name: [row_json(row) for row in rows] for name, rows in sets.items()},
        "apart": [list(group) for group in apart],
    }
    with scratch_folder("leaks") as folder:
        asked, answer = folder / "question.json", folder / "answer.json"
        asked.write_text(json.dumps(question), encoding="utf-8")
        process = subprocess.Popen(
            job_command("engine.jobs.leaks", str(asked), str(answer)),
            stdin=subprocess.PIPE,  # it ends when this closes
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            # Not communicate(): that closes stdin at once.
            assert process.stdout is not None
            assert process.stderr is not None
            told = process.stdout.read().decode(errors="replace")
            words = process.stderr.read().decode(errors="replace").strip().splitlines()[-1:]
            code = process.wait()
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()
        if code or not answer.is_file():
            reason = " ".join([*(line for line in told.splitlines() if "error" in line), *words])
            raise TamisError("the look for held-out rows in the arms failed", reason[:300], "try again")
        found: dict[str, list[str]] = json.loads(answer.read_bytes())
        return found


def row_json(row: TrainingRow) -> dict[str, object]:
    """A row as the job reads it."""
    return {"id": row.id, "messages": [dict(message) for message in row.messages], "tools": list(row.tools)}
