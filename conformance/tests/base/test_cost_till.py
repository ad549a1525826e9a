"""Prices, broken streams and budgets on a whole backend, over transports that answer by hand."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Iterable
from typing import Any

import base_bench
import httpx
import jsonschema
import pytest

from backends import errors
from backends.operation import CallOptions, Operation, SoFar
from backends.streams import AsyncStream
from backends.telemetry.prices import ANY_MODEL, Terms
from backends.telemetry.report import schema
from backends.types import ChatReply, Usage

PRICES = {"parrot-1": {"input": 1e6, "output": 2e6, "source": "a test", "as_of": "2026-11"}}
"""A dollar for a token in, two for one out: 2 + 3 * 2 = 8 dollars a call of the bench."""
CALL = 8.0


class CountingReader(base_bench.WordReader):
    """Knows how many words came."""

    def so_far(self) -> SoFar:
        return SoFar("", Usage(1, len(self._words)), True)


class Pricey(base_bench.Parrot):
    """A parrot that says what model it is and bounds its answers."""

    async def aask(self, **options: Any) -> ChatReply:
        """Ask with a bound."""
        body = {"prompt": "x", "max_tokens": 3}
        return await self._perform(Operation("say", _read, "/say", body=body, model="parrot-1"), CallOptions(**options))

    def astream_words(self) -> AsyncStream[ChatReply]:
        """Say words that are counted."""
        return self._stream(
            Operation("say", _read, "/stream", body={}, model="parrot-1", stream=CountingReader), CallOptions()
        )


def _read(answer: Any) -> ChatReply:
    return ChatReply(text=answer.data["text"], usage=Usage(2, 3, 5), model="parrot-1", **answer.facts())


def pricey(transport: Any = None, **settings: Any) -> Pricey:
    arguments = {"clock": base_bench.Hurried(), "environ": {}, "api_key": "sk-parrot-1", "prices": PRICES, **settings}
    return Pricey(transport=transport or base_bench.saying(), **arguments)


async def test_a_reply_has_its_cost_and_the_report_the_sum() -> None:
    backend = pricey()
    assert [(await backend.aask()).cost for _ in range(2)] == [CALL, CALL]
    report = backend.report()
    assert report["cost"] == {
        "dollars": 2 * CALL,
        "estimated_dollars": 0.0,
        "unknown_requests": 0,
        "budget": {"max_cost": None, "spent": 0.0, "reserved": 0.0},
    }
    assert report["keys"][0]["cost"] == report["models"]["parrot-1"]["cost"] == 2 * CALL
    jsonschema.Draft202012Validator(schema()).validate(report)
    await backend.aclose()


async def test_without_prices_the_cost_is_none_and_counted() -> None:
    backend = pricey(prices=None)
    assert (await backend.aask()).cost is None
    report = backend.report()
    assert (report["cost"]["dollars"], report["cost"]["unknown_requests"]) == (0.0, 1)
    assert report["keys"][0]["unknown_costs"] == 1
    await backend.aclose()


async def test_a_row_for_any_model_prices_by_the_request() -> None:
    backend = pricey(prices={ANY_MODEL: {"request": 0.5}})
    assert (await backend.aask()).cost == 0.5
    await backend.aclose()


@pytest.mark.parametrize(
    ("failure", "unknown"),
    [(httpx.ConnectError, 0), (httpx.ReadTimeout, 1)],
)
async def test_what_may_have_been_charged_unheard_is_counted(failure: type[httpx.TransportError], unknown: int) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise failure("gone", request=request)

    backend = pricey(httpx.MockTransport(broken), max_retries=0)
    with pytest.raises(errors.TransportError):
        await backend.aask()
    assert backend.report()["cost"]["unknown_requests"] == unknown
    await backend.aclose()


async def test_a_call_cancelled_on_the_wire_is_counted_as_unknown() -> None:
    started = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        del request
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    backend = pricey(httpx.MockTransport(hang), max_cost=1e6)
    call = asyncio.create_task(backend.aask())
    await started.wait()
    assert backend.report()["cost"]["budget"]["reserved"] > 0
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    cost = backend.report()["cost"]
    assert (cost["unknown_requests"], cost["budget"]["reserved"]) == (1, 0.0)
    await backend.aclose()


def streaming(*words: bytes) -> Any:
    return base_bench.Turning(list(words))


async def test_a_stream_that_breaks_off_tells_what_it_cost() -> None:
    backend = pricey(streaming(b"one\n", b"two\n"), max_retries=0)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await backend.astream_words().collect()
    assert (caught.value.usage, caught.value.cost) == (Usage(1, 2), 5.0)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.usage, copy.cost, copy.partial) == (Usage(1, 2), 5.0, "onetwo")
    report = backend.report()
    assert report["cost"]["dollars"] == report["keys"][0]["cost"] == 5.0
    assert report["tokens"]["output"] == report["keys"][0]["output_tokens"] == 2
    await backend.aclose()


async def test_a_stream_that_is_given_up_costs_what_came() -> None:
    backend = pricey(streaming(b"one\n", b"two\n", b"three\n", b"END\n"))
    stream = backend.astream_words()
    await anext(stream)
    await stream.aclose()
    assert backend.report()["cost"]["dollars"] == 3.0
    assert backend.report()["cancelled"] == 1
    await backend.aclose()


async def test_a_reader_that_counts_nothing_leaves_the_cost_unknown() -> None:
    backend = pricey(streaming(b"one\n"), max_retries=0)
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await backend.astream_say().collect()
    assert (caught.value.usage, caught.value.cost) == (None, None)
    assert backend.report()["cost"]["unknown_requests"] == 1
    await backend.aclose()


# -- budgets ----------------------------------------------------------------------------------------------------------


async def test_the_budget_stops_before_it_is_passed() -> None:
    backend = pricey(max_cost=10_000.0)
    await backend.aask()
    most = _most(backend)
    tight = pricey(max_cost=most + CALL)
    for _ in range(2):
        await tight.aask()
    with pytest.raises(errors.BudgetExceededError, match=r"max_cost of this backend .* 16 are spent") as caught:
        await tight.aask()
    error = caught.value
    assert (error.fault, error.code, error.attempts, error.provider) == ("limits", "max_cost", 0, "openai")
    assert error.request_id
    assert tight.report()["errors"] == {"BudgetExceededError": 1}
    tight.renew_budget()
    assert (await tight.aask()).cost == CALL
    assert tight.report()["cost"]["dollars"] == 3 * CALL
    await backend.aclose()
    await tight.aclose()


def _most(backend: Pricey) -> float:
    """The most that a call may cost."""
    from backends.telemetry.bounds import most_cost

    found = most_cost(backend.prices.find("parrot-1"), {"prompt": "x", "max_tokens": 3})
    assert found is not None
    return found


async def test_an_unbounded_call_starts_while_anything_is_left() -> None:
    backend = pricey(max_cost=10.0)
    unbounded = {"extra_body": {"max_tokens": None}}
    assert (await backend.aask(**unbounded)).cost == CALL
    assert (await backend.aask(**unbounded)).cost == CALL
    with pytest.raises(errors.BudgetExceededError, match="16 are spent"):
        await backend.aask(**unbounded)
    await backend.aclose()


async def test_endpoints_have_budgets_of_their_own_under_that_of_the_backend() -> None:
    backend = pricey(max_cost=20.0)
    backend.create_endpoint("small", max_cost=9.0)
    unbounded = {"extra_body": {"max_tokens": None}}
    await backend.aask(endpoint="small", **unbounded)
    await backend.aask(endpoint="small", **unbounded)
    with pytest.raises(errors.BudgetExceededError, match="endpoint 'small' is 9 US dollars"):
        await backend.aask(endpoint="small", **unbounded)
    await backend.aask(**unbounded)
    with pytest.raises(errors.BudgetExceededError, match="this backend"):
        await backend.aask(**unbounded)
    budget = backend.report()["endpoints"]["small"]["budget"]
    assert budget == {"max_cost": 9.0, "spent": 16.0, "reserved": 0.0}
    await backend.aclose()


async def test_a_budget_without_prices_is_refused() -> None:
    """A budget that cannot be held is no budget: the call is refused before anything is sent, and the message names the model."""
    transport = base_bench.Turning(200)
    backend = pricey(transport, prices={"another": {"input": 1.0}}, max_cost=1.0)
    with pytest.raises(
        errors.ConfigurationError, match="max_cost needs prices, and none are known of model 'parrot-1'"
    ):
        await backend.aask()
    assert transport.keys == []
    await backend.aclose()
    backend = pricey(transport, prices={"parrot-1": {}}, max_cost=1.0)
    await backend.aask()
    assert backend.report()["cost"]["unknown_requests"] == 1
    await backend.aclose()


async def test_a_budget_of_nothing_lets_nothing_through() -> None:
    transport = base_bench.Turning(200)
    backend = pricey(transport, max_cost=0)
    with pytest.raises(errors.BudgetExceededError):
        await backend.aask()
    assert transport.keys == []
    await backend.aclose()


def test_threads_share_one_budget() -> None:
    """However many start together, what is set aside never passes the bound."""
    probe = pricey(max_cost=1.0)
    backend = pricey(max_cost=_most(probe) * 3.5)
    probe.close()
    refused: list[bool] = []

    def ask() -> None:
        for _ in range(10):
            try:
                asyncio.run(backend.aask())
            except errors.BudgetExceededError:
                refused.append(True)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    budget = backend.report()["cost"]["budget"]
    assert budget["spent"] <= budget["max_cost"]
    assert budget["reserved"] == pytest.approx(0.0)
    assert budget["spent"] == backend.report()["cost"]["dollars"]
    backend.close()


@pytest.mark.parametrize(
    "prices",
    [
        [],
        {"": {"input": 1}},
        {"m": 5},
        {"m": {"inptu": 1}},
        {"m": {"input": True}},
        {"m": {"input": float("nan")}},
        {"m": {"input": -1}},
        {"m": {"tiers": 5}},
        {"m": {"tiers": {"flex": "half"}}},
        {"m": {"steps": [{"input": 1}]}},
        {"m": {"steps": [{"above_input_tokens": 5, "speed": 1}]}},
        {"m": {"aliases": "x"}},
        {"m": {"aliases": ["n"]}, "n": {}},
        {"m": {"source": 5}},
    ],
)
def test_prices_that_mean_nothing_are_refused(prices: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="prices"):
        pricey(prices=prices)


def test_a_misspelt_name_comes_back_with_the_right_one() -> None:
    with pytest.raises(errors.ConfigurationError) as caught:
        pricey(prices={"m": {"cache_input": 1}})
    assert "cached_input" in caught.value.suggestions


async def test_hostile_answers_do_not_break_the_till() -> None:
    """What a provider's terms read is anything at all."""
    from backends import Claude, Gemini, OpenAI

    strange: Iterable[Any] = (None, 5, "x", [], [None], {"type": 5}, {"a": {"b": []}}, True, 1e308)
    for kind in (OpenAI, Claude, Gemini):
        backend = kind(environ={}, api_key="sk-strange-1")
        for value in strange:
            names = ("service_tier", "output", "usage", "content", "candidates", "usageMetadata")
            for raw in (
                value,
                dict.fromkeys(names, value),
                {"usage": dict.fromkeys(("speed", "server_tool_use"), value)},
            ):
                reply = ChatReply(raw=raw, usage=Usage(1, 1))
                assert isinstance(backend.terms(reply, {}), Terms)
        await backend.aclose()
