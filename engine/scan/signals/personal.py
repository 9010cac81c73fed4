"""Data of persons: e-mail addresses, telephone, card, account and social security numbers."""

from __future__ import annotations

import re

from engine.model import Span
from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal
from engine.secret_patterns import mask

_EXAMINED = 200_000
_EMAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![\w@])")
_NO_ONE = re.compile(
    r"@(?:[\w-]+\.)*(?:example|test|domain|email|mail|company|yourcompany|yourdomain|website|abc|xyz|acme|sample|"
    r"placeholder|organization|business|host|server)\b|"
    r"\.(?:example|test|invalid|local|localhost)\Z|\A(?:no-?reply|support|info|contact|sales|help|hello|admin|"
    r"office|service|customerservice|press|jobs|hr|your|name|user|username|someone|me|john\.?doe|jane\.?doe|johndoe|"
    r"janedoe)\b",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w.,/$-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|[.,]\d)|"
    r"(?<![\w.,-])\+\d{1,3}(?:[ .-]\d{2,4}){3,5}(?![\w-])"
)
_CARD = re.compile(r"(?<![\w.,-])(?:\d{4}[ -]){3}\d{1,4}(?![\w-]|[.,]\d)|(?<![\w.,-])\d{15,16}(?![\w-]|[.,]\d)")
_SOCIAL = re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_DIGITS = re.compile(r"\d[\d ().-]{5}")
_NUMBERS_WANTED = re.compile(
    r"\b(?:generate|create|make up|invent|fictional|fake|random|sample|dummy|regex|regular expression|validat\w*|"
    r"format|example|imaginary|template)\b|"
    r"\bpi\b|\bisbn\b|\bdigits\b",
    re.IGNORECASE,
)


def _fictitious(digits: str) -> bool:
    """Numbers that are nobody's: 555, repeated or counted digits, all zeros at the end."""
    national = digits[-10:]
    return (
        "555" in national[:6]
        or len(set(national)) <= 3
        or "123456" in digits
        or "4567" in national
        or "987654" in digits
        or national.endswith("0000")
        or national[:3] in ("123", "000", "111", "999")
        or national.endswith("1234")
    )


def _passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _passes_iban(text: str) -> bool:
    bare = text.replace(" ", "")
    moved = bare[4:] + bare[:4]
    return 15 <= len(bare) <= 34 and int("".join(str(int(char, 36)) for char in moved)) % 97 == 1


def personal_in(text: str) -> list[tuple[str, int, int]]:
    """Kind, start and end of each piece of personal data, in order; overlapping finds once."""
    found: list[tuple[str, int, int]] = []
    if "@" in text:
        found += [
            ("email", *one.span()) for one in _EMAIL.finditer(text, 0, _EXAMINED) if not _NO_ONE.search(one.group())
        ]
    if _DIGITS.search(text, 0, _EXAMINED):
        for kind, pattern in (("card", _CARD), ("ssn", _SOCIAL), ("iban", _IBAN), ("phone", _PHONE)):
            for one in pattern.finditer(text, 0, _EXAMINED):
                digits = re.sub(r"\D", "", one.group())
                if kind == "iban":
                    if _passes_iban(one.group()):
                        found.append((kind, *one.span()))
                elif kind == "card":
                    if (
                        len(digits) in (13, 14, 15, 16)
                        and digits[0] in "3456"
                        and _passes_luhn(digits)
                        and len(set(digits)) > 3
                        and digits[:8] != "41111111"
                    ):
                        found.append((kind, *one.span()))
                elif not (
                    _fictitious(digits) if kind == "phone" else digits in ("123456789", "078051120", "219099999")
                ):
                    found.append((kind, *one.span()))
    found.sort(key=lambda one: (one[1], -one[2]))
    kept: list[tuple[str, int, int]] = []
    for piece in found:
        if not kept or piece[1] >= kept[-1][2]:
            kept.append(piece)
    return kept


def mask_personal(text: str) -> str:
    """`text` with each piece replaced by a mask that is the same wherever the piece stands."""
    for kind, start, end in reversed(personal_in(text)):
        text = text[:start] + mask(kind, text[start:end]) + text[end:]
    return text


def _personal(row: Reading, survey: None) -> Found | None:
    if "@" not in row.text and _DIGITS.search(row.text) is None:
        return None
    for number, turn in enumerate(row.messages):
        found = personal_in(turn.text)
        if not found or _NUMBERS_WANTED.search(row.prompt[:600]) or row.about_code:
            continue
        kind, start, end = found[0]
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        return Found(f'{kind}: "{turn.text[start : start + 4]}…"{more}', Span(number, start, end))
    return None


PERSONAL = Signal("personal_data", "check", "data of a person", _personal, repair=mask_personal)
