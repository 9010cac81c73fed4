"""`python -P -m engine.jobs.pick PROJECT N [LOCKED [REFUSED]]`: propose a diverse subset of what is open or accepted.

LOCKED and REFUSED are row numbers parted by commas: rows that must be among them, and rows that were swapped away.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from engine.config import load_config, refuse_withheld
from engine.errors import ProjectError, TamisError, UsageError
from engine.files import write_atomic
from engine.jobs.protocol import end_when_parent_does, say
from engine.numerals import whole_number
from engine.project.by_source import shares
from engine.project.project import Project, open_project
from engine.review.pick import Candidate, Pick, propose, text_of
from engine.review.store import load_queue
from engine.scan.dates import date_of
from engine.small_files import cached_json

_RISK = {"drop": 1.0, "check": 0.7, "fix": 0.6, "info": 0.0}


def candidates_of(project: Project) -> list[Candidate]:
    """The undecided and accepted rows outside the held-out set, without those a scan proposes to drop."""
    queue = load_queue(project.folder, project.scan_key())
    chances = queue.chances if queue is not None else {}
    found = []
    for number in project.training:
        accepted = project.verdict(number) == "accepted"
        if not accepted and (project.verdict(number) != "undecided" or project.bucket(number) == "drop"):
            continue
        if project.is_disputed(number) or project.is_leaking(number):
            continue
        example = project.example(number)
        flags = () if accepted else project.flags_of(number)
        risk = max((_RISK[flag.severity] for flag in flags), default=0.0)
        shown = tuple(flag.signal for flag in flags if flag.severity != "info")
        chance = 0.0 if accepted else chances.get(number, 0.0)
        year = date_of(example.raw)[:4]
        found.append(Candidate(number, example.prompt, example.answer, year, max(risk, chance), shown))
    return found


def pick_rows(
    project: Project,
    wanted: int,
    *,
    locked: Collection[int] = (),
    refused: Collection[int] = (),
    must_keep: bool = True,
) -> Pick:
    """Propose `wanted` rows and keep the proposal in the project's folder; without `must_keep` a folder that cannot be
    written is no fault. Nothing is decided."""
    candidates = candidates_of(project)
    vectors = _embeddings(project, candidates)
    pick = propose(candidates, wanted, locked=locked, refused=refused, embeddings=vectors)
    content = cached_json(pick_to_json(project, pick))
    try:
        write_atomic(project.folder / "pick.json", content)
    except ProjectError:
        if must_keep:
            raise
    return pick


def _embeddings(project: Project, candidates: Sequence[Candidate]) -> Any:
    """Vectors of the candidates by the embedding model that the settings name; None where they name none."""
    config = load_config(project.folder)
    refuse_withheld(config, "embedding")
    if config.embedding is None or not candidates:
        return None
    refuse_withheld(config, "training.command")
    from engine.training.eval.embedding import embeddings

    command = tuple(config.training.others.get("command", ()))
    texts = [text_of(one) for one in candidates]
    return embeddings(texts, config.embedding, command=command, cache=project.folder / "pick.vectors")


def pick_to_json(project: Project, pick: Pick) -> dict[str, Any]:
    """What `tamis pick --json` prints."""
    return {
        "rows": [
            {
                "row": one.number,
                "id": project.rows.id(one.number),
                "topic": one.topic,
                "reason": one.reason,
                "locked": one.locked,
            }
            for one in pick.rows
        ],
        "coverage": round(pick.coverage, 4),
        "topics": [
            {
                "words": list(topic.words),
                "rows": topic.rows,
                "picked": topic.picked,
                "tokens": topic.tokens,
                "tokens_picked": topic.tokens_picked,
            }
            for topic in pick.topics
        ],
        "sources": shares(project, [one.number for one in pick.rows]),
    }


def _numbers(text: str) -> frozenset[int]:
    return frozenset(int(part) for part in text.split(",") if part)


def main() -> int:
    end_when_parent_does()
    try:
        wanted = whole_number(sys.argv[2])
        if wanted is None:
            raise UsageError(f"{sys.argv[2][:40]!r} is no number of rows")
        with open_project(Path(sys.argv[1]), readonly=True) as project:
            locked, refused = (_numbers(text) for text in (*sys.argv[3:], "", "")[:2])
            pick = pick_rows(project, wanted, locked=locked, refused=refused)
    except TamisError as error:
        say(error=str(error))
        return 2
    say(done=True, rows=len(pick.rows), coverage=pick.coverage)
    return 0


if __name__ == "__main__":
    sys.exit(main())
