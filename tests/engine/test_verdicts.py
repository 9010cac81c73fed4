"""What the files of other tools say of their rows: written down from each tool's form before the code was asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.sources.verdicts.verdicts import said_in, scores_in

ASKED = {"prompt": "What is the capital of France?", "response": "Paris."}
SPANS = [{"start": 0, "end": 4, "label": "CITY", "answer": "reject"}]
LABEL_STUDIO = {"id": 1, "data": {**ASKED, "id": 7}, "meta": {}, "project": 1}


def _annotated(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 9, "completed_by": 1, "was_cancelled": False, "result": list(results), **more}


def _choice(name: str, *choices: str) -> dict[str, Any]:
    return {"id": "x", "from_name": name, "to_name": "prompt", "type": "choices", "value": {"choices": list(choices)}}


def _text(name: str, text: str) -> dict[str, Any]:
    return {"id": "x", "from_name": name, "to_name": "response", "type": "textarea", "value": {"text": [text]}}


def _answered(*values: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"user_id": str(place), "status": status, "values": {name: {"value": value} for name, value in said.items()}}
        for place, (status, said) in enumerate(values)
    ]


# tool, row, (verdict, tags, why); an edit is asked for below.
SAID: list[tuple[str, dict[str, Any], tuple[str, tuple[str, ...], str]]] = [
    # Prodigy: the answer of the task, whatever its spans say of themselves.
    ("prodigy", {"text": "a", "answer": "accept", "_task_hash": 2}, ("accept", (), "answer: accept")),
    ("prodigy", {**ASKED, "answer": "reject", "spans": SPANS}, ("reject", (), "answer: reject")),
    ("prodigy", {"text": "a", "answer": "ignore", "_input_hash": 1}, ("skip", (), "answer: ignore")),
    ("prodigy", {"text": "a", "options": [{"id": "NEWS"}, {"id": "ADS"}], "accept": ["ADS"], "answer": "accept"},
     ("accept", ("ADS",), "answer: accept")),
    ("prodigy", {"text": "a", "options": [{"id": "good"}, {"id": "bad"}], "accept": ["bad"], "answer": "accept"},
     ("reject", (), "accept: bad")),
    # Argilla, records of a FeedbackDataset.
    ("argilla", {"fields": ASKED, "responses": _answered(("submitted", {"quality": "bad"}))},
     ("reject", (), "quality: bad")),
    ("argilla", {"fields": ASKED, "responses": _answered(("discarded", {}))}, ("reject", (), "status: discarded")),
    ("argilla", {"fields": ASKED, "responses": _answered(("submitted", {"topic": "geo graphy"}))},
     ("", ("topic=geo-graphy",), "topic: geo graphy")),
    ("argilla", {"fields": ASKED, "responses": _answered(*[("submitted", {"q": word}) for word in ("good", "bad")])},
     ("", ("annotators-differ",), "annotators differ: 1 accept, 1 reject")),
    ("argilla", {"fields": ASKED, "responses": [], "suggestions": [{"question_name": "q", "value": "good",
                                                                    "agent": "judge-1"}]},
     ("accept", (), "q: good, suggested by judge-1")),
    # The same as `datasets` holds it, and as exported by later versions.
    ("argilla", {**ASKED, "q": [{"user_id": "1", "value": "good", "status": "submitted"}], "q-suggestion": None},
     ("accept", (), "q: good")),
    ("argilla", {**ASKED, "status": "completed", "_server_id": "s", "q.responses": ["bad"],
                 "q.responses.users": ["1"], "q.responses.status": ["submitted"]}, ("reject", (), "q: bad")),
    ("argilla", {**ASKED, "_server_id": "s", "q.responses": ["bad"], "q.responses.status": ["discarded"]},
     ("reject", (), "status: discarded")),
    ("argilla", {**ASKED, "_server_id": "s", "q.responses": None, "q.suggestion": "good", "q.suggestion.agent": "m"},
     ("accept", (), "q: good, suggested by m")),
    ("argilla", {"fields": ASKED, "status": "completed", "suggestions": {},
                 "responses": {"q": [{"value": "good", "user_id": "1"}]}}, ("accept", (), "q: good")),
    # Argilla of old: one status a record.
    ("argilla", {"text": "a", "prediction": [["x", 0.5]], "annotation": None, "status": "Discarded"},
     ("reject", (), "status: Discarded")),
    ("argilla", {"text": "a", "prediction": None, "annotation": "spam", "status": "Validated"},
     ("accept", ("spam",), "status: Validated")),
    # Label Studio.
    ("label-studio", {**LABEL_STUDIO, "annotations": [_annotated(_choice("quality", "good"))]},
     ("accept", (), "quality: good")),
    ("label-studio", {**LABEL_STUDIO, "annotations": [_annotated(_choice("topic", "history", "law"))]},
     ("", ("topic=history", "topic=law"), "topic: history, law")),
    ("label-studio", {**LABEL_STUDIO, "annotations": [_annotated(was_cancelled=True)]},
     ("skip", (), "was_cancelled: true")),
    ("label-studio", {**LABEL_STUDIO, "completions": [{"result": [], "skipped": True}]}, ("skip", (), "skipped: true")),
    ("label-studio", {**LABEL_STUDIO, "annotations": [_annotated(_choice("topic", "law"),
                                                                 reviews=[{"accepted": False}])]},
     ("reject", ("topic=law",), "reviews: rejected")),
    ("label-studio", {**ASKED, "id": 3, "quality": "bad", "annotator": 1, "annotation_id": 4, "lead_time": 2.5},
     ("reject", (), "quality: bad")),
    # doccano: its labels are mostly what is to be learnt; only those that judge count.
    ("doccano", {"id": 1, "text": "a b", "label": ["bad"], "Comments": ["rude"]}, ("reject", (), "label: bad (rude)")),
    ("doccano", {"id": 1, "text": "a b", "label": ["x"], "annotation_approver": "ann"},
     ("accept", (), "annotation_approver: ann")),
    # Thumbs of traces.
    ("langfuse", {"input": "a", "output": "b", "scores": [{"name": "user-feedback", "value": 0, "comment": "wrong"}]},
     ("reject", (), "user-feedback: 0 (wrong)")),
    ("langfuse", {"input": "a", "output": "b", "scores": [{"name": "ok", "value": 1, "dataType": "BOOLEAN"}]},
     ("accept", (), "ok: 1")),
    ("langsmith", {"inputs": {}, "outputs": {}, "feedback": [{"key": "thumbs_up", "score": 1}]},
     ("accept", (), "thumbs_up: 1")),
    ("langsmith", {"inputs": {}, "outputs": {}, "feedback_stats": {"user_score": {"n": 2, "avg": 0.0}}},
     ("reject", (), "user_score: 0")),
    ("feedback", {**ASKED, "feedback": {"thumbs_up": True}}, ("accept", (), "thumbs_up: true")),
    ("feedback", {**ASKED, "feedback": {"thumbs_down": True, "comment": "no"}},
     ("reject", (), "thumbs_down: true (no)")),
    ("feedback", {**ASKED, "feedback": "thumbs_down"}, ("reject", (), "feedback: thumbs_down")),
    ("feedback", {**ASKED, "thumbs_up": False}, ("reject", (), "thumbs_up: false")),
    ("open-webui", {"id": "f", "type": "rating", "data": {"rating": -1, "reason": "wrong"}, "snapshot": {"chat": {}}},
     ("reject", (), "rating: -1 (wrong)")),
    ("open-webui", {"id": "c", "chat": {"messages": [{"role": "user", "content": "a"},
                                                     {"role": "assistant", "content": "b",
                                                      "annotation": {"rating": 1}}]}}, ("accept", (), "rating: 1")),
    # Data sets for KTO.
    ("kto", {"prompt": "a", "completion": "b", "label": False}, ("reject", (), "label: false")),
    ("kto", {"messages": [{"role": "user", "content": "a"}], "kto_tag": True}, ("accept", (), "kto_tag: true")),
    ("kto", {"prompt": "a", "completion": "b", "label": "good"}, ("accept", (), "label: good")),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "row", "wanted"), SAID, ids=[f"{tool}-{n}" for n, (tool, _, _) in enumerate(SAID)])
def test_a_verdict_comes_along(tool: str, row: dict[str, Any], wanted: tuple[str, tuple[str, ...], str]) -> None:
    said = said_in(row)
    assert said is not None
    assert (said.tool, said.verdict, said.tags, said.why) == (tool, *wanted)
    assert said.edited is None


BETTER = "The capital of France is Paris."
EDITS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("argilla", {"fields": ASKED, "responses": _answered(("submitted", {"corrected-response": BETTER, "q": "good"}))},
     ("fields", "response")),
    ("argilla", {"original-instruction": "a", "original-response": "Paris.",
                 "new-response": [{"user_id": "1", "value": BETTER, "status": "submitted"}]}, ("original-response",)),
    ("argilla", {**ASKED, "_server_id": "s", "correction.responses": [BETTER],
                 "correction.responses.status": ["submitted"]}, ("response",)),
    ("label-studio", {**LABEL_STUDIO, "annotations": [_annotated(_text("response", BETTER))]}, ("data", "response")),
    ("prodigy", {**ASKED, "response_edited": BETTER, "answer": "accept"}, ("response",)),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "row", "path"), EDITS, ids=[f"{tool}-{n}" for n, (tool, _, _) in enumerate(EDITS)])
def test_a_text_that_was_mended_is_a_whole_row(tool: str, row: dict[str, Any], path: tuple[str, ...]) -> None:
    before = json.dumps(row)
    wanted = json.loads(before)
    holder = wanted
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = BETTER
    said = said_in(row)
    assert said is not None
    assert (said.tool, said.edited) == (tool, wanted)
    assert json.dumps(row) == before


def test_a_text_that_stayed_as_it_was_is_a_yes() -> None:
    said = said_in({"fields": ASKED, "responses": _answered(("submitted", {"new-response": "Paris."}))})
    assert said is not None
    assert (said.verdict, said.edited, said.why) == ("accept", None, "response: as it was")


NOTHING: list[dict[str, Any]] = [
    ASKED,
    {"question": "Do they accept or reject?", "answer": "accept the offer"},
    {"question": "Which word is it?", "answer": "accept"},
    {"id": 1, "text": "a b", "label": ["POSITIVE"]},
    {"id": 1, "text": "a b", "label": [[0, 1, "CITY"]]},
    {"text": "a b", "label": True},
    {"prompt": "a", "completion": "b", "label": 1},
    {"instruction": "a", "output": "b", "status": "ok", "score": 0.4},
    {"fields": ASKED, "responses": _answered(("draft", {"quality": "bad"}))},
    {"fields": ASKED, "responses": _answered(("submitted", {"stars": 4}))},
    {"prompt": "Why?", "responses": ["a", "b"]},
    {**LABEL_STUDIO, "annotations": []},
    # The text that was typed is the answer itself: nothing stands there to be replaced.
    {"id": 1, "data": {"prompt": "Why?"}, "annotations": [_annotated(_text("answer", "Because."))]},
    {"input": "a", "output": "b", "scores": [{"name": "helpfulness", "value": 0.7}]},
    {"inputs": {}, "outputs": {}, "feedback_stats": {"user_score": {"n": 2, "avg": 0.5}}},
    # Odd values in the places where verdicts stand.
    {"answer": ["accept"], "_task_hash": 1},
    {"fields": 3, "responses": "submitted"},
    {"fields": {}, "responses": [3, {"status": None, "values": []}], "suggestions": [None]},
    {"data": None, "annotations": [None, {"result": [None, {"value": 3, "type": []}]}]},
    {"data": {}, "annotations": [{"result": {"a": 1}}]},
    {"scores": [None, {"name": None, "value": float("nan")}], "feedback": [[]], "feedback_stats": {"a": 3}},
    {"type": "rating", "data": {"rating": "1"}, "snapshot": None},
    {"chat": {"messages": {"a": None}, "history": []}},
    {"q.responses": 3, "q.suggestion": {}},
    {"scores": [{"name": "thumb", "value": 10**400}], "rating": 10**400},
]


@pytest.mark.parametrize("row", NOTHING, ids=map(str, range(len(NOTHING))))
def test_what_is_no_verdict_is_left_alone(row: dict[str, Any]) -> None:
    assert said_in(row) is None


def test_scores_are_named_and_nobody_guesses_from_where_on_they_are_good() -> None:
    rated = {"type": "rating", "from_name": "stars", "value": {"rating": 4}}
    assert scores_in({"instruction": "a", "output": "b", "score": 4.5, "Quality_Score": "3"}) == {
        "score": 4.5,
        "Quality_Score": 3.0,
    }
    assert scores_in({**LABEL_STUDIO, "annotations": [_annotated(rated)]}) == {"stars": 4.0}
    assert scores_in({"fields": ASKED, "responses": _answered(("submitted", {"stars": 4}))}) == {"stars": 4.0}
    assert scores_in({"scores": [{"name": "helpfulness", "value": 0.7}]}) == {"helpfulness": 0.7}
    assert scores_in({**ASKED, "score": True, "rating": None, "stars": "many"}) == {}
