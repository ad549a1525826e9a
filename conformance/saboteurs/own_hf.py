"""Sins of backends for Hugging Face's two servers: TGI taken for OpenAI, TEI taken for a server without limits or order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from math import hypot
from typing import Any, Final

from backends import errors
from backends.types import Chunk, Usage
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import receiving, replying, sending, telling
from conformance.saboteurs.str_reading import Reading, reading

_tgi: Final = partial(saboteur, subjects=("hf_tgi",), alone=True)
_tei: Final = partial(saboteur, subjects=("hf_tei",), alone=True)


@_tgi("CAP-02", "keeps the text of special tokens", case="generate async")
def keeps_special_tokens(backend: Any) -> None:
    """Every answer ends in </s>."""
    replying(backend, lambda reply: replace(reply, text="".join(token.text for token in reply.tokens)))


@_tgi("CAP-02", "drops the candidates that were not chosen", case="generate_with_everything async")
def drops_candidates(backend: Any) -> None:
    """best_of was paid for."""
    replying(backend, lambda reply: replace(reply, best_of_sequences=()))


@_tgi("CAP-02", "waits for a [DONE] that this server does not send", case="stream_generate async")
def waits_for_done(backend: Any) -> None:
    """A stream of events ends with it."""

    class Waiting(Reading):
        @property
        def done(self) -> bool:
            return False

    reading(backend, Waiting)


@_tgi("CAP-04", "sends stop as a text", case="stop")
def stop_as_text(backend: Any) -> None:
    """OpenAI takes either."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "stop": body["stop"][0]} if "stop" in body else body

    sending(backend, change)


@_tgi("CAP-04", "sends a schema in OpenAI's words", case="JSON schema")
def schema_of_another_dialect(backend: Any) -> None:
    """The server's word for it is value."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        wanted = body.get("response_format")
        if wanted is not None:
            body["response_format"] = {"type": wanted["type"], "json_schema": wanted["value"]}
        return body

    sending(backend, change)


@_tgi("ERR-01", "takes a text that is too long for any bad request")
def blind_to_length(backend: Any) -> None:
    """validation is validation."""

    def change(error: errors.BackendError) -> errors.BackendError:
        if isinstance(error, errors.ContextLengthError):
            return errors.InvalidRequestError(error.message, status=error.status, code=error.code)
        return error

    telling(backend, change)


@_tgi("ERR-02", "reads an error at 200 as an empty answer")
def takes_errors_for_answers(backend: Any) -> None:
    """There was no choice."""
    silence = {"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}]}
    receiving(backend, lambda data: silence if isinstance(data, dict) and "error" in data else data)


@_tgi("STR-03", "takes an error event for text")
def reads_errors_out(backend: Any) -> None:
    """The status was 200, so it is what the model said."""

    class Reciting(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            try:
                yield from super().feed(data)
            except errors.BackendError as error:
                self.ended = True
                yield Chunk(error.message)

    reading(backend, Reciting)


@_tei("CAP-02", "takes the order of a ranking for that of the texts", case="rerank async")
def ignores_the_index(backend: Any) -> None:
    """The best score goes to the first text."""

    def change(reply: Any) -> Any:
        if not hasattr(reply, "results"):
            return reply
        ranked = [replace(entry, index=place) for place, entry in enumerate(reply.results)]
        return replace(reply, results=tuple(ranked))

    replying(backend, change)


@_tei("CAP-02", "sends a batch beyond the server's limit whole", case="embed_in_parts async")
def ignores_the_limit(backend: Any) -> None:
    """The server may split it."""

    async def boundless(options: Any) -> int:
        return 1_000_000

    backend._batch_size = boundless


@_tei("CAP-01", "takes a list of two texts for a pair", case="predict_several async")
def pairs_what_is_listed(backend: Any) -> None:
    """On the wire a list of two may be either."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        return {**body, "inputs": [text for texts in body["inputs"] for text in texts][:2]}

    sending(backend, change)


@_tei("CAP-02", "makes every vector's length 1", case="embed_with_everything async")
def always_normalizes(backend: Any) -> None:
    """normalize=False was for somebody."""

    def change(reply: Any) -> Any:
        if not hasattr(reply, "vectors"):
            return reply
        units = (tuple(number / hypot(*vector) for number in vector) for vector in reply.vectors)
        return replace(reply, vectors=tuple(units))

    replying(backend, change)


@_tei("CAP-02", "does not look for token counts in the headers", case="embed async")
def counts_in_bodies_only(backend: Any) -> None:
    """The body has none."""
    replying(backend, lambda reply: replace(reply, usage=Usage()) if hasattr(reply, "usage") else reply)


@_tei("ERR-01", "takes a model of another kind for an outage")
def hopes_for_another_model(backend: Any) -> None:
    """424 Backend."""

    def change(error: errors.BackendError) -> errors.BackendError:
        if error.status == 424:
            return errors.ServerError(error.message, status=424, code=error.code)
        return error

    telling(backend, change)


@_tei("ERR-02", "takes a number that is missing for zero")
def fills_up_vectors(backend: Any) -> None:
    """A text of which the model made nothing is like every other."""

    def change(data: Any) -> Any:
        if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
            return data
        return [[number or 0.0 for number in row] for row in data]

    receiving(backend, change)
