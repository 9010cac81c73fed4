"""Calculations whose written result is wrong."""

from __future__ import annotations

import re
from fractions import Fraction

from engine.model import Span
from engine.scan.signals.reading import LONGEST, Reading
from engine.scan.signals.signal import Found, Signal, last_turn
from engine.scan.text import shorten

_NUMBER = r"(?:\d{1,15}(?:\.\d{1,10})?|\.\d{1,10})"
_RESULT = re.compile(
    rf"=\s{{0,3}}(?P<sign>-?)[$€£¥]?\s?(?P<minus>-?)(?P<value>{_NUMBER}(?:/\d{{1,9}})?)(?P<percent>\s?%)?"
)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
# A number with what it counts: "$5", "3 apples", "20%", "12 hours/day".
_UNIT = (
    r"(?:[ -]?(?!x\b|of\s[$]?\d|and\b|is\b|times\b|a total\b|"
    r"equals\b)[a-zA-Z]{2,20}){0,5}(?: ?/ ?[a-zA-Z]{2,20}){0,2}"
)
_TERM = re.compile(rf"(?P<money>[$€£¥])?\s?(?P<number>{_NUMBER})(?P<percent>\s?%)?(?P<unit>{_UNIT})")
# Kinds of measure whose units convert: a sum over two of them is not the sum of its numbers.
_MEASURES = re.compile(
    r"\b(second|sec|minute|min|hour|hr|day|week|month|year|inch|inche|feet|foot|yard|mile|cm|mm|meter|metre|km|gram|"
    r"kg|pound|lb|"
    r"ounce|oz|cup|quart|pint|gallon|liter|ml|cent|dollar|penn(?:y|ie)|nickel|dime|quarter|dozen|hundred|thousand|"
    r"million|pair|percent)s?\b"
)
_MULTIPLES = frozenset(("dozen", "hundred", "thousand", "million", "pair", "percent", "nickel", "dime", "quarter"))
_OPERATOR = re.compile(
    r"\s{0,3}(?:(?P<sign>[-+*/×÷−–·])|(?P<x>x(?=\s{0,3}[$€£¥(]?\d))|(?P<of>of(?=\s{1,3}[$€£¥(]?\d)))\s{0,3}"
)
_UNIT_AFTER = re.compile(r"[ ]?[a-zA-Z]{0,12}")
_WINDOW = 120
# What stands before a chain must not be a part of it.
_OPEN_BEFORE = re.compile(
    r"(?:[\w.^]|[/*+=%×÷√,)\[{…·−–-]\s{0,3}|[-+*/×÷=\d]\s{0,3}\(\s{0,3}|"
    r"(?:[\d%]|\b(?:half|halve|thirds?|quarters?|fourths?|fifths?|percent|rest|times|square))\s{1,3}of(?: the)?\s{1,3}|"
    r"\b(?:x|times|by|plus|minus|over|than|about|approximately)\s{1,3})\Z",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\s{0,3}(?:[-+*/×÷^−%(]|x\s{0,3}\d|\.\d|,\d|e[+-]?\d|\d|[a-z]\b|[a-z]\^|\.{3}|…)")
_ROUGH = re.compile(
    r"\b(?:approx\w*|about|round\w*|roughly|estimat\w*|nearly|almost|remainder|mod|base|binary|hex\w*|matri\w*|"
    r"wrong|incorrect|mistake|error)\b|≈|~",
    re.I,
)
_ASKS = re.compile(
    r"\b(?:calculat\w*|comput\w*|evaluat\w*|solve|sum|result|answer|add|subtract\w*|multipl\w*|divi\w*|what is|"
    r"what's|product|quotient|difference)\b",
    re.I,
)
_ASKS_ELSE = re.compile(
    r"\b(?:estimat\w*|approx\w*|round\w*|express|equation|rewrite|convert|simplif\w*|larger|smaller|compare|sort|"
    r"odd|even|prime|"
    r"explain|story|problem|code|function|program|fraction|binary|hex\w*)\b",
    re.I,
)
_CHAIN_ASKED = re.compile(
    rf"(?<![\w.^/*+=%(-])-?[$]?{_NUMBER}(?:\s{{0,3}}[-+*×x÷/]\s{{0,3}}[$]?{_NUMBER}){{1,8}}(?![\w^*/+(%=-]|\.\d)"
)
_SAID_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,10})?(?:\s?/\s?\d{1,9})?")
_NUMBER_WORD = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{3,5}teen|twenty|thirty|forty|"
    r"fifty|sixty|seventy|eighty|ninety|"
    r"hundred|thousand|million)\b"
)


def evaluated(text: str) -> tuple[Fraction, bool, str] | None:
    """The value of the calculation that `text` ends with, whether it divides, and the calculation; None where there is
    no certain reading of it."""
    start = _chain_start(text)
    if start is None:
        return None
    chain = text[start:].strip()
    tokens = _tokens(chain)
    if tokens is None:
        return None
    value = _value(tokens)
    return None if value is None else (value, any(token in ("/", "÷") for token in tokens), chain)


def _chain_start(text: str) -> int | None:
    """The first place from which everything up to the end reads as a calculation with an operator in it."""
    for found in re.finditer(r"(?<![\w.])[($€£¥]?\s?\.?\d", text):
        start = found.start()
        if _OPEN_BEFORE.search(text[max(0, start - 14) : start]):
            continue
        tokens = _tokens(text[start:].strip())
        if tokens is not None and len(tokens) >= 3:
            return start
        # Else the next number may begin it: "In 2020 he had 3 + 4".
    return None


def _tokens(chain: str) -> list[str | Fraction] | None:
    """Numbers, operators and brackets, or None where something else stands between them."""
    tokens: list[str | Fraction] = []
    at, depth, wants_number = 0, 0, True
    units: set[str] = set()
    while at < len(chain):
        if chain[at].isspace():
            at += 1
            continue
        if wants_number and chain[at] == "(":
            tokens.append("(")
            depth, at = depth + 1, at + 1
        elif not wants_number and chain[at] == ")" and depth:
            tokens.append(")")
            depth, at = depth - 1, at + 1
        elif wants_number:
            term = _TERM.match(chain, at)
            if term is None or (
                term.end() < len(chain)
                and chain[term.end()].isalnum()
                and chain[term.end()] != "x"
                and not chain[term.end() - 1].isspace()
            ):
                return None
            number = Fraction(term["number"])
            tokens.append(number / 100 if term["percent"] else number)
            units |= _measures((term["money"] or "") + term["unit"]) | ({"%"} if term["percent"] else set())
            at, wants_number = term.end(), False
        else:
            operator = _OPERATOR.match(chain, at)
            if operator is None:
                return None
            tokens.append(
                {"x": "*", "×": "*", "·": "*", "of": "*", "−": "-", "–": "-", "÷": "/"}.get(
                    operator.group().strip(), operator.group().strip()
                )
            )
            at, wants_number = operator.end(), True
    if wants_number or depth or len(tokens) > 40:
        return None
    # "1 hour + 30 minutes", "200 - 20%", "3 dozen": the units decide, not the numbers.
    added = any(token in ("+", "-") for token in tokens)
    return None if units & _MULTIPLES or (added and (len(units) > 1 or "%" in units)) else tokens


def _measures(unit: str) -> set[str]:
    if not unit:
        return set()
    found = set(_MEASURES.findall(unit.lower()))
    return found | {"dollar"} if "$" in unit else found


def _value(tokens: list[str | Fraction]) -> Fraction | None:
    """Usual precedence, from the left; None where something is divided by zero."""
    numbers: list[Fraction] = []
    waiting: list[str] = []

    def reduce() -> bool:
        right, left, sign = numbers.pop(), numbers.pop(), waiting.pop()
        if sign == "/" and right == 0:
            return False
        numbers.append(
            left + right
            if sign == "+"
            else left - right
            if sign == "-"
            else left * right
            if sign == "*"
            else left / right
        )
        return True

    weight = {"+": 1, "-": 1, "*": 2, "/": 2}
    for token in tokens:
        if isinstance(token, Fraction):
            numbers.append(token)
        elif token == "(":
            waiting.append(token)
        elif token == ")":
            while waiting[-1] != "(":
                if not reduce():
                    return None
            waiting.pop()
        else:
            while waiting and waiting[-1] != "(" and weight[waiting[-1]] >= weight[token]:
                if not reduce():
                    return None
            waiting.append(token)
    while waiting:
        if not reduce():
            return None
    return numbers[0]


def _in_answer(row: Reading) -> Found | None:
    answer = row.answer[:LONGEST]
    if "=" not in answer:
        return None
    for found in _RESULT.finditer(answer.replace("\n", "\n")):
        before = answer[max(0, found.start() - _WINDOW) : found.start()].rpartition("\n")[2].rpartition("=")[2]
        written = _written(answer, found)
        if written is None or not before.strip() or before.rstrip()[-1:] in "<>!=:+-*/^":
            continue
        result, decimals, end = written
        if _GOES_ON.match(answer, end):
            continue
        read = evaluated(_THOUSANDS.sub("", before).rstrip(" $€£¥"))
        if read is None or _ROUGH.search(answer[max(0, found.start() - 60) : end + 25]):
            continue
        value, divides, chain = read
        after = _measures(_UNIT_AFTER.match(answer, end).group())  # type: ignore[union-attr]
        if after and (told := _measures(chain)) and not after & told:
            continue  # "2 hours + 3 hours = 300 minutes"
        if _agrees(value, result, decimals, divides or value.denominator > 1):
            continue
        shown = shorten(before.strip()[-40:], 40)
        return Found(
            f"{shown} {shorten(answer[found.start() : end], 20)}, but it is {_shown(value)}",
            Span(last_turn(row), found.start() - len(before.lstrip()), end),
        )
    return None


def _written(answer: str, found: re.Match[str]) -> tuple[Fraction, int, int] | None:
    """The result as written, its decimals and its end. The pattern stops at the first comma of "1,500.25"."""
    digits, end = found["value"], found.end()
    rest = re.compile(r"(?:,\d{3}){1,4}(?!\d)(?:\.\d{1,10})?").match(answer, end)
    if rest is not None and "." not in digits and "/" not in digits:
        digits, end = digits + rest.group().replace(",", ""), rest.end()
    if re.search(r"/0+\Z", digits):
        return None
    value = Fraction(digits)
    if found["sign"] or found["minus"]:
        value = -value
    decimals = len(digits.partition(".")[2])
    return (value / 100, decimals + 2, end) if found["percent"] else (value, decimals, end)


def _agrees(value: Fraction, result: Fraction, decimals: int, is_rounded: bool) -> bool:
    """Equal up to the rounding of the last written place, a sign, a percentage, or dollars told in cents."""
    slack = Fraction(51, 100) / 10**decimals if is_rounded or decimals else Fraction(0)
    # Truncated decimals are a habit, not an error.
    slack = max(slack, Fraction(1, 10**decimals)) if decimals and is_rounded else slack
    near = max(slack, abs(value) / 10**9)
    return any(
        abs(value * factor - result) <= max(near, slack * factor if factor < 1 else near)
        or abs(abs(value * factor) - abs(result)) <= near
        for factor in (1, 100, Fraction(1, 100))
    )


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"


def _asked_for(row: Reading) -> Found | None:
    """A bare calculation in the request whose result does not stand in the answer."""
    text = row.material if row.material else row.request
    if (
        len(text) > 120
        or len(row.answer) > 600
        or row.about_code
        or not _ASKS.search(row.request)
        or _ASKS_ELSE.search(row.request)
    ):
        return None
    chains = list(_CHAIN_ASKED.finditer(_THOUSANDS.sub("", text)))
    if len(chains) != 1:
        return None
    chain = chains[0].group()
    if re.fullmatch(r"[\d./-]+", chain) or re.search(r"[A-Za-z]\s?=|\^|[²³√]", text):
        return None  # a date, a fraction or an identifier; an equation
    tokens = _tokens(chain)
    value = _value(tokens) if tokens is not None else None
    if value is None or _NUMBER_WORD.search(row.said):
        return None
    said = [
        Fraction(part.replace(" ", ""))
        for part in _SAID_NUMBER.findall(_THOUSANDS.sub("", row.answer))
        if not re.search(r"/\s?0+\Z", part)
    ]
    if not said or any(abs(abs(one) - abs(value)) <= max(Fraction(6, 100), abs(value) / 200) for one in said):
        return None
    return Found(
        f"{chain.strip()} is {_shown(value)}, which is not in the answer", Span(last_turn(row), 0, len(row.answer))
    )


def _arithmetic(row: Reading, survey: None) -> Found | None:
    if not row.answer or row.is_code:
        return None
    return _in_answer(row) or (_asked_for(row) if row.is_single else None)


ARITHMETIC = Signal("arithmetic", "check", "a calculation has another result", _arithmetic)
