"""A JSON array cut into its elements as it is read: one element is held at a time, however long the array is.

Elements end where their brackets and strings do. Where one is no JSON, its brackets and quotes say little: it then ends
where the next one begins (anchors.py), so that it costs none of the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.nesting import STRING, nested_too_deep
from engine.sources.files.pieces import Record
from engine.sources.files.text_source import SourceText
from engine.sources.records.anchors import CHAIN_BYTES, FIRST_KEY, NextRecord, first_fault, next_record, tail_of_list
from engine.sources.records.lenient import LONGEST

CHUNK_BYTES = 1 << 20
CHECKED_BYTES = 1 << 16
"""An element longer than this is looked at for faults as it grows, so that one quote too many does not take in all."""
MOST_KEYS = 256
_BETWEEN = re.compile(rb"(?:[ \t\r\n,\x1e]|\xef\xbb\xbf)*+")
_BLANK = re.compile(rb"(?:[ \t\r\n\x1e]|\xef\xbb\xbf)*+")
_BEFORE = re.compile(rb"(?:[ \t\r\n\x1e]++|\xef\xbb\xbf|//[^\n]*+\n|#[^\n]*+\n|/\*.*?\*/)*+", re.DOTALL)
_COMMENT = re.compile(rb"(?://|#)[^\n]*+|/\*.*?\*/", re.DOTALL)
# A string that ends in this chunk, a quote of one that does not, or a bracket.
_MARKS = re.compile(STRING + rb'|["\[\]{}]', re.DOTALL)
_PYTHON = re.compile(rb"(?:[\[{(][ \t\r\n]*+)++'")
_PYTHON_MARKS = re.compile(STRING + rb"|'[^'\\\n]*+(?:\\.[^'\\\n]*+)*+'|[\[\]{}]", re.DOTALL)
_REST_OF_STRING = re.compile(STRING.removeprefix(b'"'), re.DOTALL)
_WORD = re.compile(rb'[^ \t\r\n,\[\]{}"]*+')
_NUMBER_OR_WORD = rb"-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity"
_SCALAR = re.compile(rb'(?:%b|"[^"\\]*+(?:\\.[^"\\]*+)*+")' % _NUMBER_OR_WORD, re.DOTALL)
_PLAIN = re.compile(rb"(?:%b|%b)(?=[ \t\r\n]*+[,\]])" % (_NUMBER_OR_WORD, STRING), re.DOTALL)
_OPENING, _CLOSING, _QUOTE, _BEGIN, _END = b"[{", b"]}", ord('"'), ord("["), ord("]")


class ArrayText:
    """The text of an array, from its opening bracket on; or of an object, from its opening brace on."""

    def __init__(self, stream: SourceText, start: int = 0) -> None:
        self.stream = stream
        self.is_cut = False
        """Whether the source ended inside of an element."""
        self._is_open = True
        self._before = start
        self._chunk = b""
        self.keys: set[bytes] = set()
        """The fields that records begin with, as far as they were read."""
        self._lists: frozenset[bytes] = frozenset()
        self._more()
        self._at = 0
        found = _BEFORE.match(self._chunk)
        self._at = (found.end() if found is not None else 0) + 1

    @property
    def offset(self) -> int:
        """The byte of the source that comes next."""
        return self._before + self._at

    @property
    def is_closed(self) -> bool:
        """After the last element: whether a closing bracket stands there, or none is missing."""
        return not self._is_open or self._at < len(self._chunk)

    @property
    def is_at_end(self) -> bool:
        """Whether nothing but blanks and commas comes any more."""
        return self._next(_BETWEEN) is None

    def elements(self) -> Iterator[tuple[int, Record, bool]]:
        """Of each element, or comment, its byte offset, its bytes, and whether it ends before the source does."""
        while (mark := self._next(_BETWEEN)) is not None and mark != _END:
            start, record = self.offset, Record()
            ends = self._element(record, mark)
            self.is_cut = not ends
            yield start, record, ends

    def learn(self, content: bytes) -> None:
        """An element that was read: others will begin as it does."""
        if len(self.keys) < MOST_KEYS and (found := FIRST_KEY.match(content)) is not None:
            self.keys.add(found.group("key"))

    def recut(self, start: int, record: Record) -> Record | None:
        """The beginning of the element just given that is no JSON, where another one begins inside of it, or the list
        ends; that is next. None where neither does."""
        if record.is_too_long:
            return None
        content = record.content
        fault = first_fault(content, is_whole=not self.is_cut)
        # JSON all the way down that is deeper than any row: no record begins inside of it, each level would be tried.
        if fault is None and (not self.is_cut or nested_too_deep(content)):
            return None
        is_all = self.is_cut
        while not is_all and len(self._chunk) - self._at < CHAIN_BYTES:
            is_all = not self._extend()
        ahead = content + self._chunk[self._at : self._at + CHAIN_BYTES]
        own = FIRST_KEY.match(content)
        keys = self.keys or ({own.group("key")} if own is not None and self.is_cut else set())
        found = next_record(ahead, fault or 1, keys, self._lists, is_all=is_all, chains=fault is not None)
        if found is None or found.start >= len(content):
            tail = tail_of_list(content, 0) if self.is_cut and fault is not None else len(content)
            if tail == len(content):
                return None
            found = NextRecord(tail, tail)
        self._put_back(start + found.start, content[found.start :])
        self.is_cut = False
        return Record(content[: found.end_before])

    def goes_on(self) -> bool:
        """After the closing bracket: whether another array, or an object, stands behind it; `elements` then gives
        those."""
        self._at += self._at < len(self._chunk)
        return self._opens()

    def rest(self) -> tuple[int, Record, bool] | None:
        """What stands behind and is no record: its place, its bytes, and whether records come behind it."""
        if self._next(_BLANK) is None:
            return None
        start, record = self.offset, Record()
        found = self._to_next_record(record, 0)
        return start, record, found and self._opens()

    def key(self) -> bytes | None:
        """In an object: the name of its next field (as it is written, without quotes), behind which its value comes
        next; None where it ends."""
        mark = self._next(_BETWEEN)
        if mark != _QUOTE:
            return None
        record = Record()
        if not self._string(record) or self._next(_BLANK) != ord(":"):
            return None
        self._at += 1
        return record.content[1:-1]

    def value(self) -> tuple[int, Record]:
        """The value that comes next, whatever it is."""
        mark = self._next(_BLANK)
        start, record = self.offset, Record()
        if mark is not None:
            self.is_cut = not self._element(record, mark)
        return start, record

    def enter_list(self, names: frozenset[bytes] = frozenset()) -> bool:
        """Whether a list comes next; `elements` then gives it. `names` are those under which further lists stand."""
        self._lists = names
        is_list = self._next(_BLANK) == _BEGIN
        self._at += is_list
        return is_list

    def leave_list(self) -> None:
        """Behind the closing bracket of a list."""
        self._at += self._at < len(self._chunk)

    def ends_object(self) -> bool:
        """Whether the closing brace of an object comes next; passes over it."""
        is_end = self._next(_BETWEEN) == ord("}")
        self._at += is_end
        return is_end

    def _opens(self) -> bool:
        mark = self._next(_BETWEEN)
        self._is_open = mark == _BEGIN
        self._at += self._is_open
        return mark is not None and mark in _OPENING

    def _more(self) -> bool:
        self._before += len(self._chunk)
        self._at = 0
        self._chunk = self.stream.read(CHUNK_BYTES)
        return bool(self._chunk)

    def _extend(self) -> bool:
        """More of the source behind what is held and not taken yet; whether there is any."""
        more = self.stream.read(CHUNK_BYTES)
        self._before += self._at
        self._chunk = self._chunk[self._at :] + more
        self._at = 0
        return bool(more)

    def _put_back(self, offset: int, content: bytes) -> None:
        self._chunk = content + self._chunk[self._at :]
        self._before, self._at = offset, 0

    def _next(self, skipped: re.Pattern[bytes]) -> int | None:
        """Pass over what is `skipped`; the byte that comes then, None at the end."""
        while True:
            found = skipped.match(self._chunk, self._at)
            self._at = found.end() if found is not None else self._at
            left = len(self._chunk) - self._at
            # The first bytes of a mark of byte order.
            if left and (left >= 3 or self._chunk[self._at] != 0xEF or not self._extend()):
                return self._chunk[self._at]
            if not left and not self._more():
                return None

    def _take(self, record: Record, end: int) -> None:
        record.add(self._chunk[self._at : end])
        self._at = end

    def _element(self, record: Record, mark: int) -> bool:
        if mark in _OPENING:
            return self._container(record)
        # Most of what is no container is short, whole, and followed by a comma.
        plain = _PLAIN.match(self._chunk, self._at)
        if plain is not None:
            self._take(record, plain.end())
            return True
        start = self.offset
        if mark in b"/#" and self._comment(record):
            return True
        if mark == _QUOTE:
            if not self._string(record):
                return False
        elif mark not in _CLOSING:
            self._scalar(record)
        if len(self._chunk) - self._at < 4096:
            self._extend()
        behind = self._chunk[self._at : self._at + 4096]
        comes = behind.lstrip()[:1]
        is_apart = comes in b",]}" or (behind[:1].isspace() and comes in b'{["')
        if is_apart and not record.is_too_long and _SCALAR.fullmatch(record.content):
            return True
        if not record.is_too_long:
            self._put_back(start, record.content)
            record.clear()
        self._to_next_record(record, 0)
        return True

    def _scalar(self, record: Record) -> None:
        """A number at the very end of the source is whole; that the array is not closed is told by itself."""
        while True:
            found = _WORD.match(self._chunk, self._at)
            self._take(record, found.end() if found is not None else self._at)
            if self._at < len(self._chunk) or not self._more():
                return

    def _comment(self, record: Record) -> bool:
        """Whether it is one, and not the beginning of something else."""
        while (found := _COMMENT.match(self._chunk, self._at)) is None or found.end() == len(self._chunk):
            if len(self._chunk) - self._at > CHUNK_BYTES or not self._extend():
                break
        if found is not None:
            self._take(record, found.end())
        return found is not None

    def _container(self, record: Record) -> bool:
        if _PYTHON.match(self._chunk, self._at):
            return self._python_container(record)
        start, depth, checked = self.offset, 0, CHECKED_BYTES
        while True:
            far = self._at + checked - record.length
            for found in _MARKS.finditer(self._chunk, self._at):
                at = found.start()
                if at > far:
                    self._take(record, at)
                    checked = record.length * 2
                    if self._is_broken(start, record):
                        return True
                    break
                mark = self._chunk[at]
                if mark in _OPENING:
                    depth += 1
                elif mark in _CLOSING:
                    depth -= 1
                    if not depth:
                        self._take(record, found.end())
                        return True
                elif found.end() - at == 1:
                    self._take(record, at)
                    if not self._string(record):
                        return False
                    break
            else:
                self._take(record, len(self._chunk))
                if not self._more():
                    return False

    def _python_container(self, record: Record) -> bool:
        """In Python's notation texts stand in quotes of either kind."""
        while True:
            depth = 0
            for found in _PYTHON_MARKS.finditer(self._chunk, self._at):
                mark = self._chunk[found.start()]
                depth += (mark in _OPENING) - (mark in _CLOSING)
                if not depth:
                    self._take(record, found.end())
                    return True
            if len(self._chunk) - self._at > LONGEST or not self._extend():
                self._take(record, len(self._chunk))
                return False

    def _is_broken(self, start: int, record: Record) -> bool:
        """Whether what there is of an element is no beginning of JSON; it is then taken up to the next one."""
        fault = None if record.is_too_long else first_fault(record.content)
        if fault is None:
            return False
        self._put_back(start, record.content)
        record.clear()
        self._to_next_record(record, fault)
        return True

    def _to_next_record(self, record: Record, fault: int) -> bool:
        """Take all up to the place where another record begins, looked for from byte `fault` of what comes next on;
        whether there is one. Else all of the source, but the brackets that close it."""
        looked = self.offset + fault
        is_all = False
        while True:
            while not is_all and self._before + len(self._chunk) - looked < 2 * CHAIN_BYTES:
                is_all = not self._extend()
            until = len(self._chunk) if is_all else len(self._chunk) - CHAIN_BYTES
            found = next_record(self._chunk, looked - self._before, self.keys, self._lists, is_all=is_all)
            if found is not None and (is_all or found.start < until):
                self._take(record, found.end_before)
                self._at = found.start
                return True
            if is_all:
                self._take(record, tail_of_list(self._chunk, self._at))
                return False
            looked = max(looked, self._before + until - 4096)
            self._take(record, max(self._at, looked - self._before))

    def _string(self, record: Record) -> bool:
        """From its opening quote to behind its closing one, over as many chunks as it takes."""
        self._take(record, self._at + 1)
        while True:
            # Most chunks of a long text hold no quote at all.
            has_quote = self._chunk.find(b'"', self._at) >= 0
            found = _REST_OF_STRING.match(self._chunk, self._at) if has_quote else None
            if found is not None:
                self._take(record, found.end())
                return True
            rest = self._chunk[self._at :]
            cut_in_escape = (len(rest) - len(rest.rstrip(b"\\"))) % 2
            self._take(record, len(self._chunk))
            if not self._more():
                return False
            self._take(record, self._at + cut_in_escape)
