"""The calls that the Gemini backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.offline_calls import offline_calls
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_CONTENTS: Final = [{"role": "user", "parts": [{"text": "hello"}]}]
_PICTURE: Final = picture("c0ffee00")
_SOUND: Final = wave("c0ffee00")
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_FUNCTION: Final = {"name": "weather", "parameters": _SCHEMA}
_TOOL: Final = {"type": "function", "function": _FUNCTION}
_DECLARED_TOOL: Final = {"functionDeclarations": [{"name": "weather", "parametersJsonSchema": _SCHEMA}]}
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


def _cached_chat() -> Story:
    made = yield do("create_cache", "a long text")
    return (yield do("chat", _HELLO, cached_content=made.id))


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


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(reply.tool_calls[0].arguments, f'{{"city":"{seen.nonce}"}}', "arguments of the tool called")
    trial.expect(reply.tool_calls[0].signature, "the signature of the tool call is missing")


def _reasoned(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.reasoning and seen.nonce in reply.reasoning, "the thoughts are not in the reply")
    trial.expect(seen.nonce in reply.text, "the answer is not in the reply")
    counts = reply.raw["usageMetadata"]
    trial.expect(reply.usage.reasoning_tokens, f"the tokens of the thoughts are missing: {reply.usage}")
    made = counts["candidatesTokenCount"] + counts["thoughtsTokenCount"]
    trial.equal(reply.usage.output_tokens, made, "tokens of the output, thoughts among them")


def _two_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(set(reply.texts)), 2, "different answers")


def _logprobs_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.logprobs["chosenCandidates"]), reply.usage.output_tokens, "log probabilities")


def _sound_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.media[0].data, wave(seen.nonce), "the sound that came back")


def _from_the_cache(trial: Trial, reply: Any, seen: Seen) -> None:
    cached = reply.usage.cached_tokens or 0
    trial.expect(0 < cached < reply.usage.input_tokens, f"cached tokens are not part of the input: {reply.usage}")


def _feature(
    messages: Any = _HELLO,
    judge: Callable[[Trial, Any, Seen], None] | None = None,
    sends: Mapping[str, Any] | None = None,
    **options: Any,
) -> CallCase:
    return once(_GENERATE, "chat", messages, options=options, sends=sends, judge=judge)


_IMAGE_PART: Final = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64," + base64.b64encode(_PICTURE).decode()},
}
_SOUND_PART: Final = {
    "type": "input_audio",
    "input_audio": {"data": base64.b64encode(_SOUND).decode(), "format": "wav"},
}
_URI: Final = "https://generativelanguage.googleapis.com/v1/files/abc"
_SAFETY: Final = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature(
        [{"role": "system", "content": "Be brief."}, *_HELLO],
        sends={"systemInstruction": {"parts": [{"text": "Be brief."}]}, "contents": _CONTENTS},
    ),
    "roles": _feature(
        [*_HELLO, {"role": "assistant", "content": "hi"}, {"role": "user", "content": "and?"}],
        sends={
            "contents": [
                *_CONTENTS,
                {"role": "model", "parts": [{"text": "hi"}]},
                {"role": "user", "parts": [{"text": "and?"}]},
            ]
        },
    ),
    "image": _feature(
        [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}],
        sends={
            "contents": [
                {
                    "role": "user",
                    "parts": [
                        {"text": "What is it?"},
                        {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(_PICTURE).decode()}},
                    ],
                }
            ]
        },
    ),
    "audio": _feature(
        [{"role": "user", "content": [_SOUND_PART]}],
        sends={
            "contents": [
                {
                    "role": "user",
                    "parts": [{"inlineData": {"mimeType": "audio/wav", "data": base64.b64encode(_SOUND).decode()}}],
                }
            ]
        },
    ),
    "file": _feature(
        [{"role": "user", "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": _URI}}]}],
        sends={
            "contents": [{"role": "user", "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": _URI}}]}]
        },
    ),
    "tools": _feature(
        tools=[_TOOL],
        tool_choice="required",
        judge=_called,
        sends={"tools": [_DECLARED_TOOL], "toolConfig": {"functionCallingConfig": {"mode": "ANY"}}},
    ),
    "JSON schema": _feature(
        response_json_schema=_SCHEMA,
        sends={"generationConfig": {"responseJsonSchema": _SCHEMA, "responseMimeType": "application/json"}},
    ),
    "OpenAPI schema": _feature(
        response_schema={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
        sends={
            "generationConfig": {
                "responseSchema": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}},
                "responseMimeType": "application/json",
            }
        },
    ),
    "seed": _feature(seed=7, sends={"generationConfig": {"seed": 7}}),
    "stop": _feature(stop="END", sends={"generationConfig": {"stopSequences": ["END"]}}),
    "penalties": _feature(
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        sends={"generationConfig": {"presencePenalty": 0.5, "frequencyPenalty": -0.5}},
    ),
    "sampling": _feature(
        temperature=0.2,
        top_p=0.9,
        top_k=40,
        max_tokens=200,
        candidate_count=2,
        judge=_two_came,
        sends={
            "generationConfig": {
                "temperature": 0.2,
                "topP": 0.9,
                "topK": 40,
                "maxOutputTokens": 200,
                "candidateCount": 2,
            }
        },
    ),
    "logprobs": _feature(
        response_logprobs=True,
        logprobs=2,
        judge=_logprobs_came,
        sends={"generationConfig": {"responseLogprobs": True, "logprobs": 2}},
    ),
    "thinking": _feature(
        include_thoughts=True,
        thinking_level="LOW",
        judge=_reasoned,
        sends={"generationConfig": {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"}}},
    ),
    "safety settings": _feature(safety_settings=_SAFETY, sends={"safetySettings": _SAFETY}),
    "sound": _feature(
        response_modalities=["AUDIO"],
        speech_config={"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        judge=_sound_came,
        sends={
            "generationConfig": {
                "responseModalities": ["AUDIO"],
                "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
            }
        },
    ),
    "cached content": story(_GENERATE, _cached_chat, judge=_from_the_cache),
}
