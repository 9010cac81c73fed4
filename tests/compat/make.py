"""Makes the corpus: small projects, as the version of tamis in a checkout leaves them. See README.md.

python3 tests/compat/make.py /home/ana/tamis [NAME …]
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import make_runs
from box import HERE, MADE_IN, Box, journals, texts

sys.path.append(str(HERE.parent / "terminal"))
from pseudo import Terminal

HOME = Path(MADE_IN)
FORMATS = ("alpaca", "messages", "prompt-completion", "sharegpt")
SITE = re.compile(r"/[^\s:\"]*/site-packages")


def set_up(tree: Path) -> Box:
    """A fresh home beside the checkout, with the settings and the install id of the corpus."""
    for entry in HOME.iterdir():
        if entry.resolve() != tree.resolve() and entry.name != "cache":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    for part in ("config", "state"):
        shutil.copytree(HERE / "home" / part, HOME / part)
    (HOME / "state" / "tamis" / "runs.jsonl").unlink(missing_ok=True)
    return Box(HOME, str(tree / ".venv" / "bin" / "python"), tree)


def sample(box: Box, name: str, count: int, project: str = "support", start: int = 0) -> Path:
    """The folder of a new project over some rows of the shipped sample."""
    assert box.tree is not None
    folder = HOME / name
    folder.mkdir()
    rows = (box.tree / "sample_data" / "support.jsonl").read_bytes().splitlines(keepends=True)
    (folder / f"{project}.jsonl").write_bytes(b"".join(rows[start : start + count]))
    box.run("scan", f"{project}.jsonl", "--project", f"{project}.tamis", cwd=folder)
    return folder


def replay(box: Box, folder: Path, project: str, acts: Sequence[dict[str, Any]]) -> None:
    """Edits, which have no word of their own without a screen: a journal of one line each, replayed."""
    path = folder / "edits.jsonl"
    lines = [
        {"v": 1, "n": n, "acts": [act], "seen": act["ids"], "why": "by eye"} for n, act in enumerate(acts, start=1)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    box.run("do", project, "--from", path, "--as", "ana", cwd=folder)
    path.unlink()


def edit(identifier: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"do": "edit", "ids": [identifier], "edited": {identifier: row}}


def do(*commands: str, by: str = "ana", project: str = "support.tamis") -> list[str]:
    return ["do", project, *commands, "--as", by]


Story = list[list[str]]


def by_hand(box: Box) -> tuple[Path, Story]:
    """The sample decided row by row: tags, notes, groups, a hold-out, edits, undo and redo."""
    folder = sample(box, "by-hand", 96)
    box.run("holdout", "support.tamis", "12", "--as", "ana", "--seed", "1", cwd=folder)
    found = box.look(folder / "support.tamis")
    held = found["selected"]["is:heldout"]
    free = [number for number in found["selected"]["is:undecided"] if number not in held]
    rows = [json.loads(line) for line in (folder / "support.jsonl").read_text().splitlines()]
    one, two, three, four, five, six = free[:6]
    box.run(*do(f"accept row:{one}", f"accept row:{two}", f"reject row:{three}", f"skip row:{four}"), cwd=folder)
    box.run(*do(f"tag good,-draft row:{one}", f"tag later row:{four}", f"note row:{two} ask the shop"), cwd=folder)
    mended = {**rows[five], "output": '{"intent": "defect", "product": "Lumbrik", "urgency": "high"}'}
    turned = dict(reversed(rows[six].items())) | {"output": "Grüße \u2603 \U0001f600"}
    replay(box, folder, "support.tamis", [edit(found["ids"][five], mended), edit(found["ids"][six], turned)])
    kinds = {"c": "keep cluster:{}", "x": "both-fine cluster:{}"}
    named = [kinds[cluster[0]].format(cluster) for cluster in found["clusters"] if cluster[0] in kinds]
    box.run(*do(*named[:2], *[line for line in named if line.startswith("both")]), cwd=folder)
    box.run(*do("not-duplicates kind:near", "reject bucket:drop", "accept bucket:clean"), cwd=folder)
    box.run(*do(*[f"accept row:{number}" for number in held[:4]], f"reject row:{held[4]}"), cwd=folder)
    box.run(*do("skip row:90", "skip row:89", "undo", "undo", "redo", "reject row:91", "undo"), cwd=folder)
    sitting(box, folder / "support.tamis")
    return folder, [
        do("redo"), do("undo", "undo", "undo"), do("undo", "redo", f"reject row:{one}"),
        do("tag good,checked row:17", "note row:17 seen again", "accept row:19"), do("undo"),
        do("accept bucket:check", "undo"),
    ]  # fmt: skip


def sitting(box: Box, project: Path) -> None:
    """A sitting in the workbench that ends on a row of a filter, so that there is a place to come back to."""
    with Terminal(box.command(project, "--as", "ana"), environment=box.environment(), columns=100, rows=30) as terminal:
        terminal.wait_for("What the scan proposes")
        terminal.keys("/", "is:undecided and bucket:check\r")
        terminal.wait_for("is:undecided and bucket:check")
        terminal.keys("j", "j", "\x1b[21~")
        terminal.wait_for_end()


ODD_ROWS = (
    rb'{"prompt": "How many legs has a cat?", "completion": "Four.", "score": NaN, "z": 1, "a": {"y": 1, "x": -0.0}}',
    rb'{"prompt": "Say \ud800 in words", "completion": "A lone surrogate: \udc00", "kept": "\ud83d\ude00"}',
    rb'{"completion": "first", "prompt": "Which one counts?", "completion": "the last"}',
    rb'{"prompt": "How large?", "completion": "Very.", "up": Infinity, "down": -Infinity, "n": 123456789012345678901}',
    rb'{"prompt":"Tight?","completion":"No blank anywhere.","f":1.0,"e":1e5,"g":1E-7}',
    b'{"prompt": "Gr\xc3\xb6\xc3\x9fe?", "completion": "Zw\xc3\xb6lf \xe2\x98\x83", "escaped": "Gr\\u00f6\\u00dfe"}',
    rb'{"prompt": "Twice", "completion": "the same row"}',
    rb'{"prompt": "Twice", "completion": "the same row"}',
    rb'{"completion": "the same row", "prompt": "Twice"}',
    rb'{"prompt": "What is left?", "completion": "Nothing.", "none": null, "yes": true, "list": [1, {"b": 1, "a": 2}]}',
)
BROKEN_LINES = (b'{"prompt": "cut', b"\xff\xfe not text", b"[1, 2]")


def odd_values(box: Box) -> tuple[Path, Story]:
    """Rows and edits with what JSON hardly knows: NaN, lone surrogates, keys in an order or twice; and broken lines."""
    folder = HOME / "odd-values"
    folder.mkdir()
    (folder / "odd.jsonl").write_bytes(b"".join(line + b"\n" for line in (*ODD_ROWS, *BROKEN_LINES)))
    box.run("scan", "odd.jsonl", "--project", "odd.tamis", cwd=folder)
    ids = box.look(folder / "odd.tamis")["ids"]
    edits = [
        edit(ids[0], {"z": 1, "prompt": "How many legs has a cat?", "score": float("nan"), "completion": "4 \ud800"}),
        edit(ids[3], {"up": float("-inf"), "completion": "Very\u2028large.", "prompt": "How large?", "n": 10**22 + 1}),
        edit(ids[6], {"completion": "this copy alone", "prompt": "Twice"}),
    ]
    replay(box, folder, "odd.tamis", edits)
    odd = {"project": "odd.tamis"}
    box.run(*do("accept row:1", "accept row:2", "accept row:4", "accept row:5", "reject row:7", **odd), cwd=folder)
    box.run(*do("note row:1 a \u2028 and \u0085 in a note", "accept row:9", "undo", **odd), cwd=folder)
    return folder, [
        do("redo", **odd), do("undo", "undo", "undo", "redo", **odd), do("accept row:8", "reject row:0", **odd),
        do("undo", "tag odd row:0-3", **odd), do(*["undo"] * 12, **odd), do(*["redo"] * 11, **odd),
    ]  # fmt: skip


def bulk(box: Box) -> tuple[Path, Story]:
    """Acts so large that their ids stand in side files. The threshold was lowered from 10,000
    ids to 8, and that of a snapshot of the folded journals from 2,000 lines to 3."""
    folder = sample(box, "bulk", 64, start=260)
    lowered = "import engine.project.journal as j, engine.project.folder as f; j.INLINE_IDS = 8; f.SNAPSHOT_LINES = 3"
    for acts in (("accept bucket:clean", "reject bucket:check", "skip is:accepted", "undo"), ("accept row:60",)):
        box.run(*do(*acts), cwd=folder, before=lowered)
    return folder, [
        do("undo"), do("undo"), do("redo", "undo", "undo"), do("redo"), do("reject row:0-30", "accept row:61"),
        do("undo"),
    ]  # fmt: skip


def two_reviewers(box: Box) -> tuple[Path, Story]:
    """Two copies of a project, decided by two people and merged: some rows are disputed."""
    folder = sample(box, "two-reviewers", 30, start=120)
    box.run("holdout", "support.tamis", "4", "--as", "ana", cwd=folder)
    shutil.copytree(folder / "support.tamis", folder / "bens.tamis")
    free = [n for n in range(30) if n not in box.look(folder / "support.tamis")["selected"]["is:heldout"]]
    box.run(*do(*[f"accept row:{n}" for n in free[:8]], f"reject row:{free[8]}"), cwd=folder)
    bens = {"by": "ben", "project": "bens.tamis"}
    verdicts = [f"accept row:{n}" for n in free[:5]] + [f"reject row:{n}" for n in free[5:9]]
    box.run(*do(*verdicts, f"tag ask row:{free[0]}", f"skip row:{free[9]}", **bens), cwd=folder)
    box.run("merge", "support.tamis", "bens.tamis", cwd=folder)
    box.run(*do(f"reject row:{free[5]}"), cwd=folder)
    # What Ben did since: the next merge brings it.
    box.run(*do(f"accept row:{free[10]}", f"accept row:{free[6]}", **bens), cwd=folder)
    return folder, [
        do(f"accept row:{free[7]}"), do("undo", f"reject row:{free[7]}"), do("undo", "undo"), do("redo"),
        ["merge", "support.tamis", "bens.tamis"], do(f"accept row:{free[6]}"), do(f"reject row:{free[10]}", by="ben"),
    ]  # fmt: skip


def exported(box: Box) -> tuple[Path, Story]:
    """A project with a gate, exported: the set, the held-out rows, the card and the manifest lie beside it."""
    folder = sample(box, "exported", 60)
    (folder / "support.tamis" / "gate.toml").write_text("min_accepted = 20\nmax_open_conflicts = 0\nmax_leaks = 0\n")
    box.run("holdout", "support.tamis", "10", "--as", "ana", "--by", "year", cwd=folder)
    held = box.look(folder / "support.tamis")["selected"]["is:heldout"]
    box.run(*do("keep kind:exact", "reject bucket:drop", "accept bucket:clean"), cwd=folder)
    box.run(*do(*[f"accept row:{number}" for number in held[:6]]), cwd=folder)
    box.run("export", "support.tamis", "--to", "curated", "--license", "mit", cwd=folder)
    return folder, [do("reject is:accepted"), do("undo")]


PROJECTS: dict[str, Callable[[Box], tuple[Path, Story]]] = {
    "by-hand": by_hand,
    "odd-values": odd_values,
    "bulk": bulk,
    "two-reviewers": two_reviewers,
    "exported": exported,
}


RUNS: dict[str, tuple[Callable[[Box, Path], dict[str, Any]], Callable[[Box, Path, dict[str, Any]], dict[str, Any]]]] = {
    "half-run": (make_runs.half_run, make_runs.resumed),
    "cut-comparison": (make_runs.cut_comparison, make_runs.compared),
}


def told(box: Box, folder: Path, project: str) -> dict[str, Any]:
    """What the version that made a project says of it."""
    found = box.look(folder / project)
    lines = box.json("journal", project, cwd=folder)["lines"]
    acts = [[line["file"], line["n"], *[[act["do"], len(act["ids"])] for act in line.get("acts", ())],
             *[f"{word} {line[word]}" for word in ("undo", "redo") if word in line]] for line in lines]  # fmt: skip
    exports: dict[str, Any] = {}
    for name in ("same", *(FORMATS if folder.name == "by-hand" else ())):
        summary = box.json("export", project, "--to", HOME / "out" / name, "--format", name, "--lossy", cwd=folder)
        kept = ("rows", "holdout_rows", "untouched_identical", "left_out", "sha256")
        exports[name] = {key: summary[key] for key in kept}
    shutil.rmtree(HOME / "out")
    return {
        "project": project,
        "status": box.json("status", project, cwd=folder),
        **found,
        "journal": acts,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in journals(folder / project).items()},
        "gate": box.json("gate", project, cwd=folder),
        "exports": exports,
    }


def write_expected(name: str, facts: dict[str, Any]) -> None:
    """One key, one step of a story and one kind of export a line, so that a change can be read."""
    lines = []
    for key, value in facts.items():
        if key in ("story", "journal"):
            inside = ",\n".join(f"  {json.dumps(one)}" for one in value)
            lines.append(f" {json.dumps(key)}: [\n{inside}\n ]")
        elif key in ("exports", "selected", "then", "now"):
            inside = ",\n".join(f"  {json.dumps(one)}: {json.dumps(what)}" for one, what in value.items())
            lines.append(f" {json.dumps(key)}: {{\n{inside}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value)}")
    path = HERE / "projects" / name / "expected.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def make_project(box: Box, name: str) -> None:
    """Make a project, keep a copy in the corpus, then go on with it and write down what came of each step."""
    folder, story = PROJECTS[name](box)
    project = next(path.name for path in sorted(folder.glob("*.tamis"), reverse=True))
    facts = told(box, folder, project)
    keep(name, folder)
    facts["story"] = [box.step(words, folder, project) for words in story]
    write_expected(name, facts)


def make_run(box: Box, name: str) -> None:
    """The same with training runs; they are packed, since each holds a copy of the worker and a model."""
    make, go_on = RUNS[name]
    folder = sample(box, name, 64)
    facts = make(box, folder)
    keep(name, folder, packed=True)
    index = HERE / "home" / "state" / "tamis" / "runs.jsonl"
    shutil.copyfile(HOME / "state" / "tamis" / "runs.jsonl", index)
    hide(index.parent)
    write_expected(name, facts | {"now": go_on(box, folder, facts)})


def keep(name: str, folder: Path, *, packed: bool = False) -> None:
    """Put a folder into the corpus, as plain files or as an archive, without what tells of this machine."""
    target = HERE / "projects" / name / "files"
    shutil.rmtree(target, ignore_errors=True)
    left_out = ["*.owner", "lock", "supervisor.log", "__pycache__", *(() if name == "by-hand" else ("scan.cache",))]
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns(*left_out))
    for path in () if name == "by-hand" else target.glob("*.jsonl"):
        path.unlink()  # the source: a project has its rows, and is opened without
    for path in sorted(target.glob("*.tamis")):
        path.rename(path.with_suffix(".project"))
    hide(target)
    if packed:
        archive = target.with_suffix(".tar.xz")
        with tarfile.open(archive, "w:xz", preset=9) as out:
            for path in sorted(target.rglob("*")):
                out.add(path, path.relative_to(target), recursive=False, filter=nobodys)
        shutil.rmtree(target)


def nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "ana"
    return entry


def hide(folder: Path) -> None:
    """Replace the names of this machine, of its boot, and of the place of its libraries."""
    for path in texts(folder):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        hidden = SITE.sub(f"{MADE_IN}/tamis/.venv/lib/python3/site-packages", text)
        hidden = re.sub(r'("(?:hostname|host)": )"[^"]*"', r'\1"box"', hidden)
        hidden = re.sub(r'("boot_id": )"[^"]*"', r'\1"00000000-0000-0000-0000-000000000000"', hidden)
        if hidden != text:
            path.write_text(hidden, encoding="utf-8", errors="surrogateescape")


def main(arguments: Sequence[str]) -> int:
    tree = Path(arguments[0]).resolve()
    if tree.parent != HOME:
        print(f"the checkout must lie in {MADE_IN}: its runs remember where", file=sys.stderr)
        return 2
    box = set_up(tree)
    for name in arguments[1:] or [*PROJECTS, *RUNS]:
        (make_run if name in RUNS else make_project)(box, name)
        print(name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
