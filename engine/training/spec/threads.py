"""How many threads a run may have: cores, quotas of containers, and how busy the machine is."""

from __future__ import annotations

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def cores() -> int:
    """Whole cores this process may use: those it is bound to, and no more than its cgroup has time for."""
    bound = len(os.sched_getaffinity(0))
    quota = core_quota()
    return bound if quota is None else max(1, min(bound, int(quota)))


def core_quota(root: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> float | None:
    """Cores' worth of time the cgroups of this process have, the smallest of them; None where none is limited."""
    quotas = []
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        trees = [root / each for each in (controllers, "cpu")] if controllers else []
        top = next((tree for tree in trees if tree.is_dir()), root)
        folder = top / path.lstrip("/")
        for place in (folder, *folder.parents):
            quota = quota_in(place)
            if quota is not None:
                quotas.append(quota)
            if place == top:
                break
    return min(quotas, default=None)


def quota_in(folder: Path) -> float | None:
    """The quota of one cgroup: `cpu.max` of version 2, the two files of version 1."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text().split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text().strip()
            period = (folder / "cpu.cfs_period_us").read_text().strip()
        return None if quota in ("max", "-1") else int(quota) / int(period)
    except (OSError, ValueError, ZeroDivisionError):
        return None


def load_per_core() -> float:
    """Processes that wanted a core in the last five minutes, by the cores of the machine."""
    return os.getloadavg()[1] / (os.cpu_count() or 1)


def threads_to_use(free_cores: int, load: float) -> tuple[int, str]:
    """Threads for a real model's training and why: every core, or half of them where others keep the machine busy."""
    if load < 1 or free_cores < 2:
        return free_cores, f"the cores this process may use, at a load of {load:.1f} a core"
    return max(1, free_cores // 2), f"half of {free_cores} cores: the load is {load:.1f} a core"
