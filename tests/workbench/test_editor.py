"""The file that goes to a person's own editor, and what comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TamisError, UsageError
from workbench.ui.external_editor import editor_command, fenced, run_editor, unfenced

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


def sections(*texts: str) -> tuple[list[str], list[tuple[str, str]]]:
    labels = [f"field {number}" for number in range(len(texts))]
    return labels, list(zip(labels, texts, strict=True))


@given(
    st.lists(
        st.one_of(TEXTS, st.sampled_from(["========", "======== field 1 ========", "\n", ""])), min_size=1, max_size=4
    )
)
def test_what_goes_out_comes_back(texts: list[str]) -> None:
    labels, parts = sections(*texts)
    assert unfenced(fenced("row 3", parts), labels) == texts


@pytest.mark.parametrize("damage", ["", "only this\n", "field 1", "======== field 0 ========"])
def test_a_broken_fence_is_refused(damage: str) -> None:
    labels, parts = sections("a", "b")
    content = fenced("row 0", parts)
    broken = content.replace(damage, "", 1) if damage in content and damage else damage
    with pytest.raises(UsageError, match="not taken"):
        unfenced(broken, labels)


def test_the_persons_editor_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "code --wait 'a b'")
    assert editor_command() == ["code", "--wait", "a b"]
    monkeypatch.setenv("VISUAL", "nano")
    assert editor_command() == ["nano"]
    monkeypatch.setenv("VISUAL", "un'closed")
    with pytest.raises(UsageError):
        editor_command()


def test_an_editor_that_is_not_there_or_fails_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    monkeypatch.setenv("VISUAL", "no-such-editor")
    with pytest.raises(TamisError, match="cannot be run"):
        run_editor(folder, "row-3", "text")
    assert list(folder.iterdir()) == []
    monkeypatch.setenv("VISUAL", "false")
    with pytest.raises(TamisError, match="no decision taken"):
        run_editor(folder, "row-3", "text")
    assert [path.read_text() for path in folder.iterdir()] == ["text"]
