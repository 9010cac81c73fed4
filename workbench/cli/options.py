"""What may be typed: every command with its options and its handler, in the table at the end.

A handler is named by its module and function and imported when its word is typed: `tamis status` waits for nothing that
only `tamis train` needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.places import named_place
from workbench.cli.shared_options import (
    encoding_option,
    force_option,
    json_option,
    mapping_options,
    model_option,
    page_options,
    price_option,
    project_options,
    reviewer_option,
    run_argument,
    screen_options,
    set_option,
    several_runs_options,
    take_over_option,
)


@dataclass(frozen=True, slots=True)
class Word:
    """A command: what `--help` says of it, its options, and where its handler is."""

    text: str
    options: Callable[[argparse.ArgumentParser], None]
    module: str
    function: str


# The options of each command, in the order of the table below.


def _open(command: argparse.ArgumentParser) -> None:
    told = "data files for one project, a .tamis project, or hf:OWNER/NAME"
    command.add_argument("paths", type=Path, metavar="PATH", nargs="+", help=told)
    screen_options(command)
    command.add_argument(
        "--project", type=named_place, metavar="DIR", help="where the project folder is, or is to be made"
    )
    mapping_options(command)


def _demo(command: argparse.ArgumentParser) -> None:
    screen_options(command)
    command.add_argument("--fresh", action="store_true", help="start the scratch copy anew")
    command.add_argument(
        "--headless", action="store_true", help="no screen: scan, decide, export, train, compare, print the verdict"
    )
    command.add_argument("--json", action="store_true", help="print one JSON object (headless only)")


def _scan(command: argparse.ArgumentParser) -> None:
    json_option(command)
    command.add_argument(
        "paths", type=Path, metavar="PATH", nargs="+", help="data files, a .tamis project, or hf:OWNER/NAME of the Hub"
    )
    command.add_argument(
        "--project", type=named_place, metavar="DIR", help="keep rows and findings in this project folder"
    )
    mapping_options(command)


def _report_options(command: argparse.ArgumentParser) -> None:
    json_option(command)
    command.add_argument("path", type=Path, metavar="PATH")
    command.add_argument("other", type=Path, metavar="OTHER", nargs="?")
    encoding_option(command)
    page_options(command)
    command.add_argument(
        "--price", type=float, metavar="X", help="price of the machine per hour: what junk costs an epoch"
    )
    command.add_argument(
        "--model", metavar="M", help="with --price: the model an epoch is reckoned for (else the built-in)"
    )
    command.add_argument("--tokenizer", metavar="M", help="count tokens of this model (else about: 4 characters each)")


def _holdout(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument(
        "amount", metavar="N|P%|FILE", help="how many rows, which share, or a file whose rows are held out"
    )
    command.add_argument("--by", metavar="FIELD", help="draw its share of every value of this field")
    command.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    encoding_option(command)


def _pick(command: argparse.ArgumentParser) -> None:
    project_options(command)
    command.add_argument("count", type=int, metavar="N", help="how many rows")
    command.add_argument("--lock", metavar="SELECTOR", help="rows that stay in, such as 'row:3 or is:accepted'")
    command.add_argument("--swap", metavar="SELECTOR", help="rows to be replaced by the next best")


def _do(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument(
        "commands", nargs="*", metavar="COMMAND", help="for example 'reject bucket:drop', 'keep cluster:c1f09', 'undo'"
    )
    command.add_argument("--dry-run", action="store_true", help="count, decide nothing")
    command.add_argument(
        "--yes", action="store_true", help="also what would be asked about: a large undo, 'not' of what no row matches"
    )
    command.add_argument(
        "--from", dest="source", type=Path, metavar="FILE", help="replay a journal, or a list of commands"
    )
    take_over_option(command)


def _add(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument("--new-version", action="store_true", help="FILE replaces the source, whatever its name")
    encoding_option(command)


def _reread(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument("--dry-run", action="store_true", help="count and show, change nothing")
    command.add_argument("--yes", action="store_true", help="also where decided rows are read otherwise")


def _trust(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    answer = command.add_mutually_exclusive_group()
    answer.add_argument("--yes", action="store_const", const="yes", help="say yes to all that is shown, unasked")
    answer.add_argument(
        "--no", action="store_const", const="no", help="say no: it has no effect and is told of no more"
    )


def _merge(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument("other", type=Path, metavar="OTHER", help="the other .tamis folder")


def _export(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument(
        "--to",
        type=named_place,
        required=True,
        metavar="PATH",
        help="a .jsonl, .jsonl.gz, .parquet or .csv file, or a folder",
    )
    force_option(command)
    command.add_argument(
        "--format",
        metavar="NAME",
        help="same (as they came; the default where that is one shape), alpaca, prompt-completion, messages, sharegpt, "
        "preference or kto",
    )
    command.add_argument("--container", metavar="KIND", help="jsonl, jsonl.gz, parquet, csv, datasets (else by suffix)")
    command.add_argument(
        "--override", metavar="WHY", default="", help="let rows with secrets leave; WHY goes into manifest and journal"
    )
    command.add_argument("--license", metavar="ID", default="", help="for the dataset card, as the Hub spells it: mit")
    command.add_argument(
        "--lossy", action="store_true", help="convert although content is lost; it is named all the same"
    )
    command.add_argument("--csv-safe", action="store_true", help="an apostrophe before CSV cells that begin a formula")
    command.add_argument("--include", choices=["undecided"], help="let undecided rows through as well")
    command.add_argument("--with-names", action="store_true", help="name reviewers by e-mail in card and manifest")
    command.add_argument("--with-reasons", action="store_true", help="tell reasons in their own words, which may quote")


def _export_model(command: argparse.ArgumentParser) -> None:
    run_argument(command)
    command.add_argument(
        "--to", type=named_place, metavar="FOLDER", help="a new folder (else exports/RUN beside runs/)"
    )
    command.add_argument("--merged", action="store_true", help="merge the adapter into its base: all weights")
    command.add_argument("--best", action="store_true", help="the weights of the lowest held-out loss, not the last")
    command.add_argument("--base", metavar="ID", default="", help="the base's id on the Hub, where it lies in a folder")
    command.add_argument("--license", metavar="ID", default="", help="of the base, for the card: apache-2.0")
    json_option(command)


def _check(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", type=Path, metavar="PROJECT|FILE", help="a .tamis folder, or a file of rows")
    json_option(command)
    command.add_argument("--dry-run", action="store_true", help="only tell; make no cache again")
    encoding_option(command)


def _plan(command: argparse.ArgumentParser) -> None:
    project_options(command)
    model_option(command)
    amount = command.add_mutually_exclusive_group()
    amount.add_argument("--steps", type=int, metavar="N")
    amount.add_argument("--epochs", type=float, metavar="N")
    command.add_argument("--method", metavar="NAME", help="lora, qlora (a base of 4-bit weights) or full")
    command.add_argument("--seed", type=int, metavar="N")
    set_option(command)
    command.add_argument("--config", type=Path, metavar="FILE", help="training settings from a TOML file")
    command.add_argument("--gpu", type=int, metavar="I", help="the GPU's index, as nvidia-smi shows it")
    command.add_argument("--budget", metavar="TIME", help="end with what was learnt after this long: 45m, 1h30m")
    command.add_argument("--max-cost", type=float, metavar="X", help="end with what was learnt before it costs more")
    price_option(command)


def _plan_of_file(command: argparse.ArgumentParser) -> None:
    _plan(command)
    encoding_option(command)


def _plan_or_show(command: argparse.ArgumentParser) -> None:
    _plan_of_file(command)
    command.add_argument(
        "--show", metavar="ROW", help="only this row, token by token: a number, the beginning of an id, a selector"
    )


def _train(command: argparse.ArgumentParser) -> None:
    _plan_of_file(command)
    command.add_argument("--override", metavar="WHY", help="start although the plan refuses; the reason is kept")
    reviewer_option(command)
    command.add_argument("--wait", action="store_true", help="stay until the run ends, printing a line a step")


def _runs(command: argparse.ArgumentParser) -> None:
    command.add_argument("project", type=Path, metavar="PROJECT", nargs="?", help="without it, every run of yours")
    json_option(command)


def _watch(command: argparse.ArgumentParser) -> None:
    run_argument(command)
    json_option(command, "print JSON lines")


def _stop(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "run", type=Path, metavar="RUN", help="the folder or the id of a run, a comparison or a curve; or a project"
    )
    json_option(command)


def _resume(command: argparse.ArgumentParser) -> None:
    run_argument(command)
    json_option(command)


def _try(command: argparse.ArgumentParser) -> None:
    run_argument(command)
    json_option(command, "print one JSON object: the answers to the held-out rows")
    command.add_argument(
        "--rows", type=int, default=20, metavar="N", help="held-out rows to answer in text (default 20)"
    )
    command.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="answer this instead, in text")
    screen_options(command)


def _judge(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN_A")
    command.add_argument("other", type=Path, metavar="RUN_B")
    json_option(command, "print one JSON object: wins, ties, losses, interval")
    screen_options(command)


def _suspects(command: argparse.ArgumentParser) -> None:
    project_options(command)
    command.add_argument("--run", type=Path, metavar="RUN", help="else the newest run that measured rows")


def _compare(command: argparse.ArgumentParser) -> None:
    project_options(command)
    command.add_argument(
        "--arms", metavar="A,B", help="base, raw, random (random-200), curated, an export's path, a run's id"
    )
    several_runs_options(command)
    command.add_argument(
        "--detach", action="store_true", help="start the runs and leave them; ask again for the verdict"
    )
    command.add_argument("--markdown", action="store_true", help="print a block for a pull request")
    page_options(command)


def _curve(command: argparse.ArgumentParser) -> None:
    project_options(command)
    several_runs_options(command)
    command.add_argument("--ascii", action="store_true", help="draw without block characters")


def _sweep(command: argparse.ArgumentParser) -> None:
    project_options(command)
    model_option(command)
    command.add_argument("--steps", type=int, metavar="N", help="optimizer steps of each run")
    set_option(command)


def _gate(command: argparse.ArgumentParser) -> None:
    project_options(command, decides=True)
    command.add_argument("--override", metavar="WHY", help="set aside what is not met; goes into journal and manifests")


# fmt: off
WORDS: dict[str, Word] = {
    "open": Word("open a data file or project in the workbench (the same as `tamis PATH`)",
                 _open, "workbench.cli.open", "open_workbench"),
    "demo": Word("the workbench on a scratch copy of the sample; without a terminal, the whole loop in text",
                 _demo, "workbench.cli.demo", "demo"),
    "scan": Word("find duplicates, contradictions and quality issues", _scan, "workbench.cli.data", "scan"),
    "report": Word("measures of a data set, or of two side by side",
                   _report_options, "workbench.cli.report", "report"),
    "doctor": Word("what this terminal, connection and machine can do, what to change",
                   json_option, "workbench.cli.doctor", "doctor"),
    "status": Word("what is decided and what is open", project_options, "workbench.cli.decisions", "status"),
    "journal": Word("who decided what, when and why", project_options, "workbench.cli.decisions", "journal"),
    "holdout": Word("reserve the held-out set, once", _holdout, "workbench.cli.data", "holdout"),
    "pick": Word("propose a diverse subset of what is undecided or accepted; decides nothing",
                 _pick, "workbench.cli.report", "pick"),
    "do": Word("the workbench's commands without a screen", _do, "workbench.cli.decisions", "do"),
    "add": Word("new rows, or a new version of the source: checked against what is there",
                _add, "workbench.cli.data", "add"),
    "reread": Word("read the rows of an old project as today's reader does; ids and decisions stay",
                   _reread, "workbench.cli.data", "reread_rows"),
    "trust": Word("what of a folder waits for your yes or no (commands, models, links, merged acts …)",
                  _trust, "workbench.cli.trust", "trust_project"),
    "merge": Word("bring in the journals of another copy of the project",
                  _merge, "workbench.cli.decisions", "merge_projects"),
    "export": Word("write the curated set, the held-out set and the manifest",
                   _export, "workbench.cli.export", "export_rows"),
    "check": Word("is all of a project, or of a file, as it was written? Caches are made again",
                  _check, "workbench.cli.check", "check"),
    "plan": Word("what a training run would do, before it starts", _plan_or_show, "workbench.cli.train", "plan"),
    "train": Word("start a detached training run on the accepted rows", _train, "workbench.cli.train", "train"),
    "runs": Word("the runs of a project, or all of yours on this machine", _runs, "workbench.cli.train", "runs"),
    "watch": Word("follow a run, one line a step", _watch, "workbench.cli.watch", "watch"),
    "stop": Word("save a checkpoint and end a run, every run of a comparison, or all of a project",
                 _stop, "workbench.cli.train", "stop"),
    "resume": Word("go on with a run from its last whole checkpoint", _resume, "workbench.cli.train", "resume"),
    "try": Word("base and tuned model answer side by side; without a terminal, in text",
                _try, "workbench.cli.answers", "try_run"),
    "judge": Word("judge two runs blind, pair by pair; --json prints what was judged so far",
                  _judge, "workbench.cli.answers", "judge"),
    "export-model": Word("a run's model for vLLM, llama.cpp or the Hub: adapter or merged, verified, with its card",
                         _export_model, "workbench.cli.export_model", "export_run"),
    "suspects": Word("rows that a run says to look at again; decides nothing",
                     _suspects, "workbench.cli.answers", "suspects"),
    "rescore": Word("tune on the accepted rows, rank the undecided ones by surprise",
                    _plan, "workbench.cli.answers", "rescore"),
    "compare": Word("train raw, random-N and curated at equal cost; measure them on the held-out set",
                    _compare, "workbench.cli.compare", "compare"),
    "curve": Word("would more rows help, and which? Trains 12, 25, 50 and 100 % of the accepted rows",
                  _curve, "workbench.cli.compare", "curve"),
    "sweep": Word("which learning rate? Trains three on a slice of the accepted rows; recommends, sets nothing",
                  _sweep, "workbench.cli.sweep", "sweep"),
    "gate": Word("may this set be trained on? Exit code 1 with the rows to fix",
                 _gate, "workbench.cli.report", "run_gate"),
}
# fmt: on
