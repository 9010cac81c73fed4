"""The wheel: its data folders travel inside it and are found from wherever it is unpacked."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path


def test_themes_and_samples_are_found_from_an_unpacked_wheel(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    tops = {path.name for path in site.iterdir()}
    assert tops == {"engine", "workbench", "tamis_start.py", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from engine.paths import shipped_dir\n"
        "print(shipped_dir('themes') / 'night.toml', shipped_dir('sample_data') / 'support.jsonl')\n"
        "from workbench.cli.main import main\n"
        "raise SystemExit(main(['scan', str(shipped_dir('sample_data') / 'support.jsonl')]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, str(site)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    found = done.stdout.splitlines()[0].split()
    assert all(Path(path).is_relative_to(site) and Path(path).exists() for path in found)
    assert "480 rows" in done.stdout
