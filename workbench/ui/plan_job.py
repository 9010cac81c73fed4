"""The plan of the next run, made in a process of its own while the screen answers keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import TamisError
from engine.phrases import share
from engine.project.project import Project
from workbench.render.training_run import model_name
from workbench.text.phrases import counted
from workbench.ui.jobs import PLAN_MODULE, run_job


@dataclass(slots=True)
class NextRun:
    """The settings given on the screen, and the plan they lead to.

    `plan` is the object of `tamis plan --json`, None while there is none; then `words` says why: how far it is, or what
    stands against making one.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: str = ""
    making: bool = False
    _turn: int = 0

    @property
    def headline(self) -> str:
        """The run in a line, with what its plan comes to."""
        if self.plan is None:
            return self.words
        plan = self.plan
        parts = [counted(plan["rows"], "row"), model_name(plan["model"]), counted(int(plan["steps"]["value"]), "step")]
        if plan["refusals"]:
            parts.append(f"{len(plan['refusals'])} refused")
        if plan["warnings"]:
            parts.append(counted(len(plan["warnings"]), "warning"))
        return ", ".join(parts)

    def override(self, why: str) -> dict[str, Any]:
        """What manifest and spec say where the refusals are set aside."""
        return {"why": why, "refusals": list(self.plan["refusals"])} if self.plan else {}

    def stopped(self, words: str) -> None:
        """What was being made no longer counts, and says no more."""
        self._turn += 1
        self.making, self.words = False, words

    async def make(self, project: Project, changed: Callable[[], None]) -> None:
        """Make the plan; `changed` is called whenever `words` or `plan` are other ones. Never raises TamisError."""
        if not any(project.verdict(number) == "accepted" for number in project.training):
            self.words = "nothing to train on: no training row is accepted: accept rows first"
            changed()
            return
        self._turn += 1
        turn = self._turn
        self.plan, self.making, self.words = None, True, "making the plan \u2026"
        changed()

        def progress(phase: str, done: int, of: int) -> None:
            if turn == self._turn:
                self.words = f"making the plan: {phase} {share(done / of)}" if of else f"making the plan: {phase}"
                changed()

        told: Mapping[str, Any] = {"plan": None, "facts": {}}
        fault = ""
        try:
            told = await run_job(PLAN_MODULE, project.folder, progress, json.dumps(self.settings))
        except TamisError as error:
            fault = str(error)
        if turn == self._turn:  # else another one has been asked for meanwhile
            self.plan, self.facts, self.words, self.making = told["plan"], told["facts"], fault, False
            changed()
