"""Write the key tables of README.md and docs/guide.md: `python -m workbench.commands`, from the root of the project."""

from __future__ import annotations

from pathlib import Path

from workbench.commands.key_table import DAILY, key_table_markdown

BEGIN, END = "<!-- keys:begin", "<!-- keys:end -->"
PAGES = {"README.md": DAILY, "docs/guide.md": None}

for name, where in PAGES.items():
    page = Path(name)
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    opening, _, rest = rest.partition("-->")
    tail = rest.partition(END)[2]
    page.write_text(f"{head}{BEGIN}{opening}-->\n\n{key_table_markdown(where)}\n\n{END}{tail}", encoding="utf-8")
    print(name)
