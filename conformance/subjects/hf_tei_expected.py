"""What TEI's documents say about errors and arguments; see :mod:`conformance.expectations`.

Kinds and rules: ``router/src/http/server.rs`` and ``types.rs`` of text-embeddings-inference 1.9.3. Kinds are capitalised
on the wire and in lower case in its documents: both are asked.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NoAnswer
from conformance.faults.fault import once
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_TOO_LONG: Final = "Input validation error: `inputs` must have less than 512 tokens. Given: 4000"
_TOO_MANY: Final = "Input validation error: batch size 40 > maximum allowed batch size 32"


def _embed(names: str, texts: Any = "hello", **options: Any) -> BadCall:
    return BadCall(names, lambda backend: backend.aembed(texts, **options))


EXPECTED: Final = Expectations(
    ends={"lone surrogate": once(errors.ResponseFormatError)},  # text, where a number is due
    spared={
        "content twice": "its answer is a list of numbers, which has no names",
        "counts": "its counts stand in headers",
    },
    content=("[0][0]", ""),
    errors=(
        ErrorCase(400, errors.InvalidRequestError, "Empty"),
        ErrorCase(422, errors.InvalidRequestError, "Validation", _TOO_MANY),
        ErrorCase(422, errors.ContextLengthError, "Validation", _TOO_LONG),
        ErrorCase(422, errors.InvalidRequestError, "validation"),
        ErrorCase(422, errors.InvalidRequestError, "Tokenizer"),
        ErrorCase(424, errors.ServerError, "Backend"),
        ErrorCase(424, errors.ServerError, "backend"),
        ErrorCase(424, errors.UnsupportedError, "Backend", "model is not a re-ranker model"),
        ErrorCase(424, errors.UnsupportedError, "Backend", "Backend error: Model is not an embedding model"),
        ErrorCase(429, errors.OverloadedError, "Overloaded"),
        ErrorCase(503, errors.OverloadedError, "Unhealthy"),
    ),
    no_answers=(NoAnswer(Status(200, body=[[0.5, None]]), errors.ResponseFormatError, "cannot be read"),),
    bad_calls=(
        _embed("texts", ""),
        _embed("texts", []),
        _embed("texts", 5),
        _embed("texts[1]", ["one", ""]),
        _embed("texts[1]", ["one", 2]),
        _embed("texts[1]", ["one", []]),
        _embed("texts[0]", [-1]),
        _embed("texts[1][0]", ["one", ["two"]]),
        _embed("dimensions", dimensions=0),
        _embed("normalize", normalize="yes"),
        _embed("truncation_direction", truncation_direction="Up"),
        _embed("prompt_name", prompt_name=5),
        _embed("normalise", normalise=True),
        _embed("model", model=""),
        _embed("extra_headers", extra_headers={"Authorization": "Bearer other"}),
        BadCall("normalize", lambda backend: backend.aembed_all("hello", normalize=True)),
        BadCall("query", lambda backend: backend.arerank("", ["one"])),
        BadCall("texts", lambda backend: backend.arerank("query", [])),
        BadCall("texts", lambda backend: backend.arerank("query", "one text")),
        BadCall("inputs", lambda backend: backend.apredict([])),
        BadCall("inputs[1]", lambda backend: backend.apredict(["one", ["two", "three"]])),
        BadCall("inputs", lambda backend: backend.apredict(("one", "two", "three"))),
        BadCall("sentences", lambda backend: backend.asimilarity("one", [])),
        BadCall("sentence", lambda backend: backend.asimilarity("", ["one"])),
        BadCall("encoding_format", lambda backend: backend.aopenai_embed("hello", encoding_format="int8")),
        BadCall("ids", lambda backend: backend.adecode([])),
        BadCall("ids[1]", lambda backend: backend.adecode([1, "two"])),
        BadCall("text", lambda backend: backend.acount_tokens("")),
    ),
    unsayable=(_embed("inputs", "half of a \ud83d character"),),
    injections=(lambda backend, text: backend.aembed("hello", model=text),),
)
