"""The textbook case: 400 rows made of eight lines, against three that somebody thought about."""

from __future__ import annotations

import random
from typing import Any

# (instruction, output, how often): nothing wrong with a greeting, but it teaches nothing the ninetieth time.
LINES: tuple[tuple[str, str, int], ...] = (
    ("how u", "i am fine", 92),
    ("hello french", "bonjour", 84),
    ("hi", "hello", 71),
    ("thanks french", "merci", 55),
    ("bye", "goodbye", 41),
    ("what name", "i am a bot", 28),
    ("good morning french", "bonjour", 17),
    ("joke", "why did the chicken cross the road", 12),
)
GOOD: tuple[tuple[str, str, str], ...] = (
    (
        "A guest at our guesthouse writes in French that the shower has no hot water. Draft a reply in French: "
        "apologise once, say what happens next and by when, offer one small thing.",
        "Bonjour, il n'y a plus d'eau chaude dans la douche de la chambre 4 depuis ce matin.",
        "Bonjour,\n\nJe suis désolée pour ce réveil sans eau chaude. Notre plombier passe à 11 h ; la chambre 4 sera "
        "dépannée à midi au plus tard, et je vous préviens dès que c'est fait.\n\nD'ici là, la salle de bain de la "
        "chambre 2 est à vous : la clé vous attend à la réception, avec un café.\n\nBonne matinée,\nHélène",
    ),
    (
        "Explain to a ten-year-old why we say 'bonsoir' and not 'bonjour' after dark, then give one sentence "
        "with each to try at home.",
        "",
        "French splits hello in two, like a day that has a bright half and a dark half. 'Bonjour' means 'good day', "
        "so it belongs to daylight. 'Bonsoir' means 'good evening', so it takes over once the sun is down.\n\n"
        'At breakfast, try: "Bonjour papa, tu as bien dormi ?"\nAt the door tonight, try: "Bonsoir, on rentre !"',
    ),
    (
        "Our chat assistant is asked 'how are you?' by worried patients before an operation. Write the two "
        "sentences it should answer with, and say why.",
        "",
        "\"I'm a program, so I'm always steady - how are you feeling about tomorrow? If anything worries you, tell me, "
        "and I'll pass it to your nurse before she calls at six.\"\n\nWhy: it does not pretend to feelings, it turns "
        "the question back to the patient at once, and it names a person and a time, which calms more than comfort.",
    ),
)


def make_phrases(seed: int) -> list[dict[str, Any]]:
    """The 400 rows, mixed as they would come from a scraped chat log."""
    rows = [{"instruction": ask, "input": "", "output": answer} for ask, answer, times in LINES for _ in range(times)]
    random.Random(seed).shuffle(rows)
    return rows


def make_good_phrases() -> list[dict[str, Any]]:
    """The three expert rows."""
    return [{"instruction": ask, "input": text, "output": answer} for ask, text, answer in GOOD]
