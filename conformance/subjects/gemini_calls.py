"""The calls that the Gemini backend declares. Every call is made in both modes."""

from __future__ import annotations

import base64
import json
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

__all__ = ["DECLARED"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_CONTENTS: Final = [{"role": "user", "parts": [{"text": "hello"}]}]
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_FUNCTION: Final = {"name": "weather", "parameters": _SCHEMA}
_TOOL: Final = {"type": "function", "function": _FUNCTION}
_LINE: Final = json.dumps({"key": "one", "request": {"contents": _CONTENTS}}).encode() + b"\n"
_REQUESTS: Final = [{"custom_id": "one", "messages": _HELLO, "temperature": 0.5}, {"messages": _HELLO}]
_GENERATE: Final = "POST */models/*:generateContent"
_STREAM: Final = "POST */models/*:streamGenerateContent"


def _with_file(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        made = yield do("upload_file", ("notes.txt", b"some notes"))
        return (yield do(name, made.id))

    return plan


def _listed_files() -> Story:
    for number in range(3):
        yield do("upload_file", (f"file{number}.txt", b"x"))
    return (yield do("list_files", limit=2))


def _over_a_file() -> Story:
    """A batch over an uploaded file, looked at until it has ended."""
    file = yield do("upload_file", ("batch.jsonl", _LINE), mime_type="application/jsonl")
    made = yield do("create_batch", file)
    for _ in range(2):
        made = yield do("get_batch", made.id)
    return made


def _content() -> Story:
    ended = yield from _over_a_file()
    return (yield do("file_content", ended.output_file_id))


def _downloaded() -> Story:
    ended = yield from _over_a_file()
    with tempfile.TemporaryDirectory() as folder:
        return (yield do("download_file", ended.output_file_id, Path(folder) / "results.jsonl"))


def _with_batch(name: str) -> Callable[[], Story]:
    def plan() -> Story:
        made = yield do("create_batch", _REQUESTS)
        return (yield do(name, made.id))

    return plan


def _listed_batches() -> Story:
    for _ in range(3):
        yield do("create_batch", _REQUESTS)
    return (yield do("list_batches", limit=2))


def _results() -> Story:
    made = yield do("create_batch", _REQUESTS)
    yield do("get_batch", made.id)
    return (yield do("batch_results", made.id))


def _with_cache(name: str, **options: Any) -> Callable[[], Story]:
    def plan() -> Story:
        made = yield do("create_cache", "a long text", system_instruction="Be brief.")
        return (yield do(name, made.id, **options))

    return plan


def _listed_caches() -> Story:
    for number in range(3):
        yield do("create_cache", f"text {number}")
    return (yield do("list_caches", limit=2))


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.vectors), 2, "vectors for two texts")
    trial.expect(all(isinstance(number, float) for number in reply.vectors[0]), "a vector is not of floats")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def _picture_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.images[0].data, picture(seen.nonce), "the picture that came back")


def _three_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply), 3, "items over all pages")


def _both_ended(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([result.custom_id for result in reply], ["one", None], "names of the requests")
    trial.expect(all(result.reply is not None and result.reply.text for result in reply), "an answer is missing")


def _file_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.size, reply.status, reply.mime_type), (10, "ACTIVE", "text/plain"), "the file")
    trial.equal(seen.body, b"some notes", "the content at the server")


def _results_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.size > 100, "the file of results is too short to be one")


def _is_deleted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.deleted, True, "whether it is deleted")


def _counted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.tokens > 4, reply.estimated), (True, False), "the count")


def _lives_a_minute(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.expires - reply.created, 60, "seconds that the context lives")


def _replay() -> Story:
    asked = [{"role": "user", "content": "hello"}]
    made = yield do("chat", asked, tools=[_TOOL], model="gemini-3.8-flash", tool_choice="required")
    call = made.tool_calls[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    yield do("chat", [*asked, made, result], tools=[_TOOL], model="gemini-3.8-flash")
    said = {"role": "assistant", "content": made.text, "tool_calls": made.tool_calls}
    return (yield do("chat", [*asked, said, result], tools=[_TOOL], model="gemini-3.8-flash"))


def _replayed(trial: Trial, reply: Any, seen: Seen) -> None:
    first, by_reply, by_call = trial.requests
    made = by_reply.json["contents"][1]["parts"]
    trial.equal(by_call.json["contents"][1]["parts"], made, "parts with the call, replayed in two ways")
    signature = base64.b64decode(made[0]["thoughtSignature"])
    trial.expect(first.nonce.encode() in signature, "the signature is not the one that came")
    trial.equal(
        by_call.json["contents"][2],
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": f"{first.nonce}0", "name": "weather", "response": {"result": "sunny"}}}
            ],
        },
        "the result of the tool",
    )


DECLARED: Final[Mapping[str, CallCase]] = {
    "chat": once(_GENERATE, "chat", _HELLO, sends={"contents": _CONTENTS}, whole_json=True),
    "chat with signatures": story(_GENERATE, _replay, judge=_replayed, nonce=False),
    "stream_chat": once(_STREAM, "stream_chat", _HELLO, sends={"contents": _CONTENTS}, stream=True),
    "generate": once(_GENERATE, "generate", "hello", sends={"contents": _CONTENTS}, whole_json=True),
    "stream_generate": once(_STREAM, "stream_generate", _CONTENTS, sends={"contents": _CONTENTS}, stream=True),
    "generate_image": once(
        _GENERATE,
        "generate_image",
        "a prime",
        options={"image_config": {"aspectRatio": "1:1"}},
        sends={"generationConfig": {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": {"aspectRatio": "1:1"}}},
        judge=_picture_came,
        whole_json=True,
    ),
    "embed": once("POST */models/*:batchEmbedContents", "embed", ["one", "two"], judge=_vectors_came, whole_json=True),
    "embed one": once(
        "POST */models/*:embedContent",
        "embed",
        "one",
        options={"task_type": "RETRIEVAL_QUERY", "dimensions": 8},
        sends={"content": {"parts": [{"text": "one"}]}, "taskType": "RETRIEVAL_QUERY", "outputDimensionality": 8},
        whole_json=True,
    ),
    "count_tokens": once(
        "POST */models/*:countTokens",
        "count_tokens",
        _HELLO,
        sends={"contents": _CONTENTS},
        judge=_counted,
        nonce=False,
    ),
    "models": once("GET */models", "models", options={"limit": 3}, nonce=False),
    "get_model": once("GET */models/*", "get_model", "gemini-3.8-flash", nonce=False),
    "upload_file": once(
        "POST /upload/*/files", "upload_file", ("notes.txt", b"some notes"), judge=_file_came, whole_json=True
    ),
    "list_files": story("GET */files", _listed_files, judge=_three_came, nonce=False),
    "get_file": story("GET */files/*", _with_file("get_file"), nonce=False, whole_json=True),
    "file_content": story("GET */files/*:download", _content, judge=_results_came, nonce=False),
    "download_file": story("GET */files/*:download", _downloaded, judge=_results_came, nonce=False),
    "delete_file": story(
        "DELETE */files/*", _with_file("delete_file"), judge=_is_deleted, nonce=False, whole_json=True
    ),
    **offline_calls("POST */models/*:batchGenerateContent", "GET */batches/*"),
    "create_batch": once(
        "POST */models/*:batchGenerateContent",
        "create_batch",
        _REQUESTS,
        options={"display_name": "nightly"},
        sends={
            "batch": {
                "inputConfig": {
                    "requests": {
                        "requests": [
                            {
                                "request": {"contents": _CONTENTS, "generationConfig": {"temperature": 0.5}},
                                "metadata": {"key": "one"},
                            },
                            {"request": {"contents": _CONTENTS}},
                        ]
                    }
                },
                "displayName": "nightly",
            }
        },
        whole_json=True,
    ),
    "create_embedding_batch": once(
        "POST */models/*:asyncBatchEmbedContent", "create_embedding_batch", ["one", "two"], whole_json=True
    ),
    "get_batch": story("GET */batches/*", _with_batch("get_batch"), nonce=False, whole_json=True),
    "list_batches": story("GET */batches", _listed_batches, judge=_three_came, nonce=False),
    "cancel_batch": story("POST */batches/*:cancel", _with_batch("cancel_batch"), nonce=False, whole_json=True),
    "delete_batch": story(
        "DELETE */batches/*", _with_batch("delete_batch"), judge=_is_deleted, nonce=False, whole_json=True
    ),
    "batch_results": story("GET */batches/*", _results, judge=_both_ended, nonce=False),
    "create_cache": once(
        "POST */cachedContents",
        "create_cache",
        "hello",
        options={"ttl": 60, "display_name": "book"},
        sends={"contents": _CONTENTS, "ttl": "60s", "displayName": "book"},
        judge=_lives_a_minute,
        whole_json=True,
    ),
    "get_cache": story("GET */cachedContents/*", _with_cache("get_cache"), nonce=False, whole_json=True),
    "list_caches": story("GET */cachedContents", _listed_caches, judge=_three_came, nonce=False),
    "update_cache": story(
        "PATCH */cachedContents/*",
        _with_cache("update_cache", ttl=60),
        sends={"ttl": "60s"},
        judge=_lives_a_minute,
        nonce=False,
        whole_json=True,
    ),
    "delete_cache": story(
        "DELETE */cachedContents/*", _with_cache("delete_cache"), judge=_is_deleted, nonce=False, whole_json=True
    ),
}
