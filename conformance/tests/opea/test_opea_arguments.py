"""Wrong arguments are refused before the wire and named; so is what a service would drop or replace."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from opea_bench import ASK

from backends import errors
from backends.opea import OPEA
from conformance.simulators import Simulator

HI = "hello"
NAN = float("nan")
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


@pytest.mark.parametrize(
    ("call", "arguments", "options", "named"),
    [
        ("chat", [[]], {}, "messages must not be empty"),
        ("chat", ["hello"], {}, "messages must be a list"),
        ("chat", [ASK], {"model": 7}, "model must be text"),
        ("chat", [ASK], {"tempurature": 1}, "tempurature.*temperature"),
        ("chat", [ASK], {"documents": ["a", 7]}, r"documents\[1\]"),
        ("chat", [ASK], {"response_format": {"type": "json_schema"}}, "response_format"),
        ("complete", [""], {}, "prompt must not be empty"),
        ("complete", [7], {}, "prompt must be text"),
        ("complete", [HI], {"stream_options": {}}, "stream_options"),
        ("embed", [[1, 2]], {}, r"texts\[0\]"),
        ("embed", [""], {}, "texts"),
        ("chatqna", [[]], {}, "messages must not be empty"),
        ("chatqna", [7], {}, "messages must be a list"),
        ("chatqna", [[{"role": "developer", "content": HI}]], {}, r"messages\[0\].role must be one of.*'developer'"),
        ("chatqna", [[{"role": "assistant", "content": None}]], {}, r"messages\[0\] must have content"),
        ("chatqna", [HI], {"top_n": 0}, "top_n"),
        ("chatqna", [HI], {"chat_template": ""}, "chat_template"),
        ("chatqna", [HI], {"model": "llama"}, "model"),
        ("searchqna", [HI], {"k": 2}, "'k'"),
        ("codegen", [HI], {"agents_flag": "yes"}, "agents_flag"),
        ("codetrans", ["", "Go", "Python"], {}, "code must not be empty"),
        ("codetrans", [HI, "", "Python"], {}, "source must not be empty"),
        ("translation", [HI, "German", 7], {}, "target must be text"),
        ("docsum", [], {}, "text must not be empty"),
        ("docsum", [HI], {"type": "image"}, "type"),
        ("docsum", [HI], {"files": b"one"}, "files must be a list"),
        ("docsum", [HI], {"files": [b""]}, "files must not be empty"),
        ("docsum", [HI], {"chunk_size": -2}, "chunk_size"),
        ("visualqna", [HI], {}, "image_url"),
        ("visualqna", [ASK], {}, "image_url"),
        ("multimodalqna", [""], {}, "messages must not be empty"),
        ("lvm", [HI, "/no/such/file.png"], {}, "no file"),
        ("lvm", [HI, [7]], {}, r"image\[0\] must be a path"),
        ("lvm", [HI], {"max_new_tokens": 2000}, "max_new_tokens"),
        ("audioqna", [b""], {}, "audio must not be empty"),
        ("transcribe", [7], {}, "file must be a path"),
        ("speech", [""], {}, "text must not be empty"),
        ("retrieve", ["", [0.1]], {}, "query must not be empty"),
        ("retrieve", [HI, "vector"], {}, "embedding must be a list"),
        ("retrieve", [HI, [0.1]], {"constraints": {"a": 1}}, "constraints needs form='opea'"),
        ("retrieve", [HI, [0.1]], {"form": "tei"}, "form"),
        ("rerank", [HI, "one"], {}, "texts must be a list"),
        ("rerank", [HI, ["one", ""]], {}, r"texts\[1\]"),
        ("rerank", [HI, ["one"]], {"top_n": 0}, "top_n"),
        ("ingest", ["/no/such/file.txt"], {}, "no file"),
        ("ingest", [b"one"], {"table_strategy": "slow"}, "table_strategy"),
        ("ingest_links", [[]], {}, "links must have at least 1"),
        ("delete_file", [""], {}, "name must not be empty"),
        ("delete_file", ["all"], {}, "delete_all_files"),
        ("list_files", [], {"index_name": ""}, "index_name"),
        ("guardrails", [HI], {"prompt": ""}, "prompt must not be empty"),
        ("factuality", [HI, ""], {}, "text must not be empty"),
        ("pii", [HI], {"replace_method": "hide"}, "replace_method"),
        ("hallucination", [""], {}, "messages must not be empty"),
        ("save_chat", [[], "ann"], {}, "messages must not be empty"),
        ("save_chat", [ASK, ""], {}, "user must not be empty"),
        ("get_chat", [7, "ann"], {}, "id must be text"),
        ("find_prompts", ["", "ann"], {}, "prompt_text must not be empty"),
        ("save_feedback", [ASK, "ann"], {"thumbs_up": 1}, "thumbs_up"),
        ("delete_feedback", ["", "ann"], {}, "feedback_id must not be empty"),
        ("health", [], {"service": "nobody"}, "nobody"),
        ("metrics", [], {"extra_body": {"a": 1}}, "extra_body"),
    ],
)
async def test_wrong_arguments(
    sim: Simulator, opea: OPEA, call: str, arguments: list[Any], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequestError, match=named) as caught:
        await getattr(opea, "a" + call)(*arguments, **options)
    assert caught.value.provider == "opea"
    assert caught.value.attempts == 0
    assert sim.requests == []


@pytest.mark.parametrize(
    "call", ["chat", "complete", "chatqna", "graphrag", "searchqna", "videoqna", "codegen", "faqgen", "docsum", "lvm"]
)
async def test_streams_refuse_at_the_call(sim: Simulator, opea: OPEA, call: str) -> None:
    argument = ASK if call == "chat" else HI
    with pytest.raises(errors.InvalidRequestError, match="temperature"):
        getattr(opea, "astream_" + call)(argument, temperature="hot")
    assert sim.requests == []


@pytest.mark.parametrize(
    ("name", "used"),
    [
        ("temperature", "0.01"),
        ("top_p", "0.95"),
        ("repetition_penalty", "1.03"),
        ("lambda_mult", "0.5"),
        ("score_threshold", "0.2"),
        ("distance_threshold", "none at all"),
    ],
)
async def test_a_zero_that_the_service_would_replace(sim: Simulator, opea: OPEA, name: str, used: str) -> None:
    for zero in (0, 0.0):
        with pytest.raises(errors.InvalidRequestError, match=f"{name} must not be 0.*{used}"):
            await opea.achatqna(HI, **{name: zero})
    assert (await opea.achatqna(HI, **{name: 0.25})).text
    assert sim.requests[0].json[name] == 0.25


async def test_zeros_that_stay_zeros(sim: Simulator, opea: OPEA) -> None:
    await opea.achatqna(HI, frequency_penalty=0, presence_penalty=0.0)
    await opea.achat(ASK, temperature=0)
    await opea.aretrieve(HI, [0.1], score_threshold=0)
    assert [seen.json.get("temperature") for seen in sim.requests] == [None, 0, None]
    assert sim.requests[0].json["frequency_penalty"] == 0
    assert sim.requests[2].json["score_threshold"] == 0


@pytest.mark.parametrize(
    "name",
    ["tools", "tool_choice", "parallel_tool_calls", "logit_bias", "logprobs", "top_logprobs", "reasoning_effort"],
)
async def test_what_the_text_generation_service_would_drop(sim: Simulator, opea: OPEA, name: str) -> None:
    for call in (opea.achat(ASK, **{name: 1}), opea.acomplete(HI, **{name: 1})):
        with pytest.raises(errors.UnsupportedError, match=f"takes {name} and drops it") as caught:
            await call
        assert caught.value.code == "unsupported"
    with pytest.raises(errors.UnsupportedError, match=name):
        opea.astream_chat(ASK, **{name: 1})
    assert (await opea.achat(ASK, **{name: None})).text
    assert len(sim.requests) == 1


@pytest.mark.parametrize("name", sorted(OPEA.refusals))
async def test_refused_calls(sim: Simulator, opea: OPEA, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=name) as caught:
        await getattr(opea, "a" + name)("query", ["text"], model="tiny")
    assert caught.value.code == "unsupported"
    assert OPEA.refusals[name] in str(caught.value)
    assert callable(getattr(opea, name))
    assert sim.requests == []


async def test_stream_is_always_said(sim: Simulator, opea: OPEA) -> None:
    await opea.achatqna(HI)
    await opea.astream_chatqna(HI).collect()
    await opea.achat(ASK)
    await opea.acomplete(HI)
    await opea.acodetrans(HI, "Go", "C")
    await opea.amultimodalqna([{"role": "user", "content": [{"type": "text", "text": HI}, IMAGE]}])
    await opea.alvm(HI)
    assert [seen.json["stream"] for seen in sim.requests] == [False, True, False, False, False, False, False]


async def test_options_of_none_are_left_out(sim: Simulator, opea: OPEA) -> None:
    await opea.achat(ASK, temperature=None, stop=None, user=None)
    await opea.achatqna(HI, k=None, chat_template=None)
    assert sim.requests[0].json == {"messages": ASK, "stream": False}
    assert sim.requests[1].json == {"messages": HI, "stream": False}


async def test_extra_body_goes_past_the_checks(sim: Simulator, opea: OPEA) -> None:
    await opea.achat(ASK, extra_body={"tools": [{"type": "function", "function": {"name": "weather"}}]})
    assert sim.requests[0].json["tools"][0]["function"]["name"] == "weather"
    await opea.aingest(("a.txt", b"one"), extra_body={"table_strategy": "hq"})
    assert b'name="table_strategy"\r\n\r\nhq\r\n' in sim.requests[1].body


async def test_a_model_is_sent_only_where_one_is_named(sim: Simulator, opea: OPEA) -> None:
    await opea.achat(ASK, model="llama")
    await opea.aembed(HI, model="bge")
    opea.model = "own"
    await opea.acomplete(HI)
    await opea.achatqna(HI)
    assert [seen.json.get("model") for seen in sim.requests] == ["llama", "bge", "own", None]


def test_twins_have_the_same_signatures() -> None:
    sources = [name for name in dir(OPEA) if name.startswith("a") and hasattr(OPEA, name[1:])]
    assert {"achat", "achatqna", "adocsum", "aingest", "arerank", "asave_chat", "ametrics"} <= set(sources)
    for name in sources:
        assert inspect.signature(getattr(OPEA, name[1:])) == inspect.signature(getattr(OPEA, name)), name
