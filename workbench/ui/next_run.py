"""The next run: its settings, its plan, which is made in a process of its own while the screen answers keys."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import TamisError
from engine.phrases import counted, share
from engine.project.project import Project
from engine.training.runs.launch import Run
from engine.workflows.train import start_run
from workbench.render.training_plan import plan_paragraphs
from workbench.render.training_run import model_name
from workbench.text.blocks import Paragraph
from workbench.text.escape import visible_line
from workbench.ui.jobs import PLAN_MODULE, run_job

MAKING = "What the run will learn, need and take, worked out with the trainer's own libraries; s stops it."


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

    @property
    def is_refused(self) -> bool:
        return self.plan is not None and bool(self.plan["refusals"])

    @property
    def given(self) -> str:
        """The settings in a line."""
        return visible_line("  ".join(f"{name} = {value}" for name, value in self.settings.items()))

    def document(self) -> Iterator[Paragraph]:
        """The plan, or why there is none."""
        if self.plan is None:
            # How far it is stands in the headline.
            yield Paragraph(((MAKING if self.making else visible_line(self.words), "muted"),))
        else:
            yield from plan_paragraphs(self.plan)

    def start(self, project: Project, why: str) -> Run:
        """Start the run; `why` is the reason to set the refusals aside, for manifest and spec. Raises TamisError."""
        overridden = {"why": why, "refusals": list(self.plan["refusals"])} if why and self.plan else None
        return start_run(project, settings=self.settings, overridden=overridden, facts=self.facts)

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
