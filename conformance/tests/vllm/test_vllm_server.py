"""The server itself: what it serves, adapters, sleep, caches, metrics, whether it lives."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from vllm_bench import ASK, CHAT, backend_at, mocked

from backends import errors
from backends.dialects.prometheus import Metric
from backends.vllm import VLLM
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import EmptyBody, Reset, Status


async def test_adapters_come_and_go(sim: Simulator, vllm: VLLM) -> None:
    notice = await vllm.aload_lora("sql", "/adapters/sql")
    assert notice.message == notice.raw == "Success: LoRA adapter 'sql' added successfully."
    assert (await vllm.achat(ASK, model="sql")).model == "sql"
    models = await vllm.amodels()
    assert [(model.id, model.parent, model.max_model_len, model.root) for model in (models[0], models[-1])] == [
        (CHAT, None, 131_072, CHAT),
        ("sql", CHAT, None, "/adapters/sql"),
    ]
    with pytest.raises(errors.InvalidRequestError, match="already been loaded") as caught:
        await vllm.aload_lora("sql", "/adapters/sql")
    assert caught.value.code == "InvalidUserInput"
    await vllm.aload_lora("sql", "/adapters/sql2", load_inplace=True)
    assert (await vllm.amodels())[-1].root == "/adapters/sql2"
    assert "removed successfully" in (await vllm.aunload_lora("sql")).message
    with pytest.raises(errors.UnknownModelError) as unknown:
        await vllm.achat(ASK, model="sql")
    assert unknown.value.suggestions
    with pytest.raises(errors.NotFoundError, match="cannot be found"):
        await vllm.aunload_lora("sql")
    with pytest.raises(errors.NotFoundError, match="No adapter found"):
        await vllm.aload_lora("sql", "/adapters/missing")


async def test_loading_is_not_repeated_where_it_may_have_happened(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=3) as vllm:
        sim.script(Fault(Reset("headers"), path="/v1/load_lora_adapter", nth=1))
        with pytest.raises(errors.TransportError) as caught:
            await vllm.aload_lora("sql", "/adapters/sql")
        assert caught.value.attempts == 1
        sim.script(Fault(Status(503), path="/v1/load_lora_adapter", nth=1))
        assert (await vllm.aload_lora("dba", "/adapters/dba")).attempts == 2  # it was refused, so nothing had begun


@pytest.mark.parametrize("body", ["", "fine", "<html>", '{"ok": true}'])
async def test_a_notice_that_is_none(body: str) -> None:
    async with mocked((200, body)) as vllm:
        with pytest.raises(errors.ResponseFormatError, match="load_lora"):
            await vllm.aload_lora("sql", "/adapters/sql")


async def test_sleep_and_wake(sim: Simulator, vllm: VLLM) -> None:
    async def state(name: str) -> float:
        found = [one for one in await vllm.ametrics() if one.labels.get("sleep_state") == name]
        return found[0].value

    assert await vllm.ais_sleeping() is False
    await vllm.asleep()
    assert sim.requests[-1].query == ""
    assert await vllm.ais_sleeping() is True
    assert await state("weights_offloaded") == 1
    await vllm.awake_up(tags=["weights"])
    assert await vllm.ais_sleeping() is True
    await vllm.awake_up(tags=["kv_cache"])
    assert await vllm.ais_sleeping() is False
    await vllm.asleep(level=2, mode="keep")
    assert await state("discard_all") == 1
    await vllm.awake_up()
    assert await state("awake") == 1
    await vllm.areset_prefix_cache(reset_external=True, reset_running_requests=False)
    assert sorted(sim.requests[-1].query.split("&")) == ["reset_external=true", "reset_running_requests=false"]


async def test_what_the_server_says_of_itself(vllm: VLLM) -> None:
    assert await vllm.aversion() == "0.32.0"
    assert await vllm.aserver_load() == 0
    assert await vllm.ahealth() is True
    await vllm.achat(ASK)
    found = {one.name: one for one in await vllm.ametrics() if "le" not in one.labels}
    assert found["vllm:request_success_total"].value == 1
    assert found["vllm:request_success_total"].labels == {
        "engine": "0",
        "model_name": CHAT,
        "finished_reason": "stop",
    }
    assert found["vllm:prompt_tokens_total"].value > 0
    assert found["vllm:e2e_request_latency_seconds_sum"] == Metric(
        "vllm:e2e_request_latency_seconds_sum", {"engine": "0", "model_name": CHAT}, 0.125
    )


async def test_health_of_a_dead_engine_and_of_nobody(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=4, failure_threshold=1) as vllm:
        sim.script(Fault(EmptyBody(503), path="/health", nth=1))
        assert await vllm.ahealth() is False
        assert len(sim.requests) == 1
        assert await vllm.ahealth() is True  # an answer, so no breaker opened
    async with backend_at(sim, max_retries=1) as vllm:
        sim.script(Fault(Status(500), path="/health", nth=1))
        assert await vllm.ahealth() is True  # a 500 is no answer to this question, so it is asked again

    def refuse(request: httpx.Request) -> Any:
        raise httpx.ConnectError("nobody listens")

    async with VLLM(transport=httpx.MockTransport(refuse), environ={}, max_retries=0) as vllm:
        with pytest.raises(errors.TransportError):
            await vllm.ahealth()


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("version", {"version": 5}),
        ("version", {}),
        ("version", []),
        ("server_load", {"server_load": "many"}),
        ("server_load", {"server_load": -1}),
        ("server_load", {"server_load": True}),
        ("is_sleeping", {"is_sleeping": "no"}),
        ("models", {"object": "list"}),
        ("models", {"data": [[]]}),
        ("metrics", "vllm:a{b} c\n"),
        ("metrics", b"\xff\xfe"),
    ],
)
async def test_answers_that_make_no_sense(name: str, body: Any) -> None:
    async with mocked((200, body)) as vllm:
        with pytest.raises(errors.ResponseFormatError, match=name):
            await getattr(vllm, "a" + name)()


async def test_models_of_strange_shape_are_read_as_far_as_they_go() -> None:
    entry = {"id": "a", "parent": 5, "max_model_len": "long", "root": None, "more": [1]}
    async with mocked((200, {"data": [entry]})) as vllm:
        [model] = await vllm.amodels()
    assert (model.id, model.parent, model.max_model_len, model.root, model.raw) == ("a", None, None, None, entry)
