"""Merging the answers of a conflict: all of them in one text to edit, marked as version control marks a conflict."""

from __future__ import annotations

import re

from engine.errors import ProjectError, UsageError
from engine.model import Act, Cluster
from engine.phrases import counted
from engine.project.project import Project
from engine.sources.conversation.text_edits import EditableField
from workbench.actions.edit import edit_fields
from workbench.actions.edited_row import edited_row
from workbench.state.plans import DecisionPlan, plan_keep
from workbench.state.saved import FieldPath
from workbench.state.session import Session

START, BETWEEN, END = "<" * 7, "=" * 7, ">" * 7
_MARK = re.compile(rf"^(?:{START} row \d+|{BETWEEN} row \d+|{END})[ \t\r]*$", re.MULTILINE)


def conflict_here(session: Session) -> Cluster:
    """The conflict under the cursor. Raises UsageError where there is none, or its keeper's text cannot be edited."""
    entry = session.place.entry
    if entry is None or entry.cluster is None or entry.cluster.kind != "conflict":
        raise UsageError("only answers that disagree are merged", "", "e edits a row, enter keeps one of a group")
    cluster = entry.cluster
    if _answer_field(session, cluster.keeper) is None:
        raise UsageError(
            "the answer of these rows is no text that can be edited in place", "", "enter keeps one of them"
        )
    if len(_answers(session, cluster)) == 1:
        what = "the answers differ in something else than their text (calls, reasoning, earlier turns)"
        raise UsageError(what, "", "enter keeps one of them, e edits the texts of a row")
    return cluster


def merge_texts(session: Session, cluster: Cluster) -> dict[FieldPath, str]:
    """The texts to begin with: those of the keeper, in place of its answer every one there is, between marks."""
    texts = {field.path: field.text for field in edit_fields(session, cluster.keeper)}
    answers = enumerate(_answers(session, cluster).items())
    parts = [f"{BETWEEN if number else START} row {row}\n{text}\n" for number, (text, row) in answers]
    field = _answer_field(session, cluster.keeper)
    assert field is not None  # conflict_here has looked
    texts[field.path] = "".join(parts) + END
    return texts


def _answers(session: Session, cluster: Cluster) -> dict[str, int]:
    """Each text of an answer there is, and the first row that gives it."""
    answers: dict[str, int] = {}
    for row in (cluster.keeper, *cluster.others):
        own = _answer_field(session, row)
        answers.setdefault(own.text if own is not None else session.project.example(row).answer, row)
    return answers


def _answer_field(session: Session, row: int) -> EditableField | None:
    """The text that holds the closing answer: the last that is it, or the one text of a row that has no other."""
    fields, answer = edit_fields(session, row), session.project.example(row).answer
    found = [field for field in fields if field.text == answer] or (list(fields) if len(fields) == 1 else [])
    return found[-1] if found else None


def save_merge(session: Session, cluster: Cluster, texts: dict[FieldPath, str]) -> bool:
    """Keep the row with the merged text and reject the others, in one journal line.

    Raises UsageError while a mark is left, or where the row could not be trained on.
    """
    project = session.project
    if any(_MARK.search(text) for text in texts.values()):
        marks = f"{START}  {BETWEEN}  {END}"
        raise UsageError("not saved: the answers are still between their marks", "", f"take the lines {marks} out")
    # The line feed before the last mark is ours, not the answer's.
    answers = {project.example(row).answer for row in cluster.rows}
    texts = {path: text[:-1] if text.endswith("\n") and text[:-1] in answers else text for path, text in texts.items()}
    edited = edited_row(project, cluster.keeper, texts)
    session.on_screen |= set(cluster.rows)
    plan = plan_keep(project, [cluster], f"cluster:{cluster.id}", cluster.keeper)
    if edited is not None:
        plan = _with_edit(project, plan, cluster.keeper, edited)
    session.act(plan)
    rejected = counted(len(plan.rows) - 1, "row")
    session.say(f"row {cluster.keeper} holds the merged answer, rejected {rejected}", "done")
    return True


def _with_edit(project: Project, plan: DecisionPlan, keeper: int, edited: dict[str, object]) -> DecisionPlan:
    identifier = project.rows.id(keeper)
    if not any(identifier in act.ids for act in plan.acts):
        raise ProjectError(f"row {keeper} is held out or disputed: judge it by itself")
    acts = tuple(act for act in plan.acts if identifier not in act.ids)
    return DecisionPlan((Act("edit", (identifier,), {identifier: edited}), *acts), plan.rows, plan.why, plan.left_alone)
