"""The simulated server against the recorded one: the same requests get answers with the same keys at every level."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from conformance.recordings import Exchange, exchanges
from conformance.simulators import Simulator
from conformance.simulators.vllm import PROVIDER
from conformance.simulators.vllm.models import ServedModel, Server, Task

TINY = {
    "vllm-0.32.0": ServedModel("tiny", max_model_len=256),
    "vllm-0.32.0-embed": ServedModel("tiny-embed", Task.EMBED, 128, dimensions=112),
}
ABSENT = {
    "messages": "of the Anthropic side, which is not simulated",
    "messages_stream": "of the Anthropic side, which is not simulated",
    "messages_unknown_model": "of the Anthropic side, which is not simulated",
    "messages_missing_max_tokens": "of the Anthropic side, which is not simulated",
    "messages_count_tokens": "of the Anthropic side, which is not simulated",
    "v2_embed": "of the Cohere side, which is not simulated",
    "chat_unknown_field": "the simulator refuses what the server passes in silence",
    "no_key": "the simulated server was started without a key",
    "embeddings_not_served": "the simulated server serves every kind of model",
    "chat_not_served": "the simulated server serves every kind of model",
}
CUT = {"chat_tool_named": [".choices[].message.tool_calls is invented"]}
"""The recorded model ran out of tokens inside the call, so the server parsed none."""
MAPS = {"top_logprobs"}
"""Fields of completions whose keys are data."""


def recorded(stream: bool) -> list[str]:
    return [
        name
        for name, one in exchanges().items()
        if one.source in TINY and one.name not in ABSENT and _streamed(one) is stream
    ]


def _streamed(one: Exchange) -> bool:
    return "event-stream" in one.headers.get("content-type", "")


@pytest.fixture(params=sorted(TINY))
async def tiny(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Simulator]]:
    model = TINY[request.param]
    provider = dataclasses.replace(PROVIDER, new_state=lambda: Server(models={model.id: model}))
    async with Simulator([provider]) as sim:
        yield request.param, sim


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False) as client:
        yield client


async def replayed(http: httpx.AsyncClient, sim: Simulator, one: Exchange) -> httpx.Response:
    """The recorded request, sent to the simulator."""
    root = sim.base_url("vllm").removesuffix("/v1")
    key = "sk-invalid" if one.name == "bad_key" else "sk-good"
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    content = one.sent if isinstance(one.sent, str) else json.dumps(one.sent)
    if one.method == "GET":
        return await http.get(root + one.path, headers=headers)
    return await http.post(root + one.path, headers=headers, content=content)


def shape(value: Any, name: str = "") -> Any:
    """A value without its data: keys, kinds, and the shapes of what lists hold."""
    if isinstance(value, dict):
        return "a map" if name in MAPS else {key: shape(item, key) for key, item in value.items()}
    if isinstance(value, list):
        found: list[Any] = []
        for item in value:
            kind = shape(item, name)
            if kind not in found:
                found.append(kind)
        return found
    if value is None:
        return None
    return "text" if isinstance(value, str) else "flag" if isinstance(value, bool) else "number"


def agree(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two shapes differ; an empty list agrees with any list, and only keys must be there on both sides."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        missing = [f"{path}.{key} is missing" for key in theirs.keys() - ours.keys()]
        more = [f"{path}.{key} is invented" for key in ours.keys() - theirs.keys()]
        inner = [line for key in ours.keys() & theirs.keys() for line in agree(ours[key], theirs[key], f"{path}.{key}")]
        return [*missing, *more, *inner]
    if isinstance(ours, list) and isinstance(theirs, list):
        if not ours or not theirs:
            return []
        return [line for one in ours for line in min((agree(one, other, path + "[]") for other in theirs), key=len)]
    return [] if ours == theirs else [f"{path} is {ours} instead of {theirs}"]


async def test_whole_answers_have_the_same_keys(tiny: tuple[str, Simulator], http: httpx.AsyncClient) -> None:
    source, sim = tiny
    names = [name for name in recorded(stream=False) if name.startswith(source + "/")]
    wrong = {}
    for name in names:
        one = exchanges()[name]
        answer = await replayed(http, sim, one)
        found = [] if answer.status_code == one.status else [f"status {answer.status_code} instead of {one.status}"]
        if one.body:
            found += agree(shape(answer.json()), shape(json.loads(one.body)))
            if one.status >= 400:
                found += _same_error(answer.json(), json.loads(one.body))
        else:
            found += ["a body came"] if answer.content else []
        if found != CUT.get(one.name, []):
            wrong[name] = found
    assert wrong == {}
    assert len(names) > 9


def _same_error(ours: Any, theirs: Any) -> list[str]:
    ours, theirs = ours.get("error", ours), theirs.get("error", theirs)
    if not isinstance(theirs, dict) or "detail" in theirs:
        return [] if ours == theirs else [f"{ours} instead of {theirs}"]
    told = {name: (ours[name], theirs[name]) for name in ("type", "code") if ours[name] != theirs[name]}
    return [f"{name} is {mine} instead of {other}" for name, (mine, other) in told.items()]


async def test_streams_have_the_same_chunks(tiny: tuple[str, Simulator], http: httpx.AsyncClient) -> None:
    source, sim = tiny
    names = [name for name in recorded(stream=True) if name.startswith(source + "/")]
    for name in names:
        one = exchanges()[name]
        answer = await replayed(http, sim, one)
        assert answer.headers["content-type"] == one.headers["content-type"]
        ours, theirs = told(answer.text), told(one.body.decode())
        for kind, theirs_shape in theirs:
            nearest = min(
                (agree(shown, theirs_shape) for other, shown in ours if other == kind), key=len, default=["none"]
            )
            assert nearest == [], f"{name}: no chunk like {theirs_shape}"
        assert ours[0] == theirs[0], name
        assert ours[-1][0] == theirs[-1][0], name
        assert ("[DONE]" in answer.text) is ("[DONE]" in one.body.decode())
    assert len(names) == (5 if source == "vllm-0.32.0" else 0)


def told(text: str) -> list[tuple[str, Any]]:
    """Event name and shape of every event."""
    found = []
    for block in text.strip().split("\n\n"):
        lines = dict(line.partition(": ")[::2] for line in block.splitlines())
        if lines["data"] != "[DONE]":
            found.append((lines.get("event", ""), shape(json.loads(lines["data"]))))
    return found


def test_every_recording_is_compared_or_said_to_be_absent() -> None:
    names = {one.name for one in exchanges().values() if one.source in TINY}
    assert names >= set(ABSENT)
    assert {exchanges()[name].name for stream in (False, True) for name in recorded(stream)} == names - set(ABSENT)


@pytest.mark.parametrize(
    ("ours", "theirs", "lines"),
    [
        ({"a": 1}, {"a": 2}, 0),
        ({"a": 1}, {}, 1),
        ({}, {"a": None}, 1),
        ({"a": {"b": []}}, {"a": {"b": [1]}}, 0),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, 2),
        ({"a": "1"}, {"a": 1}, 1),
    ],
)
def test_the_comparison_itself(ours: Any, theirs: Any, lines: int) -> None:
    assert len(agree(shape(ours), shape(theirs))) == lines
