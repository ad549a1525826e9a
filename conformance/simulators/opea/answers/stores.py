"""Chat history, prompt registry and feedback, as their services answer over a store."""

from __future__ import annotations

from typing import Any

from conformance.simulators.opea.errors import detail
from conformance.simulators.provider import Answer, Call

__all__ = [
    "create_chat",
    "create_feedback",
    "create_prompt",
    "delete_chat",
    "delete_feedback",
    "delete_prompt",
    "get_chat",
    "get_feedback",
    "get_prompt",
]

_MOST_FOUND = 5


def _json(value: Any) -> Answer:
    """An answer that is no object: Answer takes None for "no payload"."""
    return Answer(body=b"null") if value is None else Answer(payload=value)


def _new_id(call: Call) -> str:
    return (call.nonce * 3)[:24]


def create_chat(call: Call) -> Answer:
    """``POST /v1/chathistory/create``: an id, or ``true`` for a changed record."""
    body, known = call.body, call.state.chats
    user = body["data"].get("user")
    if user is None:
        return detail(500, "400: Please provide the user information")
    messages = body["data"]["messages"]
    first = body.get("first_query") or (messages if isinstance(messages, str) else str(messages[0]["role"]))
    record = {"data": {"model": None, **body["data"]}, "first_query": first, "user": user}
    if body.get("id"):
        if body["id"] not in known:
            return detail(500, f"'{body['id']}' is not a valid id")
        known[body["id"]] = record
        return _json(True)
    known[_new_id(call)] = record
    return _json(_new_id(call))


def get_chat(call: Call) -> Answer:
    """``POST /v1/chathistory/get``: one conversation, ``null``, or a user's list without the messages."""
    wanted, user = call.body.get("id"), call.body["user"]
    if wanted is not None:
        found = call.state.chats.get(wanted)
        return _json(found["data"] if found else None)
    mine = [(name, record) for name, record in call.state.chats.items() if record["user"] == user]
    return _json([{"first_query": record["first_query"], "id": name} for name, record in mine])


def delete_chat(call: Call) -> Answer:
    """``POST /v1/chathistory/delete``."""
    if call.body.get("id") is None:
        return detail(500, "Document id is required.")
    return _json(call.state.chats.pop(call.body["id"], None) is not None)


def create_prompt(call: Call) -> Answer:
    """``POST /v1/prompt/create``: an id; ``null`` for every failure."""
    if not call.body["user"].strip():
        return _json(None)
    call.state.prompts[_new_id(call)] = dict(call.body)
    return _json(_new_id(call))


def get_prompt(call: Call) -> Answer:
    """``POST /v1/prompt/get``: by id a text, otherwise lists."""
    body, known = call.body, call.state.prompts
    if body.get("prompt_id") is not None:
        found = known.get(body["prompt_id"])
        return _json(found["prompt_text"] if found else None)
    mine = [(name, record) for name, record in known.items() if record["user"] == body["user"]]
    words = body.get("prompt_text")
    if words:
        hits = [{**record, "id": name} for name, record in mine if words in record["prompt_text"]]
        return _json(hits[:_MOST_FOUND])
    return _json([record for _, record in mine])


def delete_prompt(call: Call) -> Answer:
    """``POST /v1/prompt/delete``."""
    wanted = call.body.get("prompt_id")
    return _json(None if wanted is None else call.state.prompts.pop(wanted, None) is not None)


def create_feedback(call: Call) -> Answer:
    """``POST /v1/feedback/create``: an id, or ``true`` for a changed record."""
    body, known = call.body, call.state.feedback
    if not (body["chat_data"].get("user") or "").strip():
        return detail(500, "400: User information is required but not provided")
    if body.get("feedback_id"):
        if body["feedback_id"] not in known:
            return detail(500, f"'{body['feedback_id']}' is not a valid id")
        known[body["feedback_id"]] = dict(body)
        return _json(True)
    known[_new_id(call)] = {"chat_id": None, **body}
    return _json(_new_id(call))


def get_feedback(call: Call) -> Answer:
    """``POST /v1/feedback/get``: one, ``null``, or all of a user's."""
    body, known = call.body, call.state.feedback
    if body.get("feedback_id"):
        found = known.get(body["feedback_id"])
        return _json({**found, "feedback_id": body["feedback_id"]} if found else None)
    mine = [(name, record) for name, record in known.items() if record["chat_data"]["user"] == body["user"]]
    return _json([{**record, "feedback_id": name} for name, record in mine])


def delete_feedback(call: Call) -> Answer:
    """``POST /v1/feedback/delete``."""
    if call.body.get("feedback_id") is None:
        return detail(500, "feedback_id is required.")
    return _json(call.state.feedback.pop(call.body["feedback_id"], None) is not None)
