"""The identity of a request: what is in it, what is not, and where the question stands."""

from __future__ import annotations

from typing import Any

import pytest

from backends.cache.exact import Identity, identify, is_sampled, question_of
from backends.operation import CONVERSATION, EXACT, Cacheable

BODY: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "seed": 1}


def named(body: dict[str, Any] = BODY, cacheable: Cacheable = CONVERSATION, **changes: Any) -> Identity:
    facts = {
        "name": "chat",
        "address": ("openai", "default", "m", "POST", "https://a/chat"),
        "headers": (),
        "tenant": None,
    }
    return identify(cacheable, body=body, **{**facts, **changes})


def asked(text: Any, **fields: Any) -> dict[str, Any]:
    return {**BODY, "messages": [{"role": "user", "content": text}], **fields}


def test_the_order_of_arguments_does_not_matter() -> None:
    assert named(dict(reversed(BODY.items()))) == named()


def test_the_order_inside_a_schema_does() -> None:
    one, other = ({"properties": fields} for fields in ({"a": 1, "b": 2}, {"b": 2, "a": 1}))
    assert named({**BODY, "schema": one}) != named({**BODY, "schema": other})


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "stream_chat"},
        {"address": ("openai", "default", "m", "POST", "https://b/chat")},
        {"headers": (("openai-organization", "o"),)},
        {"tenant": "t"},
        {"body": {**BODY, "seed": 2}},
        {"body": {**BODY, "tools": []}},
        {"body": {**BODY, "messages": [{"role": "system", "content": "s"}, *BODY["messages"]]}},
        {"cacheable": EXACT},
    ],
)
def test_everything_else_is_scope(changes: dict[str, Any]) -> None:
    assert named(**changes).scope != named().scope


def test_another_question_is_another_key_of_the_same_scope() -> None:
    one, other = named(), named(asked("bye"))
    assert (one.text, other.text) == ("hello", "bye")
    assert one.scope == other.scope
    assert one.key != other.key


def test_labels_of_a_request_are_left_out() -> None:
    labelled = Cacheable("messages", frozenset({"request_id"}))
    assert named({**BODY, "request_id": "1"}, labelled) == named({**BODY, "request_id": "2"}, labelled)
    assert named(headers=(("Traceparent", "1"), ("User-Agent", "x"))) == named()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("hello", "hello"),
        ([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}], "b"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}], "a"),
        ([{"role": "user", "parts": [{"text": "a"}]}], "a"),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}], None),
        ([{"role": "assistant", "content": "a"}], None),
        ([{"role": "tool", "content": "a"}], None),
        ([{"role": "user"}], None),
        (["a", "b"], None),
        ([], None),
        (7, None),
    ],
)
def test_the_question_is_the_last_text_of_the_user(value: Any, text: str | None) -> None:
    found = question_of(value)
    assert (found and found[0]) == text
    if found is not None and not isinstance(value, str):
        assert text not in repr(found[1]) or text == "a"


@pytest.mark.parametrize("text", ["", "  ", "x" * 9_000])
def test_no_text_or_too_much_of_it_is_exact_only(text: str) -> None:
    identity = named(asked(text))
    assert identity.text is None
    assert identity.key == identity.scope


@pytest.mark.parametrize(
    ("body", "sampled"),
    [
        ({}, False),
        ({"temperature": 0}, False),
        ({"temperature": 0.0}, False),
        ({"temperature": None}, False),
        ({"temperature": 0.1}, True),
        ({"options": {"temperature": 1}}, True),
        ({"parameters": {"do_sample": True}}, True),
        ({"tools": [{"temperature": 1}]}, False),
    ],
)
def test_chance_is_asked_for(body: dict[str, Any], sampled: bool) -> None:
    assert is_sampled(body) is sampled
