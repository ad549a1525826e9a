"""Wrong arguments are refused before the wire and named; what the server lacks or ignores is refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from hf_tgi_bench import ASK, SCHEMA, TOOL

from backends import errors
from backends.hf_tgi import HFTGI
from conformance.simulators import Simulator

NAN = float("nan")


@pytest.mark.parametrize(
    ("call", "argument", "options", "named"),
    [
        ("generate", "", {}, "prompt must not be empty"),
        ("generate", 7, {}, "prompt must be text, not int"),
        ("generate", ["a"], {}, "prompt must be text, not list"),
        ("generate", "a", {"temperature": 0}, "temperature must be above 0"),
        ("generate", "a", {"temperature": NAN}, "temperature must be a finite number"),
        ("generate", "a", {"top_p": 0}, "top_p must be between 0 and 1, both excluded"),
        ("generate", "a", {"top_p": 1.0}, "top_p must be between 0 and 1.*leave it out"),
        ("generate", "a", {"typical_p": 1}, "typical_p must be between"),
        ("generate", "a", {"top_k": 0}, "top_k must be at least 1"),
        ("generate", "a", {"top_k": 1.5}, "top_k must be a whole number"),
        ("generate", "a", {"repetition_penalty": 0}, "repetition_penalty must be above 0"),
        ("generate", "a", {"frequency_penalty": -3}, "frequency_penalty must be between -2 and 2"),
        ("generate", "a", {"seed": -1}, "seed must be between 0"),
        ("generate", "a", {"seed": 2**64}, "seed must be between 0"),
        ("generate", "a", {"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ("generate", "a", {"truncate": 0}, "truncate must be at least 1"),
        ("generate", "a", {"stop": []}, "stop must have at least 1"),
        ("generate", "a", {"stop": [5]}, r"stop\[0\] must be text"),
        ("generate", "a", {"details": "yes"}, "details must be True or False"),
        ("generate", "a", {"best_of": 0}, "best_of must be at least 1"),
        ("generate", "a", {"best_of": 2}, "best_of above 1 needs sampling"),
        ("generate", "a", {"best_of": 2, "do_sample": True, "seed": 1}, "seed cannot go with best_of"),
        ("generate", "a", {"decoder_input_details": True, "details": False}, "decoder_input_details needs details"),
        ("generate", "a", {"grammar": "json"}, "grammar must be"),
        ("generate", "a", {"grammar": {"value": SCHEMA}}, "grammar.type must be one of"),
        ("generate", "a", {"grammar": {"type": "json", "value": {}}}, "grammar.value must be the JSON Schema"),
        ("generate", "a", {"grammar": {"type": "json_schema", "value": SCHEMA}}, "mapping with a schema"),
        ("generate", "a", {"grammar": {"type": "json", "schema": SCHEMA}}, "grammar has unknown fields: schema"),
        ("generate", "a", {"adapter_id": "x", "model": "y"}, "adapter_id and model"),
        ("generate", "a", {"max_tokens": 5}, "max_tokens.*max_new_tokens"),
        ("generate", "a", {"compat": 1}, "compat must be True or False"),
        ("stream_generate", "a", {"best_of": 2, "top_k": 3}, "best_of must be 1 in a stream"),
        ("stream_generate", "a", {"decoder_input_details": True}, "decoder_input_details cannot be had in a stream"),
        ("chat", [], {}, "messages must not be empty"),
        ("chat", ASK, {"temperature": -0.1}, "temperature must be at least 0"),
        ("chat", ASK, {"top_p": 1}, "top_p must be between"),
        ("chat", ASK, {"presence_penalty": -2}, "presence_penalty must be above -2"),
        ("chat", ASK, {"max_tokens": 3, "max_completion_tokens": 3}, "max_completion_tokens and max_tokens"),
        ("chat", ASK, {"top_logprobs": 3}, "top_logprobs needs logprobs"),
        ("chat", ASK, {"response_format": {"type": "json_object"}}, "json_object needs a schema"),
        ("chat", ASK, {"response_format": {"type": "json_schema", "json_schema": 5}}, "json_schema must be a mapping"),
        ("chat", ASK, {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}}, "with a schema"),
        ("chat", ASK, {"response_format": {"type": "xml"}}, "response_format.type"),
        ("chat", ASK, {"response_format": {"type": "json", "value": SCHEMA}, "tools": [TOOL]}, "cannot go with tools"),
        ("chat", ASK, {"tools": []}, "tools must have at least 1"),
        ("chat", ASK, {"model": "a\nb"}, "model must be printable"),
        ("complete", "", {}, "prompt must not be empty"),
        ("complete", ["a", ""], {}, r"prompt\[1\] must not be empty"),
        ("complete", [1, 2], {}, "takes no token ids"),
        ("complete", "a", {"logprobs": 2}, "logprobs"),
        ("stream_complete", ["a", "b"], {}, "prompt must be one text in a stream"),
        ("tokenize", "", {}, "text must not be empty"),
        ("tokenize", 7, {}, "text must be text"),
        ("chat_tokenize", ASK, {"temperature": 1}, "temperature"),
        ("count_tokens", "", {}, "text must not be empty"),
        ("count_tokens", [], {}, "messages must not be empty"),
    ],
)
async def test_wrong_arguments(
    sim: Simulator, tgi: HFTGI, call: str, argument: Any, options: dict[str, Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequestError, match=named) as caught:
        await getattr(tgi, "a" + call)(argument, **options)
    assert (caught.value.provider, caught.value.attempts) == ("hf_tgi", 0)
    assert sim.requests == []


@pytest.mark.parametrize("argument", ["n", "logit_bias", "user", "parallel_tool_calls", "reasoning_effort", "store"])
async def test_what_the_server_would_ignore(sim: Simulator, tgi: HFTGI, argument: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=argument):
        await tgi.achat(ASK, **{argument: 2})
    with pytest.raises(errors.UnsupportedError, match=argument):
        tgi.astream_chat(ASK, **{argument: 2})
    assert (await tgi.achat(ASK, **{argument: None})).text
    assert len(sim.requests) == 1


@pytest.mark.parametrize("argument", ["suffix", "echo"])
async def test_what_completion_would_refuse(sim: Simulator, tgi: HFTGI, argument: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=argument):
        await tgi.acomplete("hello", **{argument: "end"})
    assert sim.requests == []


async def test_no_body_means_no_extra_body(sim: Simulator, tgi: HFTGI) -> None:
    for call in (tgi.ainfo, tgi.ahealth, tgi.ametrics, tgi.amodels):
        with pytest.raises(errors.InvalidRequestError, match="extra_body"):
            await call(extra_body={"x": 1})
    assert sim.requests == []


@pytest.mark.parametrize("name", sorted(HFTGI.refusals))
async def test_refused_calls(sim: Simulator, tgi: HFTGI, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=name) as caught:
        await getattr(tgi, "a" + name)("query", ["text"], model="tiny")
    assert HFTGI.refusals[name] in caught.value.message
    assert callable(getattr(tgi, name))
    assert sim.requests == []


def test_twins_have_the_same_signatures() -> None:
    sources = [name for name in dir(HFTGI) if name.startswith("a") and hasattr(HFTGI, name[1:])]
    assert {"agenerate", "astream_generate", "achat", "achat_tokenize", "ametrics", "aembed"} <= set(sources)
    for name in sources:
        assert inspect.signature(getattr(HFTGI, name[1:])) == inspect.signature(getattr(HFTGI, name)), name
