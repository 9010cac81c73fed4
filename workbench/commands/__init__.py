"""The commands of the workbench: one table. Footer, help, README, palette, key bindings and keymap check come from it.

Knows no terminal. A command acts on a `Stage`: the screen in front, seen as the few things a command may ask of it.
The table is joined in `table.py` from the files beside it, each of one purpose.
"""
