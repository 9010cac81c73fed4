"""Reading and scanning as processes of their own, so that the workbench stays light and answers keys meanwhile."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from engine.errors import TamisError

MODULE = "engine.jobs.scan"
READ_MODULE = "engine.jobs.read"
Progress = Callable[[str, int, int], None]


async def run_scan(project: Path, progress: Progress) -> None:
    """Run `engine.jobs.scan` on a project to its end. Raises TamisError where it fails or dies."""
    await run_job(MODULE, project, progress)


async def run_job(module: str, project: Path, progress: Progress) -> None:
    """Run a job on a project to its end. Raises TamisError where it fails or dies.

    Cancelling the task ends the process: it stops as soon as its stdin closes.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, str(project)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    complaints = asyncio.create_task(process.stderr.read())
    fault, done = "", False
    try:
        async for line in process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if "error" in message:
                fault = str(message["error"])
            elif message.get("done"):
                done = True
            elif "progress" in message:
                progress(str(message.get("phase", "")), int(message["progress"]), int(message.get("of", 0)))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if code != 0 or not done:
        words = (await complaints).decode("utf-8", "replace").strip().splitlines()
        reason = fault or (words[-1] if words else f"it ended with code {code}")
        what = "reading" if module == READ_MODULE else "the scan"
        raise TamisError(f"{what} ended early", reason, "rows can be judged all the same; start again to go on")
