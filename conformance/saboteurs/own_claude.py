"""Sins of a Claude backend: what its API tells apart and a careless client does not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends.resilience.failures import AttemptFailed
from backends.types import Chunk
from conformance.saboteurs import saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.common import receiving, replying
from conformance.saboteurs.str_reading import Reading, reading

_sin: Final = partial(saboteur, subjects=("claude",), alone=True)


@_sin("CAP-04", "leaves cached tokens out of the input tokens", case="prompt caching")
def forgets_cached_tokens(backend: Any) -> None:
    """The provider counts them apart, so a long prompt looks like a short one."""

    def change(reply: Any) -> Any:
        return replace(reply, usage=replace(reply.usage, input_tokens=reply.raw["usage"]["input_tokens"]))

    replying(backend, change)


@_sin("CAP-04", "puts the thinking before the answer's text", case="thinking")
def thinks_aloud(backend: Any) -> None:
    """One text is simpler than two."""
    replying(backend, lambda reply: replace(reply, text=f"{reply.reasoning}\n{reply.text}"))


@_sin("CAP-04", "loses the signature of the thinking", case="thinking")
def loses_the_signature(backend: Any) -> None:
    """The next turn with tools is refused."""

    def unsigned(reply: Any) -> Any:
        blocks = [{name: value for name, value in block.items() if name != "signature"} for block in reply.content]
        return replace(reply, content=tuple(blocks))

    replying(backend, unsigned)


@_sin("CAP-01", "sends no anthropic-version", case="chat async")
def sends_no_version(backend: Any) -> None:
    """The gateway in front of it filled it in."""
    backend.fixed_headers = lambda endpoint: ()


@_sin("CAP-02", "takes the first page for the list", case="list_batches async")
def reads_one_page(backend: Any) -> None:
    """Nobody had more than twenty batches."""
    receiving(backend, lambda data: {**data, "has_more": False} if "has_more" in data else data)


@_sin("BAK-01", "gives up on 529")
def gives_up_when_overloaded(backend: Any) -> None:
    """It stands in no RFC."""

    def change(failure: AttemptFailed) -> None:
        failure.repeatable = failure.repeatable and failure.error.status != 529

    judging(backend, change)


@_sin("ERR-01", "reads the type of an error and not its code")
def overlooks_details(backend: Any) -> None:
    """A spend limit is a rate limit that passes."""
    read = backend.read_error

    def spoilt(status: int, headers: Any, data: Any, operation: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("error"), dict):
            data = {**data, "error": {**data["error"], "details": None}}
        return read(status, headers, data, operation)

    backend.read_error = spoilt


@_sin("ERR-02", "reads an error at 200 as an empty message")
def takes_errors_for_messages(backend: Any) -> None:
    """A gateway puts them there."""
    receiving(backend, lambda data: {**data, "type": "message", "content": []} if "error" in data else data)


@_sin("ERR-04", "sends the sampling parameters that this version refuses")
def samples_all_the_same(backend: Any) -> None:
    """They were always there."""
    backend.samples = True


@_sin("STR-03", "takes an error event for one it need not know")
def takes_errors_for_pings(backend: Any) -> None:
    """The status was 200."""

    class Deaf(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            return super().feed(
                data.replace(b"event: error", b"event: ping").replace(b'"type":"error"', b'"type":"ping"')
            )

    reading(backend, Deaf)
