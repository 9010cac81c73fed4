"""Rows of about sixty tokens, as the training benchmarks use them."""

from __future__ import annotations

import json

from engine.model import TrainingRow


def rows(count: int) -> tuple[TrainingRow, ...]:
    """`count` tickets, each with its label."""
    made = []
    for number in range(count):
        asked = f"Ticket {number}: my order {1000 + number} of {number % 9} lamps came late, please sort it out."
        answer = json.dumps({"intent": "shipping", "product": "lamp", "urgent": number % 3 == 0})
        made.append(
            TrainingRow(f"r{number}", ({"role": "user", "content": asked}, {"role": "assistant", "content": answer}))
        )
    return tuple(made)
