"""What people and models said of a row in another tool, as its export holds it: a verdict, a mended text, labels.

One entry of `_TOOLS` for each tool: the fields by which its rows are known, and how they are read. What is found
decides nothing: it becomes a proposal (`engine.project.proposals`). A number is no verdict: from where on it is good
only a person can say (`scores_in`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

from engine.model import Row
from engine.sources.shapes.names import kept_by_names
from engine.sources.verdicts.said import (
    AFFIXES,
    LONGEST_TAG,
    SAYING,
    Heard,
    Proposed,
    Said,
    as_tag,
    is_number,
    judging,
    listed,
    names_a_score,
    number_in,
    objects,
    parts_of,
    plain,
    told_with,
)

_PRODIGY = {"accept": "accept", "reject": "reject", "ignore": "skip"}
_PRODIGY_MARKS = frozenset(
    {"_input_hash", "_task_hash", "_view_id", "_session_id", "_annotator_id", "options", "spans", "tokens"}
)
_THUMBS = ("thumb", "feedback", "vote", "like", "correct", "accept", "approv", "user_score", "user-score")


def said_in(row: Row) -> Said | None:
    """What another tool says of this row; None where nothing is said, or nothing that is sure."""
    for name in _tools_for(row):
        said = _TOOLS[name][1](row)
        if said is not None:
            return said
    return None


def scores_in(row: Row) -> dict[str, float]:
    """The numbers that may say how good a row is, by their names: columns, and ratings in the exports of tools."""
    scores = {name: number for name in row if names_a_score(name) and (number := number_in(row[name])) is not None}
    for name in _tools_for(row):
        heard = _HEARD.get(name)
        if heard is not None:
            scores |= heard(row).scores
    return scores


@kept_by_names
def _tools_for(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The tools that may have written a row with these fields: told once for all rows alike."""
    fields = frozenset(keys)
    return tuple(name for name, (knows, _) in _TOOLS.items() if knows(fields))


# -- Prodigy


def _prodigy(row: Row) -> Said | None:
    answer = row.get("answer")
    verdict: Proposed = _PRODIGY.get(answer, "") if isinstance(answer, str) else ""  # type: ignore[assignment]
    asks = any("question" in name for name in row)
    if not verdict or not (_PRODIGY_MARKS & row.keys() or (not asks and SAYING & row.keys())):
        return None
    heard = Heard()
    chosen = [choice for choice in listed(row.get("accept")) if isinstance(choice, str)]
    judged = {word for choice in chosen if (word := judging(choice))}
    tags = tuple(dict.fromkeys(as_tag(choice) for choice in chosen)) if not judged else ()
    if verdict == "accept" and len(judged) == 1:
        return Said("prodigy", judged.pop(), None, (), f"accept: {', '.join(chosen)}")
    if verdict == "accept" and any(map(_may_mend, row)):
        heard.texts = [(name, value, name) for name, value in row.items() if isinstance(value, str)]
        mended = heard.said("prodigy", row, _texts(row, heard.texts), ())
        if mended is not None and mended.edited is not None:
            return mended
    return Said("prodigy", verdict, None, tags, f"answer: {answer}")


@lru_cache(maxsize=256)
def _may_mend(name: str) -> bool:
    return bool(AFFIXES & set(parts_of(name)))


def _texts(row: Row, texts: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    """The texts that were shown, without those that are said to mend one."""
    return {name: text for name, text, _ in texts if not _may_mend(name)}


# -- Argilla


def _argilla_heard(row: Row) -> Heard:
    heard = Heard()
    responses, suggestions = row.get("responses"), row.get("suggestions")
    for name, value, status in (*_responses(responses), *_columns(row)):
        if status == "discarded":
            heard.verdicts.append(("reject", "status: discarded"))
        elif status in ("submitted", ""):
            heard.answer(name, value)
    # What a model suggests counts where nobody has answered.
    if not (heard.verdicts or heard.texts or heard.tags or heard.scores):
        for name, value, agent in (*_suggestions(suggestions), *_suggested_columns(row)):
            heard.answer(name, value, f", suggested by {agent}" if agent else ", suggested")
    return heard


def _argilla(row: Row) -> Said | None:
    fields = row.get("fields")
    if isinstance(fields, dict):
        return _argilla_heard(row).said("argilla", row, fields, ("fields",))
    if {"status", "annotation", "prediction"} <= row.keys():
        verdict: Proposed = {"Validated": "accept", "Discarded": "reject"}.get(str(row["status"]), "")  # type: ignore[assignment]
        labels = [label for label in listed(row["annotation"]) if isinstance(label, str) and len(label) <= LONGEST_TAG]
        tags = tuple(dict.fromkeys(map(as_tag, labels))) if verdict == "accept" else ()
        return Said("argilla", verdict, None, tags, f"status: {row['status']}") if verdict else None
    shown = {name: value for name, value in row.items() if isinstance(value, str) and "." not in name}
    return _argilla_heard(row).said("argilla", row, shown, ())


def _responses(responses: Any) -> Iterator[tuple[str, Any, str]]:
    """(question, value, status), as records of either kind hold them."""
    if isinstance(responses, dict):
        for name, answers in responses.items():
            for answer in objects(answers):
                yield name, answer.get("value"), str(answer.get("status") or "")
    for response in objects(responses) if isinstance(responses, list) else ():
        status, values = str(response.get("status") or ""), response.get("values")
        if status == "discarded":
            yield "", None, status
        for name, value in values.items() if isinstance(values, dict) else ():
            yield name, value.get("value") if isinstance(value, dict) else value, status


def _columns(row: Row) -> Iterator[tuple[str, Any, str]]:
    """The same from columns: `q` with a list of answers, or `q.responses` beside `q.responses.status`."""
    for name, value in row.items():
        if name.endswith(".responses"):
            status = listed(row.get(f"{name}.status"))
            for place, answer in enumerate(listed(value)):
                yield name.removesuffix(".responses"), answer, str(status[place]) if place < len(status) else ""
        elif isinstance(value, list) and name not in ("responses", "suggestions"):
            for answer in objects(value):
                if {"user_id", "value", "status"} <= answer.keys():
                    yield name, answer["value"], str(answer["status"])


def _suggestions(suggestions: Any) -> Iterator[tuple[str, Any, str]]:
    """(question, value, agent)"""
    if isinstance(suggestions, dict):
        for name, one in suggestions.items():
            if isinstance(one, dict):
                yield name, one.get("value"), str(one.get("agent") or "")
    for one in objects(suggestions) if isinstance(suggestions, list) else ():
        yield str(one.get("question_name")), one.get("value"), str(one.get("agent") or "")


def _suggested_columns(row: Row) -> Iterator[tuple[str, Any, str]]:
    for name, value in row.items():
        if name.endswith(".suggestion"):
            yield name.removesuffix(".suggestion"), value, str(row.get(f"{name}.agent") or "")
        elif name.endswith("-suggestion"):
            told = row.get(f"{name}-metadata")
            agent = told.get("agent") if isinstance(told, dict) else None
            yield name.removesuffix("-suggestion"), value, str(agent or "")


# -- Label Studio


def _label_studio_heard(row: Row) -> Heard:
    heard = Heard()
    for annotation in _annotations(row):
        for result in objects(annotation.get("result")):
            value = result.get("value")
            for kind in ("choices", "rating", "text", "number"):
                if isinstance(value, dict) and kind in value:
                    heard.answer(str(result.get("from_name")), value[kind], is_text=kind == "text")
    return heard


def _annotations(row: Row) -> list[dict[str, Any]]:
    held = row.get("annotations") if isinstance(row.get("annotations"), list) else row.get("completions")
    return list(objects(held))


def _label_studio(row: Row) -> Said | None:
    if "annotation_id" in row:
        heard = Heard()
        for name, value in row.items():
            if judging(value) and isinstance(value, str):
                heard.verdicts.append((judging(value), f"{name}: {value}"))
        return heard.said("label-studio", row, {}, ())
    shown = row.get("data")
    if not isinstance(shown, dict) or not _annotations(row):
        return None
    heard = _label_studio_heard(row)
    for annotation in _annotations(row):
        reviews = list(objects(annotation.get("reviews")))
        review = reviews[-1].get("accepted") if reviews else None
        if isinstance(review, bool):
            # Who reviews has the last word.
            heard.verdicts = [("accept" if review else "reject", f"reviews: {'accepted' if review else 'rejected'}")]
        for name in ("was_cancelled", "cancelled", "skipped"):
            if annotation.get(name) is True:
                heard.verdicts.append(("skip", f"{name}: true"))
    return heard.said("label-studio", row, shown, ("data",))


# -- doccano


def _doccano(row: Row) -> Said | None:
    labels = [label for label in listed(row.get("label", row.get("labels"))) if isinstance(label, str)]
    judged = {verdict for label in labels if (verdict := judging(label))}
    told = next((text for text in listed(row.get("Comments", row.get("comments"))) if isinstance(text, str)), "")
    if len(judged) == 1:
        return Said("doccano", judged.pop(), None, (), told_with("label", ", ".join(labels), told))
    approver = row.get("annotation_approver")
    return Said("doccano", "accept", None, (), f"annotation_approver: {approver}") if approver else None


# -- traces: thumbs of Langfuse, LangSmith, Open WebUI, and of one's own


def _traced_heard(row: Row) -> Heard:
    heard = Heard()
    for name in ("scores", "feedback"):
        for one in objects(row.get(name)) if isinstance(row.get(name), list) else ():
            said = str(one.get("name") or one.get("key") or name)
            value = next((one[key] for key in ("stringValue", "value", "score") if one.get(key) is not None), None)
            _thumb(heard, said, value, one.get("comment"), sure=one.get("dataType") == "BOOLEAN")
    stats = row.get("feedback_stats")
    for said, stat in stats.items() if isinstance(stats, dict) else ():
        if isinstance(stat, dict) and stat.get("n"):
            _thumb(heard, str(said), stat.get("avg"), None)
    return heard


def _thumb(heard: Heard, name: str, value: Any, comment: Any, *, sure: bool = False) -> None:
    """A thumb is a word that judges or true or false; a number is one where its name says so and it is 1, 0 or -1."""
    verdict = judging(value)
    is_thumb = sure or any(word in name.lower() for word in _THUMBS)
    if not verdict and is_number(value) and is_thumb and value in (1, 0, -1):
        verdict, value = ("accept" if value == 1 else "reject"), int(value)
    if verdict and ("down" in name.lower() or "dislike" in name.lower()) and not isinstance(value, str):
        verdict = "reject" if verdict == "accept" else ""
    if verdict:
        heard.verdicts.append((verdict, told_with(name, plain(value), comment)))
    elif is_number(value):
        heard.scores.setdefault(name, float(value))


def _langfuse(row: Row) -> Said | None:
    return _traced_heard(row).said("langfuse", row, {}, ())


def _langsmith(row: Row) -> Said | None:
    return _traced_heard(row).said("langsmith", row, {}, ())


def _feedback(row: Row) -> Said | None:
    heard, held = Heard(), row.get("feedback")
    thumbs = held if isinstance(held, dict) else {"feedback": held} if isinstance(held, str | bool) else {}
    thumbs = thumbs or {name: row[name] for name in ("thumbs_up", "thumbs_down") if name in row}
    for name, value in thumbs.items():
        if name != "comment":
            _thumb(heard, name, value, thumbs.get("comment"))
    return heard.said("feedback", row, {}, ())


def _open_webui(row: Row) -> Said | None:
    heard, data, chat = Heard(), row.get("data"), row.get("chat")
    if row.get("type") == "rating" and isinstance(data, dict):
        told = data.get("comment") or data.get("reason")
        _thumb(heard, "rating", data.get("rating"), told, sure=True)
    messages = chat.get("messages") if isinstance(chat, dict) else None
    for message in objects(list(messages.values()) if isinstance(messages, dict) else messages):
        rated = message.get("annotation")
        if isinstance(rated, dict):
            _thumb(heard, "rating", rated.get("rating"), rated.get("comment") or rated.get("reason"), sure=True)
    return heard.said("open-webui", row, {}, ())


# -- data sets for KTO

_KTO = ("kto_tag", "kto_label", "desirable", "is_desirable", "is_good", "label")


def _kto(row: Row) -> Said | None:
    for name in _KTO:
        value = row.get(name)
        if name == "label" and not ({"completion", "response", "messages", "conversations", "output"} & row.keys()):
            continue
        verdict = judging(value)
        if verdict:
            return Said("kto", verdict, None, (), f"{name}: {plain(value)}")
    return None


_TOOLS: dict[str, tuple[Callable[[frozenset[str]], bool], Callable[[Row], Said | None]]] = {
    "prodigy": (lambda keys: "answer" in keys, _prodigy),
    "argilla": (
        lambda keys: (
            "fields" in keys
            or {"status", "annotation", "prediction"} <= keys
            or any(name.endswith((".responses", ".suggestion", "-suggestion")) for name in keys)
            or any(name.startswith(("new-", "original-")) for name in keys)
        ),
        _argilla,
    ),
    "label-studio": (
        lambda keys: "data" in keys or {"annotation_id", "annotator", "lead_time"} <= keys,
        _label_studio,
    ),
    "doccano": (
        lambda keys: bool({"id", "text"} <= keys and {"label", "labels"} & keys) or "annotation_approver" in keys,
        _doccano,
    ),
    "langfuse": (lambda keys: "scores" in keys, _langfuse),
    "langsmith": (
        lambda keys: "feedback_stats" in keys or {"feedback", "inputs"} <= keys or {"feedback", "run_type"} <= keys,
        _langsmith,
    ),
    "open-webui": (lambda keys: "chat" in keys or {"snapshot", "type"} <= keys, _open_webui),
    "feedback": (lambda keys: bool({"feedback", "thumbs_up", "thumbs_down"} & keys), _feedback),
    "kto": (lambda keys: not keys.isdisjoint(_KTO), _kto),
}
_HEARD: dict[str, Callable[[Row], Heard]] = {
    "argilla": _argilla_heard,
    "label-studio": _label_studio_heard,
    "langfuse": _traced_heard,
    "langsmith": _traced_heard,
}
