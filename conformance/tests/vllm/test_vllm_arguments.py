"""What is refused or translated before anything is sent: addresses, other versions' names, the server's own queue."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from vllm_bench import ASK, CHAT_ANSWER, TOOL, mocked

from backends import errors
from backends.types import Priority
from backends.vllm import VLLM


def sent(seen: list[httpx.Request]) -> Any:
    return json.loads(seen[-1].content)


@pytest.mark.parametrize(
    ("given", "root"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://localhost:8000/v1", "http://localhost:8000"),
        ("http://localhost:8000/v1/", "http://localhost:8000"),
        ("https://gpu.example/models/llama/v1", "https://gpu.example/models/llama"),
        ("https://gpu.example/v1/v1", "https://gpu.example/v1"),
        ("https://gpu.example/v10", "https://gpu.example/v10"),
        ("https://gpu.example/xv1", "https://gpu.example/xv1"),
    ],
)
async def test_root_and_openai_address_mean_the_same(given: str, root: str) -> None:
    for made in (
        VLLM(base_url=given, environ={}),
        VLLM(environ={"VLLM_BASE_URL": given}),
        VLLM(metadata={"vllm_base_url": given}, environ={}),
    ):
        assert made.base_url == made.endpoint().base_url == root
        made.create_endpoint("other", given)
        assert made.endpoint("other").base_url == root
        await made.aclose()


async def test_routes_inside_and_outside_v1() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), (200, {"version": "1"}), seen=seen, base_url="http://localhost:9/v1") as vllm:
        await vllm.achat(ASK)
        await vllm.aversion()
    assert [request.url.path for request in seen] == ["/v1/chat/completions", "/version"]


async def test_no_address_and_no_key_are_needed() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen, model=None) as vllm:
        assert vllm.base_url == "http://localhost:8000"
        await vllm.achat(ASK)
    assert "authorization" not in seen[0].headers
    assert "model" not in sent(seen)  # the server takes the first that it serves


@pytest.mark.parametrize(
    "wrong", ["ftp://localhost", "http://user:secret@localhost:8000", "http://localhost:8000/v1?key=secret", "nowhere"]
)
def test_bad_addresses(wrong: str) -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        VLLM(base_url=wrong)
    assert "secret" not in str(caught.value)
    with pytest.raises(errors.ConfigurationError):
        VLLM(environ={}).create_endpoint("other", wrong)
    with pytest.raises(errors.ConfigurationError):
        VLLM(environ={}).create_endpoint("other", 5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "instead"),
    [
        ("guided_json", {}, "structured_outputs={'json': ...}"),
        ("guided_regex", "a", "structured_outputs={'regex': ...}"),
        ("guided_choice", ["a"], "structured_outputs={'choice': ...}"),
        ("guided_grammar", "a", "structured_outputs={'grammar': ...}"),
        ("functions", [{}], "tools"),
        ("best_of", 2, "use n"),
        ("service_tier", "flex", "server_priority"),
    ],
)
async def test_names_of_elsewhere_are_refused_with_what_to_use(name: str, value: Any, instead: str) -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen) as vllm:
        with pytest.raises(errors.UnsupportedError, match=name) as caught:
            await vllm.achat(ASK, **{name: value})
        assert instead in str(caught.value)
        await vllm.achat(ASK, **{name: None})
    assert name not in sent(seen)


async def test_misspelt_names_are_refused_with_the_nearest() -> None:
    async with mocked((200, CHAT_ANSWER)) as vllm:
        with pytest.raises(errors.InvalidRequestError) as caught:
            await vllm.achat(ASK, repitition_penalty=1.1)  # type: ignore[call-arg]
    assert "repetition_penalty" in caught.value.suggestions


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ({"json": {"type": "object"}}, {"guided_json": {"type": "object"}}),
        ({"regex": r"\d+", "choice": None}, {"guided_regex": r"\d+"}),
        ({"choice": ["a", "b"]}, {"guided_choice": ["a", "b"]}),
        ({"grammar": "root ::= 'a'"}, {"guided_grammar": "root ::= 'a'"}),
    ],
)
async def test_constraints_in_the_words_of_either_age(constraint: dict[str, Any], fields: dict[str, Any]) -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen) as vllm:
        await vllm.achat(ASK, structured_outputs=constraint)
        assert sent(seen)["structured_outputs"] == constraint
        assert not any(name.startswith("guided") for name in sent(seen))
        vllm.create_endpoint("old", "http://localhost:7", guided_fields=True)
        await vllm.achat(ASK, structured_outputs=constraint, endpoint="old")
        assert "structured_outputs" not in sent(seen)
        assert fields.items() <= sent(seen).items()
        await vllm.achat(ASK, endpoint="old")
        assert not any(name.startswith("guided") for name in sent(seen))


@pytest.mark.parametrize(
    "constraint", [{"json_object": True}, {"structural_tag": "{}"}, {"json": {}, "whitespace_pattern": " "}]
)
async def test_what_older_servers_have_no_word_for(constraint: dict[str, Any]) -> None:
    async with mocked((200, CHAT_ANSWER), guided_fields=True) as vllm:
        with pytest.raises(errors.InvalidRequestError, match="guided_fields"):
            await vllm.achat(ASK, structured_outputs=constraint)


@pytest.mark.parametrize("constraint", [{}, {"json": {}, "regex": "a"}, {"backend": "xgrammar"}, {"json": None}])
async def test_exactly_one_constraint(constraint: dict[str, Any]) -> None:
    async with mocked((200, CHAT_ANSWER)) as vllm:
        with pytest.raises(errors.InvalidRequestError, match="exactly one of json, regex"):
            await vllm.achat(ASK, structured_outputs=constraint)
        with pytest.raises(errors.InvalidRequestError, match="exactly one of json, regex"):
            await vllm.acomplete("a", structured_outputs=constraint)


async def test_our_priority_is_about_our_queue() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen) as vllm:
        for priority in Priority:
            await vllm.achat(ASK, priority=priority)
            assert "priority" not in sent(seen)
        await vllm.achat(ASK, priority=Priority.LOW, server_priority=-7)
        assert sent(seen)["priority"] == -7
        assert "server_priority" not in sent(seen)


async def test_a_server_that_schedules_by_priority_is_told_ours() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen, priority_scheduling=True) as vllm:
        numbers = []
        for options in ({}, {"priority": Priority.HIGH}, {"priority": Priority.NORMAL}, {"priority": Priority.LOW}):
            await vllm.achat(ASK, **options)
            numbers.append(sent(seen)["priority"])
        assert numbers == [0, -1, 0, 1]  # lower goes first there, and 0 is what others say who say nothing
        await vllm.achat(ASK, priority=Priority.LOW, server_priority=5)
        assert sent(seen)["priority"] == 5
        vllm.create_endpoint("usual", "http://localhost:7", priority_scheduling=False)
        await vllm.achat(ASK, endpoint="usual")
        assert "priority" not in sent(seen)
        vllm.create_endpoint("same", "http://localhost:6")
        await vllm.achat(ASK, endpoint="same", priority=Priority.HIGH)
        assert sent(seen)["priority"] == -1
        with pytest.raises(errors.InvalidRequestError, match="priority"):
            await vllm.achat(ASK, priority=9)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["priority_scheduling", "guided_fields"])
def test_traits_are_flags(name: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=name):
        VLLM(**{name: "yes"})
    with pytest.raises(errors.ConfigurationError, match=name):
        VLLM(environ={}).create_endpoint("a", "http://localhost:1", **{name: 1})


async def test_our_id_is_on_the_wire_and_normalised() -> None:
    seen: list[httpx.Request] = []
    async with mocked((500, {}), (200, CHAT_ANSWER), seen=seen, max_retries=1) as vllm:
        own = uuid.UUID(int=7)
        reply = await vllm.achat(ASK, request_id="{" + str(own).upper() + "}")
        assert reply.request_id == str(own)
        assert [json.loads(request.content)["request_id"] for request in seen] == [str(own), str(own)]
        fresh = await vllm.achat(ASK)
        assert sent(seen)["request_id"] == fresh.request_id != reply.request_id
        with pytest.raises(errors.InvalidRequestError, match="request_id"):
            await vllm.achat(ASK, request_id="seven")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"top_logprobs": 1}, "logprobs"),
        ({"tool_choice": "required"}, "tools"),
        ({"continue_final_message": True, "add_generation_prompt": True}, "continue_final_message"),
        ({"structured_outputs": {"json": {}}, "response_format": {"type": "json_object"}}, "response_format"),
        ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice"),
    ],
)
async def test_fields_that_need_or_exclude_others(options: dict[str, Any], names: str) -> None:
    async with mocked((200, CHAT_ANSWER)) as vllm:
        with pytest.raises(errors.InvalidRequestError, match=names):
            await vllm.achat(ASK, **options)
        with pytest.raises(errors.InvalidRequestError, match=names):
            vllm.astream_chat(ASK, **options)


async def test_what_is_wide_here_and_narrow_elsewhere_passes() -> None:
    async with mocked((200, CHAT_ANSWER)) as vllm:
        wide: dict[str, Any] = {"temperature": 3.5, "stop": list("abcdef"), "n": 200, "top_k": -1, "seed": -1}
        reply = await vllm.achat(ASK, **wide, tool_choice="none", response_format={"type": "text"})
        assert reply.text == "hi"


async def test_extra_body_passes_anything_and_wins() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, CHAT_ANSWER), seen=seen) as vllm:
        await vllm.achat(ASK, extra_body={"length_penalty": 0.5, "request_id": "mine"})
    assert sent(seen)["length_penalty"] == 0.5
    assert sent(seen)["request_id"] == "mine"


def test_every_refusal_is_a_method_of_both_modes() -> None:
    for name, reason in VLLM.refusals.items():
        assert callable(getattr(VLLM, name))
        assert callable(getattr(VLLM, "a" + name))
        assert reason.endswith(".")


async def test_refusals_raise_before_the_wire() -> None:
    seen: list[httpx.Request] = []
    async with mocked((200, {}), seen=seen) as vllm:
        for name in vllm.refusals:
            with pytest.raises(errors.UnsupportedError, match=name):
                await getattr(vllm, "a" + name)("anything", of="any kind")
    assert seen == []
