"""Mishaps in what an answer says although its framing is right: pages, garbage, JSON that is none or that lies.

The provider has answered, so nothing is repeated and no breaker learns of it.
"""

from __future__ import annotations

from typing import Any, Final

from backends import errors
from backends.wire.values import Failure
from conformance.faults.fault import End, Mishap, Stage, answered, lost, once, repeated
from conformance.simulators.faults import (
    Action,
    DeepJson,
    Drop,
    EmptyBody,
    ErrorInside,
    Garbage,
    Html,
    Literal,
    Prefixed,
    Replace,
    Status,
    Truncate,
    Twice,
    WrongContentType,
)

__all__ = ["MISHAPS"]

_UNREADABLE: Final = once(errors.ResponseFormatError)
_NOTHING: Final = lost(Failure.CUT_SHORT)
_ITS_ERROR: Final = repeated(errors.ServerError)


def _mishap(
    name: str, does: str, plain: End | None, stream: End | None, *actions: Action, family: str, **facts: Any
) -> Mishap:
    return Mishap(
        name=name,
        stage=Stage.CONTENT,
        family=family,
        does=does,
        actions=actions,
        plain=plain,
        stream=stream,
        **facts,
    )


def _document(
    name: str, does: str, action: Action, stream: End | None = _UNREADABLE, plain: End = _UNREADABLE
) -> Mishap:
    return _mishap(name, does, plain, stream, action, family="documents")


def _field(name: str, does: str, plain: End, stream: End, action: Action) -> Mishap:
    return _mishap(name, does, plain, stream, action, family="fields")


def _count(name: str, does: str, action: Action) -> Mishap:
    return _mishap(name, does, answered(), answered(), action, family="counts", needs=frozenset({"usage"}))


MISHAPS: Final = (
    _document("page 200", "an HTML page with status 200", Html(200)),
    _document("empty 200", "no body at all", EmptyBody(200), _NOTHING),
    _document("status 204", "a 204", EmptyBody(204), _NOTHING),
    _document("plain words", "a sentence that is no JSON", Status(200, body="plain words")),
    _document("garbage", "bytes that are no text", Garbage()),
    _document("half a document", "JSON that ends in its middle", Truncate(0.5), None),
    _document("not an object", "a number where an object is due", Status(200, body="17")),
    _document("null", "null", Status(200, body="null")),
    _document("empty object", "an object without a field", Status(200, body={})),
    _document("nested 500 deep", "an unknown field of 500 nested arrays", DeepJson(500)),
    _document("nested 100,000 deep", "an unknown field of 100,000 nested arrays", DeepJson(100_000)),
    _document("byte order mark", "a byte order mark before the text", Prefixed(), answered(), answered()),
    _document("wrong type", "the right body under the name text/html", WrongContentType(), answered(), answered()),
    _document(
        "error inside 200", "the provider's error body under status 200", ErrorInside(500), _ITS_ERROR, _ITS_ERROR
    ),
    _field(
        "content missing", "the field that holds the content is not there", _UNREADABLE, _UNREADABLE, Drop("{holder}")
    ),
    _field(
        "content of wrong type",
        "an object where the content is due",
        _UNREADABLE,
        _UNREADABLE,
        Replace("{content}", {"a": 1}),
    ),
    _field("content twice", "the field of the content twice in one object", answered(), answered(), Twice("{content}")),
    _field(
        "lone surrogate",
        "half of a character in the content",
        answered(),
        answered(),
        Literal("{content}", r'"\ud83d{true}"'),
    ),
    _field("content NaN", "NaN in place of the content", _UNREADABLE, _UNREADABLE, Literal("{content}", "NaN")),
    _field(
        "content too large a number",
        "1e400 in place of the content",
        _UNREADABLE,
        _UNREADABLE,
        Literal("{content}", "1e400"),
    ),
    _field(
        "content of 5000 digits",
        "a number of 5000 digits in place of the content",
        _UNREADABLE,
        _UNREADABLE,
        Literal("{content}", "1" * 5000),
    ),
    _count("count negative", "a negative count of tokens", Replace("{count}", -5)),
    _count("count too large", "1e400 tokens", Literal("{count}", "1e400")),
    _count("count huge", "a count of 400 digits", Literal("{count}", "9" * 400)),
    _count("count as text", "a count of tokens that is text", Replace("{count}", "seven")),
    _count("count missing", "a count of tokens that is not there", Drop("{count}")),
)
