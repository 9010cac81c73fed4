"""A copy of the terminal's screen, so that only cells that changed are sent. Knows no terminal and no Textual.

Two screens are kept: `wanted`, what the frames taken so far add up to, and what was sent. A frame that is not sent at
once is not lost: the next difference holds it. Text is in cells: a character of two columns has an empty cell behind
it, one of none stands with the character before it.
"""

from __future__ import annotations

import re

from rich.cells import get_character_cell_size

from workbench.terminal.ansi import (
    PLAIN,
    SHOWN_ON_BLANKS,
    Piece,
    Style,
    after_sgr,
    is_disputed,
    move,
    spelled,
    transition,
)

UNKNOWN = -1
# As many equal cells are sent again rather than jumped over: a jump costs as much.
SWALLOWED = 4
# With more blanks than this erasing costs less than blanks: to the end of the line, a number of cells, and a number of
# cells with the jump over them.
ERASED_TO_END = 3
ERASED_ALONE = 5
ERASED_WITHIN = 10
# How many of the pieces that are left are looked at for the cheapest one.
LOOK_AHEAD = 24
MOST_BYTES = 1000
# So cheap that no other one is looked for.
CHEAP = 6
_TOKEN = re.compile(r"\x1b\[([0-9;]*)([Hm])|([\x00-\x1a\x1c-\x1f\x7f-\x9f]+)|([^\x00-\x1f\x7f-\x9f]+)")


class ScreenDiff:
    """See the module. Rows and columns are 0-based; a cell of style UNKNOWN may hold anything."""

    def __init__(self, width: int, height: int, *, erase: bool = True) -> None:
        self._erase = erase
        self._styles: list[Style] = [PLAIN]
        self._numbers: dict[Style, int] = {PLAIN: 0}
        # The style of a blank: ink shows nowhere on it, so blanks of one ground are the same.
        self._blank: list[int] = [0]
        self._after: dict[tuple[int, str], int | None] = {}
        self._changes: dict[tuple[int, int], str] = {}
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """Another size: nothing is known of the screen any more."""
        self.width, self.height = width, height
        self.forget()

    def forget(self) -> None:
        """Somebody else wrote to the terminal: nothing is known of it, nothing of it is wanted."""
        self._wanted = [[" "] * self.width for _ in range(self.height)]
        self._wanted_style = [[UNKNOWN] * self.width for _ in range(self.height)]
        self._sent = [[" "] * self.width for _ in range(self.height)]
        self._sent_style = [[UNKNOWN] * self.width for _ in range(self.height)]
        self._dirty: set[int] = set()
        self._last_style = UNKNOWN
        self.cursor = (0, 0)

    # -- taking frames

    def take(self, frame: str) -> bool:
        """Draw a frame on the wanted screen; False, with nothing drawn, where it holds more than text, style and
        cursor positions."""
        tokens = _TOKEN.findall(frame)
        if not self._is_understood(tokens, frame):
            return False
        x, y, style = self.cursor[0], self.cursor[1], 0
        for parameters, final, control, text in tokens:
            if text:
                x = self._put(x, y, text, style)
            elif final == "m":
                style = self._styled(style, parameters)
            elif final == "H":
                row, _, column = parameters.partition(";")
                y, x = max(0, int(row or 1) - 1), max(0, int(column or 1) - 1)
            else:
                y += len(control)
        self.cursor = (x, y)
        return True

    def _is_understood(self, tokens: list[tuple[str, str, str, str]], frame: str) -> bool:
        length, placed = 0, False
        for parameters, final, control, text in tokens:
            if text:
                length += len(text)
            elif final:
                length += len(parameters) + 3
                placed = placed or final == "H"
                if final == "m" and self._after_sgr(0, parameters) is None:
                    return False
            else:
                length += len(control)
                if control.strip("\n"):
                    return False
        # Nothing lies between the tokens.
        return placed and length == len(frame)

    def _styled(self, style: int, parameters: str) -> int:
        after = self._after_sgr(style, parameters)
        return style if after is None else after

    def _after_sgr(self, style: int, parameters: str) -> int | None:
        """The style after an SGR sequence; None where it holds what is not understood."""
        key = (style, parameters)
        if key not in self._after:
            after = after_sgr(self._styles[style], parameters)
            self._after[key] = None if after is None else self._number(after)
        return self._after[key]

    def _number(self, style: Style) -> int:
        if style not in self._numbers:
            number = self._numbers[style] = len(self._styles)
            self._styles.append(style)
            self._blank.append(number)
            if (style[0] or style[2]) and SHOWN_ON_BLANKS.isdisjoint(style[2]):
                self._blank[number] = self._number(("", style[1], ()))
        return self._numbers[style]

    def _put(self, x: int, y: int, text: str, style: int) -> int:
        """Write text; the column behind it. What lies outside the screen is dropped."""
        if y >= self.height:
            return x + len(text)
        row, styles = self._wanted[y], self._wanted_style[y]
        if text.isascii():
            cells = list(text[: max(0, self.width - x)])
            is_cut = len(cells) < len(text)
        else:
            cells, is_cut = self._cells(x, y, text)
        end = x + len(cells)
        if cells:
            if x > 0 and row[x] == "":
                row[x - 1] = " "
            if end < self.width and row[end] == "":
                row[end] = " "
            row[x:end] = cells
            styles[x:end] = [style] * len(cells)
        self._dirty.add(y)
        # Behind the last column: a mark that follows belongs to a character that is not shown.
        return end + is_cut

    def _cells(self, x: int, y: int, text: str) -> tuple[list[str], bool]:
        """(the cells of a text as far as there is room, whether it was cut)."""
        cells: list[str] = []
        row = self._wanted[y]
        for character in text:
            size = get_character_cell_size(character)
            at = x + len(cells)
            if size == 0:
                if x <= self.width:
                    _join(cells, character) or _join(row[:x], character, row)
            elif at + size <= self.width:
                cells.append(character)
                cells.extend([""] * (size - 1))
            else:
                # Half a character cannot be shown.
                return [*cells, *[" "] * (self.width - at)], True
        return cells, False

    # -- sending the difference

    @property
    def is_behind(self) -> bool:
        """Whether a frame was taken that was not sent yet (it may hold nothing new)."""
        return bool(self._dirty)

    def difference(self) -> str:
        """What to send so that the terminal shows what is wanted."""
        out: list[str] = []
        pieces: list[Piece] = []
        for y in sorted(self._dirty):
            if y < self.height:
                self._row(y, pieces)
        self._send(pieces, out)
        self._dirty.clear()
        return "".join(out)

    def _row(self, y: int, pieces: list[Piece]) -> None:
        """Collect what differs in a row, and take it for sent."""
        wanted, styles, sent, sent_styles = self._wanted[y], self._wanted_style[y], self._sent[y], self._sent_style[y]
        if wanted == sent and styles == sent_styles:
            return
        blank = self._blank
        changed = [
            x
            for x, (cell, old, style, before) in enumerate(zip(wanted, sent, styles, sent_styles, strict=True))
            if (cell != old or style != before)
            and style != UNKNOWN
            # A blank shows its ground alone.
            and not (cell == " " == old and before != UNKNOWN and blank[style] == blank[before])
        ]
        at = 0
        while at < len(changed):
            start, end = changed[at], changed[at] + 1
            at += 1
            while at < len(changed) and self._goes_on(end, changed[at], y):
                end = changed[at] + 1
                at += 1
            # Characters of two columns are sent whole.
            while start > 0 and wanted[start] == "":
                start -= 1
            while end < self.width and wanted[end] == "":
                end += 1
            self._cut(start, end, y, pieces)
            sent[start:end] = wanted[start:end]
            sent_styles[start:end] = styles[start:end]

    def _goes_on(self, end: int, following: int, y: int) -> bool:
        """Whether a run that ends before `end` goes on to a cell: equal cells between them are sent again where that
        costs no more than a jump, or a change of style."""
        if end == following:
            return True
        cells, styles = self._wanted[y], self._wanted_style[y]
        return following - end <= SWALLOWED and all(
            styles[x] != UNKNOWN and (styles[x] == styles[end - 1] or cells[x] == " ") for x in range(end, following)
        )

    def _is_bare(self, x: int, y: int, ground: int) -> bool:
        """Whether nothing but blanks of one ground follows in a row."""
        if "".join(self._wanted[y][x:]).strip(" ") or "" in self._wanted[y][x:]:
            return False
        return all(style != UNKNOWN and self._blank[style] == ground for style in set(self._wanted_style[y][x:]))

    def _cut(self, start: int, end: int, y: int, pieces: list[Piece]) -> None:
        """Cut a run into pieces of one style each; blanks take the ink of their neighbours."""
        cells, styles, blank = self._wanted[y], self._wanted_style[y], self._blank
        style, x = styles[start], start
        if styles[start:end].count(style) == end - start and cells[start] != " ":
            pieces.append(self._piece(start, end, y, style, False, True))
            return
        while x < end:
            ground = blank[styles[x]]
            stop = x
            while stop < end and cells[stop] == " " and blank[styles[stop]] == ground:
                stop += 1
            is_blank = stop == end or blank[styles[stop]] != ground
            style = ground if is_blank else styles[stop]
            while stop < end and (styles[stop] == style or (cells[stop] == " " and blank[styles[stop]] == ground)):
                stop += 1
            pieces.append(self._piece(x, stop, y, style, is_blank, stop == end))
            x = stop

    def _piece(self, x: int, stop: int, y: int, style: int, is_blank: bool, at_end: bool) -> Piece:
        cells = self._wanted[y]
        text = "".join(cells[x:stop])
        inked = text.rstrip(" ")
        blanks = len(text) - len(inked)
        if self._erase and blanks > ERASED_TO_END and SHOWN_ON_BLANKS.isdisjoint(self._styles[style][2]):
            # Erasing leaves the cursor where it is.
            to_end = at_end and self._is_bare(stop, y, self._blank[style])
            if to_end or blanks > (ERASED_ALONE if at_end else ERASED_WITHIN):
                text = spelled(cells, x, stop - blanks, placed=True) + ("\x1b[K" if to_end else f"\x1b[{blanks}X")
                return (y, x, stop - blanks, style, is_blank, text)
        if not text.isascii():
            text = spelled(cells, x, stop, placed=False)
        # Behind the last column, and behind a character of disputed width, terminals differ in where the cursor is.
        last_cell = next((cell for cell in reversed(cells[x:stop]) if cell), "")
        return (y, x, stop if stop < self.width and not is_disputed(last_cell) else -1, style, is_blank, text)

    def _send(self, pieces: list[Piece], out: list[str]) -> None:
        """Write pieces, each next one being the cheapest to go on with (nearest neighbour).

        A change of style costs eleven bytes and more, a jump six: what looks alike goes out together.
        """
        # Nothing is known of the cursor between two writes.
        here = (-1, -1)
        left = list(pieces)
        while left:
            best, number = MOST_BYTES, 0
            for candidate, piece in enumerate(left[:LOOK_AHEAD]):
                cost = self._cost(piece, here)
                if cost < best:
                    best, number = cost, candidate
                    if cost <= CHEAP:
                        break
            y, x, after, style, is_blank, text = left.pop(number)
            change = self._change(style, is_blank)
            out.append(move(here, x, y) + change + text)
            if change:
                self._last_style = style
            here = (after, y) if after >= 0 else (-1, -1)

    def _cost(self, piece: Piece, here: tuple[int, int]) -> int:
        """Bytes to get to a piece and into its style."""
        y, x, _, style, is_blank, _ = piece
        return len(move(here, x, y)) + len(self._change(style, is_blank))

    def _change(self, style: int, is_blank: bool) -> str:
        """The SGR sequence from the style that is set to this one; blanks need the ground only."""
        before = self._last_style
        if before == style or (is_blank and before != UNKNOWN and self._blank[before] == style):
            return ""
        key = (before, style)
        if key not in self._changes:
            old = self._styles[before] if before != UNKNOWN else None
            self._changes[key] = transition(old, self._styles[style])
        return self._changes[key]


def _join(cells: list[str], mark: str, into: list[str] | None = None) -> bool:
    """Put a mark that takes no column with the last character there is; whether there is one."""
    for index in range(len(cells) - 1, -1, -1):
        if cells[index]:
            (cells if into is None else into)[index] += mark
            return True
    return False
