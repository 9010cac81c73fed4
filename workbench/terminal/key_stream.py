"""From what is read to keys: a sequence is handed on whole or not at all, however its bytes come in.

A network cuts a sequence anywhere and brings the rest later. `ESC` and `[D` are the left arrow then, not an escape, a
bracket and a capital D that rejects two rows. So the beginning of a sequence is kept until its end has come, and
dropped if that never does; only an escape alone is a key in the end. What stands in a paste is never a key.
"""

from __future__ import annotations

import re
from typing import Literal

from workbench.terminal.sequences import ALIVE, ENTER_IN_PASTE, key_sequence

Kind = Literal["keys", "alt", "escape", "paste", "answer", "dropped", "open paste", "closed paste"]
Piece = tuple[Kind, str]
"""What was read: `keys` are characters or a sequence for the parser, `alt` is one character. `dropped` are keys that
came right behind an escape, `closed paste` stands behind a paste whose end mark never came."""

# How long the rest of a sequence is waited for, after each byte of it. A person who typed its beginning by hand and
# goes on after this is understood; a network that stops for longer in the middle of a key is not.
REST_SECONDS = 1.0
# How long after an escape a bracket may be the rest of what began with it.
LATE_SECONDS = 1.0
LONGEST_SEQUENCE = 256
MOST_PASTED = 4 * 1024 * 1024
# A terminal without bracketed paste sends a paste as keys. So many at once were not typed: with a line feed in their
# midst, or without one. A key that is held down is the same character over and over.
LINES_AT_ONCE, CHARACTERS_AT_ONCE = 64, 200
OPENS_A_LINE = "/:"
# What comes this soon behind such a paste is the rest of it.
PASTE_GOES_ON_SECONDS = 0.2

ESC = "\x1b"
START, END = "\x1b[200~", "\x1b[201~"
_MARK = re.compile(r"\x1b\[20[01]~")
# The beginnings of sequences in one byte, and in the two that are usual.
_EIGHT_BIT = {"\x8f": "\x1bO", "\x90": "\x1bP", "\x98": "\x1bX", "\x9b": "\x1b[", "\x9d": "\x1b]", "\x9e": "\x1b^"}
_EIGHT_BIT["\x9f"] = "\x1b_"
_PLAIN = re.compile(r"[^\x1b\x8f\x90\x98\x9b\x9d-\x9f]+")
# rxvt ends keys with a dollar sign; the Linux console has function keys with a second bracket; the oldest mouse report
# has three characters behind it.
_CONTROL = re.compile(r"\x1b\[(?:\d+\$|\[.|M...|(?!M)[0-?]*[ -/]*[@-Z\\-~])", re.DOTALL)
_CONTROL_BEGUN = re.compile(r"\x1b\[(?:\[|M.{0,2}|[0-?]*[ -/]*)\Z", re.DOTALL)
_FUNCTION = re.compile(r"\x1bO[0-9;]{0,8}[@-~]")
_FUNCTION_BEGUN = re.compile(r"\x1bO[0-9;]{0,8}\Z")
# Answers in words: they end with a bell, ESC \, or a cancel.
STRINGS = "]P_^X"
_STRING_END = re.compile(r"[\x07\x18\x1a\x9c]|\x1b\\?")
# How what terminals send goes on behind its second character, which a person may as well have typed.
_DIGITS = "0123456789"
_GOES_ON = {"[": _DIGITS + ";<>?[ABCDFHIMOPQRSZabcd", "O": _DIGITS + "ABCDFHPQRS", "]": _DIGITS, "P": "01>!", "_": "G"}


class KeyStream:
    """Feed it what is read and tick it while nothing is; times are seconds of any clock, `escape_seconds` is how long
    an escape waits for the rest of a sequence."""

    def __init__(self, escape_seconds: float) -> None:
        self.escape_seconds = escape_seconds
        self._held = ""
        self._last_read = 0.0
        # The escape that is held came in a read of its own; or it was taken for a key already.
        self._apart = self._late = False
        self._escape_at: float | None = None
        self._in_string = False
        # The parts of a paste (None outside of one), their length, and how many start marks are open.
        self._paste: list[str] | None = None
        self._pasted, self._depth = 0, 0
        self._told_open = False
        self._bulk_until = 0.0

    def next_tick(self, now: float) -> float | None:
        """In how many seconds `tick` has something to say; None while it has not."""
        if self._held == ESC and not (self._in_string or self._paste is not None):
            return max(0.0, self._last_read + self.escape_seconds - now)
        waits = self._held == ESC or not self._told_open if self._paste is not None else self._held or self._in_string
        return max(0.0, self._last_read + REST_SECONDS - now) if waits else None

    def feed(self, text: str, now: float) -> list[Piece]:
        """What `text` and what was kept are together. Never raises, and keeps a few hundred characters at most, but for
        the text of a paste."""
        pieces: list[Piece] = []
        waited = now - self._last_read
        self._last_read, self._told_open = now, False
        typed, answers = ALIVE.subn("", text)
        if self._is_bulk(typed, now):
            pieces = [("paste", _line_feeds(typed))]
            pieces += [("answer", "")] * answers
            return pieces
        text = self._with_what_was_kept(text, waited, now, pieces)
        while text:
            if self._paste is not None:
                text = self._take_paste(text, now, pieces)
            elif self._in_string:
                text = self._skip_string(text)
            else:
                text = self._take(text, pieces)
        return pieces

    def tick(self, now: float) -> list[Piece]:
        """What is known now because nothing more came."""
        left = self.next_tick(now)
        if left is None or left > 0:
            return []
        held, late = self._held, self._late
        in_string, self._in_string = self._in_string, False
        if self._paste is not None:
            if held == ESC:
                return self._close_paste(now)
            self._told_open = True
            return [("open paste", "")]
        self._held, self._apart, self._late = "", False, False
        if held == ESC:
            self._escape_at = None if in_string else now
            return [("escape", ESC)]
        # A bracket or letter that nothing followed was typed by hand, behind an escape that was a key.
        return [("keys", held[1:])] if late and len(held) == 2 else []

    # -- keys

    def _is_bulk(self, text: str, now: float) -> bool:
        """Whether this is the paste of a terminal that does not say where one begins."""
        if ESC in text or self._held or self._in_string or self._paste is not None:
            return False
        lines = "\r" in text[:-1].strip("\r\n") or "\n" in text[:-1].strip("\r\n")
        large = len(text) >= (LINES_AT_ONCE if lines else CHARACTERS_AT_ONCE) and len(set(text)) > 1
        # One line behind a key that opens a line goes into that line, which is what it is meant for.
        large = large and (lines or text[0] not in OPENS_A_LINE)
        if large:
            self._bulk_until = now + PASTE_GOES_ON_SECONDS
        return bool(text) and now < self._bulk_until

    def _with_what_was_kept(self, text: str, waited: float, now: float, pieces: list[Piece]) -> str:
        held, self._held = self._held, ""
        escape_at, self._escape_at = self._escape_at, None
        if self._paste is not None or self._in_string:
            return held + text
        if held == ESC and not self._apart and text[0] not in f"[O{STRINGS}{ESC}":
            # An escape that waited long enough was a key. One that did not, too, but what comes behind it is not.
            pieces.append(("escape", ESC))
            if waited < self.escape_seconds and (typed := _PLAIN.match(text)):
                pieces.append(("dropped", typed[0]))
                text = text[typed.end() :]
            return text
        if not held and escape_at is not None and now - escape_at < LATE_SECONDS and text[0] in _GOES_ON:
            held, self._late = ESC, True
        self._apart = self._apart or self._late or (held == ESC and len(text) <= 2)
        return held + text

    def _take(self, text: str, pieces: list[Piece]) -> str:
        """Take one run of plain characters, or one sequence, off the beginning; what is left."""
        if plain := _PLAIN.match(text):
            pieces.append(("keys", plain[0]))
            return text[plain.end() :]
        if text[0] != ESC:
            text = _EIGHT_BIT[text[0]] + text[1:]
        kind = text[1:2]
        if not kind:
            return self._hold(text)
        if self._apart and (ends := self._typed_by_hand(text, pieces)) is not None:
            return ends
        if kind == "[":
            return self._take_sequence(text, _CONTROL.match(text), _CONTROL_BEGUN.match(text), pieces)
        if kind == "O":
            return self._take_sequence(text, _FUNCTION.match(text), _FUNCTION_BEGUN.match(text), pieces)
        self._apart = self._late = False
        if kind in STRINGS:
            self._in_string = True
            return text[2:]
        if kind == ESC:
            pieces.append(("escape", ESC))
            return text[1:]
        # One that the parser knows, or a letter with alt held down; anything else is nothing.
        if key_sequence(text[:2]):
            pieces.append(("keys", text[:2]))
        elif kind.isprintable():
            pieces.append(("alt", kind))
        return text[2:]

    def _hold(self, text: str) -> str:
        self._held = text if len(text) <= LONGEST_SEQUENCE else text[:2] + "0"
        return ""

    def _take_sequence(
        self, text: str, whole: re.Match[str] | None, begun: re.Match[str] | None, pieces: list[Piece]
    ) -> str:
        if whole is None and begun is not None:
            return self._hold(text)
        self._apart = self._late = False
        if whole is None:
            # Broken off by something that cannot stand in it: a control is gone with it, another sequence is not.
            broken = re.match(r"\x1b[\[O][ -?]*", text)
            end = broken.end() if broken else 2
            return text[end:] if text[end : end + 1] == ESC else text[end + 1 :]
        sequence = whole[0]
        if sequence == START:
            self._paste, self._pasted, self._depth = [], 0, 1
        elif ALIVE.fullmatch(sequence):
            pieces.append(("answer", sequence))
        elif known := key_sequence(sequence):
            pieces.append(("keys", known))
        return text[whole.end() :]

    def _typed_by_hand(self, text: str, pieces: list[Piece]) -> str | None:
        """What is left where an escape that came by itself and what stands behind it are no sequence; else None."""
        kind = text[1]
        if kind not in f"[O{STRINGS}":
            return None
        if len(text) == 2 and kind in _GOES_ON:
            return self._hold(text)
        late, self._apart, self._late = self._late, False, False
        if text[2:3] and text[2] in _GOES_ON.get(kind, ""):
            return None
        typed = _PLAIN.match(text, 1)
        end = typed.end() if typed else 1
        pieces += [("keys", text[1:end])] if late else [("escape", ESC), ("dropped", text[1:end])]
        return text[end:]

    def _skip_string(self, text: str) -> str:
        end = _STRING_END.search(text)
        if end is None:
            return ""
        if end[0] == ESC:
            if end.end() == len(text):
                self._held = ESC
                return ""
            # Another sequence begins: the string is over without its end.
            self._in_string = False
            return text[end.start() :]
        self._in_string = False
        return text[end.end() :]

    # -- a paste

    def _take_paste(self, text: str, now: float, pieces: list[Piece]) -> str:
        # A frame may arrive while a paste is open.
        text, answers = ALIVE.subn("", text)
        pieces += [("answer", "")] * answers
        mark = _MARK.search(text)
        if mark is None and text.endswith(ESC + ESC):
            # Pressed twice: nothing that is pasted goes on like this.
            self._keep_pasted(text[:-2])
            pieces += self._close_paste(now)
            return ""
        if mark is None:
            cut = next((size for size in range(len(START) - 1, 0, -1) if text.endswith((START[:size], END[:size]))), 0)
            self._keep_pasted(text[: len(text) - cut])
            self._held = text[len(text) - cut :]
            return ""
        self._keep_pasted(text[: mark.start()])
        rest = text[mark.end() :]
        if mark[0] == START:
            self._depth += 1
        elif self._depth > 1:
            self._depth -= 1
        elif (following := _MARK.search(rest)) is None or following[0] != END:
            # One that is followed by another was part of the text.
            pieces += self._close_paste()
        return rest

    def _keep_pasted(self, text: str) -> None:
        text = text[: MOST_PASTED - self._pasted]
        if self._paste is not None and text:
            self._paste.append(text)
            self._pasted += len(text)

    def _close_paste(self, by_hand_at: float | None = None) -> list[Piece]:
        text = _line_feeds(ENTER_IN_PASTE.sub("\n", "".join(self._paste or ())))
        self._paste, self._held = None, ""
        # The rest of its end mark may still come.
        self._escape_at = by_hand_at
        return [("paste", text), ("closed paste", "")] if by_hand_at is not None else [("paste", text)]


def _line_feeds(text: str) -> str:
    """Terminals send a carriage return for every end of a line of a paste."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
