"""Thirty folders that came from somebody else, each with another way to make this machine run something: none does."""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import make_project, numbered

from engine import open_project
from engine.model import Act, Findings

ROWS = 8
OPEN_SECONDS = 10
WORDS = ("status", "scan", "gate", "trust", "pick", "plan")
MODULES = (
    *("sitecustomize", "usercustomize", "engine", "workbench", "torch", "transformers", "numpy", "tomli", "json"),
    *("textual", "rich", "trl", "peft", "sklearn", "pyarrow", "tamis_worker", "evil", "wandb"),
)


def python(mark: Path) -> str:
    return f"open({str(mark)!r}, 'w').close()\n"


def program(path: Path, mark: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {mark}\n")
    path.chmod(0o755)
    return path


def training(line: str) -> Callable[[Path, Path], None]:
    """A folder whose settings hold this line of `[training]`; MARK and HERE in it are filled in."""

    def plant(folder: Path, mark: Path) -> None:
        program(folder / "run.sh", mark)
        model_with_code(folder / "m", mark)
        filled = line.replace("MARK", str(mark)).replace("HERE", str(folder))
        (folder / "config.toml").write_text(f"[training]\n{filled}\n")

    return plant


def model_with_code(folder: Path, mark: Path) -> None:
    folder.mkdir()
    names = {"AutoConfig": "evil.E", "AutoModel": "evil.E", "AutoModelForCausalLM": "evil.E"}
    (folder / "config.json").write_text(json.dumps({"model_type": "evil", "auto_map": names}))
    tokens = {"auto_map": {"AutoTokenizer": ["evil.E", "evil.E"]}, "tokenizer_class": "E"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokens))
    (folder / "evil.py").write_text(python(mark))


def embedding(folder: Path, mark: Path) -> None:
    model_with_code(folder / "m", mark)
    (folder / "config.toml").write_text(f'embedding = "{folder / "m"}"\n')


def modules_beside(folder: Path, mark: Path) -> None:
    modules(folder.parent, mark)


def modules(folder: Path, mark: Path) -> None:
    for name in MODULES:
        (folder / f"{name}.py").write_text(python(mark))
    (folder / "evil.pth").write_text(f"import os; os.system('touch {mark}')\n")


def repository(folder: Path, mark: Path) -> None:
    around = folder.parent
    subprocess.run(["git", "init", "-q", str(around)], check=True)
    hook = program(around / "hook", mark)
    for name in ("post-checkout", "pre-commit", "post-index-change", "fsmonitor-watchman"):
        shutil.copy(hook, around / ".git" / "hooks" / name)
    (around / ".git" / "more").write_text(f"[user]\n email = else@where\n[core]\n fsmonitor = {hook}\n")
    with (around / ".git" / "config").open("a") as config:
        config.write(f"[core]\n fsmonitor = {hook}\n pager = {hook}\n sshCommand = {hook}\n hooksPath = {around}\n")
        config.write(f"[alias]\n config = !{hook}\n[credential]\n helper = !{hook}\n[include]\n path = more\n")
        config.write(f"[pager]\n config = {hook}\n[diff]\n external = {hook}\n")


def programs(folder: Path, mark: Path) -> None:
    for name in ("tamis", "python", "python3", "git", "nvidia-smi", "sh", "accelerate", "tmux"):
        program(folder / name, mark)
        program(folder.parent / name, mark)


def settings_of_tools(folder: Path, mark: Path) -> None:
    for place in (folder, folder.parent):
        (place / "pyproject.toml").write_text(f'[tool.tamis]\ncommand = "touch {mark}"\n')
        (place / ".env").write_text(
            f"TAMIS_REVIEWER=else\nPYTHONSTARTUP={place}/evil.py\nHF_ENDPOINT=http://127.0.0.1\n"
        )
        (place / "setup.cfg").write_text("[tamis]\ncommand = x\n")
        (place / "conftest.py").write_text(python(mark))
        (place / "keymap.toml").write_text('accept = "x"\n')
        (place / "evil.py").write_text(python(mark))


def pickles(folder: Path, mark: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, (f"touch {mark}",)

    for name in ("scan.bin", "scan.cache", "snapshot.bin", "pick.vectors", "pick.json", "suspects.json", "plan.json"):
        (folder / name).write_bytes(pickle.dumps(Evil()))


def odd_gate(folder: Path, mark: Path) -> None:
    (folder / "gate.toml").write_text(f'command = "touch {mark}"\nmin_accepted = nan\n')


def session(folder: Path, _mark: Path) -> None:
    (folder / "session.json").write_text(
        '{"screen":"triage","filter":"/(a+)+$/","filters":["/(x+)+y/"],"asked":["mapping"]}'
    )


def a_link(folder: Path, mark: Path) -> None:
    other = folder.parent / "other.toml"
    other.write_text(f'[training]\ncommand = "{program(folder.parent / "x.sh", mark)}"\n')
    (folder / "config.toml").symlink_to(other)


FOLDERS: dict[str, Callable[[Path, Path], None]] = {
    "command, a list": training('command = ["/bin/sh", "-c", "touch MARK"]'),
    "command, a text": training("command = \"/bin/sh -c 'touch MARK'\""),
    "an interpreter in the folder": training('command = "HERE/run.sh"'),
    "an interpreter beside": training('command = "./raw.tamis/run.sh"'),
    "an environment": training('command = "env PYTHONPATH=HERE PYTHONSTARTUP=HERE/m/evil.py /bin/sh HERE/run.sh"'),
    "at the end": training('on_end = "touch MARK"'),
    "a model with code, trusted": training('model = "HERE/m"\ntrust_remote_code = true'),
    "a model with code": training('model = "HERE/m"'),
    "a relative model": training('model = "raw.tamis/m"\nmodel_init_kwargs = {trust_remote_code = true}'),
    "an endpoint": training('model = "http://127.0.0.1:9/m"'),
    "the Hub": training('push_to_hub = true\nhub_model_id = "a/b"\nhub_token = "hf_x"'),
    "a report": training('report_to = "evil"'),
    "a report elsewhere": training('report_to = ["wandb"]\nproject = "p"\nrun_name = "r"'),
    "deepspeed": training('deepspeed = "HERE/ds.json"'),
    "accelerate": training('accelerator_config = "HERE/a.json"'),
    "a kernel": training('attention = "a/b"'),
    "a compiler": training('torch_compile = true\ntorch_compile_backend = "evil"'),
    "an optimizer": training('optim = "evil"\noptim_args = "x"'),
    "a template": training('chat_template_path = "HERE/m/t.jinja"'),
    "a data loader": training("dataloader_num_workers = 4\ndataloader_multiprocessing_context = 'spawn'"),
    "another base": training('base_model_name_or_path = "HERE/m"\nauto_mapping = {base_model_class = "evil"}'),
    "an embedding": embedding,
    "modules beside": modules_beside,
    "modules in it": modules,
    "a repository": repository,
    "programs": programs,
    "settings of other tools": settings_of_tools,
    "pickles": pickles,
    "an odd gate": odd_gate,
    "a filter": session,
    "a link": a_link,
}
# Where one stands inside the folder makes a difference for these.
INSIDE = ("modules in it", "programs", "settings of other tools")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("base")
    folder = make_project(place, numbered(ROWS))
    with open_project(folder, reviewer="red") as project:
        project.decide([Act("accept", tuple(map(project.rows.id, range(ROWS - 2))))])
        project.save_findings(Findings.empty(ROWS))
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in model is made once."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("kind", "inside"), [*((kind, False) for kind in FOLDERS), *((kind, True) for kind in INSIDE)])
def test_nothing_of_a_foreign_folder_is_run(kind: str, inside: bool, base: Path, cache: Path, tmp_path: Path) -> None:
    mark, folder = tmp_path / "mark" / "ran", tmp_path / "got" / "raw.tamis"
    mark.parent.mkdir()
    shutil.copytree(base, folder)
    FOLDERS[kind](folder, mark)
    place = folder if inside else folder.parent
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "XDG_CACHE_HOME": str(cache), "TERM": "xterm-256color"}
    words = [[word, str(folder), *(["3"] if word == "pick" else [])] for word in WORDS]
    words += [["do", str(folder), "accept row:7", "--as", "red"]]
    words += [["export", str(folder), "--to", str(tmp_path / "out.jsonl")]]
    words += [["train", str(folder), "--steps", "1", "--wait", "--override", "why"]]
    tamis = Path(sys.executable).with_name("tamis")
    for each in words:
        done = subprocess.run(
            [str(tamis), *each], cwd=place, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        assert not mark.exists(), (each, done)
        assert "Traceback" not in done.stderr, (each, done)
        assert "a fault inside" not in done.stderr, (each, done)
        if done.returncode == 2:
            assert done.stderr.count("tamis:") == 1, (each, done)
    seen = opened([str(tamis), str(folder), "--as", "red"], place, environment)
    assert not mark.exists(), seen


def opened(command: list[str], place: Path, environment: dict[str, str]) -> bytes:
    """What the workbench sends in a terminal of its own until it has been quiet for a while, a plan asked for."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(place)
        os.execve(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    seen, ends = b"", time.monotonic() + OPEN_SECONDS
    typed = [b"T", b"q", b"q", b"q"]
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 1.5)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
        elif typed:
            os.write(terminal, typed.pop(0))
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    os.close(terminal)
    return seen
