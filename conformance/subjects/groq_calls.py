"""The calls that the Groq backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from backends.groq import executed_tools, rate_limits, timings
from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.offline_calls import offline_calls
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_SOUND: Final = ("a.wav", wave("c0ffee00"))
_TARGET: Final = "/v1/chat/completions"
_LINE: Final = (
    b'{"custom_id":"one","method":"POST","url":"/v1/chat/completions",'
    b'"body":{"model":"openai/gpt-oss-20b","messages":[{"role":"user","content":"hello"}]}}\n'
)
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_SCHEMA: Final = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


def _uploaded() -> Story:
    return (yield do("upload_file", ("batch.jsonl", _LINE)))


def _with_file(name: str, *, whole: bool = False) -> Any:
    def plan() -> Story:
        made = yield do("upload_file", ("batch.jsonl", _LINE))
        if whole:
            with tempfile.TemporaryDirectory() as folder:
                return (yield do(name, made.id, Path(folder) / "copy"))
        return (yield do(name, made.id))

    return plan


def _listed_files() -> Story:
    for number in range(3):
        yield do("upload_file", (f"batch{number}.jsonl", _LINE))
    return (yield do("list_files"))


def _batch(name: str) -> Any:
    def plan() -> Story:
        file = yield do("upload_file", ("batch.jsonl", _LINE))
        made = yield do("create_batch", file.id, completion_window="7d")
        return (yield do(name, made.id)) if name != "create_batch" else made

    return plan


def _listed_batches() -> Story:
    file = yield do("upload_file", ("batch.jsonl", _LINE))
    yield do("create_batch", file.id)
    return (yield do("list_batches"))


def _spoken_to_file() -> Story:
    with tempfile.TemporaryDirectory() as folder:
        return (yield do("speech_to_file", "hello", Path(folder) / "hello.wav"))


def _three(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply), 3, "files in the list")


def _timed(trial: Trial, reply: Any, seen: Seen) -> None:
    """Times, limits and cost are read; the tokens of a stream are those of its one report."""
    took = timings(reply)
    trial.expect(took.queue is not None and took.prompt and took.completion, f"the times were dropped: {took}")
    trial.close_to(took.total or 0.0, (took.prompt or 0.0) + (took.completion or 0.0), "total time", 1e-6)
    limits = rate_limits(reply)
    trial.equal((limits.requests.limit, limits.tokens.reset), (500_000, 0.024), "rate limits of the reply")
    counts = reply.usage.input_tokens, reply.usage.output_tokens
    trial.equal(reply.usage.total_tokens, sum(counts), "tokens together")
    trial.close_to(reply.cost or 0.0, (counts[0] * 0.075 + counts[1] * 0.30) / 1e6, "cost of the reply", 1e-12)
    trial.equal(reply.raw["x_groq"]["id"], f"req_{seen.nonce}", "the service's id in raw")


def _priced(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.segments and reply.duration, "times were dropped")
    trial.close_to(reply.cost or 0.0, 10 / 3600 * 0.04, "cost of a sound shorter than ten seconds", 1e-9)


def _limited(trial: Trial, reply: Any, seen: Seen) -> None:
    named = {model.id: model.raw for model in reply}
    trial.equal(named["openai/gpt-oss-20b"]["context_window"], 131_072, "context of a model, untouched")


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once("POST */chat/completions", "chat", _HELLO, sends={"messages": _HELLO, "model": "openai/gpt-oss-20b"},
    judge=_timed, whole_json=True),
    "stream_chat": once("POST */chat/completions", "stream_chat", _HELLO, sends={"stream": True, "stream_options":
    None}, judge=_timed, stream=True),
    "responses": once("POST */responses", "responses", "hello", sends={"input": "hello"}, whole_json=True),
    "stream_responses": once("POST */responses", "stream_responses", "hello", sends={"input": "hello", "stream":
    True}, stream=True),
    "transcribe": once("POST */audio/transcriptions", "transcribe", _SOUND, whole_json=True),
    "translate": once("POST */audio/translations", "translate", _SOUND, options={"response_format": "text"}),
    "speech": once("POST */audio/speech", "speech", "hello", sends={"input": "hello", "voice": "autumn"}),
    "stream_speech": once("POST */audio/speech", "stream_speech", "hello", options={"voice": "troy"}, sends={"voice":
    "troy"}, stream=True),
    "speech_to_file": story("POST */audio/speech", _spoken_to_file, sends={"input": "hello"}),
    "upload_file": story("POST */files", _uploaded, whole_json=True),
    "list_files": story("GET */files", _listed_files, nonce=False, judge=_three),
    "get_file": story("GET */files/*", _with_file("get_file"), nonce=False, whole_json=True),
    "file_content": story("GET */files/*/content", _with_file("file_content"), nonce=False),
    "download_file": story("GET */files/*/content", _with_file("download_file", whole=True), nonce=False),
    "delete_file": story("DELETE */files/*", _with_file("delete_file"), nonce=False, whole_json=True),
    **offline_calls("POST */batches", "GET */files/*/content"),
    "create_batch": story("POST */batches", _batch("create_batch"), sends={"endpoint": _TARGET, "completion_window":
    "7d"}, whole_json=True),
    "get_batch": story("GET */batches/*", _batch("get_batch"), nonce=False, whole_json=True),
    "list_batches": story("GET */batches", _listed_batches, nonce=False),
    "cancel_batch": story("POST */batches/*/cancel", _batch("cancel_batch"), nonce=False, whole_json=True),
    "models": once("GET */models", "models", nonce=False, judge=_limited),
    "get_model": once("GET */models/*", "get_model", "openai/gpt-oss-20b", nonce=False),
}  # fmt: skip


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(len(reply.tool_calls) >= 1, "no tool call came back")
    trial.equal(reply.tool_calls[0].name, "weather", "name of the tool called")
    trial.equal(reply.finish_reason, "tool_calls", "finish reason of a tool turn")


def _ran(trial: Trial, reply: Any, seen: Seen) -> None:
    kinds = [tool["type"] for tool in executed_tools(reply)]
    trial.equal(kinds, ["browser_search", "code_interpreter"], "tools that the service ran")
    trial.equal(reply.cost, None, "cost of an answer with tools that have no known price")


def _thought(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(seen.nonce in (reply.reasoning or ""), "the reasoning was dropped")
    trial.expect(reply.usage.reasoning_tokens, "the tokens of reasoning were dropped")


def _thought_aloud(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.text.startswith("<think>"), "raw reasoning is not in the text")
    trial.equal(reply.reasoning, None, "reasoning beside the text")


def _thought_quietly(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.reasoning, None, "reasoning that was not to come")
    trial.expect("<think>" not in reply.text, "hidden reasoning is in the text")


def _feature(
    messages: Any = _HELLO, judge: Any = None, sends: Mapping[str, Any] | None = None, **options: Any
) -> CallCase:
    return once(
        "POST */chat/completions",
        "chat",
        messages,
        options=options,
        sends={"messages": messages, **(sends or options)},
        judge=judge,
    )


_IMAGE_PART: Final = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64," + base64.b64encode(picture("c0ffee00")).decode()},
}
_DOCUMENT_PART: Final = {"type": "document", "document": {"data": {"a": 1}, "id": "one"}}

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature(
        [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}], model="qwen/qwen3.6-27b"
    ),
    "document": _feature([{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _DOCUMENT_PART]}]),
    "tools": _feature(tools=[_TOOL], tool_choice="required", parallel_tool_calls=True, judge=_called),
    "tools of the service": _feature(tools=[{"type": "browser_search"}, {"type": "code_interpreter"}], judge=_ran),
    "JSON object": _feature(response_format={"type": "json_object"}),
    "JSON schema": _feature(response_format=_SCHEMA),
    "seed": _feature(seed=7),
    "stop": _feature(stop=["END"]),
    "penalties": _feature(presence_penalty=0.5, frequency_penalty=-0.5),
    "logit bias": _feature(logit_bias={"50256": -100}),
    "sampling": _feature(temperature=0.2, top_p=0.9, max_completion_tokens=16, n=1),
    "reasoning effort": _feature(reasoning_effort="low", judge=_thought),
    "reasoning raw": _feature(reasoning_format="raw", judge=_thought_aloud),
    "reasoning left out": _feature(include_reasoning=False, reasoning_effort="high", judge=_thought_quietly),
    "reasoning of an earlier turn": _feature(
        [*_HELLO, {"role": "assistant", "content": "Hi.", "reasoning": "They greet."}, *_HELLO]
    ),
    "service tier": _feature(service_tier="flex"),
    "system of models": _feature(
        model="groq/compound-mini",
        search_settings={"include_domains": ["example.com"]},
        compound_custom={"tools": {"enabled_tools": ["web_search"]}},
        citation_options="enabled",
    ),
    "usage asked for in a stream": once(
        "POST */chat/completions",
        "stream_chat",
        _HELLO,
        options={"stream_options": {"include_usage": True}},
        sends={"stream_options.include_usage": True},
        judge=_timed,
    ),
    "sound at an address, with times": once(
        "POST */audio/transcriptions",
        "transcribe",
        options={
            "url": "https://example.com/a.wav",
            "response_format": "verbose_json",
            "timestamp_granularities": ["word", "segment"],
        },
        judge=_priced,
    ),
}
