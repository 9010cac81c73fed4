"""The `tamis` command: from the words to a handler, from whatever goes wrong to one line and an exit code."""

from __future__ import annotations

import argparse
import locale
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module

from engine.errors import TamisError, UsageError
from engine.files import write_atomic
from engine.paths import made_state_folder
from engine.version import tamis_version
from workbench.cli.options import WORDS
from workbench.cli.output import guarded_streams, last_words, narrate, say
from workbench.text.escape import visible

DONE, FINDING, USAGE_ERROR, INTERRUPTED = 0, 1, 2, 130
NO_MEMORY = "not enough memory. Close other programs, or work on a part of the data"

Handler = Callable[[argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit code: 0 done, 1 a finding, 2 usage or input error."""
    if argv is None:
        _use_utf8()
    with guarded_streams():
        try:
            code = _run(list(sys.argv[1:] if argv is None else argv))
        except SystemExit as left:  # argparse, behind --help and --version
            code = int(left.code or DONE)
        unsaid = last_words()
        return _complain(unsaid) if unsaid else code


def _use_utf8() -> None:
    """Begin anew in Python's UTF-8 mode where the locale has another encoding: names of files, and what a run or a job
    says, are UTF-8 everywhere. What goes to the terminal keeps the encoding that the terminal has."""
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1" or not sys.executable:
        return
    os.environ["PYTHONUTF8"] = "1"
    os.environ.setdefault("PYTHONIOENCODING", f"{locale.getpreferredencoding(False)}:backslashreplace")
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _run(words: list[str]) -> int:
    # `tamis PATH`: a first word that is no command and no option is something to open.
    if words and not words[0].startswith("-") and words[0] not in WORDS:
        words.insert(0, "open")
    try:
        if not words:
            build_parser().print_help()
            return USAGE_ERROR
        arguments, left_over = build_parser(words[0]).parse_known_args(words)
        if left_over and arguments.word == "open" and not os.path.lexists(arguments.paths[0]):
            from workbench.cli.open import nothing_there

            raise nothing_there(arguments.paths[0])
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
    except MemoryError:
        return _complain(NO_MEMORY)
    except OSError as error:
        # A disk that fails where nothing is known of what it means for the person: still no fault of ours.
        where = f"{error.filename}: " if error.filename else ""
        return _complain(f"{where}{error.strerror or error}. Check the disk and try again. {_report()}")
    except ImportError as error:
        # A library that finds no room to be loaded in; the words are the C library's.
        if any(words in str(error) for words in ("failed to map segment", "cannot allocate memory")):
            return _complain(NO_MEMORY)
        return _complain(f"a fault inside tamis: {type(error).__name__}: {error}. {_report()}")
    except Exception as error:  # noqa: BLE001 - the border to the person: no traceback on their screen
        return _complain(f"a fault inside tamis: {type(error).__name__}: {error}. {_report()}")


def handler_of(word: str) -> Handler:
    """The function that does a command, imported only now."""
    handler: Handler = getattr(import_module(WORDS[word].module), WORDS[word].function)
    return handler


def build_parser(word: str | None = None) -> argparse.ArgumentParser:
    """The command with its options: of `word` alone where that is a command, else of all there are, as `--help` shows
    them. Making all of them takes longer than reading a project."""
    parser = _Parser(
        prog="tamis",
        description="Sieve fine-tuning data down to the examples worth training on, train on them, see what it bought.",
        epilog="`tamis PATH` opens a data file or a .tamis project in the workbench, `tamis FILE FILE` one project of "
        "several; `tamis demo` shows the sample.",
    )
    parser.add_argument("--version", action=_Version, help="show program's version number and exit")
    commands = parser.add_subparsers(dest="word", metavar="COMMAND", required=True, parser_class=_Parser)
    for name in WORDS if word not in WORDS else (word,):
        # argparse formats the help, but not the description, with `%`.
        text = WORDS[name].text
        WORDS[name].options(commands.add_parser(name, help=text.replace("%", "%%"), description=text))
    return parser


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong word ends in the one line every other fault ends in."""

    def print_help(self, file: object = None) -> None:
        for line in self.format_help().splitlines():
            say(line)

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UsageError(message, "", f"see `{self.prog} --help`")


class _Version(argparse.Action):
    """`--version`; looked up only where it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:  # noqa: A002
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        say(f"tamis {tamis_version()}")
        parser.exit()


def _complain(sentence: str) -> int:
    narrate(f"tamis: {' '.join(sentence.split())}")
    return USAGE_ERROR


def _report() -> str:
    """Keep the traceback where it can be sent from; the sentence that says where."""
    try:
        path = made_state_folder() / "last-fault.txt"
        write_atomic(path, visible(traceback.format_exc()).encode("utf-8", "backslashreplace"))
    except (OSError, TamisError):
        return "Its report could not be written"
    return f"The report is in {path}; it may quote rows"


if __name__ == "__main__":
    sys.exit(main())
