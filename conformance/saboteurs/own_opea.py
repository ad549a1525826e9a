"""Sins of an OPEA backend: believing the status, the shape and the zeros of services that tell no error."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends import errors
from backends.resilience.failures import AttemptFailed
from backends.types import ChatReply, Usage
from backends.wire.jsontext import loads
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import replying, rewriting, sending
from conformance.saboteurs.str_reading import reading

_sin: Final = partial(saboteur, subjects=("opea",), alone=True)


def _becoming(backend: Any, **methods: Any) -> None:
    """Give every stream's reader other methods."""

    def change(reader: Any) -> Any:
        reader.__class__ = type("Spoilt", (type(reader),), {"__slots__": (), **methods})
        return reader

    reading(backend, change)


@_sin("CAP-02", "leaves tokens as Python wrote them", case="stream_chatqna async")
def shows_literals(backend: Any) -> None:
    """b'Caf\\xc3\\xa9'"""
    _becoming(backend, _decoded=lambda reader, content, *, final=False: repr(content) if content else "")


@_sin("CAP-02", "reads the bytes of a token as Latin-1", case="stream_chatqna async")
def mistakes_the_encoding(backend: Any) -> None:
    """The escapes look like characters."""
    _becoming(backend, _decoded=lambda reader, content, *, final=False: content.decode("latin-1"))


@_sin("ERR-02", "takes a guardrail's refusal for the answer")
def recites_refusals(backend: Any) -> None:
    """The status was 200."""
    attempt = backend._attempt

    async def spoilt(*arguments: Any) -> Any:
        try:
            return await attempt(*arguments)
        except AttemptFailed as failure:
            if isinstance(failure.error, errors.ContentFilterError):
                return ChatReply(text=failure.error.message)
            raise

    backend._attempt = spoilt


@_sin("ERR-02", "takes an answer without a word for an answer")
def takes_silence(backend: Any) -> None:
    """It ended as it should."""

    def _end(reader: Any) -> None:
        reader.done = True

    _becoming(backend, _end=_end)


@_sin("CAP-02", "takes the zeros of a service that counts nothing for counts", case="chatqna async")
def believes_zeros(backend: Any) -> None:
    """They are numbers."""
    replying(backend, lambda reply: replace(reply, usage=Usage(0, 0, 0)) if isinstance(reply, ChatReply) else reply)


@_sin("CAP-01", "leaves out that it wants no stream", case="codegen async")
def streams_unasked(backend: Any) -> None:
    """Here a stream is what comes unless told otherwise."""
    sending(backend, lambda body: {name: value for name, value in body.items() if name != "stream"})


@_sin("CAP-02", "believes that no stream comes where none was asked for", case="codetrans async")
def expects_what_it_asked_for(backend: Any) -> None:
    """Three services always stream."""

    def change(operation: Any) -> Any:
        read = operation.read

        def strict(answer: Any) -> Any:
            loads(answer.data)
            return read(answer)

        return replace(operation, read=strict)

    rewriting(backend, change)


@_sin("CAP-02", "gives a score to what a service only chose", case="rerank opea async")
def invents_scores(backend: Any) -> None:
    """0.0 is a number like any other."""

    def change(reply: Any) -> Any:
        return replace(reply, results=tuple(replace(one, score=one.score or 0.0) for one in reply.results))

    replying(backend, change)
