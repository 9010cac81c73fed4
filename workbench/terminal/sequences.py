"""What a whole sequence from the terminal is: a key that Textual's parser knows, an answer to a question, or nothing.

The parser takes whatever looks like a key and calls `int` and `chr` on its numbers: one out of range ends the program,
and of a sequence it does not know it makes keys, letter by letter. So it is handed only what is known here to be sound.
"""

from __future__ import annotations

import re

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._keyboard_protocol import FUNCTIONAL_KEYS

# "I keep up": the answer to the question behind every frame.
ALIVE = re.compile(r"\x1b\[[03]n")
# Focus, the mouse, and the one mode that is asked for.
FOR_THE_PARSER = re.compile(
    r"\x1b\[[IO]|\x1b\[<\d{1,3};-?\d{1,5};-?\d{1,5}[Mm]|\x1b\[\?2026;[0-4]\$y",
)
# Code, with its other layouts; modifiers, with press, repeat or release; the text of the key.
_KEY = re.compile(r"\x1b\[(\d{0,7})(?::[\d:]*)?(?:;(\d{0,3})(?::(\d?)(?::[\d:]*)?)?(?:;([\d:]*))?)?([u~ABCDEFHPQS])")
# The same key as xterm writes it: 27, modifiers, code.
_XTERM_KEY = re.compile(r"\x1b\[27;(\d{1,3});(\d{1,7})~")
RELEASED = "3"
# Controls that are keys of their own: tab, enter, escape, backspace.
KEYS_BELOW_BLANK = (9, 13, 27)
LAST_CHARACTER = 0x10FFFF
MOST_TEXT = 16
# A line feed in a paste, as terminals write it that write every key as a sequence: enter, or ctrl+j.
ENTER_IN_PASTE = re.compile(r"\x1b\[(?:10|13|57414|106;5|74;5)(?:;[\d:;]*)?u|\x1b\[27;\d+;(?:10|13|106)~")


def key_sequence(sequence: str) -> str:
    """What to hand to Textual's parser for a whole `sequence`; nothing where it is no key that can be pressed."""
    if sequence in ANSI_SEQUENCES_KEYS or FOR_THE_PARSER.fullmatch(sequence):
        return sequence
    if found := _XTERM_KEY.fullmatch(sequence):
        sequence = f"\x1b[{found[2]};{found[1]}u"
    found = _KEY.fullmatch(sequence)
    if found is None or found[3] == RELEASED:
        return ""
    code, modifiers, final = int(found[1] or 1), found[2] or "", found[5]
    text = [int(part) if len(part) < 8 else -1 for part in (found[4] or "").split(":") if part]
    if not all(map(_can_be_typed, text)) or len(text) > MOST_TEXT:
        return ""
    if f"{code}{final}" not in FUNCTIONAL_KEYS:
        is_key = _can_be_typed(code) or code in KEYS_BELOW_BLANK
        if final != "u" or not (is_key or (code == 0 and text)):
            return ""
    written = ":".join(map(str, text))
    return f"\x1b[{code}{f';{modifiers}' if modifiers or text else ''}{f';{written}' if text else ''}{final}"


def _can_be_typed(code: int) -> bool:
    return 0x20 <= code <= LAST_CHARACTER and not 0xD800 <= code < 0xE000 and not 0x80 <= code < 0xA0
