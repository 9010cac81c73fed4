"""The list of triage as lines: mark, number, what was found, and what tells a row from others; and the two lines above
the reader, which say what is under the cursor and why it is where it is."""

from __future__ import annotations

from engine.model import Cluster, Findings
from engine.phrases import counted, share
from engine.project.suspects import KINDS as SUSPECT_KINDS
from engine.sources.mapping import Mapping
from workbench.actions.order import RISK
from workbench.render.group import GROUP_NAMES, LAST_DIGIT
from workbench.render.messages import answer_line, role_name
from workbench.render.parts import HELD_OUT_MARK, mark_of, tokens_in
from workbench.render.row import decision_words
from workbench.state.entries import Entry, names_suspects
from workbench.state.session import Session
from workbench.text.blocks import Styled
from workbench.text.cells import fitted
from workbench.text.escape import visible_line

TAG_WIDTH = 11
ROOMY = 60
MOST_HEADLINES = 2000


class EntryLines:
    """The entries of the session's list, one line each."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._measured: Findings | None = None
        self._longest = 0
        # Headlines of rows as they came, by what they depend on: parsing a screenful of rows took a third of every key.
        self._headlines: dict[tuple[int, int, bool], str] = {}
        self._made_by: tuple[frozenset[str], Mapping] | None = None

    def __len__(self) -> int:
        return len(self._session.place.entries)

    @property
    def cursor(self) -> int:
        return self._session.place.cursor

    def line(self, index: int, width: int) -> tuple[Styled, ...]:
        entry = self._session.place.entries.entry(index)
        if entry.is_header and entry.cluster is not None:
            return self._group_line(entry.cluster, width)
        return self._row_line(entry, width, "title" if index == self.cursor else "muted")

    def lit(self, index: int) -> int:
        """The parts up to a row's number, or a header's size, stand out under the cursor. What is behind them looks the
        same with and without it, so that a step from row to row need not send it: a sixth of its bytes."""
        entry = self._session.place.entries.entry(index)
        return 2 if entry.is_header else 3 + (entry.cluster is not None)

    def block(self, index: int) -> int:
        entry = self._session.place.entries.entry(index)
        return len(entry.cluster.rows) + 1 if entry.is_header and entry.cluster is not None else 1

    def _group_line(self, cluster: Cluster, width: int) -> tuple[Styled, ...]:
        project = self._session.project
        left = sum(1 for row in cluster.rows if project.verdict(row) == "undecided")
        role = "conflict" if cluster.kind == "conflict" else "group"
        if left and not project.is_open(cluster):
            return (("\u2260 ", "muted"), (f"{cluster.kind} \u00d7{len(cluster.rows)}  set apart ", "muted"),
                    (self._headline(cluster.keeper, width), "text"))  # fmt: skip
        state: Styled = ("\u2713 ", "accepted") if left == 0 else ("\u25be ", role)
        asks = " ?" if cluster.alternatives else ""
        head = f"{cluster.kind}{asks} \u00d7{len(cluster.rows)}"
        note = f" {left} left" if 0 < left < len(cluster.rows) else ""
        return (state, (f"{head:<11}", role), (note, "muted"), (f" {self._headline(cluster.keeper, width)}", "text"))

    def _row_line(self, entry: Entry, width: int, numbered: str) -> tuple[Styled, ...]:
        project, row = self._session.project, entry.row
        digits = len(str(max(1, len(project.rows) - 1)))
        held = (HELD_OUT_MARK, "heldout") if project.is_heldout(row) else (" ", "text")
        if row in self._session.selection.marked:
            held = ("\u25cf", "key")
        tag, role = self._tag(entry)
        indent: tuple[Styled, ...] = (("  ", "text"),) if entry.cluster is not None else ()
        return (
            *indent,
            mark_of(project, row),
            held,
            (f"{row:>{digits}} ", numbered),
            (f"{fitted(tag, TAG_WIDTH if entry.cluster is not None else self._tag_width(width))} ", role),
            (self._headline(row, width, answer=entry.cluster is not None and entry.cluster.kind == "conflict"), "text"),
        )

    def _tag_width(self, width: int) -> int:
        """Columns for the tag: as many as the longest signal of this scan, where the list has room for them."""
        findings = self._session.project.findings
        if findings is not self._measured:
            self._measured = findings
            columns = self._session.project.finding_columns
            self._longest = max(map(len, columns.signals), default=0) if columns is not None else 0
        return max(TAG_WIDTH, self._longest) if width >= ROOMY else TAG_WIDTH

    def _tag(self, entry: Entry) -> Styled:
        project = self._session.project
        if entry.cluster is not None:
            digit = digit_of(entry.cluster, entry.row)
            if entry.row == entry.cluster.keeper and entry.cluster.kind != "conflict":
                return f"{digit} keeper", "keeper"
            return f"{digit} {self._likeness(entry.cluster, entry.row)}", "muted"
        names = [flag.signal for flag in project.flags_of(entry.row)]
        names += [cluster.kind for cluster in project.clusters_of(entry.row)]
        if project.findings is None or not (names or project.is_scanned):
            return "not scanned", "muted"
        bucket = project.findings.buckets[entry.row]
        return (names[0] if names else bucket), bucket

    def _likeness(self, cluster: Cluster, row: int) -> str:
        if cluster.kind == "conflict":
            return "answer"
        if cluster.kind == "near" and cluster.scores:
            return share(cluster.scores[cluster.rows.index(row)] / 100)
        return "copy" if cluster.kind == "exact" else "beginning"

    def _headline(self, row: int, width: int, *, answer: bool = False) -> str:
        project = self._session.project
        made_by = (self._session.shared_text.openings, project.mapping)
        if made_by != self._made_by or len(self._headlines) > MOST_HEADLINES:
            self._made_by, self._headlines = made_by, {}
        key = (row, width, answer)
        if key not in self._headlines or project.is_edited(row):
            # In a conflict the requests are the same: the answers tell the rows apart.
            text = answer_line(project.example(row).messages) if answer else self._session.shared_text.headline(row)
            line = visible_line(text, width)
            if project.is_edited(row):
                return line
            self._headlines[key] = line
        return self._headlines[key]


def digit_of(cluster: Cluster, row: int) -> str:
    """The digit that keeps this member; a blank behind the ninth."""
    place = cluster.rows.index(row)
    number = 1 if row == cluster.keeper else place + (2 if place < cluster.rows.index(cluster.keeper) else 1)
    return str(number) if number <= LAST_DIGIT else " "


def title_line(session: Session, entry: Entry) -> list[Styled]:
    """What the reader shows: the group, or the row with its length, tags and decision."""
    project = session.project
    if entry.is_header and entry.cluster is not None:
        cluster = entry.cluster
        what = GROUP_NAMES[cluster.kind]
        keeper = "" if cluster.kind == "conflict" else f" \u00b7 keeper row {cluster.keeper}"
        return [(f" {cluster.id} ", "title"), (f" {counted(len(cluster.rows), 'row')}: {what}{keeper}", "muted")]
    example = project.example(entry.row)
    turns, focus = len(example.messages), session.place.turn
    if focus is None:
        where, texts = counted(turns, "turn"), example.conversation.content_texts
    else:
        where = f"turn {focus + 1} of {turns}, {role_name(example.messages[focus].role)[0]}"
        texts = example.messages[focus].content_texts
    tokens = tokens_in(texts)
    title: list[Styled] = [
        (f" row {entry.row} ", "title"),
        (f" line {example.line} \u00b7 {where} \u00b7 {tokens} tokens", "muted"),
    ]
    if project.is_heldout(entry.row):
        title.append((" \u00b7 held out", "heldout"))
    if tags := sorted(project.tags(entry.row)):
        title.append((f" \u00b7 {visible_line(' '.join(f'#{tag}' for tag in tags))}", "key"))
    decided = decision_words(project, entry.row)
    if decided and focus is None:
        verdict, _, rest = decided.partition(" ")
        title += [(f" \u00b7 {verdict}", mark_of(project, entry.row)[1]), (f" {visible_line(rest)}", "muted")]
    return title


def reason_line(session: Session, entry: Entry) -> list[Styled]:
    """Why this entry is where it is: its top finding in one line."""
    project = session.project
    if entry.is_header and entry.cluster is not None:
        sentence = entry.cluster.evidence[0] if entry.cluster.evidence else GROUP_NAMES[entry.cluster.kind]
        role = "conflict" if entry.cluster.kind == "conflict" else "group"
        return [(f" {entry.cluster.kind} ", role), (visible_line(sentence), "reason")]
    flags = project.flags_of(entry.row)
    clusters = project.clusters_of(entry.row)
    risk = _risk(session, entry.row)
    more = len(flags) + len(clusters) - 1
    rest: list[Styled] = [("  w ", "key"), (f"{more} more", "muted")] if more > 0 else []
    if entry.cluster is not None or (clusters and not flags):
        cluster = entry.cluster or clusters[0]
        role = "conflict" if cluster.kind == "conflict" else "group"
        words = _place_in(cluster, entry.row) if entry.cluster is not None else _place_outside(cluster, entry.row)
        return [*risk, (f" {cluster.kind} ", role), (words, "reason"), *rest]
    suspicion = next((flag for flag in flags if flag.signal in SUSPECT_KINDS), None)
    if suspicion is not None and (flags[0] is suspicion or names_suspects(session.place.filter_text)):
        name = suspicion.signal.replace("_", " ")
        return [*risk, (f" {name} ", "check"), (visible_line(suspicion.reason), "reason"), *rest]
    if flags:
        bucket = project.findings.buckets[entry.row] if project.findings is not None else "check"
        return [
            *risk,
            (f" {bucket} ", bucket),
            (f"{flags[0].signal}: {visible_line(flags[0].reason)}", "reason"),
            *rest,
        ]
    if not project.is_scanned:
        return [(" not scanned yet", "muted")]
    return [*risk, (" no issue found", "clean")]


def _risk(session: Session, row: int) -> list[Styled]:
    """How likely the row is bad, in the order of risk."""
    learned = session.queue.learned if session.queue.sorted_by == RISK else None
    chance = learned.chances.get(row) if learned is not None else None
    return [(f" risk {share(chance)}", "muted")] if chance is not None else []


def _place_in(cluster: Cluster, row: int) -> str:
    """What a member is in the group it is shown in, and what enter would do."""
    if cluster.kind == "conflict":
        return f"{len(cluster.rows)} answers disagree: enter keeps this one, rejects the rest"
    if row == cluster.keeper:
        return f"the keeper of {counted(len(cluster.rows), 'row')}: enter keeps it, rejects the rest"
    return f"keeper is row {cluster.keeper}: enter keeps this one instead, rejects the rest"


def _place_outside(cluster: Cluster, row: int) -> str:
    """The same for a row whose group the filter does not show."""
    if cluster.kind == "variant":
        return f"one of {len(cluster.rows)} that differ in a key word or number: judge each by itself"
    if cluster.kind == "conflict":
        return f"one of {len(cluster.rows)} answers that disagree; / cluster:{cluster.id} shows them"
    kept = "the keeper" if row == cluster.keeper else f"row {cluster.keeper} is the keeper"
    return f"{kept} of {len(cluster.rows)}; / cluster:{cluster.id} shows the group"
