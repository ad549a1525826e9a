"""The calls that the Claude backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.offline_calls import offline_calls
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_TOOL: Final = {
    "name": "weather",
    "description": "Tells the weather.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
_SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_LONG: Final = "These are the rules of the house. " * 200
_TEXT_DOCUMENT: Final = {
    "type": "document",
    "source": {"type": "text", "media_type": "text/plain", "data": "The harbour freezes in January."},
    "title": "Harbour",
    "citations": {"enabled": True},
}
_PDF: Final = b"%PDF-1.7 made up"


def _requests(number: int) -> list[dict[str, Any]]:
    return [{"custom_id": f"request-{index}", "params": {"messages": _HELLO}} for index in range(number)]


def _sent(number: int) -> list[dict[str, Any]]:
    whole = {"model": "claude-haiku-5-5", "max_tokens": 4096, "messages": _HELLO}
    return [{"custom_id": f"request-{index}", "params": whole} for index in range(number)]


def _batch(name: str, *, looks: int = 0, number: int = 2) -> Callable[[], Story]:
    def plan() -> Story:
        made = yield do("create_batch", _requests(number))
        for _ in range(looks):
            yield do("get_batch", made.id)
        return (yield do(name, made.id))

    return plan


def _listed_batches() -> Story:
    for number in (1, 2, 3):
        yield do("create_batch", _requests(number))
    return (yield do("list_batches", limit=2))


def _file(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        made = yield do("upload_file", ("notes.txt", b"some notes"))
        return (yield do(name, made.id))

    return plan


def _listed_files() -> Story:
    for number in range(3):
        yield do("upload_file", (f"file{number}.txt", b"x"))
    return (yield do("list_files", limit=2))


def _made_by_a_tool() -> Story:
    files = yield do("list_files")
    return next(file.id for file in files if file.downloadable)


def _content() -> Story:
    return (yield do("file_content", (yield from _made_by_a_tool())))


def _downloaded() -> Story:
    name = yield from _made_by_a_tool()
    with tempfile.TemporaryDirectory() as folder:
        return (yield do("download_file", name, Path(folder) / "copy"))


def _all_ended(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.outcomes, {"succeeded": 2}, "outcomes of the batch")


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.tokens > 0 and not reply.estimated, f"no count of the provider's: {reply}")


def _is_whole(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.size, len(b"month,rain\n1,80\n2,71\n"), "bytes of the file")


def _has(number: int, what: str) -> Callable[[Trial, Any, Seen], None]:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal(len(reply), number, what)
        trial.equal(len({entry.id for entry in reply}), number, f"different {what}")

    return judge


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once("POST /v1/messages", "chat", _HELLO, sends={"messages": _HELLO, "max_tokens": 4096}, whole_json=True),
    "stream_chat": once(
        "POST /v1/messages", "stream_chat", _HELLO, sends={"messages": _HELLO, "stream": True}, stream=True
    ),
    "count_tokens": once(
        "POST /v1/messages/count_tokens",
        "count_tokens",
        "hello",
        sends={"messages": _HELLO, "max_tokens": None},
        judge=_counted,
        nonce=False,
    ),
    **offline_calls("POST /v1/messages/batches", "GET /v1/messages/batches/*/results"),
    "create_batch": once(
        "POST /v1/messages/batches", "create_batch", _requests(2), sends={"requests": _sent(2)}, whole_json=True
    ),
    "get_batch": story("GET /v1/messages/batches/*", _batch("get_batch"), nonce=False, whole_json=True),
    "list_batches": story(
        "GET /v1/messages/batches", _listed_batches, judge=_has(3, "batches over two pages"), nonce=False
    ),
    "batch_results": story(
        "GET /v1/messages/batches/*/results",
        _batch("batch_results", looks=2),
        judge=_all_ended,
        nonce=False,
        stream=True,
    ),
    "cancel_batch": story("POST /v1/messages/batches/*/cancel", _batch("cancel_batch"), nonce=False, whole_json=True),
    "delete_batch": story(
        "DELETE /v1/messages/batches/*", _batch("delete_batch", looks=2), nonce=False, whole_json=True
    ),
    "upload_file": once("POST /v1/files", "upload_file", ("notes.txt", b"some notes"), whole_json=True),
    "list_files": story("GET /v1/files", _listed_files, judge=_has(4, "files over two pages"), nonce=False),
    "get_file": story("GET /v1/files/*", _file("get_file"), nonce=False, whole_json=True),
    "file_content": story("GET /v1/files/*/content", _content, judge=_is_whole, nonce=False),
    "download_file": story("GET /v1/files/*/content", _downloaded, judge=_is_whole, nonce=False),
    "delete_file": story("DELETE /v1/files/*", _file("delete_file"), nonce=False, whole_json=True),
    "models": once("GET /v1/models", "models", judge=_has(12, "models"), nonce=False),
    "get_model": once("GET /v1/models/*", "get_model", "claude-opus-5-5", nonce=False),
}


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(reply.tool_calls[0].arguments, f'{{"city":"{seen.nonce}"}}', "arguments of the tool called")
    trial.equal(reply.finish_reason, "tool_use", "finish reason of a tool turn")


def _thought(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.reasoning and seen.nonce in reply.reasoning, "the thinking is not in the reply")
    trial.expect(reply.usage.reasoning_tokens, "the tokens of the thinking are not in the usage")
    trial.expect(reply.content[0].get("signature"), "the signature of the thinking is not in the content")
    trial.expect(str(reply.reasoning) not in reply.text, "the thinking is in the text")


def _cited(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one["type"] for one in reply.citations], ["char_location"], "citations of the reply")


def _cached(trial: Trial, reply: Any, seen: Seen) -> None:
    usage = reply.usage
    trial.expect((usage.cache_write_tokens or 0) > 1000, f"nothing was written to the cache: {usage}")
    fresh = reply.raw["usage"]["input_tokens"]
    trial.equal(usage.input_tokens, fresh + usage.cache_write_tokens, "input tokens, those written contained in them")


def _is_json(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.text.startswith("{") and seen.nonce in reply.text, f"the answer is not the JSON: {reply.text}")


def _feature(
    messages: Any = _HELLO,
    judge: Callable[[Trial, Any, Seen], None] | None = None,
    sends: Mapping[str, Any] | None = None,
    **options: Any,
) -> CallCase:
    return once(
        "POST /v1/messages",
        "chat",
        messages,
        options=options,
        sends=sends if sends is not None else {"messages": messages, **options},
        judge=judge,
    )


def _with(*blocks: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, *blocks]}]


def _image(data: Any) -> dict[str, Any]:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}


def _pdf(data: Any) -> dict[str, Any]:
    return {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": data}}


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


_CALL: Final = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "x"}}
_RESULT: Final = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "sunny"}
_ANSWERED: Final = [
    *_HELLO,
    {"role": "assistant", "content": [_CALL]},
    {"role": "user", "content": [_RESULT]},
]

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature(system="Be brief."),
    "system message": _feature(
        [{"role": "system", "content": "Be brief."}, *_HELLO], sends={"system": "Be brief.", "messages": _HELLO}
    ),
    "image": _feature(_with(_image(_PICTURE)), sends={"messages": _with(_image(_encoded(_PICTURE)))}),
    "document": _feature(_with(_pdf(_PDF)), sends={"messages": _with(_pdf(_encoded(_PDF)))}),
    "citations": _feature(_with(_TEXT_DOCUMENT), judge=_cited),
    "tools": _feature(tools=[_TOOL], tool_choice={"type": "tool", "name": "weather"}, judge=_called),
    "tool results": _feature(_ANSWERED, tools=[_TOOL]),
    "JSON schema": _feature(output_config={"format": {"type": "json_schema", "schema": _SCHEMA}}, judge=_is_json),
    "stop": _feature(stop_sequences=["END"]),
    "thinking": _feature(thinking={"type": "adaptive"}, output_config={"effort": "low"}, judge=_thought),
    "prompt caching": _feature(
        system=[{"type": "text", "text": _LONG, "cache_control": {"type": "ephemeral"}}], judge=_cached
    ),
    "limits": _feature(max_tokens=16, metadata={"user_id": "u-1"}, service_tier="standard_only"),
}
