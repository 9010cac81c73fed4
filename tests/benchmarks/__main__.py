"""`python -m tests.benchmarks [NAME …]`: run the benchmarks in processes of their own; without names all of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# What only a GPU can show has a word of its own: `make gpu-check`.
HELPERS = ("__main__", "__init__", "gpu_check", "gpu_check_peer")


def names() -> list[str]:
    """The benchmarks of this folder: the modules that can be run."""
    modules = sorted(Path(__file__).parent.glob("*.py"))
    return [path.stem for path in modules if path.stem not in HELPERS and "__main__" in path.read_text()]


def main(wanted: list[str]) -> int:
    """Run them in turn; 1 where one failed, 2 for an unknown name."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    failed = []
    for name in wanted or names():
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
