"""The screens that are gone to by name, in one table: the name that the session and the commands have for each."""

from __future__ import annotations

from workbench.ui.screens.base import WorkScreen
from workbench.ui.screens.compare import CompareScreen
from workbench.ui.screens.export import ExportScreen
from workbench.ui.screens.heldout import HeldoutScreen
from workbench.ui.screens.help import HelpScreen
from workbench.ui.screens.mapping import MappingScreen
from workbench.ui.screens.overview import OverviewScreen
from workbench.ui.screens.pick import PickScreen
from workbench.ui.screens.repairs import RepairsScreen
from workbench.ui.screens.runs import RunsScreen
from workbench.ui.screens.slices import SlicesScreen
from workbench.ui.screens.train import TrainScreen
from workbench.ui.screens.triage import TriageScreen

SCREENS: dict[str, type[WorkScreen]] = {
    "overview": OverviewScreen,
    "triage": TriageScreen,
    "mapping": MappingScreen,
    "heldout": HeldoutScreen,
    "offer": RepairsScreen,
    "pick": PickScreen,
    "slices": SlicesScreen,
    "export": ExportScreen,
    "train": TrainScreen,
    "runs": RunsScreen,
    "compare": CompareScreen,
    "help": HelpScreen,
}
