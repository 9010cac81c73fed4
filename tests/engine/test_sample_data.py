"""The shipped samples are what their README and their oracles say; all of it is checked from the files alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz import fuzz, process

from engine.project.row_ids import content_hash, row_id

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_data"
Row = dict[str, Any]

PLANTED = {
    "exact duplicate": 27,
    "near duplicate": 28,
    "contradiction": 24,
    "wrong format": 36,
    "typos": 22,
    "stale": 22,
    "truncated": 18,
    "off-topic": 18,
    "placeholder input": 12,
    "refusal": 10,
}
CLOSEST_CLEAN = 78.0  # the generator's own bound on tickets that are not copies, digits dropped
CLOSEST_HELDOUT = 78.0


def read(name: str) -> list[Row]:
    with (SAMPLES / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read("support.jsonl")


@pytest.fixture(scope="module")
def heldout() -> list[Row]:
    return read("support.heldout.jsonl")


@pytest.fixture(scope="module")
def truths() -> list[Row]:
    return read("support.answers.jsonl")


def words(text: str) -> str:
    """Case folded, digits and punctuation dropped."""
    return " ".join(re.findall(r"[^\W\d_]+", text.casefold()))


def normal(text: str) -> str:
    """Equal for texts that differ in case, punctuation and spacing only."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def prompt(row: Row) -> str:
    return f"{row['instruction']}\n{row['input']}"


def answer(label: Row) -> str:
    return json.dumps(label)


def closest(left: list[str], right: list[str]) -> Any:
    """max(ratio, token_sort_ratio) of every pair of texts, digits dropped, 0-100."""
    plain = process.cdist([words(text) for text in left], [words(text) for text in right], scorer=fuzz.ratio)
    ordered = process.cdist(
        [" ".join(sorted(words(text).split())) for text in left],
        [" ".join(sorted(words(text).split())) for text in right],
        scorer=fuzz.ratio,
    )
    return np.maximum(plain, ordered)


def groups(truths: list[Row], first_letter: str = "enk") -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for truth in truths:
        if truth["group"] and truth["group"][0] in first_letter:
            found[truth["group"]].append(truth)
    return found


def test_the_generator_writes_these_very_bytes(tmp_path: Path) -> None:
    make = ROOT / "tests" / "sample_generator" / "make.py"
    subprocess.run([sys.executable, str(make), "--to", str(tmp_path)], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    shipped = {path.name: path.read_bytes() for path in SAMPLES.iterdir() if path.name != "README.md"}
    assert made.keys() == shipped.keys()
    assert [name for name in made if made[name] != shipped[name]] == []


def test_the_readme_names_every_file_and_counts_right(truths: list[Row]) -> None:
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    for path in SAMPLES.iterdir():
        assert path.name == "README.md" or f"| `{path.name}` |" in readme
    counted = Counter(re.sub(r"(duplicate|contradiction|refusal)$", r"\1s", kind) for kind in map(kind_of, truths))
    stated = {kind: int(count) for kind, count in re.findall(r"^\| ([a-z -]+) \| (\d+) \|", readme, re.MULTILINE)}
    assert stated == {kind: count for kind, count in counted.items() if kind != "clean"}
    assert f"The other {counted['clean']} rows are clean" in readme
    kept, mended = sum(truth["keep"] for truth in truths), sum(truth["action"] == "edit" for truth in truths)
    assert f"{kept} rows are accepted, {mended} of\nthem edited" in readme


def kind_of(truth: Row) -> str:
    return str(truth["planted"])


def test_noise_is_of_every_kind_and_about_45_per_cent(rows: list[Row], heldout: list[Row], truths: list[Row]) -> None:
    assert (len(rows), len(heldout), len(truths)) == (480, 120, 480)
    assert [truth["row"] for truth in truths] == list(range(480))
    counted = Counter(map(kind_of, truths))
    assert {kind: count for kind, count in counted.items() if kind != "clean"} == PLANTED
    assert 0.42 <= sum(PLANTED.values()) / 480 <= 0.48
    assert {row["year"] for row in rows} == set(range(2018, 2025))
    made = {part for truth in truths if truth["how"] for part in re.split(r", | typos?", truth["how"])}
    assert made >= {"copy", "case", "typo", "order", "filler"}
    assert len(groups(truths, "en")) <= 15
    assert len(groups(truths, "k")) <= 12


def test_clean_rows_answer_as_labelled_and_differ_in_their_words(rows: list[Row], truths: list[Row]) -> None:
    clean = [(row, truth) for row, truth in zip(rows, truths, strict=True) if truth["planted"] == "clean"]
    assert all(row["output"] == answer(truth["label"]) for row, truth in clean)
    tickets = [row["input"] for row, _ in clean]
    assert len({words(ticket) for ticket in tickets}) == len(tickets)
    scores = closest(tickets, tickets)
    np.fill_diagonal(scores, 0)
    assert scores.max() <= CLOSEST_CLEAN


def test_only_planted_rows_come_close_to_each_other(rows: list[Row], truths: list[Row]) -> None:
    tickets = [row["input"] if len(row["input"]) > 15 else row["instruction"] for row in rows]
    scores = closest(tickets, tickets)
    for left, right in zip(*np.nonzero(scores > 85), strict=True):
        same_group = truths[left]["group"] is not None and truths[left]["group"] == truths[right]["group"]
        assert left == right or same_group, (tickets[left], tickets[right])


def test_the_held_out_rows_have_no_twin(rows: list[Row], heldout: list[Row]) -> None:
    known = {words(row["input"]) for row in rows} | {words(prompt(row)) for row in rows}
    assert not known & {words(row["input"]) for row in heldout}
    tickets = [row["input"] for row in heldout]
    assert closest(tickets, [row["input"] or row["instruction"] for row in rows]).max() <= CLOSEST_HELDOUT
    among = closest(tickets, tickets)
    np.fill_diagonal(among, 0)
    assert among.max() <= CLOSEST_CLEAN


def test_the_held_out_rows_know_every_label_and_only_the_new_name(heldout: list[Row]) -> None:
    labels = [json.loads(row["output"]) for row in heldout]
    assert {len({label[field] for label in labels}) for field in ("intent", "product", "urgency")} == {6, 8, 3}
    assert all(answer(label) == row["output"] for label, row in zip(labels, heldout, strict=True))
    assert not any("Chimelet" in prompt(row) + row["output"] for row in heldout)


def test_exact_duplicates_are_equal_but_for_case_and_punctuation(rows: list[Row], truths: list[Row]) -> None:
    for members in groups(truths, "e").values():
        assert len({normal(prompt(rows[member["row"]])) for member in members}) == 1
        assert len({rows[member["row"]]["output"] for member in members}) == 1


def test_near_duplicates_differ_in_words_and_not_in_answer_or_numbers(rows: list[Row], truths: list[Row]) -> None:
    for members in groups(truths, "n").values():
        texts = [rows[member["row"]]["input"] for member in members]
        assert len({normal(text) for text in texts}) == len(texts)
        assert len({tuple(sorted(re.findall(r"\d+", text))) for text in texts}) == 1
        assert len({rows[member["row"]]["output"] for member in members}) == 1


def test_contradictions_share_a_ticket_and_no_answer(rows: list[Row], truths: list[Row]) -> None:
    for members in groups(truths, "k").values():
        assert 2 <= len(members) <= 4
        assert len({normal(prompt(rows[member["row"]])) for member in members}) == 1
        assert len({rows[member["row"]]["output"] for member in members}) == len(members)


def test_each_group_has_one_keeper_the_newest_then_the_first(rows: list[Row], truths: list[Row]) -> None:
    for members in groups(truths).values():
        keeper = {member["keeper"] for member in members}.pop()
        assert [member["row"] for member in members if member["keep"]] == [keeper]
        assert rows[keeper]["output"] == answer(members[0]["label"])
        if members[0]["group"][0] in "en":
            assert keeper == min((member["row"] for member in members), key=lambda row: (-rows[row]["year"], row))


def test_single_faults_are_what_the_oracle_calls_them(rows: list[Row], truths: list[Row]) -> None:
    for row, truth in zip(rows, truths, strict=True):
        right = answer(truth["label"]) if truth["label"] else ""
        output, kind = row["output"], truth["planted"]
        if kind == "truncated":
            assert right.startswith(output)
            assert len(output) < len(right)
        elif kind == "wrong format":
            assert not output.startswith('{"')
            assert truth["label"]["intent"] in output
        elif kind == "typos":
            assert output != right
            assert fuzz.ratio(output, right) > 90
        elif kind == "stale":
            assert row["year"] in (2018, 2019)
            assert output == right.replace("Porchwin", "Chimelet")
            assert "Chimelet" in row["input"]
        elif kind == "placeholder input":
            assert len(row["input"]) <= 10
        if kind != "stale":
            assert "Chimelet" not in prompt(row)
            assert row["year"] >= 2020 or "Porchwin" not in prompt(row)


def ids_of(rows: list[Row]) -> list[str]:
    met: Counter[int] = Counter()
    ids = []
    for row in rows:
        content = content_hash(row)
        ids.append(row_id(content, met[content]))
        met[content] += 1
    return ids


def test_the_journal_does_to_each_row_what_the_oracle_says(
    rows: list[Row], heldout: list[Row], truths: list[Row]
) -> None:
    lines = read("support.decisions.jsonl")
    assert [line["n"] for line in lines] == list(range(1, len(lines) + 1))
    assert {(line["v"], line["by"]) for line in lines} == {(1, "sample")}
    assert sorted(line["at"] for line in lines) == [line["at"] for line in lines]
    assert all(line["why"] and set(line["seen"]) == {i for act in line["acts"] for i in act["ids"]} for line in lines)
    done = Counter(identifier for line in lines for act in line["acts"] for identifier in act["ids"])
    ids = ids_of([*rows, *heldout])
    assert done == Counter(ids)
    acts = {identifier: act for line in lines for act in line["acts"] for identifier in act["ids"]}
    assert [acts[identifier]["do"] for identifier in ids[:480]] == [truth["action"] for truth in truths]
    assert {acts[identifier]["do"] for identifier in ids[480:]} == {"accept"}
    for row, identifier, truth in zip(rows, ids, truths, strict=False):
        assert truth["keep"] == (truth["action"] != "reject")
        if truth["action"] == "edit":
            edited = acts[identifier]["edited"][identifier]
            assert edited != row
            assert edited.keys() == row.keys()
            assert edited["output"] == answer(truth["label"])
            assert "Chimelet" not in edited["input"]
            assert re.findall(r"\d+", prompt(edited)) == re.findall(r"\d+", prompt(row))


def test_the_journal_replays_to_a_settled_project(tmp_path: Path) -> None:
    def tamis(*arguments: str) -> Row:
        command = [sys.executable, "-m", "workbench.cli.main", *arguments, "--json"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        result: Row = json.loads(done.stdout)
        return result

    project = str(tmp_path / "P")
    tamis("scan", str(SAMPLES / "support.jsonl"), "--project", project)
    tamis("holdout", project, str(SAMPLES / "support.heldout.jsonl"), "--as", "sample")
    tamis("do", project, "--from", str(SAMPLES / "support.decisions.jsonl"), "--as", "sample")
    status = tamis("status", project)
    told = {name: status[name] for name in ("rows", "accepted", "edited", "rejected", "undecided", "heldout")}
    assert told == {"rows": 600, "accepted": 442, "edited": 59, "rejected": 158, "undecided": 0, "heldout": 120}
    assert status["clusters_open"] == status["conflicts_open"] == 0


def test_the_text_for_the_built_in_model_holds_no_ticket_and_no_answer(rows: list[Row], heldout: list[Row]) -> None:
    content = (SAMPLES / "pretrain.txt").read_text(encoding="utf-8")
    assert 300_000 <= len(content.encode("utf-8")) <= 1_000_000
    assert not any(row["output"] in content for row in heldout)
    assert not any(row["output"] in content for row in rows if row["output"].endswith("}"))
    whole = f" {words(content)} "
    runs: set[tuple[str, ...]] = set()
    for row in [*rows, *heldout]:
        ticket = words(row["input"]).split()
        assert len(ticket) < 4 or f" {' '.join(ticket)} " not in whole
        runs.update(tuple(ticket[at : at + 8]) for at in range(len(ticket) - 7))
    text = whole.split()
    # Paragraphs are no borders here: a run across two of them would only be an accident, and there is none.
    assert not any(tuple(text[at : at + 8]) in runs for at in range(len(text) - 7))
    for paragraph in content.split("\n\n"):
        assert "\n" not in paragraph or not re.search(r'"(intent|urgency)"', paragraph)


def test_the_textbook_case_is_eight_lines_against_three() -> None:
    junk, good = read("phrases.jsonl"), read("phrases.good.jsonl")
    assert (len(junk), len({json.dumps(row) for row in junk})) == (400, 8)
    assert {"how u", "hello french"} <= {row["instruction"] for row in junk}
    assert len(good) == 3
    assert min(len(row["output"]) for row in good) > 200


OUT_OF_ORDER = {("user", "user"), ("user", "tool"), ("assistant", "assistant")}


def faults(row: Row) -> set[str]:
    """What a plain reading of one conversation finds wrong with it."""
    spoken = [turn for turn in row["messages"] if turn["role"] != "system"]
    found = set()
    for before, turn in zip([{"role": "assistant"}, *spoken], spoken, strict=False):
        if turn["role"] == "tool" and not before.get("tool_calls"):
            found.add("tool result without a call")
        elif (turn["role"], before["role"]) in OUT_OF_ORDER:
            found.add("role order")
        if not turn["content"] and not turn.get("tool_calls"):
            found.add("empty turn")
        text = turn["content"] or ""
        if text.count("```") % 2:
            found.add("truncated code fence")
        if text.count("<think>") != text.count("</think>"):
            found.add("unbalanced <think>")
        if re.search("Ã[^a-z]", text):
            found.add("mojibake")
        if re.search(r"### Response:|<\|im_end\|>|\[/?INST\]|</s>", text):
            found.add("template leftovers")
    if spoken[-1]["role"] == "user":
        found.add("ends on a user turn")
    return found


def test_conversations_are_varied_and_broken_only_where_planted() -> None:
    chats, truths = read("chats.jsonl"), read("chats.answers.jsonl")
    assert len(chats) == len(truths) == 60
    for row, truth in zip(chats, truths, strict=True):
        assert faults(row) == ({truth["planted"]} - {"clean", "prefix"}), row["id"]
    assert Counter(row["lang"] for row in chats).keys() == {"en", "fr"}
    systems = Counter(turn["content"] for row in chats for turn in row["messages"] if turn["role"] == "system")
    assert len(systems) >= 3
    assert max(systems.values()) >= 8
    for wanted in ("tool_calls", "```", "<think>"):
        assert sum(wanted in json.dumps(row["messages"]) for row in chats) >= 4
    for row in chats:
        called = {call["function"]["name"] for turn in row["messages"] for call in turn.get("tool_calls", ())}
        assert called == {tool["function"]["name"] for tool in row.get("tools", ())}


def test_planted_prefixes_are_the_beginning_of_their_keeper() -> None:
    chats, truths = read("chats.jsonl"), read("chats.answers.jsonl")
    short = [truth for truth in truths if truth["planted"] == "prefix"]
    assert len(short) == 2
    for truth in short:
        beginning, whole = chats[truth["row"]]["messages"], chats[truth["keeper"]]["messages"]
        assert whole[: len(beginning)] == beginning
        assert len(whole) > len(beginning)
