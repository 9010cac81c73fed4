"""Answers for a screen: a thread that waits on the answering process, so that no key ever waits for a model.

Knows no terminal. What comes back is handed to `tell`, which the screen makes safe for its own thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from engine.errors import TamisError
from engine.training.eval.inference import Answering, Messages

Request = tuple[int, Messages, Sequence[str]]
"""A prompt: its key, its messages and its tools."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the thread has to tell.

    `kind`: "loading" (`detail` {"done", "of"}), "ready" (what was loaded), "answer" (`key`, `side`, `text`, `cut`),
    "refused" (the prompt `key` could not be answered: `text`), "gone" (`text`: why; nothing more comes).
    """

    kind: str
    key: int = -1
    side: str = ""
    text: str = ""
    cut: bool = False
    detail: Mapping[str, Any] | None = None


class AnsweringThread:
    """`want` asks. Of several prompts asked for meanwhile only the last is answered."""

    def __init__(self, run_dir: Path, longest: int, tell: Callable[[Said], None]) -> None:
        self._run_dir, self._longest, self._tell = run_dir, longest, tell
        self._wanted: SimpleQueue[Request | None] = SimpleQueue()
        self._process: Answering | None = None
        self._closing = False

    def start(self) -> None:
        """Begin: `tell` is called from now on."""
        threading.Thread(target=self._serve, name="answering", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """Of the answering process; None before it was started."""
        return self._process.pid if self._process is not None else None

    def want(self, key: int, messages: Messages, tools: Sequence[str] = ()) -> None:
        """Ask both sides; the answers come under `key`."""
        self._wanted.put((key, messages, tools))

    def close(self) -> None:
        """End the process and the thread; nothing more is told."""
        self._closing = True
        self._wanted.put(None)
        if self._process is not None:
            self._process.close()

    def _serve(self) -> None:
        try:
            self._process = Answering(self._run_dir)
            if self._closing:
                self._process.close()
                return
            ready = self._process.wait_ready(self._loading)
            self._say(Said("ready", detail=ready))
            while (request := self._newest()) is not None:
                self._answer(self._process, *request)
        except TamisError as fault:
            self._say(Said("gone", text=str(fault)))

    def _loading(self, done: int, of: int) -> None:
        self._say(Said("loading", detail={"done": done, "of": of}))

    def _newest(self) -> Request | None:
        request = self._wanted.get()
        while request is not None and not self._wanted.empty():
            request = self._wanted.get()
        return request

    def _answer(self, process: Answering, key: int, messages: Messages, tools: Sequence[str]) -> None:
        try:
            for side in process.ask([messages], tools=[tools], longest=self._longest):
                self._say(Said("answer", key, side.side, side.answers[0], side.cut[0]))
        except TamisError as fault:
            if not process.is_alive:
                raise
            self._say(Said("refused", key, text=str(fault)))

    def _say(self, said: Said) -> None:
        if not self._closing:
            self._tell(said)
