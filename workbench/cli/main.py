"""The `tamis` command: words in, one handler each. Nothing heavy is imported before the handler that needs it."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.errors import TamisError, UsageError

DONE, FINDING, USAGE_ERROR, INTERRUPTED = 0, 1, 2, 130
SCREEN_WORDS = ("open", "demo")

Handler = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong word ends in the one line every other fault ends in."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message, "", f"see `{self.prog} --help`")


class _Version(argparse.Action):
    """`--version`; looked up only where it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from engine.version import tamis_version

        print(f"tamis {tamis_version()}")
        parser.exit()


def build_parser(word: str | None = None) -> argparse.ArgumentParser:
    """All commands with their options; the epilogue names the way in that has no word of its own.

    With `word`, the word that was typed: where it opens the workbench only those commands are made, since making all
    of them takes longer than reading a project.
    """
    parser = _Parser(
        prog="tamis",
        description="Sieve fine-tuning data down to the examples worth training on, train on them, see what it bought.",
        epilog="`tamis PATH` opens a data file or a .tamis project in the workbench; `tamis demo` shows the sample.",
    )
    parser.add_argument("--version", action=_Version, help="show program's version number and exit")
    words = parser.add_subparsers(dest="word", metavar="COMMAND", required=True, parser_class=_Parser)
    _screen_commands(words)
    if word not in SCREEN_WORDS:
        _data_commands(words)
        _training_commands(words)
    return parser


def _command(
    words: argparse._SubParsersAction[_Parser], name: str, text: str, *, project: bool = True, decides: bool = False
) -> argparse.ArgumentParser:
    # argparse formats the help, but not the description, with `%`.
    command = words.add_parser(name, help=text.replace("%", "%%"), description=text)
    if project:
        command.add_argument(
            "project", type=Path, metavar="PROJECT", help="a .tamis folder, or the data file beside it"
        )
    command.add_argument("--json", action="store_true", help="print one JSON object")
    if decides:
        command.add_argument(
            "--as", dest="reviewer", metavar="NAME", help="who decides (else TAMIS_REVIEWER, settings, git e-mail)"
        )
    return command


def _screen_commands(words: argparse._SubParsersAction[_Parser]) -> None:
    opened = words.add_parser("open", help="open a data file or project in the workbench (the same as `tamis PATH`)")
    opened.add_argument("path", type=Path, metavar="PATH")
    _screen_options(opened)
    opened.add_argument("--project", type=Path, metavar="DIR", help="where the project folder is, or is to be made")
    _mapping_options(opened)
    demo = words.add_parser(
        "demo", help="the workbench on a scratch copy of the sample; without a terminal, the whole loop in text"
    )
    _screen_options(demo)
    demo.add_argument("--fresh", action="store_true", help="start the scratch copy anew")
    demo.add_argument(
        "--headless", action="store_true", help="no screen: scan, decide, export, train, compare, print the verdict"
    )
    demo.add_argument("--json", action="store_true", help="print one JSON object (headless only)")


def _data_commands(words: argparse._SubParsersAction[_Parser]) -> None:
    scan = _command(words, "scan", "find duplicates, contradictions and quality issues", project=False)
    scan.add_argument("path", type=Path, metavar="PATH", help="a data file, or a .tamis project")
    scan.add_argument("--project", type=Path, metavar="DIR", help="keep rows and findings in this project folder")
    _mapping_options(scan)
    report = _command(words, "report", "measures of a data set, or of two side by side", project=False)
    report.add_argument("path", type=Path, metavar="PATH")
    report.add_argument("other", type=Path, metavar="OTHER", nargs="?")
    report.add_argument("--html", type=Path, metavar="FILE", help="also write one self-contained page")
    report.add_argument("--with-text", action="store_true", help="let texts of rows into the page")
    report.add_argument(
        "--price", type=float, metavar="X", help="price of the machine per hour: what junk costs an epoch"
    )
    report.add_argument(
        "--model", metavar="M", help="with --price: the model an epoch is reckoned for (else the built-in)"
    )
    report.add_argument("--tokenizer", metavar="M", help="count tokens of this model (else characters / 4)")
    _command(words, "doctor", "what this terminal, connection and machine can do, what to change", project=False)
    _command(words, "status", "what is decided and what is open")
    _command(words, "journal", "who decided what, when and why")
    holdout = _command(words, "holdout", "reserve the held-out set, once", decides=True)
    holdout.add_argument(
        "amount", metavar="N|P%|FILE", help="how many rows, which share, or a file whose rows are held out"
    )
    holdout.add_argument("--by", metavar="FIELD", help="draw its share of every value of this field")
    holdout.add_argument("--seed", type=int, default=0, help="of the draw (default 0)")
    pick = _command(words, "pick", "propose a diverse subset of what is undecided or accepted; decides nothing")
    pick.add_argument("count", type=int, metavar="N", help="how many rows")
    pick.add_argument("--lock", metavar="SELECTOR", help="rows that stay in, such as 'row:3 or is:accepted'")
    pick.add_argument("--swap", metavar="SELECTOR", help="rows to be replaced by the next best")
    do = _command(words, "do", "the workbench's commands without a screen", decides=True)
    do.add_argument(
        "commands", nargs="*", metavar="COMMAND", help="for example 'reject bucket:drop', 'keep cluster:c1f09', 'undo'"
    )
    do.add_argument("--dry-run", action="store_true", help="count, decide nothing")
    do.add_argument("--from", dest="source", type=Path, metavar="FILE", help="replay a journal, or a list of commands")
    do.add_argument("--take-over", action="store_true", help="become the writer; the other window then only reads")
    add = _command(
        words, "add", "new rows, or a new version of the source: checked against what is there", decides=True
    )
    add.add_argument("file", type=Path, metavar="FILE")
    add.add_argument("--new-version", action="store_true", help="FILE replaces the source, whatever its name")
    merge = _command(words, "merge", "bring in the journals of another copy of the project")
    merge.add_argument("other", type=Path, metavar="OTHER", help="the other .tamis folder")
    export = _command(words, "export", "write the curated set, the held-out set and the manifest", decides=True)
    export.add_argument(
        "--to", type=Path, required=True, metavar="PATH", help="a .jsonl, .jsonl.gz, .parquet or .csv file, or a folder"
    )
    export.add_argument(
        "--format",
        default="same",
        metavar="NAME",
        help="same (default), alpaca, prompt-completion, messages, sharegpt or preference",
    )
    export.add_argument(
        "--container", metavar="KIND", help="jsonl, jsonl.gz, parquet, csv or datasets (else by the suffix)"
    )
    export.add_argument(
        "--override", metavar="WHY", default="", help="let rows with secrets leave; WHY goes into manifest and journal"
    )
    export.add_argument("--license", metavar="ID", default="", help="for the dataset card, as the Hub spells it: mit")
    export.add_argument("--lossy", action="store_true", help="convert although something is lost")
    export.add_argument("--include", choices=["undecided"], help="let undecided rows through as well")


def _screen_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="reviewer", metavar="NAME", help="who decides (else TAMIS_REVIEWER, settings, git e-mail)"
    )
    command.add_argument("--theme", metavar="NAME", help="night, day, contrast, safe, terminal, mono or your own")
    command.add_argument("--ascii", action="store_true", help="show no glyph beyond ASCII")
    command.add_argument("--readonly", action="store_true", help="look, decide nothing")
    command.add_argument("--take-over", action="store_true", help="become the writer; the other window then only reads")
    command.add_argument(
        "--driver",
        choices=["cells", "stock"],
        default=os.environ.get("TAMIS_DRIVER") or "cells",
        help="cells (default): send only what changed; stock: Textual's own, for terminals that disagree",
    )
    command.add_argument("--mouse", action="store_true", help="take the mouse (off over SSH otherwise)")


def _mapping_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--map", metavar="PART=FIELD,…", help="which field is what: prompt=a.b,response=c")
    command.add_argument("--key", metavar="FIELD", help="the field that names a row across versions of the source")


def _training_commands(words: argparse._SubParsersAction[_Parser]) -> None:
    plan = _command(words, "plan", "what a training run would do, before it starts")
    train = _command(words, "train", "start a detached training run on the accepted rows")
    for command in (plan, train):
        _run_options(command)
    train.add_argument("--override", metavar="WHY", help="start although the plan refuses; the reason is kept")
    train.add_argument("--wait", action="store_true", help="stay until the run ends, printing a line a step")
    runs = words.add_parser("runs", help="the runs of a project, or all of yours on this machine")
    runs.add_argument("project", type=Path, metavar="PROJECT", nargs="?", help="without it, every run of yours")
    runs.add_argument("--json", action="store_true", help="print one JSON object")
    for name, text in (
        ("watch", "follow a run, one line a step"),
        ("stop", "save a checkpoint and end a run"),
        ("resume", "go on with a run from its last whole checkpoint"),
    ):
        command = words.add_parser(name, help=text, description=text)
        command.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, or its id")
        command.add_argument(
            "--json", action="store_true", help="print JSON lines" if name == "watch" else "print one JSON object"
        )
    _answer_commands(words)
    compare = _command(
        words, "compare", "train raw, random-N and curated at equal cost; measure them on the held-out set"
    )
    _compare_options(compare)
    curve = _command(
        words, "curve", "would more rows help, and which? Trains 12, 25, 50 and 100 % of the accepted rows"
    )
    _several_runs_options(curve)
    curve.add_argument("--ascii", action="store_true", help="draw without block characters")
    gate = _command(words, "gate", "may this set be trained on? Exit code 1 with the rows to fix", decides=True)
    gate.add_argument(
        "--override", metavar="WHY", help="set aside what is not met now; goes into journal and manifests"
    )


def _compare_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--arms", metavar="A,B", help="base, raw, random (random-200), curated, an export's path, a run's id"
    )
    _several_runs_options(command)
    command.add_argument(
        "--detach", action="store_true", help="start the runs and leave them; ask again for the verdict"
    )
    command.add_argument("--html", type=Path, metavar="FILE", help="also write one self-contained page")
    command.add_argument("--markdown", action="store_true", help="print a block for a pull request")
    command.add_argument("--with-text", action="store_true", help="let texts of rows into the page")


def _several_runs_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", metavar="M", help="a Hugging Face id or a local folder; without it the built-in model"
    )
    command.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each kind (default 3)")
    command.add_argument("--steps", type=int, metavar="N", help="optimizer steps of every run")
    command.add_argument(
        "--workers", type=int, metavar="N", help="training processes at once (default: 2, for a real model 1)"
    )
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any training setting by name")
    command.add_argument("--budget", metavar="TIME", help="for all runs together: 45m, 1h30m")
    command.add_argument("--max-cost", type=float, metavar="X", help="for all runs together, at --price an hour")
    command.add_argument("--price", type=float, metavar="X", help="price of this machine per hour")


def _answer_commands(words: argparse._SubParsersAction[_Parser]) -> None:
    tried = words.add_parser("try", help="base and tuned model answer side by side; without a terminal, in text")
    tried.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, or its id")
    tried.add_argument("--json", action="store_true", help="print one JSON object: the answers to the held-out rows")
    tried.add_argument("--rows", type=int, default=20, metavar="N", help="held-out rows to answer in text (default 20)")
    tried.add_argument("--prompt", action="append", default=[], metavar="TEXT", help="answer this instead, in text")
    judge = words.add_parser("judge", help="judge two runs blind, pair by pair; --json prints what was judged so far")
    judge.add_argument("run", type=Path, metavar="RUN_A")
    judge.add_argument("other", type=Path, metavar="RUN_B")
    judge.add_argument("--json", action="store_true", help="print one JSON object: wins, ties, losses, interval")
    for command in (tried, judge):
        _screen_options(command)
    suspects = _command(words, "suspects", "rows that a run says to look at again; decides nothing")
    suspects.add_argument("--run", type=Path, metavar="RUN", help="else the newest run that measured rows")
    _run_options(_command(words, "rescore", "tune on the accepted rows, rank the undecided ones by surprise"))


def _run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model", metavar="M", help="a Hugging Face id or a local folder; without it the built-in model"
    )
    amount = command.add_mutually_exclusive_group()
    amount.add_argument("--steps", type=int, metavar="N")
    amount.add_argument("--epochs", type=float, metavar="N")
    command.add_argument("--seed", type=int, metavar="N")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any training setting by name")
    command.add_argument("--config", type=Path, metavar="FILE", help="training settings from a TOML file")
    command.add_argument("--gpu", type=int, metavar="I", help="the GPU's index, as nvidia-smi shows it")
    command.add_argument("--budget", metavar="TIME", help="end with what was learnt after this long: 45m, 1h30m")
    command.add_argument("--max-cost", type=float, metavar="X", help="end with what was learnt before it costs more")
    command.add_argument("--price", type=float, metavar="X", help="price of this machine per hour")


HANDLERS: dict[str, tuple[str, str]] = {
    "open": ("workbench.cli.open", "open_workbench"),
    "demo": ("workbench.cli.demo", "demo"),
    "scan": ("workbench.cli.data", "scan"),
    "report": ("workbench.cli.report", "report"),
    "status": ("workbench.cli.data", "status"),
    "journal": ("workbench.cli.data", "journal"),
    "holdout": ("workbench.cli.data", "holdout"),
    "pick": ("workbench.cli.report", "pick"),
    "do": ("workbench.cli.data", "do"),
    "add": ("workbench.cli.data", "add"),
    "merge": ("workbench.cli.data", "merge_projects"),
    "export": ("workbench.cli.data", "export_rows"),
    "doctor": ("workbench.cli.doctor", "doctor"),
    "plan": ("workbench.cli.train", "plan"),
    "train": ("workbench.cli.train", "train"),
    "runs": ("workbench.cli.train", "runs"),
    "watch": ("workbench.cli.train", "watch"),
    "stop": ("workbench.cli.train", "stop"),
    "resume": ("workbench.cli.train", "resume"),
    "compare": ("workbench.cli.compare", "compare"),
    "try": ("workbench.cli.answers", "try_run"),
    "judge": ("workbench.cli.answers", "judge"),
    "suspects": ("workbench.cli.answers", "suspects"),
    "rescore": ("workbench.cli.answers", "rescore"),
    "gate": ("workbench.cli.report", "run_gate"),
    "curve": ("workbench.cli.compare", "curve"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit code: 0 done, 1 a finding, 2 usage or input error."""
    words = list(sys.argv[1:] if argv is None else argv)
    # `tamis PATH`: a first word that is no command and no option is something to open.
    if words and not words[0].startswith("-") and words[0] not in HANDLERS:
        words.insert(0, "open")
    try:
        if not words:
            build_parser().print_help()
            return USAGE_ERROR
        arguments, left_over = build_parser(words[0]).parse_known_args(words)
        if left_over:
            # `tamis do P --dry-run 'x'`: argparse closes the list of commands at the first option.
            if arguments.word != "do" or any(word.startswith("-") for word in left_over):
                raise UsageError(f"unrecognized arguments: {' '.join(left_over)}", "", "see `tamis --help`")
            arguments.commands += left_over
        return handler_of(arguments.word)(arguments)
    except TamisError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`tamis journal P | head`): nothing is wrong.
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return DONE
    except Exception as error:  # noqa: BLE001 - the border to the person: no traceback on their screen
        return _complain(f"a fault inside tamis: {type(error).__name__}: {error}. {_report()}")


def handler_of(word: str) -> Handler:
    """The function that does a command, imported only now."""
    from importlib import import_module

    module, name = HANDLERS[word]
    handler: Handler = getattr(import_module(module), name)
    return handler


def _complain(sentence: str) -> int:
    from workbench.text.escape import visible

    print(f"tamis: {visible(' '.join(sentence.split()))}", file=sys.stderr)
    return USAGE_ERROR


def _report() -> str:
    """Keep the traceback where it can be sent from; the sentence that says where."""
    folder = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tamis"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "last-fault.txt"
        path.write_text(traceback.format_exc(), encoding="utf-8", errors="backslashreplace")
    except OSError:
        return "Its report could not be written"
    return f"The report is in {path}"


if __name__ == "__main__":
    sys.exit(main())
