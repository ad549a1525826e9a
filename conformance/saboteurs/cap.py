"""Saboteurs of chapter CAP: calls that send something else, read half, or promise what is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.saboteurs import HTTP_ROWS, saboteur
from conformance.saboteurs.common import replying, rewriting, sending


@saboteur("CAP-01", "sends a field that the provider does not know", subjects=HTTP_ROWS)
def invents_a_field(backend: Any) -> None:
    """The gateway's own settings leak into the request."""
    sending(backend, lambda body: {**body, "num_retries": 3})


@saboteur("CAP-01", "sends requests to a path without the version")
def wrong_path(backend: Any) -> None:
    """Works with one gateway only."""
    rewriting(backend, lambda operation: replace(operation, path="/api" + operation.path))


@saboteur("CAP-02", "keeps of the payload only what it knows")
def trims_the_payload(backend: Any) -> None:
    """Fields of next month's API are gone."""
    answer = backend._answer

    def spoilt(call: Any, response: Any, data: Any) -> Any:
        made = answer(call, response, data)
        if isinstance(made.data, dict):
            made.data = {name: value for name, value in made.data.items() if name != "from_the_future"}
        return made

    backend._answer = spoilt


@saboteur("CAP-02", "drops the answer's headers", subjects=HTTP_ROWS)
def drops_headers(backend: Any) -> None:
    """Rate-limit windows never reach the caller (litellm#27823)."""
    answer = backend._answer

    def spoilt(*arguments: Any) -> Any:
        made = answer(*arguments)
        made.headers = {}
        return made

    backend._answer = spoilt


@saboteur(
    "CAP-02",
    "returns a ranking in the order of the texts",
    subjects=("hf_tei", "opea", "ovms", "vllm"),
    alone=True,
    case="rerank async",
)
def undoes_the_ranking(backend: Any) -> None:
    """Sorted by index, as everything is."""

    def change(reply: Any) -> Any:
        if not hasattr(reply, "results"):
            return reply
        return replace(reply, results=tuple(sorted(reply.results, key=lambda one: one.index)))

    replying(backend, change)


@saboteur("CAP-03", "sends what the provider switched off and lets it answer 404")
def sends_dead_calls(backend: Any) -> None:
    """The refusal costs a request and names no replacement."""
    from backends.operation import Operation

    async def dead(*arguments: Any, **options: Any) -> Any:
        del arguments, options
        return await backend._perform(Operation("assistants", lambda answer: answer.data, "/assistants"), {})

    backend.aassistants = dead


@saboteur("CAP-04", "drops parameters silently")
def drops_parameters(backend: Any) -> None:
    """seed, stop and logit_bias are accepted and forgotten."""
    dropped = ("seed", "stop", "logit_bias")
    sending(backend, lambda body: {name: value for name, value in body.items() if name not in dropped})


@saboteur("CAP-04", "folds the system prompt into the user's message")
def folds_the_system_prompt(backend: Any) -> None:
    """The model is told in another voice."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        if "messages" in body:
            body["messages"] = [{**message, "role": "user"} for message in body["messages"]]
        return body

    sending(backend, change)


@saboteur("CAP-05", "loses what is split between two pieces of the stream")
def loses_split_events(backend: Any) -> None:
    """Each piece that arrives is read as if it held whole events."""

    class Careless:
        def __init__(self, reader: Any) -> None:
            self._reader = reader

        def __getattr__(self, name: str) -> Any:
            return getattr(self._reader, name)

        def feed(self, data: bytes) -> Any:
            whole = data[: data.rfind(b"\n\n") + 2] if b"\n\n" in data else b""
            yield from self._reader.feed(whole)

    def change(operation: Any) -> Any:
        make = operation.stream
        return operation if make is None else replace(operation, stream=lambda: Careless(make()))

    rewriting(backend, change)
