"""The selector language: which rows a filter, a bulk act or an export speaks of.

    bucket:drop and not is:heldout          kind:near or flag:truncated
    row:17-40 (turns>4 tokens>500)          field.meta.year<=2018 /refund(ed)?/ "order number"

Two terms side by side mean `and`. The same words work on the command line, in the filter box and in the palette. A name
in front of `:` `<` `>` `=` `~` is one of the language, or an error: whoever searches for such a text puts it into
quotation marks.
"""

from engine.select.compared import row_date
from engine.select.parse import Selector, parse_selector
from engine.select.selection import ToDecide, row_test, select, select_to_decide

__all__ = ["Selector", "ToDecide", "parse_selector", "row_date", "row_test", "select", "select_to_decide"]
