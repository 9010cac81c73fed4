"""One row as signals read it: what several of them need is worked out once, and only when asked for."""

from __future__ import annotations

import re
from functools import cached_property

from engine.model import Example, Message, Row, answer_of, prompt_of
from engine.scan.text import looks_like_code

LONGEST = 40_000
"""Characters of one text that rules about its wording read; longer texts are judged by their beginning."""
_PROGRAMMING = re.compile(
    r"\b(?:functions?|cod(?:e|ing)|scripts?|programs?|programming|quer(?:y|ies)|css|html|xml|sql|python|"
    r"java(?:script)?|"
    r"typescript|regex|regular expression|algorithms?|api|class(?:es)?|method|snippet|bash|shell|command line|latex|"
    r"excel|c\+\+|c#|php|ruby|rust|golang|swift|kotlin|react|json|yaml|pseudocode|compiler|database)\b",
    re.IGNORECASE,
)


class Reading:
    """An example with its parts. `request` is what is asked, `material` the text it is asked about ('' where none)."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.number: int = example.number
        self.messages: tuple[Message, ...] = example.messages
        self.raw: Row = example.raw

    @cached_property
    def prompt(self) -> str:
        return prompt_of(self.messages)

    @cached_property
    def answer(self) -> str:
        return answer_of(self.messages)

    @cached_property
    def text(self) -> str:
        """All turns in one: what stands nowhere in it need not be looked for turn by turn."""
        return "\n".join(turn.text for turn in self.messages)

    @cached_property
    def words(self) -> list[str]:
        """What stands between blanks, in all turns."""
        return self.text.split()

    @cached_property
    def is_single(self) -> bool:
        """Whether this is one request with one answer: what is asked for then stands in one place."""
        spoken = [turn.role for turn in self.messages if turn.role != "system"]
        return spoken == ["user", "assistant"] and not self.messages[-1].calls

    @cached_property
    def asking(self) -> int:
        """Number of the last user turn, -1 where there is none."""
        return max((number for number, turn in enumerate(self.messages) if turn.role == "user"), default=-1)

    @cached_property
    def _parts(self) -> tuple[str, str]:
        text = self.prompt[:LONGEST]
        given = self.raw.get("input")
        if isinstance(given, str) and 0 < len(given.strip()) < len(text) and text.rstrip().endswith(given.strip()):
            cut = len(text.rstrip()) - len(given.strip())
            return text[:cut].strip(), given.strip()
        head, _, rest = text.strip().partition("\n")
        return head.strip(), rest.strip()

    @property
    def request(self) -> str:
        return self._parts[0]

    @property
    def material(self) -> str:
        return self._parts[1]

    @cached_property
    def asked(self) -> str:
        """The request in lower case with straight apostrophes."""
        return self.request.lower().replace("’", "'")

    @cached_property
    def said(self) -> str:
        """The answer in lower case with straight apostrophes."""
        return self.answer[:LONGEST].lower().replace("’", "'")

    @cached_property
    def is_code(self) -> bool:
        """Whether the answer looks like a program."""
        return looks_like_code(self.answer)

    @cached_property
    def about_code(self) -> bool:
        """Whether the request speaks of programs, or holds one."""
        return _PROGRAMMING.search(self.request) is not None or looks_like_code(self.prompt[:LONGEST])

    def place_in_prompt(self, part: str) -> tuple[int, int, int] | None:
        """Turn, start and end of `part` in the last user turn, or None."""
        if self.asking < 0 or not part:
            return None
        start = self.messages[self.asking].text.find(part)
        return None if start < 0 else (self.asking, start, start + len(part))
