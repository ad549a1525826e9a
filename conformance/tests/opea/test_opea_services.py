"""Where services are: arguments, metadata, environment; each with its own queue, breaker and key, and no key goes astray."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from clocks import Hurried
from opea_bench import ASK, backend_at

from backends import errors
from backends.opea import OPEA, SERVICES
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status
from conformance.simulators.record import fingerprint

CHAT = {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "7"}, "finish_reason": "stop"}],
}


def listening(seen: list[httpx.Request]) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=CHAT)

    return httpx.MockTransport(handle)


def hosts(seen: list[httpx.Request]) -> list[str]:
    return [f"{request.url.scheme}://{request.url.netloc.decode()}{request.url.path}" for request in seen]


def keys(seen: list[httpx.Request]) -> list[str | None]:
    return [request.headers.get("authorization") for request in seen]


async def asked(**settings: Any) -> list[httpx.Request]:
    """Ask three services; return what was sent."""
    seen: list[httpx.Request] = []
    settings = {"environ": {}, "credentials_path": "/nonexistent", **settings}
    async with OPEA(transport=listening(seen), clock=Hurried(), **settings) as opea:
        await opea.achat(ASK)
        await opea.achatqna("Name a prime.")
        await opea.acodegen("a loop")
    return seen


async def test_one_address_serves_all() -> None:
    seen = await asked(base_url="https://gateway/opea", api_key="gateway-key-1")
    assert hosts(seen) == [f"https://gateway/opea/v1/{path}" for path in ("chat/completions", "chatqna", "codegen")]
    assert keys(seen) == ["Bearer gateway-key-1"] * 3


async def test_without_any_address_this_machine_is_asked() -> None:
    assert hosts(await asked())[1] == "http://127.0.0.1:8888/v1/chatqna"


async def test_services_have_addresses_of_their_own() -> None:
    seen = await asked(
        base_url="https://gateway",
        api_key="gateway-key-1",
        services={"llm": "http://two:9000", "chatqna": {"base_url": "https://one", "api_key": "chat-key-22"}},
    )
    assert hosts(seen) == [
        "http://two:9000/v1/chat/completions",
        "https://one/v1/chatqna",
        "https://gateway/v1/codegen",
    ]
    assert keys(seen) == [None, "Bearer chat-key-22", "Bearer gateway-key-1"]  # no key goes where it was not given for


async def test_argument_beats_metadata_beats_environment() -> None:
    environ = {
        "OPEA_LLM_URL": "http://env:1",
        "OPEA_CHATQNA_URL": "http://env:2",
        "OPEA_CODEGEN_URL": "https://env:3/",
        "OPEA_CODEGEN_API_KEY": "codegen-key-3",
        "OPEA_API_KEY": "gateway-key-1",
        "OPEA_BASE_URL": "https://gateway",
    }
    seen = await asked(
        services={"llm": "http://argument:1"},
        metadata={"opea_services": {"llm": "http://metadata:1", "chatqna": "http://metadata:2"}},
        environ=environ,
    )
    assert hosts(seen) == [
        "http://argument:1/v1/chat/completions",
        "http://metadata:2/v1/chatqna",
        "https://env:3/v1/codegen",
    ]
    assert keys(seen) == [None, None, "Bearer codegen-key-3"]


async def test_a_call_can_name_another_endpoint(sim: Simulator) -> None:
    async with backend_at(sim, services={"llm": "http://127.0.0.1:9"}) as opea:
        opea.create_endpoint("spare", base_url=sim.base_url("opea"))
        assert (await opea.achat(ASK, endpoint="spare")).text
        assert (await opea.achat(ASK, endpoint="default")).text
        assert set(opea.endpoints) == {"default", "llm", "spare"}


async def test_an_endpoint_made_later_serves_its_service(sim: Simulator) -> None:
    async with Simulator(["opea"]) as other, backend_at(sim) as opea:
        await opea.achat(ASK)
        opea.create_endpoint("llm", base_url=other.base_url("opea"))
        await opea.achat(ASK)
        assert (len(sim.requests), len(other.requests)) == (1, 1)


async def test_each_service_has_its_own_breaker_counters_and_key(sim: Simulator) -> None:
    async with Simulator(["opea"]) as other:
        services = {
            "llm": {"base_url": other.base_url("opea"), "api_key": "llm-key-4444", "max_concurrent_requests": 2}
        }
        async with backend_at(sim, services=services, max_retries=0, failure_threshold=1) as opea:
            other.script(Fault(Status(500)))
            with pytest.raises(errors.ServerError):
                await opea.achat(ASK)
            with pytest.raises(errors.ServiceUnavailableError):
                await opea.achat(ASK)
            assert (await opea.achatqna("hello")).text
            report = opea.report()
        assert other.requests[0].key_fingerprint == fingerprint("llm-key-4444")
        assert sim.requests[0].key_fingerprint == ""
        counted = {name: row["counters"]["requests"] for name, row in report["endpoints"].items()}
        assert counted == {"default": 1, "llm": 2}
        assert opea.queue_status("llm")["max_concurrent_requests"] == 2
        assert report["models"]["chatqna"]["requests"] == 1


async def test_settings_of_a_service_without_an_address_of_its_own(sim: Simulator) -> None:
    async with backend_at(sim, services={"docsum": {"max_concurrent_requests": 1}}, api_key="own-key-5555") as opea:
        assert (await opea.adocsum("a text")).text
    assert sim.requests[0].key_fingerprint == fingerprint("own-key-5555")


async def test_status_calls_name_their_service(sim: Simulator) -> None:
    async with Simulator(["opea"]) as other, backend_at(sim, services={"llm": other.base_url("opea")}) as opea:
        await opea.ahealth()
        await opea.ahealth(service="llm")
        await opea.ametrics(service="chatqna")
        await opea.astatistics(endpoint="llm")
        assert [seen.path for seen in sim.requests] == ["/health", "/metrics"]
        assert [seen.path for seen in other.requests] == ["/health", "/v1/statistics"]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"services": {"chatqa": "http://one"}}, "'chatqa'.*chatqna"),
        ({"services": ["http://one"]}, "services must be a mapping"),
        ({"services": {"llm": 9000}}, r"services\['llm'\]"),
        ({"services": {"llm": "ftp://one"}}, "base_url"),
        ({"services": {"llm": {"base_url": "http://one", "max_retry": 1}}}, "max_retries"),
        ({"metadata": {"opea_services": {"nobody": "http://one"}}}, "metadata opea_services.*'nobody'"),
    ],
)
def test_wrong_addresses_are_said_at_once(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=named):
        OPEA(environ={}, **settings)


async def test_a_wrong_address_in_the_environment_is_said_by_its_first_call() -> None:
    async with OPEA(environ={"OPEA_LLM_URL": "two:9000"}) as opea:
        with pytest.raises(errors.ConfigurationError, match="OPEA_LLM_URL"):
            await opea.achat(ASK)
        with pytest.raises(errors.ConfigurationError, match="OPEA_LLM_URL"):
            opea.endpoint("llm")


async def test_a_key_does_not_travel_in_clear_text_to_another_machine() -> None:
    async with OPEA(environ={"OPEA_LLM_URL": "http://two:9000", "OPEA_LLM_API_KEY": "llm-key-4444"}) as opea:
        with pytest.raises(errors.ConfigurationError, match="allow_insecure_http"):
            await opea.achat(ASK)


async def test_building_reads_no_environment() -> None:
    class Watched(dict[str, str]):
        asked: list[str] = []

        def get(self, name: str, default: Any = None) -> Any:
            self.asked.append(name)
            return super().get(name, default)

    environ = Watched()
    opea = OPEA(environ=environ, services={"llm": "http://two:9000"})
    assert environ.asked == []
    assert opea.endpoints == ("default", "llm")
    with pytest.raises(errors.ConfigurationError, match="Unknown endpoint"):
        opea.endpoint("chatqna")
    assert environ.asked[0] == "OPEA_CHATQNA_URL"
    await opea.aclose()


async def test_two_threads_look_a_service_up_at_once(sim: Simulator) -> None:
    async with backend_at(sim, environ={"OPEA_LLM_URL": sim.base_url("opea")}) as opea:
        found = await asyncio.gather(*(asyncio.to_thread(opea.endpoint, "llm") for _ in range(8)))
        assert len({id(one) for one in found}) == 1


def test_names_are_those_of_the_calls() -> None:
    assert len(set(SERVICES)) == len(SERVICES)
    assert {"chatqna", "docsum", "llm", "embedding", "retriever", "reranker", "dataprep", "guardrails"} <= set(SERVICES)
