"""The application: a session, its screens, the theme, the keymap, and a clean end on every way out."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.filter import LineFilter
from textual.reactive import Initialize, Reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer
from textual.worker import WorkerFailed

from engine.project.project import Project, open_project
from workbench.actions import first_open, proposed
from workbench.actions.preconditions import read_only
from workbench.commands.targets import OVERVIEW, TRIAGE
from workbench.state.entries import EntryKey
from workbench.state.saved import MAPPING
from workbench.state.session import Session
from workbench.terminal.capabilities import few_colours, no_colour, wants_mouse
from workbench.terminal.driver import CellDriver, TamisDriver, TerminalNote
from workbench.terminal.safe_cells import SafeCells
from workbench.ui.background import Background
from workbench.ui.host import Host
from workbench.ui.keymap import checked_keymap, chosen_keymap, load_keymap
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.edit import EditScreen
from workbench.ui.screens.overview import OverviewScreen
from workbench.ui.screens.text_modal import TextModal
from workbench.ui.screens.triage import TriageScreen
from workbench.ui.theme import LoadedTheme, RoleStyles, choose_theme, load_themes

LISTS: dict[str, type[WorkScreen]] = {OVERVIEW: OverviewScreen, TRIAGE: TriageScreen}
# The name that Textual gives to the thread that writes to the terminal.
WRITER_THREAD = "textual-output"
# The place is written once the keys pause: a held key must not write a file thirty times a second.
SAVE_PLACE_SECONDS = 0.3


def screen_named(name: str) -> WorkScreen:
    """A screen of the table, made. The two lists are known from the start; the others bring the rooms of export and
    training with them, so their table is read with the first of them: a first paint does not wait for it."""
    if name in LISTS:
        return LISTS[name]()
    from workbench.ui.screens.table import SCREENS

    return SCREENS[name]()


def start_collecting() -> None:
    """Collect garbage again after the start, but never look through what was made by then: it stays to the end."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


class TamisApp(App[int], inherit_bindings=False):
    """See the module. `role_styles` is the theme by role, for widgets that paint their own lines."""

    CSS_PATH = "app.tcss"
    TITLE = "tamis"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c", "say_quit", show=False, priority=True),
        # In a text that is edited it takes back, so it comes after what has the focus.
        Binding("ctrl+z", "suspend_process", show=False),
    ]

    def __init__(
        self,
        project: Project,
        *,
        theme: str | None = None,
        keymap: dict[str, str] | None = None,
        stock_driver: bool = False,
        opening: Callable[[], WorkScreen] | None = None,
        only_ascii: bool = False,
    ) -> None:
        themes, problems = load_themes()
        chosen, complaint = choose_theme(themes, theme, no_colour=no_colour())
        # Said here already: what Textual does about NO_COLOR depends on it, and is settled in its constructor. It would
        # turn the terminal's own colours into greys otherwise, on a ground that it does not know.
        own_colours = True if chosen.terminal or few_colours() else None
        self.loaded_theme: LoadedTheme = chosen
        self._few_colours = chosen.terminal or few_colours()
        self._own_theme = chosen.for_textual()
        super().__init__(driver_class=TamisDriver if stock_driver else CellDriver, ansi_color=own_colours)
        self.session = Session(project)
        self.opening = opening
        self.is_writing = False
        self.role_styles = RoleStyles(chosen.styles(self._few_colours), only_ascii=only_ascii)
        self.set_class(only_ascii, "-ascii")
        self.keymap_in_use, keymap_problems = checked_keymap(keymap or {})
        self.background = Background(self)
        self._place_timer: Timer | None = None
        self._safe_cells = SafeCells(only_ascii=only_ascii)
        self._hook_before = threading.excepthook
        troubles = [*project.notes, *([complaint] if complaint else []), *problems, *keymap_problems]
        if (reason := read_only(self.session)) is not None:
            troubles.insert(0, reason)
        if troubles:
            self.session.say(" \u00b7 ".join(troubles), "error")
        elif project.is_scanned and (told := proposed.told_once(self.session)):
            self.session.say(told)
        elif self.session.place.is_new and not self._asks_for_fields():
            self.session.say(first_open.what_came_in(project))

    # -- starting and ending

    @property
    def available_themes(self) -> dict[str, Theme]:
        """Textual's themes and ours, which its constructor asks for already."""
        return {**super().available_themes, self._own_theme.name: self._own_theme}

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line of every widget goes through on its way to the terminal; the last look comes last."""
        return [*super().get_line_filters(), self._safe_cells]

    def theme_at_start(self) -> str:
        """The theme before anything is painted: one that is set later parses every style sheet once more."""
        if self._few_colours:
            return "ansi-dark" if self.loaded_theme.dark else "ansi-light"
        return self._own_theme.name

    theme: Reactive[str] = Reactive(Initialize(theme_at_start), init=False)

    def get_default_screen(self) -> Screen[Any]:
        """The list one comes back to, at the bottom of the stack: an empty screen below it would be styled, laid out
        and painted first."""
        return screen_named(self.session.place.screen)

    def on_mount(self) -> None:
        self.set_keymap(self.keymap_in_use)
        self._end_on_signals()
        self._end_on_faults()
        if self.opening is not None:
            self.push_screen(self.opening())
        if self._asks_for_fields():
            self.push_screen(screen_named(MAPPING))
        else:
            self.background.start()
        self.call_after_refresh(self._was_painted)

    def _asks_for_fields(self) -> bool:
        """Whether a person is to say which field is what, before anything else."""
        project = self.session.project
        is_answered = MAPPING in self.session.remembered.asked and bool(project.mapping.fields)
        return not is_answered and not project.readonly and first_open.was_guessed(project)

    def _was_painted(self) -> None:
        """The first frame is out: count what takes reading every row."""
        self.session.progress.count_tokens()
        self.sync_screen()
        start_collecting()
        self.background.pass_over_rows()
        self.background.count_tokens()

    def _end_on_signals(self) -> None:
        """A closed connection or a kill ends the application as a key would: place saved, terminal as it was.

        Nothing depends on it: every decision is on disk before its mark is painted.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                loop.add_signal_handler(number, self._end, 128 + number)
            except (ValueError, RuntimeError, NotImplementedError):
                # Not the main thread (a test, a notebook): signals are not ours to take there.
                return

    def _end_on_faults(self) -> None:
        """A fault in a thread, or in what runs between messages, ends the application as one in a message does: else it
        would be printed over the screen or lost, and nobody would know that something is not going on."""
        loop = asyncio.get_running_loop()

        def fault(error: BaseException | None) -> None:
            if isinstance(error, Exception):
                self._handle_exception(error)

        def in_thread(happened: threading.ExceptHookArgs) -> None:
            # A terminal that is gone is no fault: reading from it ends the application.
            of_terminal = happened.thread is not None and happened.thread.name == WRITER_THREAD
            if not (of_terminal and isinstance(happened.exc_value, OSError)) and not loop.is_closed():
                loop.call_soon_threadsafe(fault, happened.exc_value)

        loop.set_exception_handler(lambda _, happened: fault(happened.get("exception")))
        self._hook_before, threading.excepthook = threading.excepthook, in_thread

    def _end(self, code: int) -> None:
        self.session.save_place()
        self.exit(code, return_code=code)

    def _fatal_error(self) -> None:
        """Textual would print the stack and its variables, rows and all, to the terminal: leave it to the caller."""
        self._close_messages_no_wait()

    def panic(self, *_: object) -> None:
        """The same, for faults that know how to show themselves."""
        self._close_messages_no_wait()

    def on_terminal_note(self, note: TerminalNote) -> None:
        """The driver has something to say of what was typed."""
        if isinstance(self.screen, WorkScreen | EditScreen | TextModal):
            # Behind the paste that it is about.
            self.screen.call_later(self.screen.tell, note.text)

    def on_unmount(self) -> None:
        threading.excepthook = self._hook_before
        self.session.save_place()

    def action_say_quit(self) -> None:
        self.session.pending = None
        self.session.say("q leaves; every decision is saved already")
        self.sync_screen()

    def action_suspend_process(self) -> None:
        """Stop, as ctrl+z stops any program, together with a script or `make` that started it: the shell waits for
        those. The terminal is put right before any of them stops, since the shell has it then."""
        if os.getpgrp() == os.getsid(0):
            # A shell with job control gives each command a group of its own. Without one nobody could say `fg`.
            self.session.say("no shell to go back to with ctrl+z: q leaves", "refused")
            self.sync_screen()
            return
        with self.suspend():
            # Going on is seen to here. The driver's own handler could run a moment too late and start it a second time,
            # with two threads that read keys.
            heard = signal.signal(signal.SIGCONT, signal.SIG_DFL)
            try:
                os.killpg(os.getpgrp(), signal.SIGSTOP)
            finally:
                signal.signal(signal.SIGCONT, heard)

    # -- screens

    def go(self, name: str) -> None:
        """Show a screen: one list lies at the bottom, the other may lie on it, panes lie on top."""
        while name in LISTS and len(self.screen_stack) > 1 and not self._shows(name):
            self.pop_screen()
        if name not in LISTS or not self._shows(name):
            self.push_screen(screen_named(name))

    def _shows(self, name: str) -> bool:
        return isinstance(self.screen, WorkScreen) and name == self.screen.NAME

    def leave(self, screen: Screen[Any]) -> None:
        """Back from a pane, out from a list."""
        if not isinstance(screen, WorkScreen) or screen.NAME not in LISTS:
            self.session.say("")
            self.pop_screen()
        elif self.is_writing:
            self.session.say("the export is still being written: q again in a moment", "refused")
        else:
            self._end(0)

    @property
    def cell_driver(self) -> CellDriver | None:
        """The driver, where it is the one that may hold frames back."""
        return self._driver if isinstance(self._driver, CellDriver) else None

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end: widgets go one after the other then, and a screen may have lost some already."""
        return self._exit

    @property
    def frame_is_out(self) -> bool:
        """Whether the screen in front shows what the session says."""
        return not isinstance(self.screen, WorkScreen) or self.screen.frame_is_out

    def sync_screen(self) -> None:
        """Bring the screen in front up to the session."""
        if isinstance(self.screen, WorkScreen):
            self.screen.sync()

    # -- what a first open asks

    def mapping_is_settled(self) -> None:
        """The person has seen the mapping: it is not asked again, and the rows can be read on and scanned by it."""
        self.session.remembered.asked.add(MAPPING)
        self.session.save_place()
        self.background.start()

    def ask_heldout(self, command_id: str) -> None:
        """Offer the held-out set before the first command that decides, which waits for the answer."""
        from workbench.ui.screens.heldout import HeldoutScreen

        on_rows = self.session.place.screen == TRIAGE
        self.push_screen(HeldoutScreen(command_id, self.session.place.key if on_rows else None))

    def go_on_with(self, command_id: str, asked_on: EntryKey | None, sentence: str, *, is_same_list: bool) -> bool:
        """The screen in front does the command that waited; whether what is behind it may be done as well."""
        return isinstance(self.screen, WorkScreen) and self.screen.go_on_with(
            command_id, asked_on, sentence, is_same_list=is_same_list
        )

    # -- the place

    def place_changed(self) -> None:
        """Remember to write the place once the keys pause."""
        if self._place_timer is not None:
            self._place_timer.stop()
        self._place_timer = self.set_timer(SAVE_PLACE_SECONDS, self.session.save_place)


def run_workbench(
    project_folder: Path,
    *,
    reviewer: str | None,
    theme: str | None = None,
    readonly: bool = False,
    mouse: bool = False,
    take_over: bool = False,
    blind: bool = False,
    mapping_given: bool = False,
    stock_driver: bool = False,
    keymap: str | None = None,
    opening: Callable[[], WorkScreen] | None = None,
    only_ascii: bool = False,
    goal: tuple[int | None, int | None] = (None, None),
    notes: Sequence[str] = (),
) -> int:
    """Open the workbench on a project folder until the person leaves; the exit code of the command.

    With `mapping_given` the person has said which field is what, and is not asked. `opening` makes the screen that lies
    on top at first; `notes` are said at once.

    Raises TamisError (project damaged, no terminal), and whatever fault ended the application.
    """
    with open_project(
        project_folder, reviewer=reviewer, readonly=readonly, take_over=take_over, blind=blind
    ) as project:
        shipped, complaints = chosen_keymap(keymap)
        own, problems = load_keymap()
        problems = [*notes, *complaints, *problems]
        app = TamisApp(
            project,
            theme=theme,
            keymap=shipped | own,
            stock_driver=stock_driver,
            opening=opening,
            only_ascii=only_ascii,
        )
        if problems:
            said = [app.session.message.text] if app.session.message.text else []
            app.session.say(" \u00b7 ".join([*said, *problems]), "error")
        app.session.progress.goal = goal
        if mapping_given:
            app.session.remembered.asked.add(MAPPING)
        code = app.run(mouse=wants_mouse(mouse))
        if app._exception is not None:
            raise app._exception.error if isinstance(app._exception, WorkerFailed) else app._exception
        return code if code is not None else app.return_code or 0


if TYPE_CHECKING:

    def _as_host(app: TamisApp) -> Host:
        """What the screens ask of the application it has: mypy says so where it does not."""
        return app
