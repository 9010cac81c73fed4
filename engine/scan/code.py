"""Programs in texts, and what of a text is taken to the letter: case, spaces and single signs count there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

_CODE_LINE = re.compile(
    r"^[ \t]{0,40}(?:def |class |import |from \w{1,40} import|#include|public |private |function |fn |func |var |let |"
    r"const |return |SELECT |INSERT |UPDATE |CREATE |</?\w{1,20}[ >]|"
    r"(?:if|for|while|elif|else|try|except|with)\b[^\n]{0,80}:[ \t]{0,9}\n[ \t]{1,40}\S)|"
    r"[;{}][ \t]{0,20}$|=>|==|!=|\+=|-=|&&|\|\||\w\(\)",
    re.MULTILINE,
)
# One of these stands in every hint but the rarest: most prose is done with after this.
_CODE_SIGNS = ("(", "{", "}", ";", "=", "<", "import ", "SELECT ", "&&", "||")
_CODE_EXAMINED = 6000
# One of these stands in every piece of a program; " -" before an option, ":\n" behind a statement.
_PIECE_SIGNS = (
    *("`", "_", "\\", "=", "<", "$", "(", "{", "%", ";\n", ":\n", " -", "++", " /", "://"),
    *("SELECT ", "UPDATE ", "DELETE ", "INSERT ", "variable ", "function ", "method ", "class ", "column ", "field "),
)
_PIECE_STARTS = ("-", "/")
# A thousandth and a million, a bit and a byte: units that are others in capitals. "512 MB" and "512 mb" are written for
# one thing.
_UNIT = r"[0-9] ?(?:[mM](?:g|W|V|J|N|Hz|Pa)|k[bB]|[MG]b)\b"
_MAY_BE_UNIT = re.compile(r"[0-9] ?[mMkG][gWVJNHPbB]")
# None goes beyond its line.
_PIECE = re.compile(
    rf"{_UNIT}|"
    r"`[^`\n]{1,200}`"
    r"|(?<![A-Za-z_])[A-Za-z_][\w.]{0,60}\((?!e?s\))(?:[^()\n]|\([^()\n]{0,80}\)){0,200}\)"  # a call; "word(s)" is none
    r"|(?<!\S)(?:-[A-Za-z]{1,6}|--[A-Za-z][\w-]{0,40})(?![\w-])"  # an option
    r"|(?<![\w+])\+\+[A-Za-z_]\w{0,40}"  # ++i, which is not i++
    r"|(?<!\S)~?/[\w.-]{1,60}(?:/[\w.-]{1,60}){1,12}|://[^\s<>\"')]{1,200}"  # a path, an address
    r"|\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE TABLE|ALTER TABLE|DROP TABLE) [^\n]{1,400}"
    r"|\$\{?[A-Za-z_]\w{0,40}\}?|\\[A-Za-z]\w{0,20}"
    r"|</?(?!(?:p|div|span|b|strong|em|i|h[1-6]|li|blockquote|br)>)[A-Za-z][^<>\n]{0,100}>"
    r"|(?:(?<=variable )|(?<=function )|(?<=method )|(?<=class )|(?<=column )|(?<=field ))[a-z]\w{0,40}[A-Z]\w{0,40}"
    r"|(?<![\w%])%[A-Za-z]\b|(?<!\w)\w{0,40}[A-Za-z0-9]_[A-Za-z0-9]\w{0,60}"
    r"|(?<![A-Za-z])[A-Za-z][\w.\[\]]{0,40} ?(?:[-+*/|&:]?=|==|!=|<=|>=|=>|->) ?[\w'\"\[{(-][^\s,;?]{0,80}"
)
_STATEMENT = re.compile(
    r"[ \t]{0,80}(?:(?:if|elif|while|def|class)\b[^\n]{0,120}:[ \t]*(?:#.*)?"
    r"|for\b[^\n]{0,60}\bin\b[^\n]{0,60}:|(?:else|try|finally|except[^\n]{0,60}):"
    r"|[A-Za-z_][\w.]{0,60}\([^\n]{0,200}\)"
    r"|[A-Za-z_][\w.\[\]'\"]{0,60}[ \t]?[-+*/]?=[ \t]?[^\s=][^\n]*"
    r"|[^\n]{0,400}[;{}]|(?:return|import|print)\b[^\n]{0,200}|#include[^\n]{0,100}"
    r"|(?:SELECT|FROM|WHERE|INSERT INTO|UPDATE|CREATE TABLE|JOIN|GROUP BY|ORDER BY)\b[^\n]*)[ \t]*"
)
_NESTED_KEYS = re.compile(r"^[ \t]{0,40}[\w.-]{1,60}:\n[ \t]{1,40}(?:- )?[\w.-]{1,60}:(?= |$)", re.MULTILINE)
_QUERY = re.compile(r"\s*(?:select|insert|update|delete|create|alter|with)\b[\s\S]*\b(?:from|into|set|table)\b", re.I)
_IN_PROGRAMS = re.compile(r"[(){}\[\]=<>|\\;*]")
_NAME = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"|\w+")
_AROUND_SIGNS = re.compile(r"[ \t]{0,20}([^\w\s'\"])[ \t]{0,20}")
_STUCK = "\x02"


def looks_like_code(text: str) -> bool:
    """Whether `text` holds a code fence or two hints of a program. Case, order and single signs then matter."""
    if "```" in text:
        return True
    if not any(sign in text for sign in _CODE_SIGNS):
        return False
    return len(list(islice(_CODE_LINE.finditer(text, 0, _CODE_EXAMINED), 2))) == 2


def may_hold_code(text: str) -> bool:
    """False where nothing of `text` can be a piece of a program: most prose, at the price of a few searches."""
    if text[:1] in _PIECE_STARTS:
        return True
    return any(map(text.__contains__, _PIECE_SIGNS)) or _MAY_BE_UNIT.search(text) is not None


def is_program(text: str) -> bool:
    """Whether lines of `text` are a program's, so that its indentation counts."""
    if "\n" not in text:
        return False
    if "```" in text or looks_like_code(text) or (":\n" in text and _NESTED_KEYS.search(text)):
        return True
    return any(map(_STATEMENT.fullmatch, text[:_CODE_EXAMINED].split("\n")))


def is_query(text: str) -> bool:
    """Whether `text` begins as an order to a database does: there the case of words says nothing."""
    return _QUERY.match(text) is not None


def written_otherwise(one: str, other: str) -> bool:
    """Whether two short answers are programs of another build, not one with other names or values in it."""
    if not (_IN_PROGRAMS.search(one) and _IN_PROGRAMS.search(other)):
        return False
    return _NAME.sub("x", one).split() != _NAME.sub("x", other).split()


def with_pieces(text: str, fold: Callable[[str], str]) -> str:
    """`text` folded, but for the pieces of programs in it; their spaces stay told apart from the others."""
    parts: list[str] = []
    end = 0
    for start, piece in _pieces(text):
        parts += [fold(text[end:start]), piece.replace(" ", _STUCK), _STUCK]
        end = start + len(piece)
    return "".join([*parts, fold(text[end:])]) if parts else fold(text)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Each piece of a program in `text` and where it begins. Lines without a sign of one are passed over: the pattern
    costs ten times as much."""
    start = 0
    for line in text.split("\n"):
        if may_hold_code(line):
            for found in _PIECE.finditer(line):
                yield start + found.start(), found.group()
        start += len(line) + 1


def pieces_of(text: str) -> tuple[str, ...]:
    """What of `text` must be equal to the letter in a text that asks the same, or says the same, in order: lines of
    programs by their depth, else single calls, options, names and assignments. Spaces around signs say nothing.
    """
    if not may_hold_code(text):
        return ()
    if not is_program(text):
        return tuple([tight(piece) for _, piece in _pieces(text)])
    found: list[str] = []
    depths: list[int] = []
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not line.strip():
            continue
        elif fenced or line[0] in " \t" or _STATEMENT.fullmatch(line):
            found.append(f"{_depth(line, depths)} {tight(line)}")
        else:
            found += [tight(piece) for _, piece in _pieces(line)]
    return tuple(found)


def _depth(line: str, depths: list[int]) -> int:
    """How deep a line lies under those before it; `depths` are their widths, from the outermost on."""
    width = len(line.expandtabs(4)) - len(line.expandtabs(4).lstrip())
    while depths and depths[-1] >= width:
        depths.pop()
    depths.append(width)
    return len(depths)


def tight(piece: str) -> str:
    """A piece without the spaces around its signs; where it quotes something, as it is."""
    piece = piece.strip().strip("`").rstrip(";.,").strip()
    return piece if "'" in piece or '"' in piece else _AROUND_SIGNS.sub(r"\1", piece)
