"""The order of the list and what verdicts have taught, without a session."""

from __future__ import annotations

from pathlib import Path

import planted

from engine.model import Act, BucketName, Findings, Flag
from engine.review.outcomes import Record
from engine.review.store import Queue
from workbench.state.queue import GROUPS_FIRST, ReviewQueue


def test_an_order_that_knows_nothing_of_new_rows_is_given_up(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        queue = ReviewQueue(project)
        queue.sorted_by, queue.ranked = "length", range(20)
        queue.take_rows()
        assert queue.sorted_by == "length"
        queue.ranked = range(19)
        queue.take_rows()
        assert (queue.sorted_by, queue.ranked) == (GROUPS_FIRST, None)


def test_what_was_learned_is_told_from_the_verdicts_that_came_after_it(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        queue = ReviewQueue(project)
        queue.verdicts_since_learned = 7
        queue.take_learned(Queue((3, 1)))
        assert (queue.learned, queue.verdicts_since_learned) == (Queue((3, 1)), 0)


def test_a_signal_is_judged_by_the_rows_that_were_looked_at(tmp_path: Path) -> None:
    buckets: tuple[BucketName, ...] = ("check",) * 20
    flags = tuple(Flag(row, "short", "check", "planted") for row in range(4))
    with planted.opened(planted.make_folder(tmp_path, None, Findings((), flags, buckets, {}))) as project:
        queue = ReviewQueue(project)
        assert queue.signal_records() == {}
        ids = list(map(project.rows.id, range(4)))
        project.decide([Act("reject", (ids[0],)), Act("accept", (ids[1],))], seen=ids[:2])
        # Not looked at: no word on the signal.
        project.decide([Act("reject", (ids[2],))])
        assert queue.signal_records() == {}
        queue.forget_records()
        assert queue.signal_records() == {"short": Record("short", 2, 1)}
