"""Chains as data, and the multiplexer as a user meets it: names, keys, clients, twins, reports, bad input."""

from __future__ import annotations

import pickle
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import ApiKeyMultiplexer, OpenAI, errors
from backends.failover import Chain, Hop, HopFailure, Order, goes_on
from backends.types import ChatReply

HELLO = [{"role": "user", "content": "hello"}]


def answering(sent: list[httpx.Request], status: int = 200) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if status != 200:
            return httpx.Response(status, json={"error": {"message": "no", "code": "out"}})
        body = {
            "id": "1",
            "object": "chat.completion",
            "model": "gpt-6-luna",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }
        return httpx.Response(200, json=body)

    return httpx.MockTransport(answer)


def bearer(request: httpx.Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ")


# -- chains ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.ServerError("x"), True),
        (errors.OverloadedError("x"), True),
        (errors.TransportError("x"), True),
        (errors.RateLimitError("x"), True),
        (errors.QuotaExceededError("x"), True),
        (errors.BudgetExceededError("x"), True),
        (errors.AuthenticationError("x"), True),
        (errors.PermissionDeniedError("x"), True),
        (errors.ServiceUnavailableError("x"), True),
        (errors.QueueFullError("x"), True),
        (errors.ResponseFormatError("x"), True),
        (errors.UnknownModelError("x"), True),
        (errors.UnsupportedError("x"), True),
        (errors.ContextLengthError("x"), True),
        (errors.InvalidRequestError("x"), False),
        (errors.ContentFilterError("x"), False),
        (errors.NotFoundError("x"), False),
        (errors.ConfigurationError("x"), False),
        (errors.ClosedError("x"), False),
        (errors.DeadlineExceededError("x"), False),
        (errors.StreamInterruptedError("x"), False),
    ],
)
def test_which_errors_another_hop_may_mend(error: errors.BackendError, expected: bool) -> None:
    assert goes_on(error) is expected


def test_more_errors_can_be_asked_for() -> None:
    assert goes_on(errors.ContentFilterError("x"), (errors.ContentFilterError,))


@given(st.integers(1, 6), st.integers(1, 40))
def test_round_robin_begins_everywhere_alike(hops: int, calls: int) -> None:
    chain = Chain([Hop(str(number)) for number in range(hops)], order=Order.ROUND_ROBIN)
    firsts = [chain.route(lambda hop: 0.0)[0].client for _ in range(calls)]
    counts = [firsts.count(str(number)) for number in range(hops)]
    assert max(counts) - min(counts) <= 1


@given(st.lists(st.floats(0, 10), min_size=1, max_size=6), st.integers(0, 5))
def test_least_loaded_begins_with_the_least_and_leaves_none_out(loads: list[float], before: int) -> None:
    hops = [Hop(str(number)) for number in range(len(loads))]
    chain = Chain(hops, order="least_loaded")
    for _ in range(before):
        chain.route(lambda hop: 0.0)
    route = chain.route(lambda hop: loads[int(hop.client)])
    assert [loads[int(hop.client)] for hop in route] == sorted(loads)
    assert sorted(hop.client for hop in route) == sorted(hop.client for hop in hops)


def test_equal_loads_take_turns() -> None:
    chain = Chain([Hop("a"), Hop("b"), Hop("c")], order=Order.LEAST_LOADED)
    assert [chain.route(lambda hop: 1.0)[0].client for _ in range(4)] == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"hops": []}, "hops"),
        ({"hops": ["openai"]}, "hops"),
        ({"order": "fastest"}, "order"),
        ({"patience": -1.0}, "patience"),
        ({"patience": True}, "patience"),
        ({"also": [ValueError]}, "also"),
    ],
)
def test_a_wrong_chain_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=named):
        Chain(**{"hops": [Hop("a")], **arguments})


def test_the_failure_of_a_hop_survives_a_pickle() -> None:
    error = errors.ServerError("out", status=503, attempts=2)
    error.hops = (HopFailure.of(Hop("a", "m"), error, 1.5),)
    assert pickle.loads(pickle.dumps(error)).hops == error.hops
    assert error.hops[0].error == "ServerError"


# -- the multiplexer -------------------------------------------------------------------------------------------------


def test_named_keys_and_their_clients() -> None:
    sent: list[httpx.Request] = []
    with ApiKeyMultiplexer() as multiplexer:
        first = multiplexer.add_key("openai", "team-a", "sk-a", limit=3, transport=answering(sent))
        multiplexer.add_key("openai", "team-b", "sk-b", limit=4)
        client = multiplexer.key_client("openai", "team-b")
        for _ in range(3):
            assert client.chat(HELLO).text == "hi"
        assert [bearer(request) for request in sent] == ["sk-b"] * 3
        multiplexer.client("openai").chat(HELLO, use_key=first)
        assert bearer(sent[-1]) == "sk-a"
        assert multiplexer.client("openai").queue_status()["max_concurrent_requests"] == 7
        assert repr(client) == "KeyClient('openai', 'team-b')"
        with pytest.raises(AttributeError, match="report"):
            _ = client.report
        keys = {key["name"]: key for key in multiplexer.report()["keys"]}
        assert (keys["team-a"]["requests"], keys["team-b"]["requests"]) == (1, 3)
        assert "sk-" not in repr(multiplexer.report()) + repr(multiplexer)


def test_a_key_is_rotated_and_removed_by_its_name() -> None:
    sent: list[httpx.Request] = []
    with ApiKeyMultiplexer() as multiplexer:
        multiplexer.add_key("openai", "only", "sk-old", transport=answering(sent))
        multiplexer.rotate_key("openai", "only", "sk-new")
        multiplexer.client("openai").chat(HELLO)
        assert bearer(sent[-1]) == "sk-new"
        multiplexer.remove_key("openai", "only")
        with pytest.raises(errors.AuthenticationError, match="no key"):
            multiplexer.client("openai").chat(HELLO)
        assert len(sent) == 1


def test_a_chain_in_both_modes() -> None:
    down: list[httpx.Request] = []
    up: list[httpx.Request] = []
    with ApiKeyMultiplexer(max_retries=0) as multiplexer:
        multiplexer.add_key("openai", "main", "sk-a", transport=answering(down, 500))
        multiplexer.add_backend("spare", OpenAI(api_key="sk-b", transport=answering(up)))
        multiplexer.create_chain("smart", [Hop("openai", model="gpt-6-sol"), Hop("spare", parameters={"seed": 7})])
        reply = multiplexer.chat(HELLO, chain="smart")
        assert isinstance(reply, ChatReply)
        assert [(hop.client, hop.model, hop.error, hop.status) for hop in reply.hops] == [
            ("openai", "gpt-6-sol", "ServerError", 500)
        ]
        assert b'"seed":7' in up[0].content
        status = multiplexer.report()["chains"]["smart"]
        assert status["calls"] == 1
        assert [(hop["answered"], hop["failed"]) for hop in status["hops"]] == [(0, {"ServerError": 1}), (1, {})]


def test_a_hop_without_the_call_is_passed_over() -> None:
    sent: list[httpx.Request] = []
    with ApiKeyMultiplexer() as multiplexer:
        multiplexer.add_key("hf_tei", "embedder", "hf-a", base_url="http://127.0.0.1:9")
        multiplexer.add_key("openai", "main", "sk-a", transport=answering(sent))
        multiplexer.create_chain("any", ["hf_tei", "openai"])
        reply = multiplexer.chat(HELLO, chain="any")
        assert [hop.error for hop in reply.hops] == ["UnsupportedError"]


def test_the_last_error_tells_of_every_hop() -> None:
    with ApiKeyMultiplexer(max_retries=0) as multiplexer:
        multiplexer.add_backend("a", OpenAI(api_key="sk-a", max_retries=0, transport=answering([], 500)))
        multiplexer.add_backend("b", OpenAI(api_key="sk-b", max_retries=0, transport=answering([], 503)))
        multiplexer.create_chain("both", ["a", "b"])
        with pytest.raises(errors.ServerError) as caught:
            multiplexer.chat(HELLO, chain="both")
        assert [(hop.client, hop.status) for hop in caught.value.hops] == [("a", 500), ("b", 503)]


def test_what_is_wrong_is_said_by_name() -> None:
    multiplexer = ApiKeyMultiplexer()
    multiplexer.add_key("openai", "main", "sk-a")
    for wrong, names in (
        (lambda: multiplexer.add_key("openai", "main", "sk-b"), "main"),
        (lambda: multiplexer.add_key("openai", "again", "sk-a"), "pool already"),
        (lambda: multiplexer.add_key("openai", " ", "sk-c"), "name"),
        (lambda: multiplexer.add_key("openai", "late", "sk-d", model="gpt-6-luna"), "model"),
        (lambda: multiplexer.add_key("opnai", "main", "sk-a"), "openai"),
        (lambda: multiplexer.add_key("openai", "none", "sk-e", limit=0), "limit"),
        (lambda: multiplexer.client("claude"), "claude"),
        (lambda: multiplexer.key_client("openai", "mian"), "main"),
        (lambda: multiplexer.add_backend("openai", OpenAI(api_key="sk-a")), "openai"),
        (lambda: multiplexer.add_backend("x", object()), "backend"),
        (lambda: multiplexer.create_chain("c", ["claude"]), "claude"),
        (lambda: multiplexer.chat(HELLO, chain="nowhere"), "nowhere"),
        (lambda: multiplexer.remove_key("openai", "nobody"), "which has main"),
    ):
        with pytest.raises(errors.ConfigurationError, match=names):
            wrong()
    multiplexer.close()
    multiplexer.close()
    with pytest.raises(errors.ClosedError):
        multiplexer.add_key("groq", "main", "gsk-a")


async def test_a_stream_goes_on_before_its_first_content() -> None:
    async with ApiKeyMultiplexer(max_retries=0) as multiplexer:
        multiplexer.add_key("openai", "main", "sk-a", transport=answering([], 500))
        multiplexer.create_chain("one", ["openai"])
        stream = multiplexer.astream_chat(HELLO, chain="one")
        with pytest.raises(errors.ServerError) as caught:
            await stream.collect()
        assert [hop.status for hop in caught.value.hops] == [500]
        assert caught.value.request_id == stream.request_id
