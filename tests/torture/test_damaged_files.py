"""Rows, their index, findings, snapshot and settings, damaged at random: never does a project say something else and
tell nobody."""

from __future__ import annotations

from pathlib import Path

import pytest
from damaged_projects import make, torture


def test_random_damages_are_told_or_change_nothing(tmp_path: Path) -> None:
    torture(make(tmp_path), tmp_path, 15, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(2, 12))
def test_two_hundred_random_damages_are_told_or_change_nothing(seed: int, tmp_path: Path) -> None:
    outcomes = torture(make(tmp_path), tmp_path, 200, seed)
    print(outcomes)
