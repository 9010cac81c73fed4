"""`make gpu-check` rehearsed: every part on the CPU with tiny models, a part that is late, and one that fails."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.benchmarks import gpu_check
from tests.benchmarks.gpu_check import Check, Late, left, run_parts


def test_a_part_tells_its_own_fault_and_what_was_found_before_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "found.json"

    def measured(_check: Check, _until: float) -> dict[str, int]:
        return {"speed": 7}

    def late(_check: Check, until: float) -> dict[str, float]:
        assert json.loads(out.read_text())["parts"]["first"]["speed"] == 7, "kept, should the rest be cut off"
        return {"left": left(until)}

    def broken(_check: Check, _until: float) -> dict[str, int]:
        raise RuntimeError("no such kernel")

    parts = (("first", 5.0, measured), ("late", -1.0, late), ("broken", 5.0, broken), ("last", 5.0, measured))
    monkeypatch.setattr(gpu_check, "PARTS", parts)
    told = run_parts(Check(tmp_path, time.monotonic() + 60, rehearsed=True), out)
    assert "no time was left" in told["parts"]["late"]["error"]
    assert told["parts"]["broken"]["error"] == "RuntimeError: no such kernel"
    assert told["parts"]["last"]["speed"] == 7
    assert json.loads(out.read_text()) == told
    with pytest.raises(Late):
        left(time.monotonic() - 1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_part_is_rehearsed_on_the_cpu(tmp_path: Path) -> None:
    out = tmp_path / "gpu-check.json"
    assert gpu_check.main(["--rehearse", "--minutes", "30", "--out", str(out)]) == 0
    told = json.loads(out.read_text())
    assert told["complete"]
    parts = told["parts"]
    assert parts["out of memory"]["micro_batches_tried"] == [4]
    assert parts["stop and resume"]["each_step_once"]
    assert parts["1B"]["tokens_per_second"] > 0
    assert parts["8B bare TRL"]["tamis_over_bare"] > 0
