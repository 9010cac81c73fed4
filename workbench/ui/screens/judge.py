"""Judging two runs blind: two answers side by side, one key each; which run wrote which is told at the end."""

from __future__ import annotations

from collections.abc import Iterator

from textual.app import ComposeResult

from engine.training.eval.pairwise import Choice, Judging, Pair
from engine.training.runs.data_files import spoken
from workbench.commands.targets import JUDGE
from workbench.render.parts import split_lines
from workbench.text.blocks import Paragraph, Styled
from workbench.text.escape import visible_line
from workbench.ui.keymap import bindings_for
from workbench.ui.screens.base import WorkScreen
from workbench.ui.widgets.columns import Column, Columns
from workbench.ui.widgets.lines import OneLine
from workbench.ui.widgets.reader import Reader

SAID: dict[Choice, str] = {"left": "left is better", "right": "right is better", "tie": "a tie", "skip": "skipped"}


class JudgeScreen(WorkScreen):
    """See the module."""

    NAME = JUDGE
    BINDINGS = bindings_for(JUDGE)

    def __init__(self, judging: Judging) -> None:
        super().__init__()
        self.judging = judging
        self.pair: Pair | None = judging.next_pair()

    def compose_body(self) -> ComposeResult:
        styles = self.host.role_styles
        yield OneLine(styles, id="title")
        yield Reader(styles, id="asked")
        yield Columns(styles, id="answers")

    # -- what commands ask

    def choose(self, choice: Choice) -> None:
        if self.pair is None:
            self.session.say("every pair is judged: u takes the last one back", "refused")
            return
        self.judging.judge(self.pair, choice)
        self.session.say(SAID[choice], "done")
        self.pair = self.judging.next_pair()

    def undo_choice(self) -> None:
        row = self.judging.undo()
        if row is None:
            self.session.say("nothing to undo", "refused")
            return
        self.pair = self.judging.next_pair()
        self.session.say("taken back", "done")

    def scroll_reader(self, pages: float) -> None:
        if not self.query_one(Columns).scroll_pages(pages) and not self.query_one(Reader).scroll_pages(pages):
            self.session.say("the end of the text" if pages > 0 else "the beginning of the text")

    # -- painting

    def sync_body(self) -> None:
        judging, pair = self.judging, self.pair
        judged = judging.judged
        done = sum(1 for one in judging.pairs if one.row.id in judged)
        title: list[Styled] = [(" Which answer is better? ", "title")]
        if pair is not None:
            title.append((f"{done} of {len(judging.pairs)} judged; which run is which is told at the end", "muted"))
        else:
            title = [(" All pairs are judged ", "title")]
        columns = self.query_one(Columns)
        columns.display = pair is not None
        self.query_one("#title", OneLine).show(title, (("\u2193 J ", "muted"),) if columns.more_below else ())
        key = pair.row.id if pair is not None else ("end", done)
        self.query_one(Reader).open(key, lambda: _asked(pair) if pair is not None else _verdict(judging))
        if pair is not None:
            reference = Column("reference", "keeper", pair.row.reference)
            columns.show((Column("left", "title", pair.left), Column("right", "title", pair.right), reference))


def _asked(pair: Pair) -> Iterator[Paragraph]:
    """The request."""
    for turn in pair.row.prompt:
        yield from split_lines([(spoken(turn), "text")], (turn["role"], turn["role"]), None)


def _verdict(judging: Judging) -> Iterator[Paragraph]:
    """The summary, with the names of the runs."""
    for name, words in summary_lines(judging.summary()):
        yield Paragraph(((visible_line(words), "text"),), (name, "key"))
    yield Paragraph(())
    yield Paragraph(((f"kept in {judging.path.parent.name}/{visible_line(judging.path.name)}", "muted"),))


def summary_lines(summary: dict[str, object]) -> list[tuple[str, str]]:
    """The summary of a judging as (name, words), for the screen and for the command."""
    left = summary["left"]
    shown: list[tuple[str, str]] = [
        ("run a", str(summary["a"])),
        ("run b", str(summary["b"])),
        ("a wins", f"{summary['wins']}"),
        ("ties", f"{summary['ties']}, and {summary['identical']} pairs with the same answer, not shown"),
        ("b wins", f"{summary['losses']}"),
        ("skipped", f"{summary['skipped']}" + (f", {left} not judged yet" if left else "")),
        ("verdict", f"a is {summary['verdict']}: {summary['reason']}"),
    ]
    return [(name, words.replace("a is no", "no")) for name, words in shown]
