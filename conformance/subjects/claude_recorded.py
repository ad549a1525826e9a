"""Which recordings of a real server in this dialect go through the Claude backend, and what must come out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from backends import errors
from conformance.recordings import Exchange
from conformance.subject import Recorded
from conformance.trial import Trial

__all__ = ["RECORDED"]

_SOURCE: Final = "vllm-0.32.0"


def _given(recorded: Exchange) -> dict[str, Any]:
    return {name: value for name, value in recorded.sent.items() if name not in ("messages", "stream")}


async def _chat(backend: Any, recorded: Exchange) -> Any:
    return await backend.achat(recorded.sent["messages"], **_given(recorded))


async def _stream_chat(backend: Any, recorded: Exchange) -> Any:
    return await backend.astream_chat(recorded.sent["messages"], **_given(recorded)).collect()


async def _count(backend: Any, recorded: Exchange) -> Any:
    return await backend.acount_tokens(recorded.sent["messages"], **_given(recorded))


def _judge_message(trial: Trial, reply: Any, recorded: Exchange) -> None:
    raw = json.loads(recorded.body)
    trial.equal(reply.raw, raw, "raw")
    trial.equal(reply.text, "".join(block["text"] for block in raw["content"]), "text")
    trial.equal((reply.id, reply.model), (raw["id"], raw["model"]), "id and model")
    trial.equal(reply.finish_reason, raw["stop_reason"], "finish reason")
    _judge_usage(trial, reply, raw["usage"])


def _judge_usage(trial: Trial, reply: Any, usage: Mapping[str, Any]) -> None:
    counts = (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.cached_tokens)
    trial.equal(counts, (usage["input_tokens"], usage["output_tokens"], None), "token counts")


def _judge_stream(trial: Trial, reply: Any, recorded: Exchange) -> None:
    lines = recorded.body.decode().splitlines()
    events = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    text = "".join(event["delta"]["text"] for event in events if event["type"] == "content_block_delta")
    last = next(event for event in events if event["type"] == "message_delta")
    trial.equal(reply.text, text, "text")
    trial.equal(reply.content, ({"type": "text", "text": text},), "content")
    trial.equal(reply.id, events[0]["message"]["id"], "id")
    trial.equal(reply.finish_reason, last["delta"]["stop_reason"], "finish reason")
    _judge_usage(trial, reply, last["usage"])


def _judge_count(trial: Trial, reply: Any, recorded: Exchange) -> None:
    trial.equal(reply.tokens, json.loads(recorded.body)["input_tokens"], "tokens")


RECORDED: Final[Mapping[str, Recorded]] = {
    f"{_SOURCE}/messages": Recorded(run=_chat, judge=_judge_message),
    f"{_SOURCE}/messages_stream": Recorded(run=_stream_chat, judge=_judge_stream, stream=True),
    f"{_SOURCE}/messages_count_tokens": Recorded(run=_count, judge=_judge_count),
    f"{_SOURCE}/messages_unknown_model": Recorded(run=_chat, error=errors.UnknownModelError),
    f"{_SOURCE}/messages_missing_max_tokens": Recorded(run=_chat, error=errors.InvalidRequestError),
}
