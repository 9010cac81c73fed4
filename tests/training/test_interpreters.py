"""An interpreter that cannot train, or ends before it has answered: one line that blames what is to blame."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from small_runs import rows

from engine.errors import TrainingError
from engine.training.plan.plan import make_plan
from engine.training.runs.launch import choose_spec
from engine.training.worker.libraries import sft_arguments
from engine.training.worker.versions import unfit, untried

PRESENT = {"torch": "2.13.0+cpu", "transformers": "5.23.0", "trl": "1.16.0", "peft": "0.21.2"}
PRESENT |= {"accelerate": "1.15.0", "datasets": "5.2.0"}


def fault(command: tuple[str, ...], folder: Path) -> str:
    """What the plan says that this command cannot make."""
    spec = choose_spec(name="p", rows=6, model="any/model", settings={"command": command})
    with pytest.raises(TrainingError) as raised:
        make_plan(spec, rows(6), (), runs_dir=folder)
    return str(raised.value)


def with_library(folder: Path, name: str, program: str) -> tuple[str, ...]:
    """This interpreter, with a library of this name that runs `program` when it is imported."""
    (folder / f"{name}.py").write_text(program)
    return ("env", f"PYTHONPATH={folder}", sys.executable)


def test_only_a_command_that_never_began_is_to_be_mended(tmp_path: Path) -> None:
    killed = fault(("sh", "-c", "kill -KILL $$"), tmp_path)
    assert killed.startswith("sh was killed while it looked at the rows (SIGKILL). Memory or time of this machine")
    broken = fault(("sh", "-c", "echo no symbol >&2; sh -c 'kill -SEGV $$'; exit $?"), tmp_path)
    assert "(SIGSEGV): no symbol" in broken or "(SIGSEGV): Segmentation fault" in broken
    ended = fault(with_library(tmp_path, "transformers", "raise SystemExit('no licence')"), tmp_path)
    assert ended.startswith("env ended with code 1 while it looked at the rows: no licence. A library ended it")
    for words in (killed, broken, ended):
        assert "mend" not in words.casefold()
    assert "mend [training] command" in fault(("false",), tmp_path).replace("Mend", "mend")
    assert "it ended with code 1 and said nothing" in fault(("false",), tmp_path)


def test_libraries_that_do_not_go_together_are_told_as_that(tmp_path: Path) -> None:
    command = with_library(tmp_path, "transformers", "from collections import no_such_thing")
    spec = choose_spec(name="p", rows=6, model="any/model", settings={"command": command})
    (refusal,) = make_plan(spec, rows(6), (), runs_dir=tmp_path).refusals
    assert "cannot import name 'no_such_thing'" in refusal.text
    assert "is missing, or does not go with the others there" in refusal.text


def test_what_is_too_old_comes_with_the_window_and_the_pip_line_and_what_is_newer_is_only_told() -> None:
    assert unfit(PRESENT, (3, 11)) == untried(PRESENT) == []
    old = unfit({**PRESENT, "transformers": "4.41.2", "peft": None}, (3, 12))
    assert old[:2] == ["transformers 4.41.2 is too old: 4.54 to 5.24 were tried", "peft is not installed"]
    assert old[2] == f"{sys.executable} -m pip install 'transformers>=4.54' 'peft>=0.16'"
    assert "newer Python" in unfit(PRESENT, (3, 9))[-1]
    assert unfit({**PRESENT, "trl": "0.20.0"}, (3, 11)) == unfit({**PRESENT, "trl": "2.0.1"}, (3, 11)) == []
    assert untried({**PRESENT, "trl": "1.16.3", "transformers": "5.24.1"}) == []
    (newer,) = untried({**PRESENT, "trl": "1.17.0"})
    assert newer.startswith("trl 1.17.0 is newer than what was tried (0.20 to 1.16)")


def test_a_setting_that_these_libraries_do_not_have_is_asked_of_them() -> None:
    assert sft_arguments({"learning_rate": 1e-4}) == {"learning_rate": 1e-4}
    with pytest.raises(ValueError, match="has no setting no_such_field"):
        sft_arguments({"no_such_field": 1})
