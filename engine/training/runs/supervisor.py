"""The process that owns runs: starts the worker, hears signals, tries again after an out-of-memory, writes the results.

Standard library only, and started by file path (`python -P -S -E supervisor.py [--detach] RUN_DIR ...`), so it costs
about 13 MB and nothing installed or set can disturb it. One supervisor serves its runs in order with one worker at a
time; a worker that dies is replaced for the runs that are left. A run is alive exactly while its `lock` is held; the
worker inherits the lock, so a run whose supervisor was killed is alive until its worker, which notices, has ended.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

POLL_SECONDS = 0.1
LAST_BREATH_SECONDS = 30.0
LOCK_TRIES = 10
TAIL_BYTES = 65_536
ENDS_WORKER = ("oom", "crashed")
ALREADY_RUNNING = 3
TOLD_AT_EXIT = ("outcome", "signal", "host_oom", "error", "but", "step", "nll", "exact", "completion_tokens", "seconds")


def load(name: str) -> ModuleType:
    """A standard-library-only file of the worker beside this one, loaded by path: `engine` is not importable here."""
    package = "tamis_worker"
    folder = Path(__file__).resolve().parent.parent / "worker"
    if package not in sys.modules:
        # A bare package, so that these files may import each other; the worker's own __init__ is not run.
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [str(folder)]
    return importlib.import_module(f"{package}.{name}")


events = load("events")
checkpoints = load("checkpoints")


@dataclass(frozen=True, slots=True)
class Held:
    """One run whose lock this process holds, with its spec and its event log."""

    folder: Path
    spec: Mapping[str, Any]
    lock: int
    log: Any


class Signals:
    """Counts SIGTERM and SIGINT; the hang-up of a terminal is nothing to a detached run."""

    def __init__(self) -> None:
        self.count = 0
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._count)

    def _count(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1


def main(arguments: Sequence[str]) -> int:
    """Serve the runs named. Exit code 3, with nothing touched, where one of them is being served already."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--detach", action="store_true", help="leave the session of the caller once the locks are held")
    parser.add_argument("runs", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    folders = [folder.resolve() for folder in options.runs]
    locks = []
    for folder in folders:
        lock = take_lock(folder)
        if lock is None:
            print(json.dumps({"error": f"{folder} is being served already"}), flush=True)
            return ALREADY_RUNNING
        locks.append(lock)
    if options.detach:
        leave_session(folders[0])
    serve(
        [
            Held(folder, read_spec(folder, checkpoints.latest_attempt(folder)), lock, events.EventLog(folder))
            for folder, lock in zip(folders, locks, strict=True)
        ]
    )
    return 0


def take_lock(folder: Path) -> int | None:
    """The descriptor that holds the run's lock, or None where another process holds it."""
    descriptor: int = events.open_private(folder / "lock", os.O_RDWR | os.O_NOFOLLOW)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.02)  # a reader asking whether the run is alive holds it for an instant
        else:
            return descriptor
    os.close(descriptor)
    return None


def leave_session(folder: Path) -> None:
    """Go on in a child of our own session that no one has to wait for; tell its pid on stdout. The locks go with it."""
    child = os.fork()
    if child:
        print(json.dumps({"pid": child}), flush=True)
        os._exit(0)
    os.setsid()
    os.chdir(folder)
    quiet = os.open(os.devnull, os.O_RDWR)
    console = events.open_private(folder / "supervisor.log", os.O_WRONLY | os.O_APPEND)
    for target, source in ((0, quiet), (1, console), (2, console)):
        os.dup2(source, target)


def read_spec(folder: Path, attempt: int) -> dict[str, Any]:
    """The spec in force at this attempt."""
    own = folder / f"spec.{attempt}.json"
    content: dict[str, Any] = json.loads((own if own.exists() else folder / "spec.json").read_bytes())
    return content


def serve(queue: list[Held]) -> None:
    """Serve the runs in order until none is left."""
    signals = Signals()
    for run in queue:
        events.write_json(run.folder / "supervisor.json", who_am_i())
    attempt = 0
    while queue:
        attempt = attempt or checkpoints.latest_attempt(queue[0].folder)
        asked = (queue[0].folder / "control" / "stop").exists()
        if signals.count or asked:
            why = "asked to stop" if asked else "a signal"
            finish(queue.pop(0), attempt, None, {"outcome": "stopped", "stopped_by": why})
            attempt = 0
            continue
        try:
            worker = spawn(queue, attempt)
        except OSError as fault:
            words = f"{queue[0].spec['command'][0]} cannot be started: {fault.strerror}"
            finish(queue.pop(0), attempt, None, {"outcome": "crashed", "error": words})
            attempt = 0
            continue
        attempt = serve_with(worker, queue, attempt, signals)


def serve_with(worker: subprocess.Popen[bytes], queue: list[Held], attempt: int, signals: Signals) -> int:
    """Take the runs that end off the queue until the worker has gone.

    Returns the attempt the first one left goes on with; 0: as its folder says.
    """
    kills_before = host_kills()
    heard = 0
    while True:
        run = queue[0]
        code = worker.poll()
        heard = pass_on(signals, heard, worker, run)
        if code is None and kill_asked(run):
            signal_group(worker, signal.SIGKILL)
            code = worker.wait()
        end = events.read_json(run.folder / f"end.{attempt}.json")
        if end is None and code is None:
            time.sleep(POLL_SECONDS)
            continue
        if code is None and end is not None and (len(queue) == 1 or end["outcome"] in ENDS_WORKER):
            code = last_breath(worker)
        told = end is not None
        if end is None:
            end = outcome_without_end(code or 0, signals.count > 0 or kill_asked(run), host_kills() > kills_before)
        if end["outcome"] == "oom" and not signals.count and next_fallback(run, attempt, end):
            run.log.emit("exit", attempt=attempt, rc=code, outcome="oom")
            return attempt + 1
        if end["outcome"] == "oom":
            end = {**end, "error": f"{end.get('error', '')}; {what_to_do(run, end)}".removeprefix("; ")}
        finish(queue.pop(0), attempt, code, end)
        # A worker that has gone after a run it ended well was on the next one, which is then judged in its turn.
        if not queue or (code is not None and (not told or end["outcome"] in ENDS_WORKER)):
            return 0
        attempt = checkpoints.latest_attempt(queue[0].folder)


def spawn(queue: Sequence[Held], attempt: int) -> subprocess.Popen[bytes]:
    """Start the worker from the first run's frozen copy, in a process group of its own."""
    first = queue[0]
    command = [*first.spec["command"], str(first.folder / "worker" / "main.py"), "--attempt", str(attempt)]
    environment = {**os.environ, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1"}
    environment |= {"TAMIS_SUPERVISOR": str(os.getpid()), "TAMIS_SUPERVISOR_HOST": socket.gethostname()}
    with os.fdopen(events.open_private(first.folder / "console.log", os.O_WRONLY | os.O_APPEND), "ab") as console:
        worker = subprocess.Popen(
            [*command, *(str(run.folder) for run in queue)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd=first.folder,
            env=environment,
            pass_fds=[run.lock for run in queue],
            process_group=0,
        )
    for position, run in enumerate(queue):
        number = attempt if position == 0 else checkpoints.latest_attempt(run.folder)
        spec = read_spec(run.folder, number)
        micro, batch = spec["values"]["micro_batch"]["value"], spec["values"]["batch"]["value"]
        run.log.emit(
            "spawn",
            attempt=number,
            pid=worker.pid,
            micro_batch=micro,
            accum=batch // micro,
            place_in_queue=position,
            from_step=spec.get("from_step", 0),
        )
    return worker


def pass_on(signals: Signals, heard: int, worker: subprocess.Popen[bytes], run: Held) -> int:
    """The first signal asks the worker to save and end, a further one ends it at once. Returns the count passed on."""
    if signals.count > heard:
        firm = signals.count > 1
        run.log.emit("stop_requested", by="a signal to the supervisor", firm=firm)
        signal_group(worker, signal.SIGKILL if firm else signal.SIGTERM)
    return signals.count


def signal_group(worker: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the worker and whatever it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(worker.pid, number)


def kill_asked(run: Held) -> bool:
    """Whether the run's control file asks for an end at once."""
    request = events.read_json(run.folder / "control" / "stop")
    return request is not None and request.get("mode") == "now"


def last_breath(worker: subprocess.Popen[bytes]) -> int:
    """The exit code of a worker that has written its last end; it is helped on where it lingers."""
    try:
        return worker.wait(LAST_BREATH_SECONDS)
    except subprocess.TimeoutExpired:
        signal_group(worker, signal.SIGKILL)
        return worker.wait()


def outcome_without_end(code: int, asked: bool, host_oom: bool) -> dict[str, Any]:
    """What became of a worker that could not say so itself; `asked`: somebody wanted its end."""
    if asked:
        return {"outcome": "stopped", "stopped_by": "a firm request; nothing since the last checkpoint is saved"}
    if code >= 0:
        return {"outcome": "crashed", "error": f"the worker ended with exit code {code}; console.log has its words"}
    name = signal.Signals(-code).name
    why = "the machine ran out of memory" if host_oom else "not by tamis"
    return {"outcome": "killed", "signal": name, "host_oom": host_oom, "error": f"killed by {name}: {why}"}


def next_fallback(run: Held, attempt: int, end: Mapping[str, Any]) -> bool:
    """Write the next attempt's spec, which needs less memory at the same batch; False where none is left.

    Half as many rows at a time, down to one; then activations are computed twice instead of kept. Memory that
    another process holds is no reason to change this run: its end says whose it is, and no fallback is taken.
    """
    if end.get("foreign"):
        return False
    spec = read_spec(run.folder, attempt)
    values, batch = spec["values"], spec["values"]["batch"]["value"]
    micro = values["micro_batch"]["value"]
    checkpointing = spec["sft"].get("activation_checkpointing", {}).get("value")
    if micro > 1:
        micro = next(size for size in range(micro // 2, 0, -1) if batch % size == 0)
        reason = f"{values['micro_batch']['value']} rows at a time did not fit in memory"
        values["micro_batch"] = {"value": micro, "reason": reason}
    elif not checkpointing:
        reason = "one row at a time did not fit in memory"
        spec["sft"]["activation_checkpointing"] = checkpointing = {"value": True, "reason": reason}
    else:
        return False
    checkpoint = checkpoints.last_good_checkpoint(run.folder)
    spec["from_step"] = checkpoints.step_of(checkpoint) if checkpoint else 0
    spec["spent_seconds"] = round(spec.get("spent_seconds", 0.0) + float(end.get("seconds") or 0.0), 3)
    events.write_json(run.folder / f"spec.{attempt + 1}.json", spec)
    run.log.emit(
        "retry",
        reason="out of memory",
        micro_batch=micro,
        accum=batch // micro,
        checkpointing=bool(checkpointing),
        from_step=spec["from_step"],
    )
    return True


def what_to_do(run: Held, end: Mapping[str, Any]) -> str:
    """What a person could do about memory that no fallback could save."""
    if end.get("foreign"):
        return f"the GPU is also used by {end['foreign']}: wait for them, or choose another with --gpu, and resume"
    lengths: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError), (run.folder / "data" / "train.jsonl").open("rb") as stream:
        lengths = {json.loads(line)["id"]: len(line) for line in stream}
    longest = ", ".join(sorted(lengths, key=lambda row: (lengths[row], row), reverse=True)[:3])
    return f"try a shorter max_length, four_bit, or leave out the longest rows ({longest})"


def finish(run: Held, attempt: int, code: int | None, end: Mapping[str, Any]) -> None:
    """Write the result, say so in the events, and let go of the run."""
    end = {"step": last_step(run.folder), **end}
    result = {"v": 1, "run": run.folder.name, "rc": code, **end, "attempts": attempt, "ended": time.time()}
    with contextlib.suppress(OSError):  # a full disk: the worker's end and the exit event below say the same
        events.write_json(run.folder / "result.json", result)
    told = {name: end[name] for name in TOLD_AT_EXIT if end.get(name) is not None}
    run.log.emit("exit", attempt=attempt, rc=code, **told)
    run.log.close()
    call_on_end(run, str(end["outcome"]))
    fcntl.flock(run.lock, fcntl.LOCK_UN)  # also for the worker, which holds the same lock
    os.close(run.lock)


def call_on_end(run: Held, outcome: str) -> None:
    """Start the user's own command for the end of a run; it is not waited for."""
    command = run.spec["values"].get("on_end", {}).get("value")
    if not command:
        return
    environment = {**os.environ, "TAMIS_RUN": str(run.folder), "TAMIS_OUTCOME": outcome}
    with (
        contextlib.suppress(OSError),
        os.fdopen(events.open_private(run.folder / "console.log", os.O_WRONLY | os.O_APPEND), "ab") as console,
    ):
        subprocess.Popen(
            ["/bin/sh", "-c", str(command)],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            cwd=run.folder,
            env=environment,
            start_new_session=True,
        )


def last_step(folder: Path) -> int:
    """The last optimizer step the events tell of; a worker that was killed cannot say it."""
    with (folder / "events.jsonl").open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
        for line in reversed(stream.read().splitlines()):
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if event["ev"] == "log":
                    return int(event["step"])
    return 0


def who_am_i() -> dict[str, Any]:
    """This process, told apart from a later one with the same pid, on this machine since its last boot."""
    stat = Path("/proc/self/stat").read_text()
    boot = Path("/proc/sys/kernel/random/boot_id")
    return {
        "pid": os.getpid(),
        "starttime": int(stat[stat.rindex(")") + 2 :].split()[19]),
        "hostname": socket.gethostname(),
        "boot_id": boot.read_text().strip() if boot.exists() else "",
        "t": time.time(),
    }


def host_kills() -> int:
    """How often the kernel killed for memory in our cgroup; 0 where it cannot be told."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        group = Path("/proc/self/cgroup").read_text().splitlines()[-1].split(":", 2)[2]
        for folder in (Path("/sys/fs/cgroup") / group.lstrip("/"), Path("/sys/fs/cgroup")):
            counters = folder / "memory.events"
            if counters.exists():
                words = counters.read_text().split()
                return int(words[words.index("oom_kill") + 1])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
