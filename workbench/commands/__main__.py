"""Print the key table, as the README holds it: `python -m workbench.commands`."""

from __future__ import annotations

from workbench.commands.key_table import key_table_markdown

print(key_table_markdown())
