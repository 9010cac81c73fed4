"""The commands of the workbench: one table. Footer, help, README, palette, key bindings and keymap check come from it.

Knows no terminal. A command acts on a `CommandTarget`: the screen in front, seen as the few things that a command may
ask of it (`targets`). The table is joined in `registry` from the files beside it, each of one purpose.
"""
