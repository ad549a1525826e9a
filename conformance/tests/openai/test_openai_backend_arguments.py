"""Wrong arguments raise before anything is sent, and name the argument; right ones reach the wire as they are."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from backends import OpenAI, errors
from backends.openai.parameters import ChatParameters
from backends.parameters import split

ASK = [{"role": "user", "content": "x"}]
SURROGATE = "\ud800"
NAN, INFINITY = float("nan"), float("inf")


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(f"{request.url} was asked")


WRONG: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("chat", ([],), {}, "messages"),
    ("chat", ("hello",), {}, "messages"),
    ("chat", (None,), {}, "messages"),
    ("chat", ({"role": "user"},), {}, "messages"),
    ("chat", (["hello"],), {}, r"messages\[0\]"),
    ("chat", ([{"content": "x"}],), {}, r"messages\[0\] must have a role"),
    ("chat", ([{"role": "user"}],), {}, r"messages\[0\] must have content"),
    ("chat", ([{"role": "user", "content": 7}],), {}, r"messages\[0\]\.content"),
    ("chat", ([{"role": "user", "content": ["x"]}],), {}, r"messages\[0\]\.content\[0\]"),
    ("chat", ([{"role": "user", "content": SURROGATE}],), {}, r"messages\[0\]\.content.*surrogate"),
    ("chat", (ASK,), {"model": ""}, "model"),
    ("chat", (ASK,), {"model": 7}, "model"),
    ("chat", (ASK,), {"model": "a\r\nb"}, "model"),
    ("chat", (ASK,), {"temperature": 2.1}, "temperature must be between 0 and 2"),
    ("chat", (ASK,), {"temperature": -0.1}, "temperature"),
    ("chat", (ASK,), {"temperature": "1"}, "temperature must be a number"),
    ("chat", (ASK,), {"temperature": True}, "temperature"),
    ("chat", (ASK,), {"temperature": NAN}, "temperature must be a finite number"),
    ("chat", (ASK,), {"temperature": INFINITY}, "temperature must be a finite number"),
    ("chat", (ASK,), {"top_p": 1.5}, "top_p"),
    ("chat", (ASK,), {"presence_penalty": -3}, "presence_penalty"),
    ("chat", (ASK,), {"n": 0}, "n must be"),
    ("chat", (ASK,), {"n": 1.5}, "n must be a whole number"),
    ("chat", (ASK,), {"seed": "7"}, "seed"),
    ("chat", (ASK,), {"stop": ["a", "b", "c", "d", "e"]}, "stop must have between 1 and 4 items"),
    ("chat", (ASK,), {"stop": [1]}, r"stop\[0\] must be text"),
    ("chat", (ASK,), {"stop": 1}, "stop must be text or a list"),
    ("chat", (ASK,), {"max_tokens": 0}, "max_tokens must be at least 1"),
    ("chat", (ASK,), {"top_logprobs": 21}, "top_logprobs"),
    ("chat", (ASK,), {"logit_bias": {"5": 101}}, r"logit_bias\['5'\]"),
    ("chat", (ASK,), {"logit_bias": {5: 1}}, "logit_bias"),
    ("chat", (ASK,), {"reasoning_effort": "huge"}, "reasoning_effort must be one of none"),
    ("chat", (ASK,), {"tools": []}, "tools"),
    ("chat", (ASK,), {"tools": [1]}, r"tools\[0\]"),
    ("chat", (ASK,), {"metadata": {"a": "x" * 513}}, r"metadata\['a'\]"),
    ("chat", (ASK,), {"modalities": ["smell"]}, r"modalities\[0\]"),
    ("chat", (ASK,), {"temprature": 1}, "Unknown argument 'temprature'.*Did you mean: temperature"),
    ("chat", (ASK,), {"stream": True}, "Unknown argument 'stream'"),
    ("chat", (ASK,), {"unheard_of": None}, "Unknown argument 'unheard_of'"),
    ("chat", (ASK,), {"prediction": {"content": SURROGATE}}, "prediction.content.*surrogate"),
    ("chat", (ASK,), {"extra_body": {"x": NAN}}, "x is not a finite number"),
    ("chat", (ASK,), {"extra_body": [1]}, "extra_body must be a mapping"),
    ("chat", (ASK,), {"extra_headers": {"Authorization": "Bearer x"}}, "Authorization"),
    ("chat", (ASK,), {"extra_headers": {"X-A": "b\r\nX-C: d"}}, "X-A"),
    ("chat", (ASK,), {"request_id": "not-a-uuid"}, "request_id"),
    ("chat", (ASK,), {"priority": 9}, "priority"),
    ("chat", (ASK,), {"deadline": -1}, "deadline"),
    ("stream_chat", ([],), {}, "messages"),
    ("stream_chat", (ASK,), {"temperature": 9}, "temperature"),
    ("stream_chat", (ASK,), {"stream_options": {"include_usage": 1}}, "stream_options"),
    ("complete", ([],), {}, "prompt"),
    ("complete", (7,), {}, "prompt"),
    ("complete", (["a", 7],), {}, r"prompt\[1\]"),
    ("complete", ([1, -2],), {}, r"prompt\[1\] must be a token id"),
    ("complete", ([[1], []],), {}, r"prompt\[1\]"),
    ("complete", ("x",), {"best_of": 21}, "best_of"),
    ("complete", ("x",), {"logprobs": 6}, "logprobs"),
    ("stream_complete", ("x",), {"max_tokens": 0}, "max_tokens"),
    ("embed", ([],), {}, "texts"),
    ("embed", ("",), {}, "texts"),
    ("embed", (["a", ""],), {}, r"texts\[1\]"),
    ("embed", (["x"] * 2049,), {}, "texts must have at most 2048 items"),
    ("embed", ("x",), {"dimensions": 0}, "dimensions"),
    ("embed", ("x",), {"encoding_format": "hex"}, "encoding_format"),
    ("embed", (b"x",), {}, "texts"),
    ("moderate", ("",), {}, "content"),
    ("moderate", ([1],), {}, r"content\[0\]"),
    ("responses", ("",), {}, "input"),
    ("responses", ([1],), {}, r"input\[0\]"),
    ("responses", ([{"content": "x"}],), {}, r"input\[0\]"),
    ("responses", ("x",), {"top_logprobs": 21}, "top_logprobs"),
    ("responses", ("x",), {"truncation": "some"}, "truncation"),
    ("responses", ("x",), {"previous_response_id": "a", "conversation": "b"}, "previous_response_id and conversation"),
    ("stream_responses", ([],), {}, "input"),
    ("get_response", ("..",), {}, "response_id"),
    ("get_response", ("r",), {"extra_body": {"x": 1}}, "extra_body"),
    ("delete_response", (7,), {}, "response_id"),
    ("list_input_items", ("r",), {"limit": 101}, "limit"),
    ("count_input_tokens", ("",), {}, "input"),
    ("generate_image", ("",), {}, "prompt"),
    ("generate_image", ("x" * 32_001,), {}, "prompt"),
    ("generate_image", ("x",), {"n": 11}, "n must be between 1 and 10"),
    ("generate_image", ("x",), {"output_compression": 101}, "output_compression"),
    ("generate_image", ("x",), {"partial_images": 2}, "partial_images needs a stream"),
    ("generate_image", ("x",), {"response_format": "url"}, "Unknown argument 'response_format'"),
    ("stream_image", ("x",), {"partial_images": 4}, "partial_images"),
    ("edit_image", ([], "x"), {}, "images must be 1 to 16"),
    ("edit_image", ("/no/such/file.png", "x"), {}, "there is no file"),
    ("edit_image", (b"", "x"), {}, "image must not be empty"),
    ("edit_image", (7, "x"), {}, "image must be a path"),
    ("edit_image", (b"x", "x"), {"user": SURROGATE}, "user holds a lone surrogate"),
    ("speech", ("",), {}, "text"),
    ("speech", ("x" * 4097,), {}, "text"),
    ("speech", ("x",), {"speed": 4.5}, "speed"),
    ("speech", ("x",), {"voice": 7}, "voice"),
    ("speech", ("x",), {"response_format": "midi"}, "response_format"),
    ("transcribe", (b"x",), {"temperature": 1.1}, "temperature"),
    ("transcribe", (b"x",), {"timestamp_granularities": ["word"]}, "verbose_json"),
    ("transcribe", (("a\nb", b"x"),), {}, "file name"),
    ("stream_transcribe", (b"x",), {"response_format": "srt"}, "cannot be streamed"),
    ("translate", (b"x",), {"response_format": "diarized_json"}, "response_format"),
    ("upload_file", (b"x", ""), {}, "purpose"),
    ("upload_file", (b"x", "batch"), {"expires_after": {"anchor": "created_at", "seconds": 1}}, "expires_after"),
    ("upload_file", (b"x", "batch"), {"expires_after": {"seconds": 3600}}, "expires_after"),
    ("create_batch", ("f", "chat"), {}, "target"),
    ("create_batch", ("f", "/v1/responses"), {"completion_window": "1h"}, "completion_window"),
    ("get_batch", ("",), {}, "batch_id"),
    ("list_files", (), {"order": "up"}, "order"),
    ("get_model", ("",), {}, "model"),
    ("get_model", ("a\nb",), {}, "model"),
    ("count_tokens", ([],), {}, "messages"),
    ("count_tokens", (b"x",), {}, "messages"),
]


async def made_by(call: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    made = call(*arguments, **options)
    if inspect.isawaitable(made):
        await made


@pytest.mark.parametrize(("name", "arguments", "options", "says"), WRONG)
async def test_wrong_arguments(name: str, arguments: tuple[Any, ...], options: dict[str, Any], says: str) -> None:
    backend = OpenAI(api_key="sk-x", transport=httpx.MockTransport(never), environ={})
    with pytest.raises(errors.InvalidRequestError, match=says) as caught:
        await made_by(getattr(backend, f"a{name}"), arguments, options)
    assert caught.value.attempts == 0
    assert caught.value.status is None
    assert backend.queue_status()["granted"] == 0
    await backend.aclose()


async def test_none_counts_as_not_given_and_extra_body_passes(answering: Callable[..., OpenAI]) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        choices = [{"index": 0, "message": {"role": "assistant", "content": "y"}, "finish_reason": "stop"}]
        return httpx.Response(200, json={"choices": choices}, request=request)

    backend = answering(answer)
    await backend.achat(ASK, model="m", temperature=None, seed=None, stop=("a",), extra_body={"top_k": 4})
    assert bodies == [b'{"model":"m","messages":[{"role":"user","content":"x"}],"stop":["a"],"top_k":4}']
    await backend.aclose()


async def test_extra_body_of_a_form_becomes_fields(answering: Callable[..., OpenAI]) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(200, json={"text": "y"}, request=request)

    backend = answering(answer)
    await backend.atranscribe(b"RIFF", extra_body={"hints": ["a", "b"], "deep": {"x": True}})
    assert bodies[0].count(b'name="hints[]"') == 2
    assert b'name="deep[x]"\r\n\r\ntrue\r\n' in bodies[0]
    assert bodies[0].index(b'name="deep[x]"') < bodies[0].index(b'name="file"')
    await backend.aclose()


def test_the_table_parts_options_from_fields() -> None:
    options, fields = split({"priority": 0, "deadline": 5, "temperature": 1}, ChatParameters)
    assert options == {"priority": 0, "deadline": 5}
    assert fields == {"temperature": 1}


CALLS = sorted(
    name
    for name, member in inspect.getmembers(OpenAI, inspect.isfunction)
    if name.startswith("a") and hasattr(OpenAI, name[1:]) and name not in ("aclose", "add_key")
)


def test_every_call_has_its_synchronous_twin_with_the_same_signature() -> None:
    assert len(CALLS) > 35
    for name in CALLS:
        source, twin = getattr(OpenAI, name), getattr(OpenAI, name[1:])
        assert inspect.signature(source) == inspect.signature(twin), name
        assert twin.__name__ == name[1:]
        assert source.__doc__, name
        assert twin.__doc__ == source.__doc__
    made = {
        name
        for name, member in inspect.getmembers(OpenAI)
        if name.startswith("a") and name not in ("aclose", "add_key", "assistants") and callable(member)
    }
    assert made == set(CALLS)


async def test_a_path_that_is_a_directory_is_no_file(tmp_path: Path) -> None:
    backend = OpenAI(api_key="sk-x", transport=httpx.MockTransport(never), environ={})
    with pytest.raises(errors.InvalidRequestError, match="there is no file"):
        await backend.aupload_file(tmp_path, "batch")
    await backend.aclose()
