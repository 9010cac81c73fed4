"""The commands about data: scan, status, journal, holdout, do, export."""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.model import BUCKET_LABELS, BUCKETS, CLUSTER_KINDS, Findings
from engine.paths import is_project
from engine.project.create import create_project
from engine.project.project import Project, open_project
from engine.sources.guess import guess_shapes
from workbench.cli.common import (
    Narrator,
    find_project,
    given_source,
    name_reviewer,
    narrate,
    open_for_deciding,
    print_json,
    some,
)
from workbench.text.escape import visible


def scan(arguments: argparse.Namespace) -> int:
    """`tamis scan PATH`: without --project nothing is written beside the source."""
    narrator = Narrator()
    if is_project(arguments.path):
        return _scan_folder(arguments.path, arguments.json, narrator)
    with given_source(arguments.path) as source:
        return _scan_source(source, arguments, narrator)


def _scan_source(source: Path, arguments: argparse.Namespace, narrator: Narrator) -> int:
    options: dict[str, Any] = {"words": arguments.map, "key": arguments.key, "progress": narrator}
    if arguments.project is not None:
        folder = arguments.project
        if not is_project(folder):
            folder = create_project(source, folder, **options)
        return _scan_folder(folder, arguments.json, narrator)
    with tempfile.TemporaryDirectory(prefix="tamis-scan-") as scratch:
        folder = create_project(source, Path(scratch) / "scan.tamis", **options)
        return _scan_folder(folder, arguments.json, narrator)


def _scan_folder(folder: Path, as_json: bool, narrator: Narrator) -> int:
    from engine.jobs.scan import scan_project

    with open_project(folder, readonly=True) as project:
        findings = scan_project(project, narrator)
        narrator.end()
        if as_json:
            print_json(scan_json(project, findings))
        else:
            _print_findings(project, findings)
    return 0


def scan_json(project: Project, findings: Findings) -> dict[str, Any]:
    """The contract's `scan` object."""
    return {
        "source": project.settings.source.path,
        "format": project.settings.source.format,
        "rows": len(project.rows),
        "quarantined": project.counts()["quarantined"],
        "notes": project.settings.source.notes,
        "clusters": [
            {"id": c.id, "kind": c.kind, "rows": list(c.rows), "keeper": c.keeper, "evidence": list(c.evidence)}
            for c in findings.clusters
        ],
        "flags": [
            {"row": f.row, "signal": f.signal, "severity": f.severity, "reason": f.reason} for f in findings.flags
        ],
        "bucket": list(findings.buckets),
        "leaks": [{"row": leak.row, "heldout": leak.heldout, "kind": leak.kind} for leak in findings.leaks],
        "seconds": dict(findings.seconds),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _print_findings(project: Project, findings: Findings) -> None:
    counts = project.counts()
    print(
        f"{project.name}: {len(project.rows):,} rows, {project.mapping.describe()}, "
        f"{counts['quarantined']:,} lines set aside"
    )
    mixed = guess_shapes(project.rows.raw(number) for number in range(len(project.rows))).mixed
    if mixed:
        print(f"  {mixed}")
    for note, count in project.settings.source.notes.items():
        print(f"  read with a note: {note} ({count:,} rows)")
    for kind in CLUSTER_KINDS:
        members = [cluster.rows for cluster in findings.clusters if cluster.kind == kind]
        if members:
            print(f"  {kind:<9}{len(members):>7,} groups {sum(map(len, members)):>8,} rows")
    if findings.leaks:
        print(f"  leak     {len(findings.leaks):>7,} training rows with a held-out twin")
    buckets = Counter(findings.buckets)
    for bucket in BUCKETS:
        print(f"  {bucket:<9}{buckets[bucket]:>7,} rows    {BUCKET_LABELS[bucket]}")
    for signal, count in Counter(flag.signal for flag in findings.flags).most_common():
        print(f"  flag:{signal:<22}{count:>7,}")
    print(f"  in {findings.seconds.get('total', 0):.1f} s")


def status(arguments: argparse.Namespace) -> int:
    """`tamis status PROJECT`."""
    with open_project(find_project(arguments.project), readonly=True) as project:
        counts = project.counts()
        if arguments.json:
            print_json(counts)
            return 0
        print(f"{project.name}: {counts['rows']:,} rows, {counts['heldout']:,} of them held out")
        for name in ("accepted", "edited", "rejected", "skipped", "undecided", "disputed"):
            print(f"  {name:<10}{counts[name]:>8,}")
        if project.findings is None:
            print("  open: not known, no scan fits these rows: tamis scan PROJECT")
        else:
            print(f"  open: {counts['clusters_open']:,} duplicate groups, {counts['conflicts_open']:,} conflicts")
        if counts["quarantined"]:
            print(f"  set aside: {counts['quarantined']:,} lines, in {project.folder / 'quarantine.jsonl'}")
        if counts["agreement"] is not None:
            agreed = counts["agreement"]
            print(f"  agreement: Cohen's kappa {agreed['kappa']:.2f} over {agreed['rows']:,} rows decided by two")
        print(f"  reviewers: {visible(', '.join(counts['reviewers'])) or 'nobody yet'}")
        for note in project.notes:
            narrate(visible(note))
    return 0


def journal(arguments: argparse.Namespace) -> int:
    """`tamis journal PROJECT`: every line of every journal, in the order of its file."""
    from engine.project.journal import read_lines

    with open_project(find_project(arguments.project), readonly=True) as project:
        lines = [line | {"file": path.name} for path in project.journal_files() for line in read_lines(path)[0]]
    if arguments.json:
        print_json({"lines": lines})
        return 0
    for line in lines:
        print(visible(f"{line['n']:>5} {line.get('at', '')} {line.get('by', '')}  {_in_words(line)}"))
    return 0


def _in_words(line: dict[str, Any]) -> str:
    for word in ("undo", "redo"):
        if word in line:
            return f"{word} of line {line[word]}"
    acts = " and ".join(f"{act['do']} {_rows(act.get('ids', ()))}" for act in line.get("acts", ()))
    return f"{acts}  ({line['why']})" if line.get("why") else acts


def _rows(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{len(ids)} rows"


def holdout(arguments: argparse.Namespace) -> int:
    """`tamis holdout PROJECT N|P%|FILE`: reserve the held-out set, once."""
    from engine.jobs.scan import scan_project
    from engine.project.heldout import parse_amount, reserve_drawn, reserve_file

    folder = find_project(arguments.project)
    reviewer = name_reviewer(arguments.reviewer, folder)
    with open_project(folder, readonly=True) as project:
        wanted = parse_amount(arguments.amount, len(project.rows))
    if wanted is None:
        held, numbers = reserve_file(
            folder, Path(arguments.amount), reviewer, scan=lambda project: scan_project(project, Narrator())
        )
        with held:
            scan_project(held, Narrator())
            variants = held.heldout_variants
        drawn: list[int] = list(numbers)
    else:
        with open_for_deciding(folder, reviewer) as project:
            if project.findings is None:
                scan_project(project, Narrator())
            drawn = reserve_drawn(project, wanted, seed=arguments.seed, by=arguments.by)
            # What is held out never shares a group with what is not: the findings are made anew.
            scan_project(project, Narrator())
            variants = project.heldout_variants
    if arguments.json:
        print_json({"heldout": len(drawn), "rows": drawn, "variants": variants})
        return 0
    print(f"held out {len(drawn):,} rows; judge them one by one: only accepted ones are measured")
    if variants:
        print(f"  {len(variants):,} families of variants have rows on both sides: alike, but they ask for other things")
    for rows in variants[:8]:
        print(f"    rows {some(rows)}")
    return 0


def do(arguments: argparse.Namespace) -> int:
    """`tamis do PROJECT 'COMMAND' …`: the workbench's commands, headless."""
    if bool(arguments.commands) == bool(arguments.source):
        raise UsageError("give commands, or a file with --from", "", "for example tamis do P 'reject bucket:drop'")
    with open_for_deciding(arguments.project, arguments.reviewer, arguments.take_over) as project:
        _scan_if_stale(project)
        outcomes = (
            _replayed(project, arguments) if arguments.source else _done(project, arguments.commands, arguments.dry_run)
        )
        if arguments.json:
            print_json({"done": outcomes, "dry_run": arguments.dry_run, "status": project.counts()})
        else:
            for outcome in outcomes:
                print(visible(str(outcome["text"])))
    return 0


def _scan_if_stale(project: Project) -> None:
    """Scan where no findings fit: without them no bulk command would know a contradiction from a clean row."""
    from engine.jobs.scan import scan_project

    if not project.is_scanned:
        narrate("no scan fits these rows: scanning first")
        scan_project(project, Narrator())


def _done(project: Project, commands: list[str], dry_run: bool) -> list[dict[str, Any]]:
    from workbench.actions.typed_commands import run_headless

    outcomes = []
    for line in commands:
        outcome = run_headless(project, line, dry_run=dry_run)
        outcomes.append({"command": line, "rows": outcome.rows, "n": outcome.n, "text": outcome.text})
    return outcomes


def _replayed(project: Project, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from engine.project.replay import is_journal, replay

    path: Path = arguments.source
    if not is_journal(path):
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        return _done(project, [line for line in lines if line and not line.startswith("#")], arguments.dry_run)
    replayed = replay(project, path, dry_run=arguments.dry_run)
    text = f"{replayed.lines} lines on {replayed.rows} rows" + (
        f", {replayed.unknown} rows unknown here" if replayed.unknown else ""
    )
    return [{"command": f"--from {path}", "rows": replayed.rows, "n": None, "text": text}]


def merge_projects(arguments: argparse.Namespace) -> int:
    """`tamis merge PROJECT OTHER`."""
    from engine.project.merge import merge

    found = merge(find_project(arguments.project), find_project(arguments.other))
    if arguments.json:
        print_json(asdict(found))
        return 0
    print(f"{len(found.brought)} journals brought, {len(found.grown)} grown, {len(found.parted)} had gone two ways")
    print(f"  {found.disputed:,} rows are decided differently: is:disputed")
    if found.unknown:
        print(f"  {found.unknown:,} decisions are on rows that this project lacks: `tamis add` brings rows")
    return 0


def export_rows(arguments: argparse.Namespace) -> int:
    """`tamis export PROJECT --to PATH`."""
    from engine.workflows.export import export

    narrator = Narrator()
    # Letting secrets through is a decision: it needs a name, and a line of the journal.
    opened = (
        open_for_deciding(arguments.project, arguments.reviewer)
        if arguments.override
        else open_project(find_project(arguments.project), readonly=True)
    )
    with opened as project:
        summary = export(
            project,
            arguments.to,
            format_name=arguments.format,
            container=arguments.container,
            include_undecided=arguments.include == "undecided",
            lossy=arguments.lossy,
            override=arguments.override,
            licence=arguments.license,
            progress=narrator,
        )
    narrator.end()
    if arguments.json:
        print_json(summary)
        return 0
    for line in export_lines(summary):
        print(line)
    return 0


def export_lines(summary: dict[str, Any]) -> list[str]:
    """An export in words."""
    lines = [
        f"{summary['rows']:,} rows to {summary['to']} ({summary['format']}), "
        f"{summary['holdout_rows']:,} held-out rows beside them"
    ]
    if summary["untouched"]:
        identical, untouched = summary["untouched_identical"], summary["untouched"]
        lines.append(f"  {identical:,} of {untouched:,} untouched rows are the source's own lines, byte for byte")
    if summary["left_behind"]:
        lines.append(f"  fields left behind: {', '.join(summary['left_behind'])}")
    lines += [f"  lost: {what} in {count:,} rows" for what, count in summary["lost"].items()]
    lines += [f"  left out: {count:>6,} {reason}" for reason, count in summary["left_out"].items()]
    lines += [f"  sha256 {digest}  {name}" for name, digest in summary["sha256"].items()]
    return lines


# `tamis add PROJECT FILE`: new rows, checked against what is there, and what they bring.


def add(arguments: argparse.Namespace) -> int:
    """`tamis add PROJECT FILE`: rows that are new come in undecided; a new version of the source pairs changed rows."""
    from engine.jobs.scan import scan_project
    from engine.project.add_rows import grow
    from engine.workflows.learning_curve import brings

    folder = find_project(arguments.project)
    reviewer = name_reviewer(arguments.reviewer, folder)
    found = grow(folder, arguments.file, reviewer, replaces=arguments.new_version or None)
    with open_project(folder, readonly=True) as project:
        scan_project(project, Narrator())
        links = _links(project, found.added)
        brought = brings(project, found.added, links)
    told = {
        "added": len(found.added),
        "known": found.known,
        "changed": {str(new): old for new, old in found.changed.items()},
        "vanished": list(found.vanished),
        "quarantined": found.quarantined,
        "links": links,
        "brings": brought,
    }
    if arguments.json:
        print_json(told)
        return 0
    print(f"{len(found.added):,} rows added, {found.known:,} were here already, {found.quarantined:,} lines set aside")
    if found.changed:
        print(f"  {len(found.changed):,} changed since their old selves came in: is:changed")
    if found.vanished:
        print(f"  {len(found.vanished):,} rows are not in the new version: {some(found.vanished)}")
    for kind, numbers in links.items():
        print(f"  {len(numbers):,} added rows are {kind} of rows that were here: {some(numbers)}")
    for line in _brought_lines(brought):
        print(visible(line))
    return 0


def _brought_lines(brought: dict[str, Any]) -> list[str]:
    """What the added rows bring, as far as the last curve can tell."""
    lines = [f"  {brought['new']:,} of them repeat nothing that was here"]
    if brought["nll"] is not None:
        expected = f"{brought['nll']:.3f} to {brought['nll_expected']:.3f}"
        lines.append(f"  accepted, they should take the held-out NLL from about {expected} (curve {brought['curve']})")
    for topic in brought["topics"]:
        words = ", ".join(topic["words"]) or "no common words"
        lines.append(f"  {topic['added']:,} on {words}: the NLL is {topic['times_mean']:.1f} times the mean there")
    return lines


def _links(project: Project, added: tuple[int, ...]) -> dict[str, list[int]]:
    """Added rows that link to older ones: kind of cluster (or leak) -> their numbers."""
    fresh = set(added)
    links: dict[str, list[int]] = {}
    for number in added:
        kinds = {c.kind for c in project.clusters_of(number) if not fresh.issuperset(c.rows)}
        for kind in sorted(kinds) + (["leak"] if project.is_leaking(number) else []):
            links.setdefault(kind, []).append(number)
    return links
