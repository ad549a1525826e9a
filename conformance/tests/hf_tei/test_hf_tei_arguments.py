"""Wrong arguments are refused before the wire and named; what the server lacks is refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from backends import errors
from backends.hf_tei import HFTEI
from conformance.simulators import Simulator


@pytest.mark.parametrize(
    ("call", "arguments", "options", "named"),
    [
        ("embed", [""], {}, "texts must not be empty"),
        ("embed", [[]], {}, "texts must not be empty"),
        ("embed", [7], {}, "texts must be a list, not int"),
        ("embed", [["a", ""]], {}, r"texts\[1\] must not be empty"),
        ("embed", [["a", 7]], {}, r"texts\[1\] must be text"),
        ("embed", [["a", []]], {}, r"texts\[1\] must not be empty"),
        ("embed", [[1, "a"]], {}, r"texts\[1\] must be a token id"),
        ("embed", [[1, -1]], {}, r"texts\[1\] must be a token id"),
        ("embed", [[True]], {}, r"texts\[0\] must be text"),
        ("embed", [["a", ["b"]]], {}, r"texts\[1\]\[0\] must be a token id"),
        ("embed", ["a"], {"dimensions": 0}, "dimensions must be at least 1"),
        ("embed", ["a"], {"normalize": 1}, "normalize must be True or False"),
        ("embed", ["a"], {"truncation_direction": "up"}, "truncation_direction must be one of"),
        ("embed", ["a"], {"prompt_name": 7}, "prompt_name must be text"),
        ("embed", ["a"], {"normalise": True}, "normalise.*normalize"),
        ("embed", ["a"], {"model": 7}, "model must be text"),
        ("embed_all", ["a"], {"normalize": True}, "normalize"),
        ("embed_sparse", [[]], {}, "texts must not be empty"),
        ("rerank", ["", ["a"]], {}, "query must not be empty"),
        ("rerank", [7, ["a"]], {}, "query must be text"),
        ("rerank", ["q", "text"], {}, "texts must be a list, not str"),
        ("rerank", ["q", []], {}, "texts must not be empty"),
        ("rerank", ["q", ["a", None]], {}, r"texts\[1\] must be text"),
        ("rerank", ["q", ["a"]], {"top_n": 5}, "top_n"),
        ("predict", [""], {}, "inputs must not be empty"),
        ("predict", [[]], {}, "inputs must not be empty"),
        ("predict", [("a",)], {}, "inputs must be a text, or a pair"),
        ("predict", [("a", "")], {}, r"inputs\[1\] must not be empty"),
        ("predict", [["a", ["b", "c"]]], {}, r"inputs\[1\] must be a text, or a pair of texts as a tuple"),
        ("predict", [{"a": 1}], {}, "inputs must be a text"),
        ("predict", ["a"], {"return_text": True}, "return_text"),
        ("similarity", ["", ["a"]], {}, "sentence must not be empty"),
        ("similarity", ["a", "b"], {}, "sentences must be a list"),
        ("similarity", ["a", []], {}, "sentences must not be empty"),
        ("openai_embed", ["a"], {"encoding_format": "int8"}, "encoding_format must be one of"),
        ("openai_embed", ["a"], {"normalize": True}, "normalize"),
        ("openai_embed", [["a", [1]]], {}, r"texts\[1\] must be text"),
        ("tokenize", [[]], {}, "texts must not be empty"),
        ("tokenize", [[[1]]], {}, r"texts\[0\] must be text"),
        ("decode", ["text"], {}, "ids must be a list of token ids"),
        ("decode", [[]], {}, "ids must be a list of token ids"),
        ("decode", [[1, "a"]], {}, r"ids\[1\] must be a token id"),
        ("decode", [[[1], 2]], {}, r"ids\[1\] must be a list"),
        ("count_tokens", [["a"]], {}, "text must be text"),
        ("info", [], {"extra_body": {"x": 1}}, "extra_body"),
        ("models", [], {"deadline": -1}, "deadline"),
        ("metrics", [], {"priorty": 1}, "priorty.*priority"),
    ],
)
async def test_wrong_arguments(
    sim: Simulator, tei: HFTEI, call: str, arguments: list[Any], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(errors.InvalidRequestError, match=named) as caught:
        await getattr(tei, "a" + call)(*arguments, **options)
    assert (caught.value.provider, caught.value.attempts) == ("hf_tei", 0)
    assert sim.requests == []


@pytest.mark.parametrize("name", sorted(HFTEI.refusals))
async def test_refused_calls(sim: Simulator, tei: HFTEI, name: str) -> None:
    with pytest.raises(errors.UnsupportedError, match=name) as caught:
        await getattr(tei, "a" + name)("query", ["text"], model="tiny")
    assert HFTEI.refusals[name] in caught.value.message
    assert callable(getattr(tei, name))
    assert sim.requests == []


def test_twins_have_the_same_signatures() -> None:
    sources = [name for name in dir(HFTEI) if name.startswith("a") and hasattr(HFTEI, name[1:])]
    assert {"aembed", "arerank", "apredict", "asimilarity", "adecode", "ametrics", "achat"} <= set(sources)
    for name in sources:
        assert inspect.signature(getattr(HFTEI, name[1:])) == inspect.signature(getattr(HFTEI, name)), name
