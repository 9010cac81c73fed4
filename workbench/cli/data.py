"""The commands about rows: finding what is wrong with them (scan), bringing in more (add), holding some out
(holdout)."""

from __future__ import annotations

import argparse
import resource
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.errors import UsageError, shell_command
from engine.jobs.scan import scan_project
from engine.model import BUCKET_LABELS, BUCKETS, CLUSTER_KINDS, Conversation, Findings
from engine.paths import is_project
from engine.phrases import counted, duration
from engine.project.add_rows import grow
from engine.project.by_source import counts_by_source
from engine.project.create import create_project
from engine.project.heldout import parse_amount, reserve_drawn, reserve_file
from engine.project.project import Project, open_project
from engine.project.reread import Rereading, read_anew, reread
from engine.scratch import scratch_folder
from engine.sources.conversation.conversation import conversation_of
from engine.sources.files.pieces import JOINED
from engine.sources.shapes.guess import Guess, count_shapes
from engine.trust import remember_made
from engine.workflows.learning_curve import brings
from workbench.actions.proposed import came_along_words, score_words
from workbench.cli.common import (
    find_project,
    given_sources,
    name_reviewer,
    open_for_deciding,
    open_for_reading,
    open_to_look,
    refuse_other_rows,
    refuse_unshared,
    some,
    tell_notes,
    tell_shared,
)
from workbench.cli.output import Narrator, narrate, print_json, say
from workbench.text.escape import visible_line


def scan(arguments: argparse.Namespace) -> int:
    """`tamis scan PATH …`: without --project nothing is written beside the source."""
    narrator, paths = Narrator(), arguments.paths
    if arguments.shared:
        refuse_unshared(arguments.project)
    if len(paths) == 1 and is_project(paths[0]):
        return _scan_folder(paths[0], arguments.json, narrator)
    if arguments.project is not None and is_project(arguments.project):
        if len(paths) > 1:
            refuse_other_rows(arguments.project, paths)
        return _scan_folder(arguments.project, arguments.json, narrator)
    with given_sources(paths) as given, scratch_folder("scan", large=True) as scratch:
        folder = create_project(
            given.paths[0],
            arguments.project or scratch / "scan.tamis",
            further=given.paths[1:],
            words=arguments.map,
            key=arguments.key,
            progress=narrator,
            fetched=given.fetched,
            encoding=arguments.encoding,
            shared=arguments.shared,
        )
        if arguments.project:
            remember_made(folder)
        if arguments.shared:
            tell_shared(folder)
        return _scan_folder(folder, arguments.json, narrator)


def _scan_folder(folder: Path, as_json: bool, narrator: Narrator) -> int:
    with open_to_look(folder) as project:
        findings = scan_project(project, narrator, tell=narrate)
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
        "shapes": _counted_shapes(project).shapes,
        "notes": project.settings.source.notes,
        "joined": project.settings.source.joined,
        "sources": counts_by_source(project),
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


def _counted_shapes(project: Project) -> Guess:
    return count_shapes(map(project.rows.raw, range(len(project.rows))))


def _print_findings(project: Project, findings: Findings) -> None:
    counts = project.counts()
    read = f"{project.title}: {counted(len(project.rows), 'row')}, {project.mapping.describe()}"
    say(f"{read}, {counted(counts['quarantined'], 'line')} set aside")
    say(f"  {_counted_shapes(project).told}")
    source = project.settings.source
    for note, count in source.notes.items():
        joined = f" of {count + source.joined:,} records" if note == JOINED and source.joined else ""
        say(f"  read with a note: {note} ({counted(count, 'row')}{joined})")
    for kind in CLUSTER_KINDS:
        members = [cluster.rows for cluster in findings.clusters if cluster.kind == kind]
        if members:
            say(f"  {kind:<9}{len(members):>7,} groups {sum(map(len, members)):>8,} rows")
    for line in filter(None, (came_along_words(project, "is:proposed"), *score_words(project))):
        say(f"  {line}")
    if findings.leaks:
        say(f"  leak     {len(findings.leaks):>7,} training rows with a held-out twin")
    buckets = Counter(findings.buckets)
    for bucket in BUCKETS:
        say(f"  {bucket:<9}{buckets[bucket]:>7,} rows    {BUCKET_LABELS[bucket]}")
    for signal, count in Counter(flag.signal for flag in findings.flags).most_common():
        say(f"  flag:{signal:<22}{count:>7,}")
    say(f"  in {duration(findings.seconds.get('total', 0))}")


def add(arguments: argparse.Namespace) -> int:
    """`tamis add PROJECT FILE`: rows that are new come in undecided; a new version of the source pairs changed rows."""
    folder = find_project(arguments.project)
    reviewer = name_reviewer(arguments.reviewer, folder)
    with given_sources([arguments.file]) as given:
        (path,) = given.paths
        origin = given.fetched.get(path, "")
        found = grow(
            folder, path, reviewer, replaces=arguments.new_version or None, fetched=origin, encoding=arguments.encoding
        )
    for note in found.notes:
        narrate(note)
    with open_to_look(folder) as project:
        scan_project(project, Narrator(), tell=narrate)
        links = _links(project, found.added)
        brought = brings(project, found.added, links)
        proposed = came_along_words(project, "is:proposed") if found.added else ""
    payload = {
        "added": len(found.added),
        "known": found.known,
        "changed": {str(new): old for new, old in found.changed.items()},
        "vanished": list(found.vanished),
        "quarantined": found.quarantined,
        "links": links,
        "brings": brought,
    }
    if arguments.json:
        print_json(payload)
        return 0
    here, aside = f"{found.known:,} were here already", f"{counted(found.quarantined, 'line')} set aside"
    say(f"{counted(len(found.added), 'row')} added, {here}, {aside}")
    if found.changed:
        say(f"  {len(found.changed):,} changed since their old selves came in: is:changed")
    if proposed:
        say(f"  {proposed}")
    if found.vanished:
        say(f"  {len(found.vanished):,} rows are not in the new version: {some(found.vanished)}")
    for kind, numbers in links.items():
        say(f"  {len(numbers):,} added rows are {kind} of rows that were here: {some(numbers)}")
    for line in _brought_lines(brought):
        say(line)
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


def reread_rows(arguments: argparse.Namespace) -> int:
    """`tamis reread PROJECT`: count what today's reader reads otherwise, then read the rows so."""
    narrator = Narrator()
    opened = open_for_reading if arguments.dry_run else open_for_deciding
    with opened(arguments.project, arguments.reviewer) as project:
        found = reread(project, narrator)
        narrator.end()
        if not arguments.json:
            for line in _reread_lines(project, found):
                say(line)
        doubts = _doubts(found)
        if doubts and not (arguments.yes or arguments.dry_run):
            what = f"{counted(len(found.changed), 'row')} would be read otherwise: {', '.join(doubts)}"
            raise UsageError(f"reread: {what}", "", "look at them with --dry-run; if that is meant, add --yes")
        number = read_anew(project, found) if found.changed and not arguments.dry_run else None
        if arguments.json:
            print_json(_reread_json(project, found) | {"n": number, "dry_run": arguments.dry_run})
        elif number is not None:
            say(f"read anew; `{shell_command('do', arguments.project, 'undo')}` brings the old reading back")
            say(f"  what was found fits no more: `{shell_command('scan', arguments.project)}` finds it anew")
    return 0


def _doubts(found: Rereading) -> list[str]:
    """What a person should have seen before the rows are read otherwise."""
    doubts = []
    if found.decided:
        doubts.append(f"{len(found.decided):,} of them decided")
    if found.emptied:
        doubts.append(f"in {len(found.emptied):,} nothing would be found")
    if found.changed and found.by_hand:
        doubts.append("the journal says how rows are read")
    return doubts


def _reread_lines(project: Project, found: Rereading) -> Iterator[str]:
    if not found.changed:
        yield f"nothing to change: {counted(len(project.rows), 'row')}, read as {found.before.describe()}"
    else:
        rows = f"{len(found.changed):,} of {counted(len(project.rows), 'row')} are read otherwise"
        yield f"{rows}, {len(found.decided):,} of them decided; decisions stay"
        yield f"  was  {found.before.describe()}"
        yield f"  now  {found.after.describe()}"
        for number, before, after in _examples(project, found):
            yield f"  row {number}"
            yield f"    was  {before}"
            yield f"    now  {after}"
    if found.readable:
        records = counted(found.readable, "record")
        adding = shell_command("add", project.folder, project.settings.source.path)
        yield f"{records} of those set aside can be read now: {adding}"


def _examples(project: Project, found: Rereading) -> Iterator[tuple[int, str, str]]:
    """Two rows as they are read, and as they would be."""
    for number in found.changed[:2]:
        row = project.current_row(number)
        yield number, in_one_line(conversation_of(row, found.before)), in_one_line(conversation_of(row, found.after))


def in_one_line(held: Conversation) -> str:
    """Who says what, each by its beginning, and what stands beside it."""
    said = [f"{turn.role}: {visible_line(turn.text or ' '.join(turn.calls), 40)}" for turn in held.messages[:4]]
    more = [f"{len(held.messages) - 4} more"] if len(held.messages) > 4 else []
    beside = [word for word in ("tools", "rejected", "candidates", "other") if getattr(held, word)]
    return " \u00b7 ".join([*said, *more, *beside]) or "no messages"


def _reread_json(project: Project, found: Rereading) -> dict[str, Any]:
    examples = [{"row": number, "before": old, "after": new} for number, old, new in _examples(project, found)]
    return {
        "rows": len(project.rows),
        "changed": len(found.changed),
        "decided": len(found.decided),
        "emptied": len(found.emptied),
        "before": asdict(found.before),
        "after": asdict(found.after),
        "examples": examples,
        "readable": found.readable,
    }


def holdout(arguments: argparse.Namespace) -> int:
    """`tamis holdout PROJECT N|P%|FILE`: reserve the held-out set, once."""
    folder = find_project(arguments.project)
    reviewer = name_reviewer(arguments.reviewer, folder)
    with open_project(folder, readonly=True) as project:
        wanted = parse_amount(arguments.amount, len(project.rows))
    if wanted is None:
        held, numbers = reserve_file(
            folder,
            Path(arguments.amount),
            reviewer,
            scan=lambda project: scan_project(project, Narrator()),
            encoding=arguments.encoding,
        )
        with held:
            scan_project(held, Narrator())
            variants = held.heldout_variants
            tell_notes(held)
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
    say(f"held out {counted(len(drawn), 'row')}; judge them one by one: only those you accept are used to measure")
    if variants:
        families = counted(len(variants), "family of variants", "families of variants")
        say(f"  {families} with rows on both sides: alike, but they ask for other things")
    for rows in variants[:8]:
        say(f"    rows {some(rows)}")
    return 0
