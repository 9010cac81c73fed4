"""Numbers in words: the one notation for durations, shares, counts and sizes in what a person reads."""

from __future__ import annotations

SIZE_UNITS = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 row`, `2 rows`, `1,904 held-out rows`."""
    return f"{number} {noun}" if number == 1 else f"{number:,} {plural or noun + 's'}"


def share(part: float | None, digits: int = 0) -> str:
    """A part of one in per cent: `12 %`; `-` where it is not known."""
    return "-" if part is None else f"{100 * part:.{digits}f} %"


def duration(seconds: float) -> str:
    """`0.34 s`, `72 s`, `3 min 20 s`, `34 min`, `2 h 5 min`, `14 h`: about as exact as one can use it."""
    whole, minutes = round(seconds), round(seconds / 60)
    if seconds < 9.95:
        return f"{seconds:.2g} s" if seconds >= 0.001 else "0 s"
    if whole < 120:
        return f"{whole} s"
    if whole < 600:
        return _two_units(whole, "min", "s")
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 600:
        return _two_units(minutes, "h", "min")
    return f"{round(seconds / 3600):,} h"


def _two_units(amount: int, large: str, small: str) -> str:
    whole, rest = divmod(amount, 60)
    return f"{whole} {large} {rest} {small}" if rest else f"{whole} {large}"


def size(n_bytes: float) -> str:
    """`812 bytes`, `4.5 kB`, `16 GB`: three digits, units of a thousand."""
    for unit, factor in SIZE_UNITS:
        if n_bytes >= 0.9995 * factor:
            return f"{n_bytes / factor:.3g} {unit}"
    return counted(round(n_bytes), "byte")
