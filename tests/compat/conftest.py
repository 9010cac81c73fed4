"""Old projects in a home of their own, which lies elsewhere than where they were made: every one of them was moved."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "terminal")]

from box import MADE_IN, Box, texts  # noqa: E402

ROOT = HERE.parent.parent


def make_home(home: Path) -> Box:
    """Settings, install id and list of runs of the one who made the corpus, and the present tamis."""
    shutil.copytree(HERE / "home", home)
    for path in texts(home / "state"):
        path.write_text(path.read_text().replace(MADE_IN, str(home)))
    return Box(home, sys.executable)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return make_home(tmp_path / "home")


@pytest.fixture(scope="module", autouse=True)
def _the_corpus_is_never_written_to() -> Iterator[None]:
    before = digest()
    yield
    assert digest() == before


def digest() -> dict[str, str]:
    paths = (path for place in ("home", "projects") for path in sorted((HERE / place).rglob("*")) if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
