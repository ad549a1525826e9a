"""The old official client, text-generation 0.7.0: generation and errors. Its chat cannot read what a 3.x server streams.

It pins old releases of huggingface_hub but runs with the current one, so ``.ci/bootstrap`` installs it without what it pins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import text_generation

from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import Status

pytestmark = pytest.mark.filterwarnings("ignore:The `dict` method is deprecated")


@pytest.fixture
def old(sim: Simulator) -> Any:
    return text_generation.Client(sim.base_url("hf_tgi"), headers={"Authorization": "Bearer hf_key"})


def unused(sim: Simulator, text: str) -> str:
    for seen in sim.requests:
        text = text.replace(seen.nonce, "")
    return text


async def test_text_generation(sim: Simulator, old: Any) -> None:
    whole = await asyncio.to_thread(old.generate, "Say hi.", max_new_tokens=200, decoder_input_details=True)
    assert whole.generated_text.startswith(sim.requests[0].nonce)
    assert whole.details.finish_reason == "eos_token"
    assert whole.details.generated_tokens == len(whole.details.tokens)
    assert len(whole.details.prefill) == 3
    events = await asyncio.to_thread(lambda: list(old.generate_stream("Say hi.", max_new_tokens=200)))
    assert events[-1].generated_text == "".join(event.token.text for event in events if not event.token.special)
    assert events[-1].details.generated_tokens == len(events)
    assert unused(sim, events[-1].generated_text) == unused(sim, whole.generated_text)
    assert all(seen.problem is None for seen in sim.requests)


async def test_text_generation_asynchronously(sim: Simulator) -> None:
    client = text_generation.AsyncClient(sim.base_url("hf_tgi"))
    whole = await client.generate("hello", do_sample=True, best_of=2, seed=None, top_n_tokens=2)
    assert len(whole.details.best_of_sequences) == 1
    events = [event async for event in client.generate_stream("hello", stop_sequences=["says"])]
    assert events[-1].details.finish_reason == "stop_sequence"
    assert events[-1].generated_text.endswith(" says")
    assert events[-1].generated_text.startswith(sim.requests[1].nonce)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, None, "ValidationError"),
        (424, None, "GenerationError"),
        (429, "overloaded", "OverloadedError"),
        (429, None, "RateLimitExceededError"),
        (500, None, "IncompleteGenerationError"),
        (500, "something_else", "UnknownError"),
    ],
)
async def test_text_generation_errors(sim: Simulator, old: Any, status: int, code: str | None, kind: str) -> None:
    calls: list[Callable[[], Any]] = [lambda: old.generate("hello"), lambda: list(old.generate_stream("hello"))]
    for call in calls:
        sim.script(Fault(Status(status, code=code), nth=1))
        with pytest.raises(getattr(text_generation.errors, kind)):
            await asyncio.to_thread(call)
