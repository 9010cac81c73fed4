"""`tamis do` with a selector that was mistyped changes no row."""

from __future__ import annotations

from pathlib import Path

import planted
import pytest

from engine.errors import UsageError
from workbench.actions.typed_commands import run_headless
from workbench.cli.main import main

TRAPS = {
    "reject not token>50": "did you mean tokens>50",
    "accept not flag:truncatd": "did you mean flag:truncated",
    "reject len>10": "did you mean chars>10",
    "tag x field.output=/x/": "/x/ alone searches",
    "skip flag:foo": "is unknown",
    "reject output=x": "field.output=x",
    "accept tokens=>5": "write tokens>=5",
    "reject tokens>abc": "compared with a number",
    "accept is:acepted": "did you mean is:accepted",
    "keep Kind:near": "did you mean kind:near",
    "accept not by:nobody": "is unknown",
    "reject not tag:nobody-has-it": "is unknown",
    "accept role:asistant": "did you mean role:assistant",
    "accept not field.yaer>2000": "did you mean field.year",
    "reject http://x": 'in quotation marks, "http://x"',
    "accept not flag:link": "add --yes",
    "accept bucket:clean and not flag:link": "add --yes",
    "tag x not (flag:link or tokens>99999)": "add --yes",
    "keep kind:near not flag:link": "add --yes",
    "accept not cluster:zzz": "no cluster",
    "reject row:²": "no row number",
    'accept ""': "an empty text",
}


@pytest.mark.parametrize("line", TRAPS)
def test_a_trap_is_one_line_and_no_act(line: str, tmp_path: Path) -> None:
    folder = planted.make_folder(tmp_path)
    with planted.opened(folder) as project:
        with pytest.raises(UsageError) as error:
            run_headless(project, line)
        assert TRAPS[line].lower() in str(error.value).lower()
        assert project.last_line == 0


def test_the_command_ends_with_2_and_yes_does_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, line = str(planted.make_folder(tmp_path)), "accept not flag:link"
    assert main(["do", folder, line, "--as", "ann"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "no row matches flag:link" in told
    # All rows but conflict and variants, which nobody has looked at.
    assert "would touch 16 rows" in told
    assert planted.journal(Path(folder)) == []
    assert main(["do", folder, line, "--as", "ann", "--dry-run"]) == 0
    assert "would have accepted 16 rows" in capsys.readouterr().out
    assert main(["do", folder, line, "--as", "ann", "--yes"]) == 0
    assert [len(act["ids"]) for act in planted.journal(Path(folder))[0]["acts"]] == [16]


def test_a_negation_of_something_asks_nothing(tmp_path: Path) -> None:
    with planted.opened(planted.make_folder(tmp_path)) as project:
        assert run_headless(project, "accept not flag:refusal").rows == 15
        assert run_headless(project, "tag x not (flag:refusal or flag:link)").rows == 19


def test_what_is_picked_around_must_be_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(planted.make_folder(tmp_path))
    assert main(["pick", folder, "3", "--lock", "tag:none"]) == 2
    assert "tag:'none' is unknown" in capsys.readouterr().err
