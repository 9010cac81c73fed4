"""What the docs say, run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from projects import alpaca, write_jsonl

import engine
from workbench.commands.key_table import DAILY, key_table_markdown
from workbench.ui.keymap import SHIPPED
from workbench.ui.theme import load_themes

DOCS = Path(__file__).resolve().parent.parent / "docs"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_about_python_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("rain", "gravity", "a violin", "bread")
    rows = [alpaca(f"What is {word}?", f"{word} is something one can describe.") for word in words]
    write_jsonl(tmp_path / "raw.jsonl", [*rows, rows[1], rows[1], alpaca("What is tea?", "a")])
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python.md", "python")
    exec(compile(code, "docs/python.md", "exec"), {})
    assert capsys.readouterr().out == "4\n"
    assert len((tmp_path / "curated.jsonl").read_text().splitlines()) == 4


def test_the_public_names_are_listed_and_there() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    for name in engine.__all__:
        assert f"`{name}`" in page
        assert getattr(engine, name) is not None
    with pytest.raises(AttributeError, match="no public name"):
        engine.nothing  # noqa: B018


@pytest.mark.parametrize(("name", "where"), [("README.md", DAILY), ("docs/guide.md", None)])
def test_the_key_tables_are_the_ones_of_the_program(name: str, where: tuple[str, ...] | None) -> None:
    page = (DOCS.parent / name).read_text(encoding="utf-8")
    table = page.split("<!-- keys:begin", 1)[1].split("-->", 1)[1].split("<!-- keys:end -->")[0].strip()
    assert table == key_table_markdown(where).strip(), "python -m workbench.commands writes the tables"


def test_the_guide_names_every_theme_and_keymap() -> None:
    guide = (DOCS / "guide.md").read_text(encoding="utf-8")
    for name in (*load_themes()[0], *SHIPPED):
        assert f"`{name}`" in guide, name


def test_every_module_that_the_docs_name_is_there() -> None:
    """By its path from the root, or by as much of the end of it as is written."""
    files = [f"/{path.relative_to(DOCS.parent)}" for path in DOCS.parent.glob("[a-z]*/**/*.py")]
    for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        for name in re.findall(r"(?<![\w/.{}])[\w/]+\.py\b", page.read_text(encoding="utf-8")):
            assert any(path.endswith(f"/{name}") for path in files), f"{page.name}: {name}"


def test_every_test_that_shows_a_promise_is_there() -> None:
    page = (DOCS / "reliability.md").read_text(encoding="utf-8")
    named = re.findall(r"(\w+\.py)::(\w+)", page)
    for file, test in named:
        texts = [path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob(file)]
        assert any(f"def {test}(" in text for text in texts), f"{file}::{test}"
    assert len(named) > 5


def test_every_file_that_the_docs_point_to_is_there() -> None:
    for page in [DOCS.parent / "README.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
