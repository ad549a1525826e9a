"""Responses, driven by the official client."""

from __future__ import annotations

import json

import openai
import pydantic
import pytest

from conformance.simulators import Simulator

MODEL = "gpt-6-luna"
TOOL = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


async def test_create_get_delete(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model=MODEL, input="Name a prime.", instructions="Be brief.")
    assert made.output_text.startswith(sim.requests[0].nonce)
    assert made.usage.total_tokens == made.usage.input_tokens + made.usage.output_tokens
    assert (await client.responses.retrieve(made.id)).output_text == made.output_text
    items = await client.responses.input_items.list(made.id)
    assert [item.content for item in items.data] == ["Name a prime."]
    await client.responses.delete(made.id)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)


async def test_what_is_not_stored_cannot_be_fetched(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model=MODEL, input="Hello", store=False)
    with pytest.raises(openai.NotFoundError):
        await client.responses.retrieve(made.id)


async def test_stream_events_are_numbered_and_complete(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    stream = await client.responses.create(
        model=MODEL, input="Name a prime.", stream=True, reasoning={"effort": "low", "summary": "auto"}
    )
    events = [event async for event in stream]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    kinds = [event.type for event in events]
    assert kinds[:2] == ["response.created", "response.in_progress"]
    assert kinds[-1] == "response.completed"
    assert "response.reasoning_summary_text.delta" in kinds
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text
    assert text.startswith(sim.requests[0].nonce)
    assert events[-1].response.usage.output_tokens_details.reasoning_tokens > 0


async def test_the_stream_helper_and_parse(client: openai.AsyncOpenAI) -> None:
    class City(pydantic.BaseModel):
        name: str

    async with client.responses.stream(model=MODEL, input="Which?", text_format=City) as stream:
        async for _ in stream:
            pass
        final = await stream.get_final_response()
    parsed = await client.responses.parse(model=MODEL, input="Which?", text_format=City)
    assert len(final.output_parsed.name) == len(parsed.output_parsed.name) == 10


async def test_a_stream_can_be_replayed_from_where_it_stopped(client: openai.AsyncOpenAI) -> None:
    first = await client.responses.create(model=MODEL, input="Name a prime.", stream=True)
    events = [event async for event in first]
    again = await client.responses.retrieve(events[-1].response.id, stream=True, starting_after=4)
    rest = [event async for event in again]
    assert [event.type for event in rest] == [event.type for event in events[5:]]


async def test_tools_and_their_results(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    asked = await client.responses.create(model=MODEL, input="Weather?", tools=[TOOL])
    call = asked.output[0]
    assert (call.type, json.loads(call.arguments)) == ("function_call", {"city": sim.requests[0].nonce})
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    told = await client.responses.create(model=MODEL, input=[result], tools=[TOOL], previous_response_id=asked.id)
    assert told.output_text.startswith(sim.requests[1].nonce)
    stream = await client.responses.create(model=MODEL, input="Weather?", tools=[TOOL], stream=True)
    arguments = [event.delta async for event in stream if event.type == "response.function_call_arguments.delta"]
    assert json.loads("".join(arguments)) == {"city": sim.requests[2].nonce}
    with pytest.raises(openai.BadRequestError, match="No tool call found"):
        await client.responses.create(model=MODEL, input=[{**result, "call_id": "call_unknown"}])


async def test_incomplete_and_refused(client: openai.AsyncOpenAI) -> None:
    short = await client.responses.create(model=MODEL, input="Name a prime.", max_output_tokens=3)
    assert (short.status, short.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    stream = await client.responses.create(model=MODEL, input="Name a prime.", max_output_tokens=3, stream=True)
    assert [event.type async for event in stream][-1] == "response.incomplete"
    refused = await client.responses.create(model=MODEL, input="sim:refuse")
    assert refused.output[0].content[0].type == "refusal"


async def test_background_work_moves_when_looked_at(client: openai.AsyncOpenAI) -> None:
    made = await client.responses.create(model=MODEL, input="Name a prime.", background=True)
    states = [made.status] + [(await client.responses.retrieve(made.id)).status for _ in range(3)]
    assert states == ["queued", "in_progress", "completed", "completed"]
    other = await client.responses.create(model=MODEL, input="Name a prime.", background=True)
    assert (await client.responses.cancel(other.id)).status == "cancelled"
    assert (await client.responses.retrieve(other.id)).status == "cancelled"
    with pytest.raises(openai.BadRequestError):
        await client.responses.cancel(made.id)


async def test_the_token_count_is_what_create_reports(client: openai.AsyncOpenAI) -> None:
    counted = await client.responses.input_tokens.count(model=MODEL, input="Name a prime.", instructions="Be brief.")
    made = await client.responses.create(model=MODEL, input="Name a prime.", instructions="Be brief.")
    assert counted.input_tokens == made.usage.input_tokens


async def test_wrong_requests(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as info:
        await client.responses.create(model=MODEL, input="x", previous_response_id="resp_gone")
    assert info.value.code == "previous_response_not_found"
    with pytest.raises(openai.BadRequestError) as info:
        await client.responses.create(model=MODEL, input="x", extra_body={"max_tokens": 3})
    assert (info.value.code, info.value.param) == ("unknown_parameter", "max_tokens")
    with pytest.raises(openai.BadRequestError) as info:
        await client.responses.create(model=MODEL)
    assert info.value.code == "missing_required_parameter"
