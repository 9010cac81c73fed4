"""The file that goes to a person's own editor, and what comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import TamisError, UsageError
from engine.sources.shapes import EditableField
from workbench.editor import editor_command, fenced, run_editor, unfenced

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)


def fields(*texts: str) -> list[EditableField]:
    return [EditableField(f"field {number}", ("row", number), text) for number, text in enumerate(texts)]


@given(
    st.lists(
        st.one_of(TEXTS, st.sampled_from(["========", "======== field 1 ========", "\n", ""])), min_size=1, max_size=4
    )
)
def test_what_goes_out_comes_back(texts: list[str]) -> None:
    parts = fields(*texts)
    assert unfenced(fenced(3, parts, {}), parts) == {("row", number): text for number, text in enumerate(texts)}


def test_a_draft_goes_out_in_place_of_the_text() -> None:
    parts = fields("old")
    assert unfenced(fenced(0, parts, {("row", 0): "draft"}), parts) == {("row", 0): "draft"}


@pytest.mark.parametrize("damage", ["", "only this\n", "field 1", "======== field 0 ========"])
def test_a_broken_fence_is_refused(damage: str) -> None:
    parts = fields("a", "b")
    content = fenced(0, parts, {})
    broken = content.replace(damage, "", 1) if damage in content and damage else damage
    with pytest.raises(UsageError, match="not taken"):
        unfenced(broken, parts)


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
        run_editor(folder, 3, "text")
    assert list(folder.iterdir()) == []
    monkeypatch.setenv("VISUAL", "false")
    with pytest.raises(TamisError, match="no decision taken"):
        run_editor(folder, 3, "text")
    assert [path.read_text() for path in folder.iterdir()] == ["text"]
