"""A fault of the libraries in a line for the person, in the words of whoever raised it. Standard library only."""

from __future__ import annotations

import sys

from .versions import found_versions, unfit


def sentence(fault: Exception) -> str:
    """The first two lines of a fault; what kind it is where its words alone say nothing (`KeyError: 'rope'`).

    Where something cannot be imported it says which library is too old, missing, or that they do not go together.
    """
    lines = [line.strip() for line in str(fault).splitlines() if line.strip()]
    said = " ".join(lines[:2])[:500]
    if isinstance(fault, ImportError):
        complaints = unfit(found_versions())
        if complaints:
            return f"{said}: {'; '.join(complaints)}"
        return f"{said}: a library of {sys.executable} is missing, or does not go with the others there"
    kind = type(fault).__name__
    if isinstance(fault, KeyError | IndexError | AttributeError | TypeError | AssertionError | MemoryError):
        return f"{kind}: {said}" if said else kind
    return said or kind
