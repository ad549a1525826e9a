"""Every status and text as its class, what is repeated how often, what breaker and keys learn."""

from __future__ import annotations

import pickle

import httpx
import pytest
from clocks import Hurried
from ovms_bench import ASK, answering, backend_at, mocked, said

from backends import errors
from backends.ovms import OVMS
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status

NOT_YET = "Model with requested version is not loaded yet"
UNAUTHORIZED = "Unauthorized request due to invalid or missing api-key"
GOOD = httpx.Response(200, json={"model_name": "m", "outputs": [
    {"name": "y", "shape": [1], "datatype": "FP32", "data": [1.0]}]})  # fmt: skip


@pytest.mark.parametrize(
    ("status", "text", "kind", "code"),
    [
        (400, "Invalid request URL", errors.InvalidRequestError, "invalid_url"),
        (400, "Invalid number of inputs - Expected: 1; Actual: 2", errors.InvalidRequestError, None),
        (400, "Missing input with specific name - Required input: x", errors.InvalidRequestError, None),
        (400, "Number of prompt tokens: 9 exceeds model max length: 8", errors.ContextLengthError, "context_length"),
        (400, "Input length 9 longer than allowed 8", errors.ContextLengthError, "context_length"),
        (400, "Input length exceeds the maximum allowed length", errors.ContextLengthError, "context_length"),
        (401, UNAUTHORIZED, errors.AuthenticationError, "unauthorized"),
        (404, "Model with requested name is not found", errors.UnknownModelError, "model_not_found"),
        (404, "Mediapipe graph definition with requested name is not found", errors.UnknownModelError, "model_not_found"),
        (404, "Pipeline definition with requested name is not found", errors.UnknownModelError, "model_not_found"),
        (404, "Model with requested version is not found", errors.NotFoundError, "version_not_found"),
        (404, "Model with requested version is retired", errors.NotFoundError, "version_retired"),
        (404, "Mediapipe is retired", errors.UnknownModelError, "model_retired"),
        (404, NOT_YET, errors.OverloadedError, "not_loaded_yet"),
        (404, "Pipeline is not loaded yet", errors.OverloadedError, "not_loaded_yet"),
        (404, "Requested REST resource not found", errors.NotFoundError, None),
        (406, "Unsupported method", errors.UnsupportedError, "unsupported_method"),
        (406, "", errors.UnsupportedError, None),
        (412, "The file is not valid json - Cannot parse JSON body", errors.InvalidRequestError, "invalid_json"),
        (412, "Mediapipe graph precondition failed", errors.InvalidRequestError, None),
        (500, "Internal inference error", errors.ServerError, "inference_failed"),
        (500, UNAUTHORIZED, errors.AuthenticationError, "unauthorized"),
        (500, "Model not found", errors.UnknownModelError, "model_not_found"),
        (500, "Mediapipe is not loaded yet", errors.OverloadedError, "not_loaded_yet"),
        (500, "Reloading config file failed. Check server logs for more info.", errors.ServerError, None),
        (503, "Server is not ready", errors.OverloadedError, "server_not_ready"),
        (502, "Model not found", errors.ServerError, None),  # a gateway's status means what it says
        (429, "Model not found", errors.RateLimitError, None),
    ],
)  # fmt: skip
async def test_statuses(status: int, text: str, kind: type[errors.BackendError], code: str | None) -> None:
    async with mocked(said(status, text)) as ovms:
        with pytest.raises(errors.BackendError) as caught:
            await ovms.ainfer({"x": [1.0]})
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.provider) == (status, code, "ovms")
    assert text.rstrip(".") in error.message
    assert type(pickle.loads(pickle.dumps(error))) is kind


async def test_bodies_that_are_not_the_servers() -> None:
    shaped = {"error": {"message": "slow down", "type": "requests", "code": "rate_limit_exceeded"}}
    for response, kind, words in (
        (httpx.Response(429, json=shaped), errors.RateLimitError, "slow down"),
        (
            httpx.Response(422, json={"detail": [{"msg": "Field required"}]}),
            errors.InvalidRequestError,
            "Field required",
        ),
        (httpx.Response(502, content=b"<html>no</html>"), errors.ServerError, "HTML page"),
        (httpx.Response(500, content=b""), errors.ServerError, "500"),
        (httpx.Response(400, json=["no"]), errors.InvalidRequestError, "no"),
    ):
        async with mocked(response) as ovms:
            with pytest.raises(kind, match=words):
                await ovms.achat(ASK)


async def test_what_is_loading_is_tried_again(sim: Simulator, ovms: OVMS) -> None:
    reply = await ovms.ainfer({"x": [[1.0]]}, model="late")
    assert (reply.attempts, reply.output().values) == (2, (2.0,))
    assert ovms.endpoint().breaker.state == "closed"


@pytest.mark.parametrize("status", [404, 500])
async def test_what_never_loads_fails_in_the_end(status: int) -> None:
    async with mocked(said(status, NOT_YET), max_retries=3, failure_threshold=100) as ovms:
        with pytest.raises(errors.OverloadedError) as caught:
            await ovms.ainfer({"x": [1.0]})
    assert caught.value.attempts == 4


async def test_a_404_that_says_not_yet_never_opens_the_breaker() -> None:
    async with mocked(said(404, NOT_YET), failure_threshold=2) as ovms:
        for _ in range(5):
            with pytest.raises(errors.OverloadedError):
                await ovms.ainfer({"x": [1.0]})


async def test_a_failed_inference_is_repeated_once() -> None:
    async with mocked(said(500, "Internal inference error"), max_retries=5, failure_threshold=100) as ovms:
        for call in (ovms.ainfer({"x": [1.0]}), ovms.ainfer_batch([{"x": [1.0]}])):
            with pytest.raises(errors.ServerError) as caught:
                await call
            assert caught.value.attempts == 2
        ovms.model = "m"
        with pytest.raises(errors.ServerError) as caught:
            await ovms.achat(ASK)
        assert caught.value.attempts == 6  # generation follows the settings
    async with mocked(said(500, "Internal inference error"), GOOD, max_retries=5) as ovms:
        assert (await ovms.ainfer({"x": [1.0]})).attempts == 2
    async with mocked(said(500, "x"), max_retries=0) as ovms:
        with pytest.raises(errors.ServerError) as caught:
            await ovms.ainfer({"x": [1.0]})
        assert caught.value.attempts == 1


async def test_a_server_that_is_not_ready_is_tried_as_often_as_set() -> None:
    async with mocked(said(503, "Server is not ready"), said(503, "Server is not ready"), GOOD, max_retries=5) as ovms:
        assert (await ovms.ainfer({"x": [1.0]})).attempts == 3


async def test_a_refused_key_is_not_repeated_and_opens_no_breaker(sim: Simulator) -> None:
    async with backend_at(sim, api_key="sk-invalid-1", failure_threshold=1) as ovms:
        for _ in range(2):
            with pytest.raises(errors.AuthenticationError) as caught:
                await ovms.achat(ASK)
            assert caught.value.attempts == 1
        assert ovms.endpoint().breaker.state == "closed"
    assert caught.value.fault == "key"
    async with backend_at(sim, api_keys=["sk-invalid-1", "sk-good-1"], failure_threshold=1) as ovms:
        reply = await ovms.achat(ASK)
        assert (reply.attempts, ovms._clock.slept) == (2, [])


async def test_a_server_that_wants_a_key_where_none_is_set() -> None:
    async with mocked(said(500, UNAUTHORIZED), max_retries=5, failure_threshold=1) as ovms:
        for _ in range(2):
            with pytest.raises(errors.AuthenticationError) as caught:
                await ovms.achat(ASK)
        assert caught.value.attempts == 1


async def test_keys_of_endpoints_and_of_the_environment(sim: Simulator) -> None:
    address = sim.base_url("ovms")
    environ = {"OVMS_BASE_URL": address + "/", "OVMS_API_KEY": "sk-environment-1"}
    async with OVMS(environ=environ, clock=Hurried(), model="llama3") as ovms:
        ovms.create_endpoint("second", base_url=address, api_key="sk-endpoint-2")
        ovms.create_endpoint("open", base_url=address)
        await ovms.achat(ASK)
        await ovms.achat(ASK, endpoint="second")
        await ovms.ainfer({"x": [[1.0]]}, model="double", endpoint="open")
    fingerprints = [seen.key_fingerprint for seen in sim.requests]
    assert len({*fingerprints}) == 3
    assert fingerprints[2] == ""
    assert OVMS(environ={}).base_url == "http://127.0.0.1:8000"


async def test_unknown_models_come_with_the_names_that_were_seen(sim: Simulator, ovms: OVMS) -> None:
    with pytest.raises(errors.UnknownModelError) as caught:
        await ovms.ainfer({"x": [[1.0]]}, model="dubble")
    assert caught.value.suggestions == ()
    await ovms.aconfig()
    for call in (
        ovms.ainfer({"x": [[1.0]]}, model="dubble"),
        ovms.ametadata("dubble"),
        ovms.amodel_status("dubble"),
        ovms.aget_model("dubble"),
    ):
        with pytest.raises(errors.UnknownModelError, match="dubble") as caught:
            await call
        assert "double" in caught.value.suggestions


async def test_a_wrong_model_on_get_is_no_outage(sim: Simulator) -> None:
    async with backend_at(sim, failure_threshold=1) as ovms:
        for _ in range(3):
            with pytest.raises(errors.UnknownModelError) as caught:
                await ovms.aget_model("nobody")
        assert (caught.value.status, caught.value.attempts) == (500, 1)
        assert await ovms.aserver_live()


async def test_metrics_that_are_switched_off_say_so(sim: Simulator, ovms: OVMS) -> None:
    sim._mounted["ovms"].state.metrics = False
    for call in (ovms.ametrics(), ovms.astatistics()):
        with pytest.raises(errors.UnsupportedError, match="--metrics_enable") as caught:
            await call
        assert (caught.value.status, caught.value.code) == (400, "metrics_disabled")


async def test_a_reload_that_fails(sim: Simulator) -> None:
    text = "Reloading config file failed. Check server logs for more info."
    for status, kind in ((412, errors.InvalidRequestError), (500, errors.ServerError)):
        sim.script(Fault(Status(status, message=text), path="/v1/config/reload", nth=1))
        async with backend_at(sim, max_retries=0) as ovms:
            with pytest.raises(kind, match="Check server logs"):
                await ovms.areload()


@pytest.mark.parametrize("name", sorted(OVMS.refusals))
async def test_refusals(name: str) -> None:
    seen: list[httpx.Request] = []
    async with OVMS(transport=answering(GOOD, seen=seen), environ={}) as ovms:
        with pytest.raises(errors.UnsupportedError, match=name):
            await getattr(ovms, "a" + name)("anything", whatever=1)
    assert seen == []
