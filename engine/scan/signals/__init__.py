"""What can be wrong with a row, one file a kind of fault. The table of all of them is `table.SIGNALS`.

To add one: write a file with a `Signal` (name, severity, what it is about, `find`), and put it into SIGNALS;
docs/signals.md shows how in ten lines.
"""
