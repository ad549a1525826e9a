"""Wrong arguments and models that cannot do it are refused before the wire; so is by name what the service lacks."""

from __future__ import annotations

import inspect
from typing import Any, get_type_hints

import pytest
from groq.types import batch_create_params
from groq.types.audio import speech_create_params, transcription_create_params, translation_create_params
from groq.types.chat import completion_create_params
from groq_bench import ASK, MODEL, backend_at, mocked

from backends import errors
from backends.groq import Groq, parameters
from backends.operation import CallOptions
from conformance.checks.common import made
from conformance.simulators import Simulator
from conformance.subjects.groq_expected import EXPECTED

GONE = "llama-3.3-70b-versatile"
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]}

CASES = [
    (parameters.ChatParameters, completion_create_params.CompletionCreateParams, {"messages", "model", "stream"}),
    (parameters.SpeechParameters, speech_create_params.SpeechCreateParams, {"input", "model", "voice"}),
    (
        parameters.TranscribeParameters,
        transcription_create_params.TranscriptionCreateParams,
        {"file", "model", "url"},
    ),
    (parameters.TranslateParameters, translation_create_params.TranslationCreateParams, {"file", "model", "url"}),
    (
        parameters.BatchParameters,
        batch_create_params.BatchCreateParams,
        {"input_file_id", "endpoint", "completion_window"},
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "arguments"), CASES, ids=[case[0].__name__ for case in CASES])
def test_every_field_of_the_official_client_is_there(ours: type, theirs: type, arguments: set[str]) -> None:
    fields = set(get_type_hints(ours)) - set(get_type_hints(CallOptions))
    expected = set(theirs.__annotations__) - arguments
    assert expected - fields == set()
    assert fields - expected == ({"stream_options"} if ours is parameters.ChatParameters else set())


@pytest.mark.parametrize("number", range(len(EXPECTED.bad_calls)))
async def test_bad_calls_send_nothing(sim: Simulator, backend: Groq, number: int) -> None:
    case = EXPECTED.bad_calls[number]
    with pytest.raises(errors.InvalidRequestError) as caught:
        await made(lambda: case.make(backend))
    assert case.names in str(caught.value)
    assert sim.requests == []


async def test_a_misspelt_argument_gets_the_nearest(backend: Groq) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        await backend.achat(ASK, reasoning_efort="low")
    assert "reasoning_effort" in caught.value.suggestions
    with pytest.raises(errors.InvalidRequestError) as other:
        await backend.achat(ASK, top_k=5)
    assert "top_p" in other.value.suggestions


async def test_a_retired_model_is_refused_before_the_wire_with_date_and_replacement(
    sim: Simulator, backend: Groq
) -> None:
    with pytest.raises(errors.UnknownModelError, match="2026-08-16; use openai/gpt-oss-120b") as caught:
        await backend.achat(ASK, model=GONE)
    assert caught.value.suggestions == ("openai/gpt-oss-120b",)
    assert (caught.value.code, caught.value.fault) == ("model_decommissioned", "caller")
    assert "allow_retired=True" in caught.value.message
    with pytest.raises(errors.UnknownModelError, match="2025-12-31"):
        await backend.aspeech("hello", model="playai-tts")
    with pytest.raises(errors.UnknownModelError, match="was switched off; use"):
        await backend.achat(ASK, model="meta-llama/llama-guard-4-12b")
    assert sim.requests == []


async def test_allow_retired_leaves_it_to_the_service(sim: Simulator) -> None:
    async with backend_at(sim, allow_retired=True) as backend:
        with pytest.raises(errors.UnknownModelError, match="does not exist") as caught:
            await backend.achat(ASK, model=GONE)
        assert caught.value.status == 404
        assert caught.value.suggestions == ("openai/gpt-oss-120b",)
        assert "2026-08-16" in caught.value.message
        with pytest.raises(errors.UnknownModelError, match="decommissioned") as lately:
            await backend.achat(ASK, model="qwen/qwen3-32b")
        assert (lately.value.status, lately.value.code) == (400, "model_decommissioned")
        with pytest.raises(errors.InvalidRequestError, match="speech"):
            await backend.achat(ASK, model="playai-tts")
    assert len(sim.requests) == 2
    with pytest.raises(errors.ConfigurationError, match="allow_retired"):
        backend_at(sim, allow_retired="yes")


async def test_a_model_that_the_service_lists_is_never_refused_for_its_date() -> None:
    def answer(request: Any) -> Any:
        if request.method == "GET":
            return {"object": "list", "data": [{"id": GONE, "object": "model", "created": 1, "owned_by": "Meta"}]}
        return {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": GONE,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": "kept"}, "finish_reason": "stop"}],
        }

    async with mocked(answer) as backend:
        with pytest.raises(errors.UnknownModelError):
            await backend.achat(ASK, model=GONE)
        await backend.amodels()
        assert (await backend.achat(ASK, model=GONE)).text == "kept"


async def test_a_misspelt_model_gets_suggestions_from_the_catalogue_and_the_service(
    sim: Simulator, backend: Groq
) -> None:
    with pytest.raises(errors.UnknownModelError) as caught:
        await backend.achat(ASK, model="openai/gpt-oss-21b")
    assert caught.value.suggestions[0] == MODEL
    assert len(sim.requests) == 1
    with pytest.raises(errors.UnknownModelError) as far:
        await backend.achat(ASK, model="zzzz")
    assert far.value.suggestions == (MODEL,)
    with pytest.raises(errors.UnknownModelError) as old:
        await backend.achat(ASK, model="llama-3.3-70b-versatyle")
    assert old.value.suggestions[0] == "openai/gpt-oss-120b"


async def test_a_model_does_only_what_it_is_for(sim: Simulator, backend: Groq) -> None:
    for call, options, use in (
        (lambda **o: backend.achat(ASK, **o), "whisper-large-v3", r"transcribe\(\) or translate\(\).*gpt-oss"),
        (lambda **o: backend.aresponses("hi", **o), "whisper-large-v3", r"transcribe\(\)"),
        (lambda **o: backend.atranscribe(b"RIFF", **o), MODEL, r"chat\(\).*whisper-large-v3"),
        (lambda **o: backend.atranslate(b"RIFF", **o), "canopylabs/orpheus-v1-english", r"speech\(\)"),
        (lambda **o: backend.atranslate(b"RIFF", **o), "whisper-large-v3-turbo", r"transcribe\(\).*whisper-large-v3\."),
        (lambda **o: backend.aspeech("hi", **o), "groq/compound", r"chat\(\).*orpheus"),
        (lambda **o: backend.acount_tokens("hi", **o), "whisper-large-v3", r"transcribe\(\)"),
    ):
        with pytest.raises(errors.InvalidRequestError, match=use) as caught:
            await call(model=options)
        assert caught.value.code == "incompatible_model"
        assert caught.value.suggestions
    assert sim.requests == []


async def test_pictures_go_to_models_that_see(sim: Simulator, backend: Groq) -> None:
    for blind in (MODEL, "openai/gpt-oss-120b", "allam-2-7b"):
        with pytest.raises(errors.InvalidRequestError, match=r"messages\[0\].content\[0\].*qwen/qwen3.6-27b"):
            await backend.achat([PICTURE], model=blind)
    with pytest.raises(errors.InvalidRequestError, match=r"input\[0\].content\[0\]"):
        await backend.aresponses([{"role": "user", "content": [{"type": "input_image", "image_url": "https://x/"}]}])
    assert sim.requests == []
    for unknown in ("qwen/qwen3.6-27b", "qwen/qwen3.8-27b"):  # of the second nothing is known: the service decides
        assert (await backend.achat([PICTURE], model=unknown)).text


async def test_the_backends_model_serves_calls_of_its_kind(sim: Simulator) -> None:
    async with backend_at(sim, model="whisper-large-v3") as backend:
        await backend.achat(ASK)
        await backend.atranscribe(("a.wav", b"RIFF0000WAVE"))
    assert sim.requests[0].json["model"] == MODEL
    assert b"whisper-large-v3\r\n" in sim.requests[1].body
    async with backend_at(sim, model="somebody/unheard-of") as backend:
        with pytest.raises(errors.UnknownModelError):
            await backend.achat(ASK)
    async with backend_at(sim, model=GONE) as backend:
        with pytest.raises(errors.UnknownModelError, match="2026-08-16"):
            await backend.achat(ASK)


@pytest.mark.parametrize("name", sorted(Groq.refusals))
def test_refusals_in_both_modes(name: str) -> None:
    backend = mocked({})
    with pytest.raises(errors.UnsupportedError, match="Groq does not offer"):
        getattr(backend, name)("anything", model="x")
    source = getattr(backend, f"a{name}")
    assert inspect.iscoroutinefunction(source) != name.startswith("stream_")
    if name.startswith("stream_"):
        with pytest.raises(errors.UnsupportedError) as caught:
            source("anything")
        assert caught.value.code == "unsupported"
    backend.close()
