"""Wrong arguments are refused before the wire and named; what the server lacks is refused by name."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from ollama_bench import ASK, TOOL

from backends import errors
from backends.ollama import Ollama
from conformance.simulators import Simulator

HI = "hello"
NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "arguments", "options", "named"),
    [
        ("chat", [[]], {}, "messages must not be empty"),
        ("chat", ["hello"], {}, "messages must be a list"),
        ("chat", [["hello"]], {}, r"messages\[0\] must be a mapping"),
        ("chat", [[{"content": HI}]], {}, r"messages\[0\].role"),
        ("chat", [[{"role": "developer", "content": HI}]], {}, "'developer'"),
        ("chat", [[{"role": "user"}]], {}, r"messages\[0\] must have content"),
        ("chat", [[{"role": "user", "content": 7}]], {}, r"messages\[0\].content"),
        ("chat", [[{"role": "user", "content": "\ud800"}]], {}, r"messages\[0\].content"),
        (
            "chat",
            [[{"role": "user", "content": [{"type": "input_audio"}]}]],
            {},
            r"content\[0\] must be a text or image",
        ),
        ("chat", [[{"role": "user", "content": HI, "images": "x"}]], {}, r"messages\[0\].images must be a list"),
        ("chat", [[{"role": "user", "content": HI, "images": [b""]}]], {}, r"images\[0\] is empty"),
        ("chat", [[{"role": "user", "content": HI, "images": [7]}]], {}, r"images\[0\] must be bytes"),
        ("chat", [[{"role": "user", "content": HI, "images": ["/etc/passwd"]}]], {}, r"images\[0\] is not base64"),
        ("chat", [[{"role": "user", "content": HI, "images": ["http://h/x"]}]], {}, r"images\[0\] is an address"),
        ("chat", [[{"role": "user", "content": HI, "images": ["data:image/png,x"]}]], {}, "not base64"),
        ("chat", [[{"role": "user", "content": HI, "images": [Path("/no/such/file")]}]], {}, "cannot be read"),
        ("chat", [[{"role": "assistant", "content": HI, "tool_calls": [{}]}]], {}, r"tool_calls\[0\]"),
        (
            "chat",
            [[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}]],
            {},
            r"tool_calls\[0\].function.arguments cannot be read",
        ),
        (
            "chat",
            [[{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1]"}}]}]],
            {},
            "must be a JSON object",
        ),
        ("chat", [ASK], {"model": "no such"}, "model 'no such'"),
        ("chat", [ASK], {"model": 7}, "model must be text"),
        ("chat", [ASK], {"tools": [{"type": "web"}]}, r"tools\[0\] must be a function"),
        ("chat", [ASK], {"tools": [{"function": {}}]}, r"tools\[0\].function must have a name"),
        ("chat", [ASK], {"tools": [{"function": {"name": "f", "parameters": 7}}]}, r"tools\[0\].function.parameters"),
        ("chat", [ASK], {"tools": []}, "tools"),
        ("chat", [ASK], {"format": "xml"}, "format"),
        ("chat", [ASK], {"think": "maximal"}, "think"),
        ("chat", [ASK], {"keep_alive": "soon"}, "keep_alive"),
        ("chat", [ASK], {"temperature": NAN}, "temperature"),
        ("chat", [ASK], {"temperature": "hot"}, "temperature"),
        ("chat", [ASK], {"top_logprobs": 21, "logprobs": True}, "top_logprobs"),
        ("chat", [ASK], {"top_logprobs": 2}, "needs logprobs"),
        ("chat", [ASK], {"options": {"top_k": 0.5}}, "options.top_k"),
        ("chat", [ASK], {"options": {"tempurature": 1}}, "options.tempurature.*temperature"),
        ("chat", [ASK], {"options": {"mirostat": 1}}, "options.mirostat is no longer known"),
        ("chat", [ASK], {"options": {"seed": 1}, "seed": 2}, "seed is given twice"),
        ("chat", [ASK], {"max_tokens": 1, "num_predict": 2}, "num_predict is given twice"),
        ("chat", [ASK], {"tempurature": 1}, "tempurature.*temperature"),
        ("chat", [ASK], {"format": {"type": "object", "x": NAN}}, "format.x"),
        ("complete", [""], {}, "prompt must not be empty"),
        ("complete", [7], {}, "prompt must be text"),
        ("complete", [HI], {"raw": True, "system": "x"}, "raw=True"),
        ("complete", [HI], {"context": ["x"]}, r"context\[0\]"),
        ("complete", [HI], {"images": ["?"]}, r"images\[0\]"),
        ("complete", [HI], {"tools": [TOOL]}, "tools"),
        ("embed", [[]], {}, "texts must not be empty"),
        ("embed", [""], {}, "texts must not be empty"),
        ("embed", [[HI, ""]], {}, r"texts\[1\] must not be empty"),
        ("embed", [[HI, 7]], {}, r"texts\[1\] must be text"),
        ("embed", [7], {}, "texts must be text"),
        ("embed", [HI], {"dimensions": 0}, "dimensions"),
        ("load", [], {"tools": []}, "tools"),
        ("pull", ["a b"], {}, "model 'a b'"),
        ("pull", ["a"], {"insecure": "yes"}, "insecure"),
        ("create", ["a"], {}, "from_ or files"),
        ("create", ["a"], {"from_": "b c"}, "from_ 'b c'"),
        ("create", ["a"], {"files": {"w": "sha1:00"}}, r"files\['w'\]"),
        ("create", ["a"], {"from_": "b", "parameters": {"nope": 1}}, "parameters.nope"),
        ("create", ["a"], {"from_": "b", "messages": [{"role": "x"}]}, r"messages\[0\].role"),
        ("copy", ["a", ""], {}, "destination"),
        ("delete", [None], {}, "model is missing"),
        ("blob_exists", ["sha256:XYZ"], {}, "digest"),
        ("upload_blob", ["text"], {}, "content must be bytes"),
        ("upload_blob", [b"x", "sha256:" + "0" * 64], {}, "content has the digest"),
        ("upload_blob", [Path("/no/such/file")], {}, "content cannot be read"),
        ("models", [], {"extra_body": {"x": 1}}, "extra_body"),
        ("show", ["a"], {"verbos": True}, "verbos.*verbose"),
    ],
)
async def test_wrong_arguments(
    sim: Simulator, ollama: Ollama, call: str, arguments: list[Any], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequestError, match=named) as caught:
        await getattr(ollama, "a" + call)(*arguments, **options)
    assert caught.value.provider == "ollama"
    assert caught.value.attempts == 0
    assert sim.requests == []


@pytest.mark.parametrize(("call", "argument"), [("stream_chat", ASK), ("stream_complete", HI)])
async def test_streams_refuse_at_the_call(sim: Simulator, ollama: Ollama, call: str, argument: Any) -> None:
    with pytest.raises(errors.InvalidRequestError, match="temperature"):
        getattr(ollama, "a" + call)(argument, temperature="hot")
    assert sim.requests == []


async def test_a_missing_model_is_said(sim: Simulator) -> None:
    async with Ollama(base_url=sim.base_url("ollama"), environ={}) as without:
        with pytest.raises(errors.InvalidRequestError, match="model is missing"):
            await without.achat(ASK)


@pytest.mark.parametrize(
    "argument",
    ["tool_choice", "parallel_tool_calls", "logit_bias", "n", "response_format", "max_completion_tokens", "best_of"],
)
async def test_arguments_of_other_providers(sim: Simulator, ollama: Ollama, argument: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=argument):
        await ollama.achat(ASK, tools=[TOOL], **{argument: "auto"})
    assert (await ollama.achat(ASK, **{argument: None})).text
    assert len(sim.requests) == 1


@pytest.mark.parametrize("name", sorted(Ollama.refusals))
async def test_refused_calls(sim: Simulator, ollama: Ollama, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=name) as caught:
        await getattr(ollama, "a" + name)("query", ["text"], model="tiny")
    assert caught.value.code == "unsupported"
    assert callable(getattr(ollama, name))
    assert sim.requests == []


async def test_options_of_none_are_left_out(sim: Simulator, ollama: Ollama) -> None:
    await ollama.achat(ASK, temperature=None, options={"seed": None, "top_k": 5}, format=None, keep_alive=None)
    assert sim.requests[0].json == {"model": "llama3.2", "messages": ASK, "stream": False, "options": {"top_k": 5}}


def test_twins_have_the_same_signatures() -> None:
    sources = [name for name in dir(Ollama) if name.startswith("a") and hasattr(Ollama, name[1:])]
    assert {"achat", "aembed", "apull", "astream_create", "aupload_blob", "arerank"} <= set(sources)
    for name in sources:
        assert inspect.signature(getattr(Ollama, name[1:])) == inspect.signature(getattr(Ollama, name)), name
