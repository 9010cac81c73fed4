"""Looking at the untouched rows with a model tuned on the accepted ones, and bringing back what a run says of rows.

Re-scoring is an ordinary detached run on the accepted rows, which measures every undecided row at its end. It puts
rows in order and names reasons; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import TrainingError, UsageError
from engine.model import Example, TrainingRow
from engine.project.journal import now
from engine.project.project import Project
from engine.project.row_content import refuse_changed
from engine.project.suspects import Suspected, Suspects, save_suspects
from engine.training.eval.row_losses import Suspect, read_row_losses, surprise, suspects_of
from engine.training.runs.launch import Run, launch_queue
from engine.training.runs.status import list_runs
from engine.workflows.gate import gate
from engine.workflows.row_secrets import not_let_through
from engine.workflows.train import planned_run, run_manifest
from engine.workflows.training_sets import gather

NAME = "rescore"
ALIKE = 85.0
"""Similarity of two requests (0 to 100) from which one is named beside the other."""
NEIGHBOURS = 2


def untouched(project: Project) -> tuple[TrainingRow, ...]:
    """The undecided rows outside the held-out set that a trainer could use."""
    numbers = [n for n in project.training if project.verdict(n) == "undecided" and not project.is_leaking(n)]
    refuse_changed(project, numbers)
    return gather(map(project.example, numbers), frozenset(not_let_through(project, numbers))).rows


def start_rescore(project: Project, *, model: str | None = None, settings: Mapping[str, Any] | None = None) -> Run:
    """Start a detached run on the accepted rows that measures the undecided ones. Raises UsageError, TrainingError."""
    job = planned_run(project, model=model, settings=settings)
    others = untouched(project)
    if not others:
        raise UsageError("nothing to look at again: no row is undecided", "", "undo something, or add rows")
    document = run_manifest(project, job.train, gate(project), {"rescored_rows": len(others)})
    named = replace(job, spec=replace(job.spec, name=NAME), others=others, manifest=document)
    return launch_queue([named], project.folder / "runs")[0]


def latest_run(project: Project) -> Path:
    """The newest run of the project that measured single rows and has ended. Raises TrainingError."""
    for state in list_runs(project.folder / "runs"):
        if not state.alive and (state.dir / "rows.jsonl").is_file():
            return state.dir
    raise TrainingError("no run of this project has measured its rows yet", "", "tamis train or tamis rescore does")


def point_back(project: Project, run_dir: Path) -> Suspects:
    """Read what a run says of rows, add their neighbours, and keep it beside the rows. Raises TrainingError.

    Compares requests with rapidfuzz: not for the workbench's process.
    """
    if not (run_dir / "rows.jsonl").is_file():
        raise TrainingError(f"{run_dir.name} measured no single rows", "", "train again with row_losses = 2000")
    found = suspects_of(run_dir)
    texts = Texts(project, {suspect.id for suspect in found})
    rows = tuple(Suspected(s.id, s.kind, s.rank, s.of, _with_neighbours(s, texts.near(s.id))) for s in found)
    scores = {name: round(value, 5) for name, value in surprise(read_row_losses(run_dir, "others")).items()}
    suspects = Suspects(run_dir.name, now(), rows, scores)
    save_suspects(project.folder, suspects)
    project.reload_findings()
    return suspects


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An accepted row whose request is alike (0 to 100): whether it asks the same thing, and answers the same."""

    row: int
    alike: float
    same: bool
    agrees: bool

    def __str__(self) -> str:
        if not self.same:
            return f"nearest: row {self.row} (accepted, {self.alike:.0f} % alike)"
        return f"row {self.row} (accepted) asks the same and answers {'the same' if self.agrees else 'otherwise'}"


class Texts:
    """Requests and answers of the accepted rows, to find the ones nearest to a row in."""

    def __init__(self, project: Project, wanted: Iterable[str]) -> None:
        self._project = project
        self._accepted = [n for n in project.training if project.verdict(n) == "accepted"]
        examples = [project.example(number) for number in self._accepted]
        self._shared = _shared_opening([example.prompt for example in examples])
        self._requests = [self._bare(example.prompt) for example in examples]
        self._answers = {n: _answer(example) for n, example in zip(self._accepted, examples, strict=True)}
        self._near: dict[str, tuple[Neighbour, ...]] = {identifier: self._nearest(identifier) for identifier in wanted}

    def near(self, identifier: str) -> tuple[Neighbour, ...]:
        """The accepted rows nearest to this one, the most alike first."""
        return self._near.get(identifier, ())

    def _bare(self, prompt: str) -> str:
        return " ".join(prompt.removeprefix(self._shared).casefold().split())

    def _nearest(self, identifier: str) -> tuple[Neighbour, ...]:
        from rapidfuzz import fuzz, process

        from engine.scan.requests.guard import judge
        from engine.scan.requests.key import key_of

        number = self._project.rows.number(identifier)
        if number is None:
            return ()
        example = self._project.example(number)
        request = self._bare(example.prompt)
        found = process.extract(request, self._requests, scorer=fuzz.ratio, limit=NEIGHBOURS + 1, score_cutoff=ALIKE)
        near = []
        for text, score, place in found:
            row = self._accepted[place]
            if row != number:
                # Alike is not the same: what a pair differs in decides (a number, a name, a negation).
                same = judge(key_of(text), key_of(request), {}).same
                near.append(Neighbour(row, score, same, _same(self._answers[row], _answer(example))))
        return tuple([neighbour for neighbour in near if neighbour.same][:NEIGHBOURS] or near[:1])


def _shared_opening(prompts: Sequence[str]) -> str:
    """A first paragraph that nine of ten requests begin with: it says nothing about how alike two are."""
    if not prompts:
        return ""
    opening = prompts[len(prompts) // 2].partition("\n\n")[0] + "\n\n"
    return opening if sum(prompt.startswith(opening) for prompt in prompts) >= 0.9 * len(prompts) else ""


def _answer(example: Example) -> str:
    """What the closing turn says and calls."""
    return "\n".join((example.messages[-1].text, *example.messages[-1].calls)) if example.messages else ""


def _same(one: str, other: str) -> bool:
    return "".join(one.casefold().split()) == "".join(other.casefold().split())


def _with_neighbours(suspect: Suspect, near: Sequence[Neighbour]) -> str:
    """The reason, and what the nearest accepted rows say; one that answers otherwise is the better reason."""
    against = [str(neighbour) for neighbour in near if neighbour.same and not neighbour.agrees]
    beside = [str(neighbour) for neighbour in near if not neighbour.same or neighbour.agrees]
    return "; ".join([*against, suspect.reason, *beside])
