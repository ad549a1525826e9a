"""Sins of a vLLM backend: knowing the dialect, and not the server behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends.wire.values import FormatError
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import replying, rewriting, sending
from conformance.saboteurs.str_reading import taking

_sin: Final = partial(saboteur, subjects=("vllm",), alone=True)


@_sin("CAP-01", "lets the priority of its own queue out on the wire", case="chat async")
def leaks_its_priority(backend: Any) -> None:
    """A server with the usual scheduling refuses it."""
    sending(backend, lambda body: {**body, "priority": 1})


@_sin("CAP-01", "looks for every route below /v1", case="tokenize async")
def knows_one_root(backend: Any) -> None:
    """As in OpenAI's API."""

    def change(operation: Any) -> Any:
        path = operation.path if operation.path.startswith("/v1/") else "/v1" + operation.path
        return replace(operation, path=path)

    rewriting(backend, change)


@_sin("CAP-02", "hands the answers of a batch out in another order", case="chat_batch async")
def shuffles_answers(backend: Any) -> None:
    """Each caller gets somebody's."""
    replying(backend, lambda reply: replace(reply, texts=reply.texts[::-1]))


@_sin("ERR-01", "cannot read an error that is a bare text")
def reads_objects_only(backend: Any) -> None:
    """A refused key is answered by one."""
    read = backend.read_error

    def spoilt(status: int, headers: Any, data: Any, operation: Any) -> Any:
        known = isinstance(data, Mapping) and isinstance(data.get("error"), Mapping)
        return read(status, headers, data if known else {}, operation)

    backend.read_error = spoilt


@_sin("STR-05", "breaks off at the usage chunk")
def chokes_on_usage(backend: Any) -> None:
    """It has no choices."""

    def strict(payload: Any) -> Any:
        if not payload["choices"]:
            raise FormatError("a chunk has no choices")
        return payload

    taking(backend, strict)


@_sin("TRK-01", "keeps its request id to itself")
def keeps_the_id(backend: Any) -> None:
    """The server logs another one."""
    sending(backend, lambda body: {name: value for name, value in body.items() if name != "request_id"})
