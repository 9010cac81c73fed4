"""A project folder is someone else's data: what its `config.toml` may set by itself, and what waits for a yes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.config import Config, config_folder, load_config, refuse_withheld, training_for, waiting_settings
from engine.errors import UsageError
from engine.reviewer import find_reviewer
from engine.trust import remember_made, trust, was_made_here
from engine.workflows.train import trust_notes

COMMAND = '[training]\ncommand = ["/bin/sh", "-c", "id > /tmp/x"]\n'
WAITING = (
    ('reviewer = "somebody-else"', "reviewer"),
    ('embedding = "/models/e"', "embedding"),
    *(
        (f"[training]\n{line}", f"training.{line.partition(' ')[0]}")
        for line in (
            'command = "/bin/sh -c id"',
            'model = "someone/model"',
            'model = "built-in-not"',
            'revision = "main"',
            "trust_remote_code = true",
            "trust_remote_code = 0",
            'on_end = "id"',
            'pretrain_text = "/etc/passwd"',
            'report_to = "wandb"',
            'report_to = ["none", "wandb"]',
            "push_to_hub = true",
            'hub_model_id = "a/b"',
            'hub_model_id = "t"',
            'attention = "someone/kernel"',
            'attention = "flash_attention_2"',
            'deepspeed = "ds.json"',
            'accelerator_config = "a.json"',
            "model_init_kwargs = {trust_remote_code = true}",
            'chat_template_path = "t.jinja"',
            'fsdp_config = "f.json"',
            "dataloader_num_workers = 1000000",
            "torch_compile = true",
            'torch_compile_backend = "x"',
            "lr_scheduler_kwargs = {a = 1}",
            'optim = "some_optimizer"',
            'optim_args = "x"',
            'base_model_name_or_path = "a/b"',
            'auto_mapping = {a = "b"}',
            'lora_alpha = "../x"',
            'target_modules = "(a+)+$"',
            'target_modules = ["q_proj", "a/b"]',
            'bias = "a/b"',
            'project = "p"',
            "restore_callback_states_from_checkpoint = true",
        )
    ),
)
HARMLESS = """
theme = "day"
goal = 300
blind = true
[signals]
typos = "off"
[training]
model = "built-in"
steps = 20
lr = 1e-4
batch = 8
rank = 4
method = "lora"
budget = "45m"
targets = ["q_proj", "v_proj"]
lr_scheduler_type = "linear"
attention = "sdpa"
trust_remote_code = false
report_to = "none"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project that came from somewhere, as far as its settings go."""
    made = tmp_path / "raw.tamis"
    made.mkdir(mode=0o700)
    return made


def configured(folder: Path, text: str) -> Config:
    (folder / "config.toml").write_text(text)
    return load_config(folder)


def test_goals_signals_views_and_plain_numbers_count_at_once(folder: Path) -> None:
    config = configured(folder, HARMLESS)
    assert not config.withheld
    assert not config.trusted
    assert (config.theme, config.goal, config.blind, config.signals) == ("day", 300, True, {"typos": "off"})
    assert (config.training.model, config.training.steps) == ("built-in", 20)
    assert config.training.others["budget_seconds"] == 2700.0
    assert config.training.others["target_modules"] == ["q_proj", "v_proj"]


@pytest.mark.parametrize(("text", "name"), WAITING)
def test_what_is_not_known_to_be_harmless_waits(folder: Path, text: str, name: str) -> None:
    config = configured(folder, f"goal = 7\n{text}\n")
    assert list(config.withheld) == [name]
    assert config.goal == 7
    assert (config.reviewer, config.embedding, config.training) == (None, None, Config().training)
    if name.startswith("training."):
        with pytest.raises(UsageError, match=r"waits for your yes.* tamis trust") as told:
            training_for(folder)
        assert "\n" not in str(told.value)
        training_for(folder, [name.removeprefix("training.")])  # the command line's own word needs no yes


def test_a_setting_that_waits_takes_nothing_from_the_persons_own(folder: Path) -> None:
    config_folder().mkdir(parents=True)
    (config_folder() / "config.toml").write_text('reviewer = "ann"\n[training]\ncommand = "/opt/python"\n')
    config = configured(folder, f'reviewer = "else"\n{COMMAND}')
    assert config.reviewer == "ann"
    assert config.training.others["command"] == ("/opt/python",)


def test_a_yes_holds_for_that_content_at_that_place(folder: Path, tmp_path: Path) -> None:
    (waiting,) = configured(folder, COMMAND).withheld.values()
    trust(waiting.kind, waiting.place, waiting.content)
    config = load_config(folder)
    assert not config.withheld
    assert config.training.others["command"][0] == "/bin/sh"
    assert [note.kind for note in trust_notes(folder, None, {})] == ["trusted"]
    assert "(trusted by you)" in trust_notes(folder, None, {})[0].text
    assert not trust_notes(folder, None, {"command": ["python"]}), "what the command line sets is the person's own"

    assert configured(folder, COMMAND.replace("/tmp/x", "/tmp/y")).withheld, "other content"
    (folder / "config.toml").write_text(COMMAND)
    copy = tmp_path / "copy.tamis"
    shutil.copytree(folder, copy)
    assert load_config(copy).withheld, "another place"


def test_a_yes_to_one_setting_is_none_to_another(folder: Path) -> None:
    (waiting,) = configured(folder, COMMAND).withheld.values()
    trust(waiting.kind, waiting.place, waiting.content)
    config = configured(folder, f"{COMMAND}trust_remote_code = true\n")
    assert list(config.withheld) == ["training.trust_remote_code"]
    with pytest.raises(UsageError, match="run code that comes with the model"):
        training_for(folder)


def test_what_a_setting_names_in_the_folder_is_part_of_the_yes(folder: Path) -> None:
    """The next pull would bring another program under the same name."""
    program = folder / "python"
    program.write_text("#!/bin/sh\necho 1\n")
    model = folder / "m"
    model.mkdir()
    (model / "evil.py").write_text("1")
    text = f'[training]\ncommand = "sh {program}"\nmodel = "{model}"\n'
    for waiting in configured(folder, text).withheld.values():
        trust(waiting.kind, waiting.place, waiting.content)
    assert not load_config(folder).withheld
    program.write_text("#!/bin/sh\necho 2\n")
    assert list(load_config(folder).withheld) == ["training.command"]
    program.write_text("#!/bin/sh\necho 1\n")
    (model / "evil.py").write_text("2")
    assert list(load_config(folder).withheld) == ["training.model"]


def test_the_persons_own_project_needs_no_yes_whatever_they_set(folder: Path) -> None:
    remember_made(folder)
    for text in (COMMAND, '[training]\nmodel = "a/b"\non_end = "id"\n'):
        config = configured(folder, text)
        assert not config.withheld
        assert config.made_here
    assert "(a project made here)" in trust_notes(folder, None, {})[0].text


def test_a_copy_or_another_folder_at_the_same_path_is_not_the_persons_own(folder: Path, tmp_path: Path) -> None:
    (folder / "config.toml").write_text(COMMAND)
    remember_made(folder)
    copy = tmp_path / "copy.tamis"
    subprocess.run(["cp", "-a", str(folder), str(copy)], check=True)
    assert load_config(copy).withheld
    # The inode is free again and may be given to the next folder at once: only when it was made tells them apart.
    shutil.rmtree(folder)
    subprocess.run(["cp", "-a", str(copy), str(folder)], check=True)
    assert not was_made_here(folder)
    assert load_config(folder).withheld


@pytest.mark.parametrize("way", ["a link", "open to a group"])
def test_a_file_that_somebody_else_may_have_written_waits_in_ones_own_project(folder: Path, way: str) -> None:
    remember_made(folder)
    settings = folder / "config.toml"
    if way == "a link":
        (folder / "other.toml").write_text(COMMAND)
        settings.symlink_to("other.toml")
    else:
        settings.write_text(COMMAND)
        folder.chmod(0o770)
        settings.chmod(0o664)
    assert load_config(folder).withheld
    folder.chmod(0o700)


def test_one_setting_under_two_names_is_refused(folder: Path) -> None:
    """Else one of the two would be shown, and the other would count."""
    with pytest.raises(UsageError, match="set twice"):
        configured(folder, '[training]\ntargets = "(a+)+"\ntarget_modules = "(b+)+"\n')


@pytest.mark.parametrize(
    "text",
    [
        "training = 5",
        "withheld = 5",
        "trusted = {}",
        "made_here = true",
        "signals = 1",
        "[signals]\ntypos = [1]",
        "goal = 1e400",
        "goal = " + "9" * 4000,
        "goal = -1",
        "theme = 1979-05-27",
        "[[training]]\nsteps = 1",
        "[training]\nothers = {command = 'x'}",
        "[training]\nlearning_rate = nan",
        "[training]\nepochs = inf",
        "[training]\nweight_decay = nan",
        "[training]\nadam_beta1 = -inf",
        "[training]\nbudget = 1e999",
        "[training]\nbudget = '" + "9" * 400 + "d'",
        "[training]\ncommand = [1]",
        "[training]\ncommand = []",
        "[training]\noutput_dir = '/etc'",
        "[training]\nresume_from_checkpoint = 'x'",
        '[training]\n"\\u001b]0;x\\u0007" = 1',
        '"\\u001b[31m" = 1',
        "'__class__' = 1",
    ],
)
def test_odd_settings_end_in_one_line(folder: Path, text: str) -> None:
    for place in (folder, config_folder()):
        place.mkdir(parents=True, exist_ok=True)
        (place / "config.toml").write_text(text)
        with pytest.raises(UsageError) as told:
            load_config(place)
        assert "config.toml" in str(told.value)
        assert str(told.value).isprintable()
        assert len(str(told.value)) < 600
        (place / "config.toml").unlink()


def test_who_decides_is_nothing_a_folder_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(folder, 'reviewer = "somebody-else"\n')
    with pytest.raises(UsageError, match="decide under this name"):
        refuse_withheld(config, "reviewer")
    # Nor does the repository that one happens to be in.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    (folder / "gitconfig").write_text("")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    subprocess.run(["git", "-C", str(folder), "config", "user.email", "else@where"], check=True)
    monkeypatch.chdir(folder)
    assert find_reviewer(None, None) is None
    (folder / "gitconfig").write_text("[user]\n email = ann@home\n")
    assert find_reviewer(None, None) == "ann@home"


def test_what_waits_is_listed_with_its_very_content(folder: Path) -> None:
    configured(folder, '[training]\ncommand = "sh -c \\u202eid\\u001b[31m"\n')
    (waiting,) = waiting_settings(folder)
    assert waiting.content == b'training.command = "sh -c \\u202eid\\u001b[31m"'
    assert "run this program" in waiting.what
