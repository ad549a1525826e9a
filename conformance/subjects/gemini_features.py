"""What of Gemini's chat CAP-04 asks: each feature is sent and judged once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["FEATURES"]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_CONTENTS: Final = [{"role": "user", "parts": [{"text": "hello"}]}]
_PICTURE: Final = picture("c0ffee00")
_SOUND: Final = wave("c0ffee00")
_SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_FUNCTION: Final = {"name": "weather", "parameters": _SCHEMA}
_TOOL: Final = {"type": "function", "function": _FUNCTION}
_DECLARED_TOOL: Final = {"functionDeclarations": [{"name": "weather", "parametersJsonSchema": _SCHEMA}]}
_GENERATE: Final = "POST */models/*:generateContent"


def _cached_chat() -> Story:
    made = yield do("create_cache", "a long text")
    return (yield do("chat", _HELLO, cached_content=made.id))


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
