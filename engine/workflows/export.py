"""Exporting a project: what may leave it, the files, and beside them the manifest and the card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.errors import UsageError
from engine.export.card import card
from engine.export.convert import checked_format, keeps_unwanted
from engine.export.curated import Curated, curate, wanted_only, without
from engine.export.deliver import deliver, refuse_target
from engine.export.licence import is_licence
from engine.export.losses import WHOLE_ROW, by_field
from engine.export.manifest import manifest
from engine.export.redact import redaction
from engine.export.write import Progress, converter, losses, target_of, write_dataset, write_files
from engine.phrases import counted
from engine.places import named_place
from engine.project.by_source import shares
from engine.project.line_checks import NEEDED_FIELDS
from engine.project.project import Project
from engine.project.row_content import refuse_changed
from engine.project.views import frozen
from engine.workflows.gate import gate, gate_summary
from engine.workflows.row_secrets import let_secrets_through, let_through, unresolved_secrets

SHOWN_ROWS = 5


def export(
    project: Project,
    to: Path | str,
    *,
    format_name: str | None = None,
    container: str | None = None,
    include_undecided: bool = False,
    lossy: bool = False,
    override: str = "",
    licence: str = "",
    force: bool = False,
    with_names: bool = False,
    with_reasons: bool = False,
    csv_safe: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the accepted rows as they stand on disk now, whatever is decided meanwhile; the contract's `export` object.

    Without a `format_name` rows leave in the shape they came in, which must be one then: files of several shapes in one
    project make no set that a trainer reads.

    `override` are the words that let rows with secrets through, where the journal has none for them; they go into the
    manifest, and into the journal of a project that is open for deciding. Card and manifest tell who decided and why
    without e-mail addresses and without words of rows, unless they are asked for (`with_names`, `with_reasons`). With
    `csv_safe` cells of a CSV file that begin a formula get an apostrophe. `licence` is what the card says instead of
    what the source says. With `force`, files that tamis did not write are written over; a source never is.

    Raises UsageError where nothing is accepted, files differ in shape and no format is named, a row holds a secret, a
    conversion would lose something and `lossy` is not set, `gate.toml` cannot be used, the target is a source of the
    project, or a file that tamis did not write; ProjectError where the disk refuses: the old export is then whole.
    """
    is_named, format_name = format_name is not None, checked_format(format_name or "same")
    if licence and not is_licence(licence):
        raise UsageError(f"{licence!r} is no licence id", "", "write it as the Hub does: mit, apache-2.0, cc-by-4.0")
    to = named_place(to) if isinstance(to, str) else to
    target = target_of(to, container)
    if csv_safe and target.container != "csv":
        raise UsageError("only a CSV file has cells that a spreadsheet runs", "", "name a .csv file, or no --csv-safe")
    with frozen(project) as still:
        curated = curate(still, include_undecided=include_undecided)
        if not curated.training:
            raise UsageError(
                "nothing to export: no training row is accepted", "", "accept rows first, or add --include undecided"
            )
        if not keeps_unwanted(format_name):
            curated = wanted_only(still, curated)
            if not curated.training:
                raise UsageError(
                    "nothing to export: the answers of all accepted rows are marked as not wanted",
                    "",
                    "--format kto or same writes them with their marks",
                )
        if not is_named:
            _refuse_several_shapes(still, curated)
        sources = [Path(source.path) for source in still.settings.sources]
        refuse_target(target, sources, force=force)
        refuse_changed(still, (*curated.training, *curated.heldout), progress)
        secrets = unresolved_secrets(still, (*curated.training, *curated.heldout))
        allowed = let_through(still) if secrets else {}
        refused = [number for number in secrets if still.rows.id(number) not in allowed]
        if refused and not override.strip():
            raise UsageError(
                f"{counted(len(refused), 'row')} {'holds' if len(refused) == 1 else 'hold'} secrets ({_some(refused)})",
                "",
                "mask them (flag:secrets), or say why they may leave: --override 'why'",
            )
        convert = converter(still, curated, format_name)
        lost, left_behind = losses(curated, convert)
        if lost and not lossy:
            raise UsageError(
                f"exporting as {format_name} would lose {_told(lost)}", "", "add --lossy to do it all the same"
            )
        if whole := _lost_whole(lost):
            curated = without(curated, whole)
            convert = converter(still, curated, format_name)
        if not curated.training:
            raise UsageError(
                f"nothing to export: no accepted row can be written as {format_name}", "", "try --format same"
            )
        gate_result = gate_summary(still, gate(still))
        if secrets and override.strip() and not project.readonly:
            let_secrets_through(project, secrets, override)
        why = override or "; ".join(dict.fromkeys(allowed[still.rows.id(number)] for number in secrets))
        summary: dict[str, Any] = {
            "to": str(to),
            "format": format_name,
            "container": target.container,
            "rows": len(curated.training),
            "holdout_rows": len(curated.heldout),
            "untouched": 0,
            "untouched_identical": 0,
            "written_anew": {},
            "proof": [],
            "scanned": still.is_scanned,
            "left_out": curated.counts(),
            "sources": shares(still, curated.training),
            "lost": {what: len(numbers) for what, numbers in lost.items()},
            "left_behind": {what: len(numbers) for what, numbers in left_behind.items()},
            "secrets_let_through": {"rows": secrets, "why": why} if secrets else None,
        }

        def make(folder: Path) -> tuple[dict[str, Any], str]:
            if target.container == "datasets":
                found = write_dataset(still, curated, convert, folder)
            else:
                found = write_files(still, curated, convert, target, folder, progress, csv_safe=csv_safe)
            summary.update(found)
            told = redaction(still, with_names=with_names, with_reasons=with_reasons)
            document = manifest(still, summary, gate_result, told) | ({"licence": licence} if licence else {})
            return document, card(still, document)

        deliver(target, sources, make, force=force)
    return summary


def _refuse_several_shapes(project: Project, curated: Curated) -> None:
    shapes: dict[str, str] = {}
    # How rows are read is the same for all of a source.
    one_of = {project.rows.source(number).first_row: number for number in (*curated.training, *curated.heldout)}
    for number in one_of.values():
        mapping, source = project.rows.mapping_of(number), project.rows.source(number)
        needed = [mapping.fields.get(part, "") for part in NEEDED_FIELDS[mapping.shape]]
        shapes.setdefault(f"{mapping.shape} ({', '.join(needed)})", source.name)
    if len(shapes) > 1:
        told = "; ".join(f"{name}: {shape}" for shape, name in shapes.items())
        raise UsageError(
            f"the rows have {len(shapes)} shapes ({told}), and no trainer reads both in one file",
            "",
            "--format messages (or alpaca, preference \u2026) writes one shape, --format same writes them as they came",
        )


def _lost_whole(lost: dict[str, list[int]]) -> dict[int, str]:
    """The rows of which nothing could be learnt once they are written, and why."""
    reasons = [(what.removeprefix(WHOLE_ROW), numbers) for what, numbers in lost.items() if what.startswith(WHOLE_ROW)]
    return {number: reason for reason, numbers in reasons for number in numbers}


def _told(lost: dict[str, list[int]]) -> str:
    parts = []
    for what, names in by_field(lost).items():
        numbers = sorted({number for name in names for number in lost[name]})
        parts.append(f"{what} in {counted(len(numbers), 'row')} ({_some(numbers)})")
    return "; ".join(parts)


def _some(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:SHOWN_ROWS])) + (", …" if len(numbers) > SHOWN_ROWS else "")
