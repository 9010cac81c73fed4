"""Why a command cannot act now, in a sentence; None where it can. A key that cannot act says why."""

from __future__ import annotations

from workbench.actions.edited_row import fields_of
from workbench.state.session import Session


def read_only(session: Session) -> str | None:
    """Why nothing is decided here, short enough for 80 columns, with what to do."""
    project = session.project
    if not project.readonly:
        return None
    if project.is_locked_out:
        return "read-only: another window decides here; :take-over makes it this one"
    if project.readonly_reason == "opened read-only":
        return "read-only, as asked for: start without --readonly to decide"
    return f"read-only: {project.readonly_reason}"


def no_take_over(session: Session) -> str | None:
    return None if session.project.is_locked_out else read_only(session) or "this window decides here already"


def no_verdict(session: Session) -> str | None:
    refused = read_only(session)
    if refused is not None:
        return refused
    if session.place.screen == "triage" and session.place.entry is None:
        return "no row here: / changes the filter"
    return None


def no_edit(session: Session) -> str | None:
    refused = no_verdict(session)
    if refused is not None or session.place.entry is None:
        return refused
    if session.place.entry.is_header:
        return "this is a group: go to one of its rows (j) to edit it"
    return (
        None
        if fields_of(session.project, session.place.entry.row)
        else "this row has no text that can be edited in place"
    )


def no_edit_outside(session: Session) -> str | None:
    if session.place.screen == "triage" and not session.selection.marked:
        return no_merge(session) if session.place.on_conflict else no_edit(session)
    refused, item = no_verdict(session), session.overview.item
    if refused is None and session.place.screen == "overview" and (item is None or not item.bulk):
        return "go to a line of rows (a bucket, a flag, a year) to edit them together; enter opens this one"
    return refused


def no_turn_edit(session: Session) -> str | None:
    refused = no_verdict(session)
    if refused is not None or session.place.turn is not None:
        return refused
    return "no turn is in focus: l goes to the first one"


def no_merge(session: Session) -> str | None:
    refused = no_verdict(session)
    if refused is None and not session.place.on_conflict:
        return "only answers that disagree are merged; e edits a row, enter keeps one of a group"
    return refused


def no_keep(session: Session) -> str | None:
    refused = no_verdict(session)
    if refused is not None or session.place.entry is None or session.place.entry.cluster is not None:
        return refused
    groups = [cluster for cluster in session.project.clusters_of(session.place.entry.row) if cluster.kind != "variant"]
    if groups:
        return f"its group is not in this filter: / cluster:{groups[0].id} shows it"
    return "this row is in no group: a accepts it, x rejects it"


def no_open(session: Session) -> str | None:
    return None if session.overview.item is not None else "nothing to open"


def no_raw(session: Session) -> str | None:
    if session.place.entry is not None and session.place.entry.is_header and not session.place.raw_open:
        return "this is a group: go to one of its rows (j) to see its bytes"
    return no_row(session)


def no_cancel(session: Session) -> str | None:
    return None if session.progress.job or session.selection.marked or session.place.searching else "nothing is running"


def no_row(session: Session) -> str | None:
    return None if session.place.entry is not None else "no row here: / changes the filter"
