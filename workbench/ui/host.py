"""What the screens ask of the application: they know it by this alone, and nothing imports `ui.app`."""

from __future__ import annotations

from typing import Any, Protocol

from textual.screen import Screen

from workbench.state.entries import EntryKey
from workbench.terminal.driver import CellDriver
from workbench.ui.background import Background, BackgroundHost
from workbench.ui.theme import RoleStyles


class Host(BackgroundHost, Protocol):
    """The application as a screen sees it. What Textual itself offers a screen finds at `Screen.app`."""

    is_writing: bool
    """Whether an export is being written: leaving waits for it."""

    @property
    def background(self) -> Background: ...

    @property
    def role_styles(self) -> RoleStyles: ...

    @property
    def keymap_in_use(self) -> dict[str, str]: ...

    @property
    def cell_driver(self) -> CellDriver | None: ...

    @property
    def is_ending(self) -> bool: ...

    def leave(self, screen: Screen[Any]) -> None: ...

    def place_changed(self) -> None: ...

    def mapping_is_settled(self) -> None: ...

    def ask_heldout(self, command_id: str) -> None: ...

    def go_on_with(self, command_id: str, asked_on: EntryKey | None, sentence: str, *, is_same_list: bool) -> bool: ...
