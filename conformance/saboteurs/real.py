"""Backends that pretend: the answers, the traffic or the source are not what they seem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from backends.types import ChatReply, Usage
from conformance.saboteurs import EVERY_ROW, saboteur


@saboteur("REAL-01", "answers with a text of its own, whatever the server said")
def invents_answers(backend: Any) -> None:
    """Answers with a text of its own, whatever the server said."""
    perform = backend._perform

    async def spoilt(operation: Any, options: Any) -> Any:
        reply = await perform(operation, options)
        return replace(reply, text="Hello! How can I help you today?", raw={}, provider_request_id=None)

    backend._perform = spoilt


@saboteur("REAL-01", "repeats the first answer to every later request")
def repeats_itself(backend: Any) -> None:
    """Repeats the first answer to every later request."""
    perform, kept = backend._perform, []

    async def spoilt(operation: Any, options: Any) -> Any:
        kept.append(await perform(operation, options))
        return kept[0]

    backend._perform = spoilt


@saboteur("REAL-02", "answers without sending anything", subjects=EVERY_ROW)
def never_sends(backend: Any) -> None:
    """Answers without sending anything."""

    async def spoilt(call: Any, endpoint: Any) -> Any:
        return ChatReply(text="Hello!", model=call.model, usage=Usage(1, 1, 2), attempts=1)

    backend._run = spoilt


@saboteur("REAL-02", "sends every call to the list of models")
def wrong_route(backend: Any) -> None:
    """Sends every call to the list of models."""
    perform = backend._perform

    async def spoilt(operation: Any, options: Any) -> Any:
        return await perform(
            replace(operation, method="GET", path="/models", body=None, read=lambda answer: answer.data), options
        )

    backend._perform = spoilt


class ConstantAnswers:
    """Answers from the source text."""

    async def achat(self, messages: Any, **options: Any) -> ChatReply:
        """Return a constant."""
        return ChatReply(text="Hello! How can I help you today?", finish_reason="stop")


class SwallowedErrors:
    """Turns every failure into an answer."""

    async def achat(self, messages: Any, **options: Any) -> Any:
        """Return the answer, or something that looks like one."""
        try:
            return await self._perform(messages, options)  # type: ignore[attr-defined]
        except Exception:
            return ChatReply(text="")


class StubbedCalls:
    """Has a method of the right name."""

    async def achat(self, messages: Any, **options: Any) -> Any:
        """Chat one day."""
        raise NotImplementedError


def _become(backend: Any, kind: type) -> None:
    backend.__class__ = type(kind.__name__, (kind, type(backend)), {})


@saboteur("REAL-03", "a method that returns a constant")
def constant_answers(backend: Any) -> None:
    """A method that returns a constant."""
    _become(backend, ConstantAnswers)


@saboteur("REAL-03", "a method that swallows every error")
def swallowed_errors(backend: Any) -> None:
    """A method that swallows every error."""
    _become(backend, SwallowedErrors)


@saboteur("REAL-03", "a method that only raises NotImplementedError")
def stubbed_calls(backend: Any) -> None:
    """A method that only raises NotImplementedError."""
    _become(backend, StubbedCalls)


@saboteur("REAL-04", "reports the same usage for every answer")
def constant_usage(backend: Any) -> None:
    """Reports the same usage for every answer."""
    perform = backend._perform

    async def spoilt(operation: Any, options: Any) -> Any:
        return replace(await perform(operation, options), usage=Usage(10, 20, 30))

    backend._perform = spoilt


@saboteur("REAL-04", "replaces the provider's message by one of its own", subjects=EVERY_ROW)
def constant_errors(backend: Any) -> None:
    """Replaces the provider's message by one of its own."""
    complete = backend._completed

    def spoilt(error: Any, call: Any) -> Any:
        error.message, error.args = "Something went wrong.", ("Something went wrong.",)
        return complete(error, call)

    backend._completed = spoilt
