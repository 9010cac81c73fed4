"""A request read token by token: numbers, signs, task, question, direction and content words in their order."""

from __future__ import annotations

from engine.scan.requests.lexicon import (
    CJK_STOP,
    DIRECTIONS,
    GREETINGS,
    NEGATIONS,
    NOUN_MARKERS,
    NUMBER_WORDS,
    ORDINAL_ENDINGS,
    QUESTION_WORDS,
    STOP_WORDS,
    VERB_MARKERS,
    is_cjk,
    stem,
    task_of,
)

NEGATION = "!neg"
OPERATORS = frozenset(("==", "!=", "<=", ">=", "&&", "||", *"-+*/^=<>%√|~#"))
_SAME_SIGN = {"×": "*", "÷": "/", "percent": "%"}
BRACKETS = frozenset("()[]{}")
BOUNDARIES = frozenset(".?!:\n")
_SPEECH = (STOP_WORDS | VERB_MARKERS) - frozenset(("in", "and", "or", "as", "is", "for"))
_SPECIAL = frozenset(
    (
        *(OPERATORS | BRACKETS | BOUNDARIES | _SAME_SIGN.keys() | GREETINGS | NEGATIONS | QUESTION_WORDS | CJK_STOP),
        *(NUMBER_WORDS.keys() | ORDINAL_ENDINGS | DIRECTIONS.keys()),
        *("a", "an", "and", "or", "but", "what", "whats", "which", "use", "used", "do", "does", "did"),
    )
)
# The commonest of them: no word of their own, and they stop no sentence.
_TIES = frozenset(("and", "or", "to"))
MOST_PLAIN_WORDS = 200_000


class _PlainWords(dict[str, str | None]):
    """What most tokens mean wherever they stand: '' for words without a meaning of their own, the stem for words with
    no meaning but theirs; None for all that need a look at their neighbours.
    """

    def __missing__(self, token: str) -> str | None:
        if len(self) >= MOST_PLAIN_WORDS:
            self.clear()
        meaning = None if _needs_a_look(token) else "" if token in STOP_WORDS else stem(token)
        self[token] = meaning
        return meaning


def _needs_a_look(token: str) -> bool:
    return (
        token in _SPECIAL
        or token[-1].isdigit()
        or is_cjk(token)
        or not token[0].isalpha()
        or (token not in STOP_WORDS and task_of(token) != "")
    )


_PLAIN = _PlainWords()


class Reader:
    """What has been read of one request so far."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.numbers: list[str] = []
        self.counted: list[tuple[str, str]] = []
        self.signs: list[str] = []
        self.spaceless: list[str] = []
        self.questions: set[str] = set()
        self.directions: set[tuple[str, str]] = set()
        # Content words and numbers in order: what it counts as, how it was written, in which line, whether it is a
        # number.
        self.content: list[tuple[str, str, int, bool]] = []
        self.task = ""
        self.line = 0
        self.previous = ""
        self.at_start = True
        self.asks_what = False
        self.joined = 0  # clauses and things tied by "and", "or", "but"
        self.single = ""  # what the request wants one of: "name a planet"
        self.article = False  # "a" came, and the thing it belongs to is not complete
        self.asked = False  # a question word came before in this sentence: later verbs are what is asked about
        self.waiting = ""  # a direction word whose target has not come yet
        self.uncounted: list[str] = []  # numbers whose noun has not come yet

    def read(self) -> None:
        """Take in every token. Words without ties to their neighbours are placed here: most are of this kind."""
        place, content, plain = self._place, self.content, _PLAIN
        for position, token in enumerate(self.tokens):
            meaning = plain[token]
            if meaning is None:
                self._look_at(token, position)
                continue
            if not meaning:
                self.article = False
            else:
                self.at_start = False
                if self.waiting or self.uncounted:
                    place(meaning, token, is_number=False)
                else:
                    content.append((meaning, token, self.line, False))
                    if self.article:
                        self.single = meaning
            self.previous = token

    def _look_at(self, token: str, position: int) -> None:
        if token in BOUNDARIES:
            self.end_sentence(token)
        elif token in _TIES:
            self.joined += token != "to"
            self.waiting = "to" if token == "to" else self.waiting
            self.article, self.previous = False, token
        elif token in BRACKETS or token in OPERATORS or token in _SAME_SIGN:
            self.take_sign(_SAME_SIGN.get(token, token), position)
        else:
            self.take_word(token, position)

    def end_sentence(self, mark: str) -> None:
        self.line += mark == "\n"
        self.at_start, self.asked, self.article, self.previous = True, False, False, mark

    def take_sign(self, sign: str, position: int) -> None:
        if sign in BRACKETS or _counts(sign, self.tokens, position):
            self.signs.append(sign)

    def take_word(self, token: str, position: int) -> None:
        if token in ("what", "whats", "which") and self.at_start:
            self.asks_what = self.asked = True
        self.joined += token in ("and", "or", "but")
        if token in ("a", "an"):
            self.article = not self.content or self.content[-1][0] == "list"
        number = NUMBER_WORDS.get(token) or (token.replace(",", "") if token[-1].isdigit() else "")
        if token in ORDINAL_ENDINGS and self.previous[-1:].isdigit():
            self.previous = token
            return
        word = number or self._meaning(token, position)
        if number:
            self.numbers.append(number)
            self.uncounted.append(number)
        if is_cjk(token) and not number:
            self.spaceless += word
        elif word:
            self._place(word, token, is_number=bool(number))
        if token in DIRECTIONS:
            self.waiting = DIRECTIONS[token]
        if not word and token not in ("a", "an"):
            self.article = False
        if word or (token not in VERB_MARKERS and token not in STOP_WORDS):
            self.at_start = False
        self.previous = token

    def _meaning(self, token: str, position: int) -> str:
        """The stem that the token counts as, '' for words that carry none; notes the task and the questions."""
        if token in NEGATIONS:
            return NEGATION
        if is_cjk(token):
            return "" if token in CJK_STOP else token
        if token in QUESTION_WORDS:
            self.questions.add("who" if token == "whom" else token)
            self.asked = True
            return ""
        if token == "a" and self._names_a_thing(position):
            return token
        if token in GREETINGS and not (self.at_start and self._speech_follows(position)):
            return token
        if token == "use" and self.previous in ("a", "the"):
            return token
        if token == "used" and self.tokens[position + 1 : position + 2] == ["for"]:
            return "use"
        if token in ("do", "does", "did") and self.content and self._ends_here(position):
            return "do"
        if token in STOP_WORDS:
            return ""
        if not self.task and not self.asked and self._is_order() and task_of(token):
            self.task = task_of(token)
            return ""
        return stem(token)

    def _is_order(self) -> bool:
        """Whether a class word here says what to do ("List three…", "please explain…") and is no noun ("this list")."""
        return self.previous not in NOUN_MARKERS and (self.at_start or self.previous in VERB_MARKERS)

    def _speech_follows(self, position: int) -> bool:
        """Whether a greeting greets ("hello, can you ...") and is not what is asked about ("hello in French")."""
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else "."
        return after in BOUNDARIES or after in QUESTION_WORDS or after in _SPEECH or task_of(after) != ""

    def _ends_here(self, position: int) -> bool:
        """Whether the sentence ends with this word: "what an engine does", "what does it do?"."""
        return position + 1 == len(self.tokens) or self.tokens[position + 1] in BOUNDARIES

    def _names_a_thing(self, position: int) -> bool:
        """Whether "a" is no article: "is B bigger than A?"."""
        after = self.tokens[position + 1] if position + 1 < len(self.tokens) else "\n"
        ends = after in BOUNDARIES or after in OPERATORS
        return ends and (self.previous in DIRECTIONS or self.previous in ("is", "and", "or"))

    def _place(self, word: str, token: str, *, is_number: bool) -> None:
        if self.waiting:
            self.directions.add((self.waiting, word))
            self.waiting = ""
        if self.uncounted and not is_number:
            self.counted += [(value, word) for value in self.uncounted]
            self.uncounted = []
        self.content.append((word, token, self.line, is_number))
        if self.article:
            self.single = word


def _counts(sign: str, tokens: list[str], position: int) -> bool:
    """Whether an operator is one: hyphens, slashes, bullets and bold marks are not."""
    before = next((token for token in reversed(tokens[max(0, position - 3) : position]) if token not in BRACKETS), "\n")
    after = next((token for token in tokens[position + 1 : position + 4] if token not in BRACKETS), "")
    if sign == "*":
        return before not in ("*", "\n") and after != "*"
    if sign in "-/~|":
        return _is_operand(before) and _is_operand(after)
    return not (sign == ">" and before == "\n")


def _is_operand(token: str) -> bool:
    return token[-1:].isdigit() or (len(token) == 1 and token.isalpha()) or token in OPERATORS or token == ""
