"""The GPUs of this machine and who is on them, as `nvidia-smi` (NVML's own reader) tells. Standard library only."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a GPU: its pid, name, owner (a user id, None where it cannot be told), MB."""

    pid: int
    name: str
    uid: int | None
    mb: float


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU. Memory in MB; `busy` in per cent, `watts`, both None where the driver does not say."""

    index: int
    uuid: str
    name: str
    capability: str
    total_mb: float
    free_mb: float
    busy: float | None
    watts: float | None
    processes: tuple[GpuProcess, ...] = ()


def gpus() -> tuple[Gpu, ...]:
    """All GPUs, in the order of their index; empty where there is none or the driver does not answer."""
    asked = "index,uuid,name,compute_cap,memory.total,memory.free,utilization.gpu,power.draw"
    users = processes()
    found = []
    for line in ask(f"--query-gpu={asked}"):
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 8 and parts[0].isdigit():
            busy, watts = number(parts[6]), number(parts[7])
            mine = tuple(process for uuid, process in users if uuid == parts[1])
            total, free = number(parts[4]) or 0.0, number(parts[5]) or 0.0
            found.append(Gpu(int(parts[0]), parts[1], parts[2], parts[3], total, free, busy, watts, mine))
    return tuple(found)


def processes() -> list[tuple[str, GpuProcess]]:
    """Every process on a GPU, with the GPU's uuid."""
    found = []
    for line in ask("--query-compute-apps=gpu_uuid,pid,used_memory,process_name"):
        parts = [part.strip() for part in line.split(",", 3)]
        if len(parts) == 4 and parts[1].isdigit():
            pid = int(parts[1])
            found.append((parts[0], GpuProcess(pid, parts[3].rsplit("/", 1)[-1], owner(pid), number(parts[2]) or 0.0)))
    return found


def foreign(index: int, ours: Sequence[int] = ()) -> list[GpuProcess]:
    """Who else holds memory of the GPU `index`: everyone but this process and `ours`."""
    mine = {os.getpid(), *ours}
    return [process for gpu in gpus() if gpu.index == index for process in gpu.processes if process.pid not in mine]


def chosen_index(wanted: int) -> int:
    """The index `nvidia-smi` knows the GPU under that this process was told to use."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[0].strip()
    return int(visible) if visible.isascii() and visible.isdigit() else wanted


def ask(query: str) -> list[str]:
    """The lines `nvidia-smi` answers, none where it is not there, fails, or does not answer in time."""
    command = ["nvidia-smi", query, "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()


def number(words: str) -> float | None:
    """A number, or None for `[N/A]` and the like."""
    try:
        return float(words)
    except ValueError:
        return None


def owner(pid: int) -> int | None:
    """The user id a process runs under."""
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return None
