"""Asking the models of a run: a process beside us that loads base and tuned model once and answers until it is closed.

Only that process imports torch. Its protocol is told in `worker/answering.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import TrainingError
from engine.files import open_private
from engine.training.plan.preflight import WORKER
from engine.training.runs.resume import LAUNCHERS
from engine.training.runs.status import read_run
from engine.training.runs.trusted import check_run
from engine.training.spec.run_spec import GIVEN
from engine.training.worker.events import read_json
from engine.training.worker.starter import STARTER

LONGEST = 256
Messages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Side:
    """What one side ("base" or "tuned") wrote: one answer a prompt, and whether it was cut at the limit."""

    side: str
    answers: tuple[str, ...]
    cut: tuple[bool, ...]


def check_can_answer(run_dir: Path) -> None:
    """Refuse a run that has nothing to answer with. Raises TrainingError."""
    state = read_run(run_dir)
    if state.alive:
        where = f"step {state.step}/{state.max_steps}" if state.max_steps else state.state
        raise TrainingError(f"{state.id} is still {state.state} ({where})", "", "try it when it has ended")
    if not (run_dir / "model").is_dir():
        why = state.error or "it saved no model"
        raise TrainingError(f"{state.id} is {state.state} and has no model to try", why, "see `tamis runs`")


def command_of(run_dir: Path) -> list[str]:
    """The interpreter that answers: the run's own; for a launcher of several processes, this one."""
    words = [str(word) for word in (read_json(run_dir / "spec.json") or {}).get("command") or [sys.executable]]
    if Path(words[0]).name in LAUNCHERS:
        return [sys.executable]
    if Path(words[0]).name == "conda" and words[1:2] == ["run"] and "--no-capture-output" not in words:
        return [*words[:2], "--no-capture-output", *words[2:]]  # else our lines would wait for its end
    return words


class Answering:
    """The answering process of one run. Not for several threads at once."""

    def __init__(self, run_dir: Path) -> None:
        """Start it; loading goes on until `wait_ready` returns. Raises TrainingError."""
        check_can_answer(run_dir)
        check_run(run_dir)
        command = [*command_of(run_dir), str(WORKER / "main.py"), "answer", str(run_dir)]
        self.run_dir = run_dir
        self._asked = 0
        try:
            log = open_private(run_dir / "answering.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            with os.fdopen(log, "wb") as complaints:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    start_new_session=True,
                    env={**os.environ, "PYTHONSAFEPATH": "1", STARTER: str(os.getpid())},
                )
        except OSError as fault:
            raise TrainingError(
                f"{command[0]} cannot be started", fault.strerror or str(fault), "mend [training] command"
            ) from fault

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, progress: Callable[[int, int], None] = lambda done, of: None) -> Mapping[str, Any]:
        """Until both models are loaded: what they are. Raises TrainingError where they cannot be."""
        while True:
            message = self._next()
            if message.get("ready"):
                return message
            if "error" in message:
                self.close()
                raise TrainingError(f"{self.run_dir.name} cannot answer", str(message["error"]), self._log_hint())
            progress(int(message.get("progress", 0)), int(message.get("of", 0)))

    def ask(
        self,
        prompts: Sequence[Messages],
        *,
        tools: Sequence[Sequence[str]] = (),
        longest: int = LONGEST,
        sides: Sequence[str] = ("base", "tuned"),
    ) -> Iterator[Side]:
        """Greedy answers of at most `longest` tokens, a side at a time. `tools` are those of each prompt.

        Raises TrainingError.
        """
        self._asked += 1
        request = {
            "id": self._asked,
            "prompts": [[dict(message) for message in messages] for messages in prompts],
            "tools": [list(each) for each in tools],
            "longest": longest,
            "sides": list(sides),
        }
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as fault:
            raise self._gone() from fault
        for _ in sides:
            message = self._next()
            while message.get("id") != self._asked:  # of a request that was given up
                message = self._next()
            if "error" in message:
                raise TrainingError("this prompt was not answered", str(message["error"]), "try another one")
            yield Side(str(message["side"]), tuple(message["answers"]), tuple(message["cut"]))

    def close(self) -> None:
        """End the process. Whoever waits for an answer is told that it is gone."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):  # what was still to be written is of no use any more
                self._process.stdin.close()
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()

    def __enter__(self) -> Answering:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if isinstance(message, dict):
                return message
        raise self._gone()

    def _gone(self) -> TrainingError:
        code = self._process.wait()
        words = f"it was killed ({signal.Signals(-code).name})" if code < 0 else f"it ended with code {code}"
        return TrainingError("the answering process is gone", words, self._log_hint())

    def _log_hint(self) -> str:
        return f"{self.run_dir.name}/answering.log has the rest"


def longest_answer(run_dir: Path) -> int:
    """How many tokens an answer may have: what was set for the run, else what a person waits for."""
    values = (read_json(run_dir / "spec.json") or {}).get("values", {})
    chosen = values.get("max_new_tokens", {})
    most = chosen.get("value")
    if not isinstance(most, int) or most <= 0:
        return LONGEST
    return most if chosen.get("reason") == GIVEN else min(most, LONGEST)
