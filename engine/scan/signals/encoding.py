"""Text that was decoded or escaped wrongly: mojibake, HTML entities, control characters, escapes."""

from __future__ import annotations

import html
import re

from engine.model import Span
from engine.scan.code import looks_like_code
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.scan.text import shorten

# What the first byte of a UTF-8 letter turns into in Latin-1, cp1252 and cp1251, followed by what is no plain letter.
_SUSPECT = re.compile(
    r"[\xc2-\xf4\u0102\u0412\u0413\u0420\u0421\u0432\u0440\u0441][\x80-\xbf\u0100-\uffff]|\ufffd|[\x80-\x9f]"
)
_ENTITY = re.compile(
    r"&(?:amp|lt|gt|quot|nbsp|apos|hellip|mdash|ndash|rsquo|lsquo|rdquo|ldquo|copy|#\d{2,6}|#x[0-9a-fA-F]{2,5});"
)
_MARKUP = re.compile(r"html|entit|\bxml|escap|\bweb ?page|\bsvg|<\w{1,20}[ >/]", re.IGNORECASE)
# Invisible or unprintable; joiners (200C, 200D) are letters' business in Persian, Hindi and emoji.
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\u200b\u2028\u2029\u202a\u202d\u202e\ufeff\ufffe\uffff\ufffc\ue000-\uf8ff]"
)
_ESCAPE = re.compile(r"\\n(?![a-z])|\\t(?![a-z])|\\r\\n|\\u[0-9a-fA-F]{4}|\\\"")
_PATHS = re.compile(r"[A-Za-z]:\\|\\\\\w|\$|\\frac|\\begin|\\text|regex|LaTeX", re.IGNORECASE)
_EXAMINED = 60_000


def unmangle(text: str) -> str:
    """`text` decoded the way it was meant; what is not broken stays."""
    import ftfy

    return str(ftfy.fix_encoding(text))


def _mojibake(row: Reading, survey: None) -> Found | None:
    for number, turn in enumerate(row.messages):
        if turn.text.isascii():
            continue
        text = turn.text[:_EXAMINED]
        suspect = _SUSPECT.search(text)
        if suspect is None:
            continue
        import ftfy.badness

        if not ftfy.badness.is_bad(text):
            continue
        mended = unmangle(text)
        start = next(
            (at for at, (old, new) in enumerate(zip(text, mended, strict=False)) if old != new), suspect.start()
        )
        shown = shorten(text[max(0, start - 10) : start + 20], 30)
        if mended == text:
            return Found(
                f'broken encoding that cannot be undone: "{shown}"',
                Span(number, suspect.start(), suspect.end()),
                "check",
            )
        return Found(f'broken encoding: "{shown}"', Span(number, start, min(len(turn.text), start + 3)))
    return None


def unescape_entities(text: str) -> str:
    """The characters that HTML entities stand for, also those that were escaped twice."""
    once = _ENTITY.sub(lambda found: html.unescape(found.group()).replace("\xa0", " "), text)
    return once if once == text else _ENTITY.sub(lambda found: html.unescape(found.group()).replace("\xa0", " "), once)


def _entities(row: Reading, survey: None) -> Found | None:
    for number, turn in enumerate(row.messages):
        if "&" not in turn.text or ";" not in turn.text:
            continue
        found = _ENTITY.search(turn.text)
        if (
            found is None
            or "```" in turn.text
            or _MARKUP.search(turn.text[:_EXAMINED])
            or _MARKUP.search(row.prompt[:4000])
        ):
            continue
        return Found(f'an HTML entity: "{found.group()}"', Span(number, *found.span()))
    return None


def strip_controls(text: str) -> str:
    """`text` without invisible and unprintable characters; a line separator becomes a line feed."""
    return _CONTROL.sub(lambda found: "\n" if found.group() in "\x0b\x0c\u2028\u2029" else "", text)


def _controls(row: Reading, survey: None) -> Found | None:
    for number, turn in enumerate(row.messages):
        found = _CONTROL.search(turn.text)
        if found is None:
            continue
        # Paired direction marks belong to right-to-left text, a private letter to an icon font the row is about.
        return Found(f"an invisible character: U+{ord(found.group()):04X}", Span(number, *found.span()))
    return None


def unescape(text: str) -> str:
    """Written-out line feeds, tabs, quotes and code points as what they stand for."""
    text = text.replace("\\r\\n", "\n")
    text = re.sub(r"\\n(?![a-z])", "\n", text)
    text = re.sub(r"\\t(?![a-z])", "\t", text).replace('\\"', '"')
    return re.sub(r"\\u(?![dD][89a-fA-F])([0-9a-fA-F]{4})", lambda found: chr(int(found.group(1), 16)), text)


def _escapes(row: Reading, survey: None) -> Found | None:
    text = row.answer
    if "\\" not in text:
        return None
    found = _ESCAPE.search(text, 0, _EXAMINED)
    if (
        found is None
        or row.about_code
        or looks_like_code(text)
        or text.lstrip()[:1] in "{["
        or _PATHS.search(text[:_EXAMINED])
    ):
        return None
    return Found(f'an escape that was never undone: "{found.group()}"', Span(len(row.messages) - 1, *found.span()))


MOJIBAKE = Signal("mojibake", "fix", "letters broken by a wrong decoding", _mojibake, repair=unmangle)
HTML_ENTITIES = Signal("html_entities", "fix", "HTML entities in plain text", _entities, repair=unescape_entities)
CONTROL_CHARS = Signal("control_chars", "fix", "invisible or unprintable characters", _controls, repair=strip_controls)
ESCAPES = Signal("escapes", "fix", "escapes like \\n written out", _escapes, repair=unescape)
