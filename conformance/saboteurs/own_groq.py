"""Sins of a Groq backend: taking the service for the dialect that it speaks."""

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
from conformance.saboteurs.str_reading import Reading, reading, taking

_sin: Final = partial(saboteur, subjects=("groq",), alone=True)


@_sin("CAP-04", "adds up the usage that is reported twice", case="usage asked for in a stream")
def counts_usage_twice(backend: Any) -> None:
    """Once in x_groq, once in a chunk of its own."""

    class Adding(Reading):
        def __init__(self, inner: Any) -> None:
            super().__init__(inner)
            self.reports = 0

        def feed(self, data: bytes) -> Iterable[Chunk]:
            self.reports += data.count(b'"total_tokens"')
            return super().feed(data)

        def reply(self, answer: Any) -> Any:
            made = super().reply(answer)
            output = made.usage.output_tokens * self.reports
            return replace(made, usage=replace(made.usage, output_tokens=output))

    reading(backend, Adding)


@_sin("STR-05", "does not look into x_groq")
def overlooks_x_groq(backend: Any) -> None:
    """OpenAI's usage chunk never comes."""
    taking(backend, lambda payload: {name: value for name, value in payload.items() if name != "x_groq"})


@_sin("CAP-02", "drops the times", case="chat async")
def drops_the_times(backend: Any) -> None:
    """The dialect's usage has three fields."""

    def change(data: Any) -> Any:
        kept = {name: value for name, value in data["usage"].items() if not name.endswith("_time")}
        return {**data, "usage": kept}

    receiving(backend, change)


@_sin("CAP-04", "bills a sound by its seconds", case="sound at an address, with times")
def bills_by_the_second(backend: Any) -> None:
    """Less than ten are billed as ten."""
    replying(backend, lambda reply: replace(reply, cost=reply.duration / 3600 * 0.04))


@_sin("BAK-01", "takes 498 for the caller's fault")
def gives_up_at_capacity(backend: Any) -> None:
    """It is a 4xx."""

    def change(failure: AttemptFailed) -> None:
        failure.repeatable = failure.repeatable and failure.error.status != 498

    judging(backend, change)


@_sin("ERR-04", "lets a retired model through")
def sends_retired_models(backend: Any) -> None:
    """The service will say so."""
    backend._allow_retired = True
