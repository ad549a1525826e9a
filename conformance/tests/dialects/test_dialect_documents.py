"""A whole document where a stream was asked for: the provider's own error is told, anything else is no stream."""

from __future__ import annotations

import pytest

from backends import Claude, OpenAI, errors
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Action, EmptyBody, ErrorInside, Html, Status, WrongContentType

HELLO = [{"role": "user", "content": "hello"}]


async def broken(action: Action, *, provider: str = "openai") -> errors.BackendError:
    """Return what a stream raises that meets an action."""
    async with Simulator([provider]) as sim:
        sim.script(Fault(action))
        kind = OpenAI if provider == "openai" else Claude
        backend = kind(base_url=sim.base_url(provider), api_key="sk-planted", environ={}, max_retries=0)
        async with backend:
            with pytest.raises(errors.BackendError) as caught:
                await backend.astream_chat(HELLO, model="gpt-5.4-mini").collect()
    return caught.value


@pytest.mark.parametrize("provider", ["openai", "claude"])
@pytest.mark.parametrize(("status", "kind"), [(500, errors.ServerError), (400, errors.InvalidRequestError)])
async def test_the_providers_error_is_told(provider: str, status: int, kind: type[errors.BackendError]) -> None:
    """Its class, and its words."""
    error = await broken(ErrorInside(status, "the engine took fire"), provider=provider)
    assert (type(error), error.message) == (kind, "the engine took fire")


@pytest.mark.parametrize(
    "action", [Html(200), Status(200, body="plain words"), Status(200, body={"a": 1}), Status(200, body="17")]
)
async def test_any_other_document_is_no_stream(action: Action) -> None:
    """The error names what came."""
    error = await broken(action)
    assert type(error) is errors.ResponseFormatError
    assert "a document came in its place" in error.message


async def test_nothing_at_all_was_cut_short() -> None:
    """What never began may be begun again."""
    assert type(await broken(EmptyBody(200))) is errors.TransportError


async def test_a_stream_under_another_name_is_read() -> None:
    """What counts is what it is."""
    async with Simulator(["openai"]) as sim:
        sim.script(Fault(WrongContentType("application/json")))
        async with OpenAI(base_url=sim.base_url("openai"), api_key="sk-planted", environ={}) as backend:
            reply = await backend.astream_chat(HELLO, model="gpt-5.4-mini").collect()
    assert reply.text
