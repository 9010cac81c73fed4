"""Reading and scanning as processes of their own, so that the workbench stays light and answers keys meanwhile."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.errors import TamisError
from engine.job_process import job_command

MODULE = "engine.jobs.scan"
READ_MODULE = "engine.jobs.read"
QUEUE_MODULE = "engine.jobs.review"
PICK_MODULE = "engine.jobs.pick"
SLICES_MODULE = "engine.jobs.slices"
PLAN_MODULE = "engine.jobs.plan"
TOKEN_VIEW_MODULE = "engine.jobs.token_view"
COMPARE_MODULE = "engine.jobs.compare"
SUSPECTS_MODULE = "engine.jobs.suspects"
TOKENS_MODULE = "engine.jobs.tokens"
GOES_ON = "rows can be judged all the same; start again to go on"
WHAT = {
    READ_MODULE: ("reading", GOES_ON),
    PLAN_MODULE: ("the plan", ""),
    TOKEN_VIEW_MODULE: ("looking at the row", ""),
    COMPARE_MODULE: ("the comparison", ""),
    TOKENS_MODULE: ("counting tokens", "tokens are told about"),
    SUSPECTS_MODULE: ("looking at rows again", ""),
}
# A plan names rows by their ids, in one line.
LAST_WORDS_SECONDS = 2.0
LONGEST_LINE = 64_000_000
Progress = Callable[[str, int, int], None]


async def run_scan(project: Path, progress: Progress, exact_found: Callable[[int], None]) -> list[str]:
    """Run `engine.jobs.scan` on a project to its end; what a person is to be told. Raises TamisError where it fails or
    dies.

    `exact_found` is called with the number of exact groups once these are on disk.
    """
    done = await run_job(MODULE, project, progress, stage=lambda message: exact_found(int(message.get("clusters", 0))))
    return [str(sentence) for sentence in done.get("told", ())]


async def run_job(
    module: str,
    project: Path,
    progress: Progress,
    *words: str,
    stage: Callable[[dict[str, Any]], None] = lambda message: None,
) -> dict[str, Any]:
    """Run a job on a project to its end; its last message. Raises TamisError where it fails or dies.

    `stage` is called with a message that tells of a part that is on disk already.

    Cancelling the task ends the process: it stops as soon as its stdin closes.
    """
    process = await asyncio.create_subprocess_exec(
        *job_command(module, str(project), *words),
        limit=LONGEST_LINE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    fault, done = "", dict[str, Any]()
    try:
        async for line in process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if "error" in message:
                fault = str(message["error"])
            elif message.get("done"):
                done = message
            elif "stage" in message:
                stage(message)
            elif "progress" in message:
                progress(str(message.get("phase", "")), int(message["progress"]), int(message.get("of", 0)))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), LAST_WORDS_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if code != 0 or not done:
        complaint = (await complaints).decode("utf-8", "replace").strip().splitlines()
        reason = fault or (complaint[-1] if complaint else _ended(code))
        what, hint = WHAT.get(module, ("the scan", GOES_ON))
        raise TamisError(f"{what} ended early", reason, hint)
    return done


def _ended(code: int) -> str:
    return f"it was killed ({signal.Signals(-code).name})" if code < 0 else f"it ended with code {code}"
