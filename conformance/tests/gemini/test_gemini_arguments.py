"""Arguments before the wire: tables, exclusions, where each stands in the body; address, version, keys, models."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from gemini_bench import ASK, CONTENTS, SCHEMA, mocked, said

from backends import errors
from backends.gemini import Gemini
from backends.gemini.core import unix_seconds
from backends.gemini.parameters import GenerateParameters, generation_body, taken
from backends.types import Priority


def body(**parameters: Any) -> dict[str, Any]:
    _, fields = taken(parameters, GenerateParameters)
    return generation_body(CONTENTS, [], fields)


def test_nothing_is_added_unasked() -> None:
    assert body() == {"contents": CONTENTS}
    assert body(temperature=None, stop=None, priority=Priority.LOW) == {"contents": CONTENTS}


def test_everything_has_its_place() -> None:
    made = body(
        temperature=0,
        top_p=1,
        top_k=1.0,
        candidate_count=1,
        max_tokens=5,
        stop="x",
        presence_penalty=-1.5,
        frequency_penalty=1,
        seed=-1,
        response_logprobs=True,
        logprobs=0,
        response_mime_type="text/plain",
        response_modalities=["TEXT"],
        media_resolution="MEDIA_RESOLUTION_LOW",
        speech_config={},
        image_config={},
        audio_transcription_config={},
        enable_enhanced_civic_answers=True,
        include_thoughts=False,
        thinking_budget=-1,
        tool_config={"retrievalConfig": {}},
        safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        cached_content="cachedContents/a",
        service_tier="flex",
        store=False,
        labels={"team": "one"},
        continuation_token="QUJD",
        system_instruction=["Be brief.", {"text": "Be kind."}],
    )
    assert made.pop("generationConfig") == {
        "temperature": 0,
        "topP": 1,
        "topK": 1.0,
        "candidateCount": 1,
        "maxOutputTokens": 5,
        "stopSequences": ["x"],
        "presencePenalty": -1.5,
        "frequencyPenalty": 1,
        "seed": -1,
        "responseLogprobs": True,
        "logprobs": 0,
        "responseMimeType": "text/plain",
        "responseModalities": ["TEXT"],
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "speechConfig": {},
        "imageConfig": {},
        "audioTranscriptionConfig": {},
        "enableEnhancedCivicAnswers": True,
        "thinkingConfig": {"includeThoughts": False, "thinkingBudget": -1},
    }
    assert made == {
        "contents": CONTENTS,
        "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]},
        "toolConfig": {"retrievalConfig": {}},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        "cachedContent": "cachedContents/a",
        "serviceTier": "flex",
        "store": False,
        "labels": {"team": "one"},
        "continuationToken": "QUJD",
    }


def test_a_schema_asks_for_json_unless_told_otherwise() -> None:
    assert body(response_schema=SCHEMA)["generationConfig"]["responseMimeType"] == "application/json"
    enumerated = body(response_schema=SCHEMA, response_mime_type="text/x.enum")
    assert enumerated["generationConfig"]["responseMimeType"] == "text/x.enum"


@pytest.mark.parametrize(
    "name", ["n", "max_completion_tokens", "response_format", "reasoning_effort", "logit_bias", "thinking_config"]
)
def test_words_of_other_providers_say_what_to_use(name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=f"does not take {name}: "):
        body(**{name: 1})
    assert body(**{name: None}) == {"contents": CONTENTS}


def test_a_misspelt_argument_brings_the_nearest_name() -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        body(candidate_cuont=2)
    assert caught.value.suggestions[0] == "candidate_count"
    good = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}
    with pytest.raises(errors.InvalidRequestError, match=r"safety_settings\[1\] must have a category"):
        body(safety_settings=[good, {**good, "category": "RUDENESS"}])


async def sent(**options: Any) -> httpx.Request:
    seen: list[httpx.Request] = []
    settings = options.pop("settings", {})
    async with mocked((200, said("Two")), seen=seen, **settings) as gemini:
        await gemini.achat(ASK, **options)
    return seen[0]


async def test_the_key_is_in_a_header_and_nowhere_else() -> None:
    request = await sent()
    assert request.headers["x-goog-api-key"] == "key-of-a-test"
    assert "authorization" not in request.headers
    assert "key-of-a-test" not in str(request.url)
    assert str(request.url) == (
        "https://generativelanguage.googleapis.com/v1/models/gemini-3.5-flash-lite:generateContent"
    )


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ({}, "v1"),
        ({"api_version": "v1beta"}, "v1beta"),
        ({"api_version": "v1alpha", "environ": {"GOOGLE_GENAI_API_VERSION": "v1beta"}}, "v1alpha"),
        ({"environ": {"GOOGLE_GENAI_API_VERSION": "beta"}}, "v1beta"),
        ({"environ": {"GOOGLE_GENAI_API_VERSION": "v2"}}, "v2"),
        ({"metadata": {"gemini_api_version": "v1beta"}, "environ": {"GOOGLE_GENAI_API_VERSION": "v2"}}, "v1beta"),
    ],
)
async def test_versions(settings: dict[str, Any], version: str) -> None:
    request = await sent(settings=settings)
    assert request.url.path.split("/")[1] == version


@pytest.mark.parametrize("version", ["", "1", "v", "v1/../v2", "v1beta\n", 1])
async def test_versions_that_are_none(version: Any) -> None:
    with pytest.raises(errors.ConfigurationError, match="api_version must be a version"):
        Gemini(api_version=version)


async def test_a_wrong_version_in_the_environment_is_named() -> None:
    async with mocked((200, {}), environ={"GOOGLE_GENAI_API_VERSION": "../x"}) as gemini:
        with pytest.raises(errors.ConfigurationError, match="GOOGLE_GENAI_API_VERSION"):
            await gemini.achat(ASK)


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"GOOGLE_API_KEY": "google", "GEMINI_API_KEY": "gemini"}, "google"),
        ({"GEMINI_API_KEY": "gemini"}, "gemini"),
        ({"GOOGLE_API_KEY": "  ", "GEMINI_API_KEY": "gemini"}, "gemini"),
    ],
)
async def test_which_variable_wins(environ: dict[str, str], key: str) -> None:
    request = await sent(settings={"api_key": None, "environ": environ})
    assert request.headers["x-goog-api-key"] == key


async def test_another_address_keeps_its_path() -> None:
    environ = {"GOOGLE_GEMINI_BASE_URL": "https://proxy.example/gem/"}
    request = await sent(settings={"environ": environ})
    assert str(request.url).startswith("https://proxy.example/gem/v1/models/")


@pytest.mark.parametrize(
    ("model", "own", "path"),
    [
        (None, None, "/v1/models/gemini-3.5-flash-lite"),
        (None, "gemini-3.8-flash", "/v1/models/gemini-3.8-flash"),
        (None, "models/my-own", "/v1/models/my-own"),
        (None, "gemini-embedding-001", "/v1/models/gemini-3.5-flash-lite"),
        ("models/gemini-2.5-pro", "gemini-3.8-flash", "/v1/models/gemini-2.5-pro"),
        ("tunedModels/mine", None, "/v1/tunedModels/mine"),
        ("a/b:c?d", None, "/v1/models/a%2Fb%3Ac%3Fd"),
    ],
)
async def test_models_in_the_path(model: str | None, own: str | None, path: str) -> None:
    request = await sent(model=model, settings={"model": own})
    assert request.url.raw_path.decode() == f"{path}:generateContent"


async def test_extra_body_adds_to_the_configuration() -> None:
    request = await sent(temperature=0.5, extra_body={"generationConfig": {"newThing": 1}, "other": 2})
    sent_body = json.loads(request.content)
    assert sent_body == {"contents": CONTENTS, "generationConfig": {"temperature": 0.5, "newThing": 1}, "other": 2}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:01:00.999999999Z", 60),
        ("1970-01-01T01:01:00+01:00", 60),
        ("1970-01-01T00:01:00", 60),
        ("soon", None),
        ("1" * 100, None),
        (5, None),
        (None, None),
    ],
)
def test_times(text: Any, seconds: int | None) -> None:
    assert unix_seconds(text) == seconds
