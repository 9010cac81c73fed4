"""Options that several commands have, each written once: the same word means the same everywhere."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from engine.places import named_place


def project_options(command: argparse.ArgumentParser, *, decides: bool = False) -> None:
    command.add_argument("project", type=Path, metavar="PROJECT", help="a .tamis folder, or the data file beside it")
    json_option(command)
    if decides:
        reviewer_option(command)


def json_option(command: argparse.ArgumentParser, text: str = "print one JSON object") -> None:
    command.add_argument("--json", action="store_true", help=text)


def reviewer_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--as", dest="reviewer", metavar="NAME", help="who decides (else TAMIS_REVIEWER, settings, git e-mail)"
    )


def take_over_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--take-over", action="store_true", help="become the writer; the other window then only reads")


def screen_options(command: argparse.ArgumentParser) -> None:
    reviewer_option(command)
    command.add_argument("--theme", metavar="NAME", help="night, day, contrast, safe, terminal, mono or your own")
    command.add_argument("--ascii", action="store_true", help="show no glyph beyond ASCII")
    command.add_argument("--readonly", action="store_true", help="look, decide nothing")
    take_over_option(command)
    command.add_argument(
        "--driver",
        choices=["cells", "stock"],
        default=os.environ.get("TAMIS_DRIVER") or "cells",
        help="cells (default): send only what changed; stock: Textual's own, for terminals that disagree",
    )
    command.add_argument("--mouse", action="store_true", help="take the mouse (off over SSH otherwise)")


def mapping_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--map",
        metavar="PART=FIELD,…",
        help="which field is what: prompt=a.b,response=c; docs/formats.md has all words",
    )
    command.add_argument("--key", metavar="FIELD", help="the field that names a row across versions of the source")
    command.add_argument("--shared", action="store_true", help="a new project is for your group as well (2770)")
    encoding_option(command)


def encoding_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--encoding", metavar="NAME", help="of a text that is not UTF-8: cp1252, shift_jis … (UTF-16 is told by itself)"
    )


def force_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--force", action="store_true", help="also over a file that tamis did not write; no source")


def page_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--html", type=named_place, metavar="FILE", help="also write one self-contained page")
    force_option(command)
    command.add_argument("--with-text", action="store_true", help="let texts of rows into the page")


def run_argument(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="the folder of a run, or its id")


def model_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", metavar="M", help="a Hugging Face id or a local folder (else the built-in model)")


def set_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any training setting by name")


def price_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--price", type=float, metavar="X", help="price of this machine per hour")


def several_runs_options(command: argparse.ArgumentParser) -> None:
    model_option(command)
    command.add_argument("--seeds", type=int, default=3, metavar="N", help="runs of each kind (default 3)")
    command.add_argument("--steps", type=int, metavar="N", help="optimizer steps of every run")
    command.add_argument(
        "--workers", type=int, metavar="N", help="training processes at once (default: 2, for a real model 1)"
    )
    set_option(command)
    command.add_argument("--budget", metavar="TIME", help="for all runs together: 45m, 1h30m")
    command.add_argument("--max-cost", type=float, metavar="X", help="for all runs together, at --price an hour")
    price_option(command)
