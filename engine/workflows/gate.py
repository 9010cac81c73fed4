"""The gate on a project: what its accepted rows come to, beside the limits of `gate.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.export.curated import curate
from engine.model import Act, Cluster
from engine.project.journal import read_lines, standing_lines
from engine.project.project import Project
from engine.review.recheck import SelfAgreement, self_agreement
from engine.training.eval.gate_rules import FILE_NAME, Check, Measure, check_json, judge, read_gate
from engine.workflows.row_secrets import not_let_through

NOT_SCANNED = Measure(None, "not scanned: tamis scan PROJECT")
OF_GATE = "gate"
Lines = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class GateResult:
    """`has_file`: whether there are limits at all; `override`: the standing word that sets failed checks aside."""

    checks: tuple[Check, ...]
    has_file: bool
    override: dict[str, Any] | None

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that are not met."""
        return tuple(check for check in self.checks if check.passed is False)

    @property
    def is_open(self) -> bool:
        """Whether a run may start: every limit is kept, or what is not was set aside in words."""
        return not self.failed or self.override is not None


def gate_file(project: Project) -> Path:
    """`gate.toml` in the project folder, else beside the source, where a repository would keep it."""
    inside = project.folder / FILE_NAME
    beside = project.folder.parent / FILE_NAME
    return beside if not inside.exists() and beside.exists() else inside


def gate(project: Project) -> GateResult:
    """Measure the accepted rows and judge them. Raises UsageError for a file that cannot be used."""
    bounds = read_gate(gate_file(project))
    journals = journal_lines(project)
    checks = judge(bounds, measures(project, journals))
    failed = {check.limit.key for check in checks if check.passed is False}
    return GateResult(checks, bounds is not None, standing_override(journals, failed) if failed else None)


def journal_lines(project: Project) -> list[Lines]:
    """The lines of each journal that the project stands on, in the order of the journals' names."""
    return [read_lines(path, upto=end.size)[0] for path, end in project.journal_ends().items()]


def measures(project: Project, journals: Sequence[Lines]) -> dict[str, Measure]:
    """What each limit is about, by its key. `journals` are the lines of each journal."""
    accepted = [number for number in range(len(project.rows)) if is_chosen(project, number)]
    unseen = tuple(number for number in accepted if not project.is_seen(number))
    training = curate(project).training
    secret = tuple(not_let_through(project, training))
    found = {
        "min_accepted": Measure(
            len(training) - len(secret), f"{len(secret)} more hold secrets" if secret else "", secret
        ),
        "min_seen_share": Measure(share(len(accepted) - len(unseen), len(accepted)), f"{len(unseen)} were not", unseen),
        "min_self_agreement": agreement(project, journals),
    }
    if project.findings is None:
        rest = ("max_duplicate_share", "max_open_conflicts", "max_leaks", "max_stale_share")
        return found | dict.fromkeys(rest, NOT_SCANNED)
    chosen = set(accepted)
    copies = sorted(copies_of(project, chosen))
    conflicts = [each for each in project.findings.clusters if each.kind == "conflict" and is_unsettled(project, each)]
    leaks = tuple(number for number in accepted if project.is_leaking(number))
    stale = tuple(number for number in accepted if any(flag.signal == "stale" for flag in project.flags_of(number)))
    return found | {
        "max_duplicate_share": Measure(share(len(copies), len(accepted)), f"{len(copies)} rows", tuple(copies)),
        "max_open_conflicts": Measure(
            len(conflicts), "", tuple(sorted({row for one in conflicts for row in one.rows}))
        ),
        "max_leaks": Measure(len(leaks), "exports and runs leave them out" if leaks else "", leaks),
        "max_stale_share": Measure(share(len(stale), len(accepted)), f"{len(stale)} rows", stale),
    }


def is_chosen(project: Project, number: int) -> bool:
    """Whether a row is an accepted training row."""
    return project.verdict(number) == "accepted" and not project.is_heldout(number) and not project.is_disputed(number)


def share(part: int, whole: int) -> float:
    """A share; of nothing it is 0."""
    return part / whole if whole else 0.0


def copies_of(project: Project, chosen: set[int]) -> set[int]:
    """Accepted rows that repeat another accepted row: of each duplicate group all but one."""
    copies: set[int] = set()
    assert project.findings is not None
    for cluster in project.findings.clusters:
        if cluster.kind not in ("exact", "near") or cluster.alternatives:
            continue
        members = [row for row in cluster.rows if row in chosen]
        kept = cluster.keeper if cluster.keeper in members else members[:1][0] if members else None
        copies |= {row for row in members if row != kept}
    return copies


def is_unsettled(project: Project, cluster: Cluster) -> bool:
    """Whether a contradiction is open: rows of it undecided, or answers that disagree accepted side by side."""
    if project.is_open(cluster):
        return True
    voices = cluster.voices or tuple(range(len(cluster.rows)))
    accepted = {voice for row, voice in zip(cluster.rows, voices, strict=True) if is_chosen(project, row)}
    if len(accepted) < 2:
        return False
    ids = {project.rows.id(row) for row in cluster.rows if is_chosen(project, row)}
    return not any(ids <= set(act.ids) for act in project.constraints() if act.do != "split")


def agreement(project: Project, journals: Sequence[Lines]) -> Measure:
    """How often people agreed with themselves, over all journals."""
    found: list[SelfAgreement] = [self_agreement(lines) for lines in journals]
    answered, same = sum(one.answered for one in found), sum(one.same for one in found)
    if not answered:
        return Measure(None, "nobody has looked a second time: is:recheck")
    numbers = (project.rows.number(identifier) for one in found for identifier in one.differing)
    rows = tuple(sorted(number for number in numbers if number is not None))
    return Measure(same / answered, f"{same} of {answered}", rows)


def override_gate(project: Project, why: str) -> GateResult:
    """Set the checks that fail now aside, in words that go into the journal and into every manifest from now on.

    Raises UsageError where nothing fails or no reason is given.
    """
    found = gate(project)
    if not why.strip():
        raise UsageError("an override needs a reason", "", 'write it: --override "why"')
    if not found.failed:
        raise UsageError("nothing to set aside: every limit is kept", "", "see `tamis gate PROJECT`")
    names = [check.limit.key for check in found.failed]
    rows = sorted({row for check in found.failed for row in check.measure.rows})
    ids = tuple(project.rows.id(row) for row in rows)
    project.decide([Act("override", ids, extra={"of": OF_GATE, "checks": names})], why=why)
    return replace(found, override=standing_override(journal_lines(project), set(names)))


def standing_override(journals: Sequence[Lines], failed: set[str]) -> dict[str, Any] | None:
    """The newest word that sets all of the failed checks aside, unless it was undone."""
    found: list[dict[str, Any]] = []
    for lines in journals:
        found += [dict(line) for line in standing_lines(lines) if failed <= checks_of(line["acts"])]
    if not found:
        return None
    newest = max(found, key=lambda line: str(line.get("at", "")))
    return {"why": newest.get("why", ""), "by": newest.get("by", ""), "at": newest.get("at", "")}


def checks_of(acts: Iterable[Any]) -> set[str]:
    """The checks that the acts of a line set aside."""
    named: set[str] = set()
    for act in acts:
        if act.get("do") == "override" and act.get("of") == OF_GATE:
            named |= set(act.get("checks", ()))
    return named


def gate_json(project: Project, result: GateResult) -> dict[str, Any]:
    """What `tamis gate --json` prints, and what stands in manifests."""
    ids = {row: project.rows.id(row) for check in result.checks for row in check.measure.rows}
    return {
        "passed": None if not result.has_file else not result.failed,
        "override": result.override,
        "checks": [check_json(check, ids) for check in result.checks],
    }


def gate_summary(project: Project, result: GateResult) -> dict[str, Any]:
    """The gate's result for a manifest: counts and limits, the ids of rows only where a limit is not kept."""
    told = gate_json(project, result)
    for check in told["checks"]:
        del check["rows"]
        if check["passed"] is not False:
            del check["ids"]
    return told
