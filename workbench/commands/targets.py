"""What commands may ask of the screen in front: a Protocol for what all screens can do, others for what some can.

`ui.screens.table` says which class stands behind each name; mypy sees to it that the class has what is asked for here.
"""

from __future__ import annotations

from typing import Generic, Literal, Protocol, TypeVar

from engine.training.eval.pairwise import Choice
from workbench.state.session import Session

AnswerSide = Literal["base", "tuned"]

# -- what several screens can do


class CommandTarget(Protocol):
    """Any screen."""

    @property
    def session(self) -> Session: ...

    def go(self, screen: str) -> None:
        """Show another screen."""

    def leave(self) -> None:
        """Go back to where one came from; out of the workbench from a list."""


class CursorTarget(CommandTarget, Protocol):
    def step(self, steps: int) -> None:
        """Move the cursor by lines."""


class PageTarget(CursorTarget, Protocol):
    def page(self, pages: float) -> None:
        """Move the cursor by pages of the list; infinite goes to the top or the bottom."""


class ReaderTarget(CommandTarget, Protocol):
    def scroll_reader(self, pages: float) -> None: ...


class ListTarget(PageTarget, Protocol):
    """The two lists, overview and triage."""

    def ask_filter(self) -> None:
        """Open the line to type a filter into."""

    def ask_command(self) -> None:
        """Open the line to type a command into."""

    def show_rows(self) -> None:
        """To the rows as they are filtered."""

    def open_external_editor(self) -> None: ...

    def rescore(self) -> None:
        """Begin to rank the undecided rows by surprise."""

    def take_over(self) -> None:
        """Become the window that decides."""

    def cancel_job(self) -> None:
        """Stop the search; else take the marks off; else stop the job beside the keys."""


class ListDetailTarget(PageTarget, ReaderTarget, Protocol):
    """A list with a document beside it: repairs, pick, slices."""


# -- the screens


class OverviewTarget(ListTarget, Protocol):
    def open_item(self) -> None:
        """To the rows of the line under the cursor."""


class TriageTarget(ListTarget, ReaderTarget, Protocol):
    def ask_tags(self) -> None: ...

    def ask_note(self) -> None: ...

    def edit_row(self) -> None: ...

    def merge_answers(self) -> None:
        """Open the answers of a conflict to be merged."""

    def copy_row(self) -> None: ...

    def next_order(self) -> None: ...


class FieldsTarget(PageTarget, ReaderTarget, Protocol):
    """Which field of the file is what."""

    def settle(self) -> None:
        """Read the rows by the fields as they are named."""

    def ask_words(self) -> None:
        """Open the line to type the words of `--map` into."""


class HeldoutTarget(CommandTarget, Protocol):
    def reserve(self) -> None:
        """Reserve the held-out set that is offered."""

    def change_amount(self, factor: float) -> None:
        """Offer more or fewer rows."""


class ExportTarget(ReaderTarget, Protocol):
    def write_export(self) -> None: ...


class TrainTarget(CursorTarget, ReaderTarget, Protocol):
    """ "The run" is the one under the cursor, else the watched one, where nothing else is said."""

    def start_or_watch(self) -> None:
        """Watch the run under the cursor; on the first line show the plan, then start what it shows."""

    def ask_settings(self) -> None: ...

    def ask_override(self) -> None:
        """Ask for the reason to start what the plan refuses."""

    def stop_run(self) -> None:
        """Stop the watched run, asked first; or the plan being made."""

    def next_view(self) -> None:
        """Watched run: curve, answers, events and log."""

    def toggle_log_scale(self) -> None: ...

    def toggle_smoothing(self) -> None: ...

    def toggle_overlay(self) -> None:
        """Lay the curve of the run under the cursor beneath the watched one."""

    def try_run(self) -> None: ...

    def judge_runs(self) -> None:
        """Judge the watched run and the one under the cursor, blind."""

    def show_suspects(self) -> None:
        """What the run says of single rows, in triage."""

    def show_alert_rows(self) -> None:
        """The rows of the step that the latest alert of the watched run points at, in triage."""


class RunsTarget(CursorTarget, Protocol):
    def watch_run(self) -> None: ...


class CompareTarget(CursorTarget, ReaderTarget, Protocol):
    def start_comparison(self) -> None:
        """Start what would be compared; on a comparison show what a new one would be."""

    def ask_settings(self) -> None: ...

    def stop_runs(self) -> None: ...

    def write_page(self) -> None: ...


class TryTarget(CursorTarget, ReaderTarget, Protocol):
    def ask_again(self) -> None: ...

    def write_prompt(self) -> None: ...

    def take_answer(self, side: AnswerSide) -> None:
        """Make prompt and answer a new undecided row."""

    def edit_answer(self) -> None: ...


class JudgeTarget(ReaderTarget, Protocol):
    def choose(self, choice: Choice) -> None: ...

    def undo_choice(self) -> None: ...


# -- their names

Target_co = TypeVar("Target_co", bound=CommandTarget, covariant=True)


class ScreenName(str, Generic[Target_co]):
    """The name that a screen has in the session. Its type says what a command may ask of that screen, so that mypy
    refuses a command whose `where` names a screen that cannot do what the command asks for."""


OVERVIEW: ScreenName[OverviewTarget] = ScreenName("overview")
TRIAGE: ScreenName[TriageTarget] = ScreenName("triage")
FIELDS: ScreenName[FieldsTarget] = ScreenName("mapping")
HELDOUT: ScreenName[HeldoutTarget] = ScreenName("heldout")
REPAIRS: ScreenName[ListDetailTarget] = ScreenName("offer")
PICK: ScreenName[ListDetailTarget] = ScreenName("pick")
SLICES: ScreenName[ListDetailTarget] = ScreenName("slices")
EXPORT: ScreenName[ExportTarget] = ScreenName("export")
TRAIN: ScreenName[TrainTarget] = ScreenName("train")
RUNS: ScreenName[RunsTarget] = ScreenName("runs")
COMPARE: ScreenName[CompareTarget] = ScreenName("compare")
TRY: ScreenName[TryTarget] = ScreenName("try")
JUDGE: ScreenName[JudgeTarget] = ScreenName("judge")
TOKENS: ScreenName[ReaderTarget] = ScreenName("tokens")
HELP: ScreenName[ReaderTarget] = ScreenName("help")

LISTS: tuple[ScreenName[ListTarget], ...] = (OVERVIEW, TRIAGE)
LIST_DETAILS = (REPAIRS, PICK, SLICES)
# What lies on top of a list and has a reader.
PANES: tuple[ScreenName[ReaderTarget], ...] = (HELP, TOKENS, EXPORT, TRAIN, COMPARE, TRY, JUDGE)
# What has a cursor.
CURSORS: tuple[ScreenName[CursorTarget], ...] = (OVERVIEW, TRIAGE, TRAIN, COMPARE, RUNS, TRY)
