"""Texts split into words, many at a time. Standard library only: a second process does it while numpy is imported."""

from __future__ import annotations

import json
import re
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.scan.requests.normalize import NUMBER, WORD, prepare
from engine.scan.requests.requests import HEAD, TAIL

END = "\x00"
"""Stands after the words of each text, as number 0. Not a space to `str.split`, as the separators from \\x1c are."""
_MARK = f" {END} "
_TOKEN = re.compile(rf"{WORD}|{NUMBER}|{END}")
_DIGIT = re.compile(r"[0-9]")
# ASCII letters and the mark between two texts; all else parts words.
_ONLY_LETTERS = bytes(code if chr(code).isalpha() or chr(code) == END else 32 for code in range(128)) + bytes(128)
_CHUNK = 2000


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of many texts: `ids` are numbers of `names`, those of a text in order and with a 0 behind them.
    `texts` says which text each run of words belongs to.
    """

    ids: array[int]
    texts: array[int]
    names: list[str]

    def to_bytes(self) -> bytes:
        """For another process of this machine."""
        ids, texts = self.ids.tobytes(), self.texts.tobytes()
        head = json.dumps([len(ids), len(texts), self.names]).encode("ascii")
        return len(head).to_bytes(8, "little") + head + ids + texts

    @staticmethod
    def from_bytes(sent: bytes) -> Tokens:
        start = 8 + int.from_bytes(sent[:8], "little")
        ids_length, texts_length, names = json.loads(sent[8:start])
        ids, texts = array("i"), array("i")
        ids.frombytes(sent[start : start + ids_length])
        texts.frombytes(sent[start + ids_length : start + ids_length + texts_length])
        return Tokens(ids, texts, names)


def split_texts(texts: Sequence[str], tick: Callable[[int], None]) -> Tokens:
    """The words of `texts`. Many texts are split by one call: calls cost more than words."""
    numbering: defaultdict[str, int] = defaultdict()
    numbering.default_factory = numbering.__len__
    numbering[END] = 0
    ids, held = array("i"), array("i")
    for first in range(0, len(texts), _CHUNK):
        chunk = [prepare(clipped(text)) for text in texts[first : first + _CHUNK]]
        # Where there are only ASCII letters, parting at everything else is what the pattern does, five times as fast.
        plain = [number for number, text in enumerate(chunk) if text.isascii() and _DIGIT.search(text) is None]
        easy = set(plain)
        other = [number for number in range(len(chunk)) if number not in easy]
        for numbers, split in ((plain, _split_plain), (other, _TOKEN.findall)):
            if not numbers:
                continue
            parts = [chunk[number] for number in numbers]
            # The mark is a word of its own.
            joined = _MARK.join(parts)
            if joined.count(END) != len(parts) - 1:
                joined = _MARK.join(text.replace(END, " ") for text in parts)
            ids.extend(map(numbering.__getitem__, split(joined)))
            ids.append(0)
            held.extend([first + number for number in numbers])
        tick(first + len(chunk))
    return Tokens(ids, held, list(numbering))


def clipped(text: str) -> str:
    """What of a text is split into words."""
    return text if len(text) <= HEAD + TAIL else text[:HEAD] + " " + text[-TAIL:]


def _split_plain(text: str) -> list[str]:
    return text.encode("ascii").translate(_ONLY_LETTERS).decode("ascii").split()
