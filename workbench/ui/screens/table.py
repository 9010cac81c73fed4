"""The screens in one table: the class behind each name. Those made for one run, or for two, stand at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.commands import targets
from workbench.commands.targets import (
    COMPARE,
    EXPORT,
    FIELDS,
    HELDOUT,
    HELP,
    OVERVIEW,
    PICK,
    REPAIRS,
    RUNS,
    SLICES,
    TOKENS,
    TRAIN,
    TRIAGE,
)
from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.compare import CompareScreen
from workbench.ui.screens.export import ExportScreen
from workbench.ui.screens.heldout import HeldoutScreen
from workbench.ui.screens.help import HelpScreen
from workbench.ui.screens.judge import JudgeScreen
from workbench.ui.screens.mapping import MappingScreen
from workbench.ui.screens.overview import OverviewScreen
from workbench.ui.screens.pick import PickScreen
from workbench.ui.screens.repairs import RepairsScreen
from workbench.ui.screens.runs import RunsScreen
from workbench.ui.screens.slices import SlicesScreen
from workbench.ui.screens.tokens import TokensScreen
from workbench.ui.screens.train import TrainScreen
from workbench.ui.screens.triage import TriageScreen
from workbench.ui.screens.try_run import TryScreen

# Gone to by name, so each is made without a word.
SCREENS: dict[str, type[WorkScreen]] = {
    OVERVIEW: OverviewScreen,
    TRIAGE: TriageScreen,
    FIELDS: MappingScreen,
    HELDOUT: HeldoutScreen,
    REPAIRS: RepairsScreen,
    PICK: PickScreen,
    SLICES: SlicesScreen,
    EXPORT: ExportScreen,
    TRAIN: TrainScreen,
    RUNS: RunsScreen,
    COMPARE: CompareScreen,
    TOKENS: TokensScreen,
    HELP: HelpScreen,
}

if TYPE_CHECKING:
    # Each has what its commands ask for: mypy says so where one has not.
    overview: type[targets.OverviewTarget] = OverviewScreen
    triage: type[targets.TriageTarget] = TriageScreen
    heldout: type[targets.HeldoutTarget] = HeldoutScreen
    fields: type[targets.FieldsTarget] = MappingScreen
    repairs: type[targets.ListDetailTarget] = RepairsScreen
    pick: type[targets.ListDetailTarget] = PickScreen
    slices: type[targets.ListDetailTarget] = SlicesScreen
    export: type[targets.ExportTarget] = ExportScreen
    train: type[targets.TrainTarget] = TrainScreen
    runs: type[targets.RunsTarget] = RunsScreen
    compare: type[targets.CompareTarget] = CompareScreen
    try_run: type[targets.TryTarget] = TryScreen
    judge: type[targets.JudgeTarget] = JudgeScreen
    tokens: type[targets.ReaderTarget] = TokensScreen
    help_: type[targets.ReaderTarget] = HelpScreen
