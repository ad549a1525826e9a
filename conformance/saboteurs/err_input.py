"""Saboteurs of chapter ERR, second part: callers left to the server's mercy, errors that do not travel."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from backends import errors
from conformance.saboteurs import EVERY_ROW, saboteur

_HELLO = [{"role": "user", "content": "hello"}]


def _mending(backend: Any, mend: Callable[[Any, dict[str, Any]], Any]) -> None:
    """Let ``mend`` change messages and options before the good backend sees them."""
    whole, streamed = backend.achat, backend.astream_chat

    async def chat(messages: Any, **options: Any) -> Any:
        return await whole(mend(messages, options), **options)

    def stream(messages: Any, **options: Any) -> Any:
        return streamed(mend(messages, options), **options)

    backend.achat, backend.astream_chat = chat, stream


@saboteur("ERR-04", "ignores arguments that it does not know")
def ignores_unknown_arguments(backend: Any) -> None:
    """A typing error costs an evening."""

    def mend(messages: Any, options: dict[str, Any]) -> Any:
        options.pop("temprature", None)
        return messages

    _mending(backend, mend)


@saboteur("ERR-04", "lets the server find out")
def leaves_it_to_the_server(backend: Any) -> None:
    """Bad arguments cost a round trip, and count against the rate limit."""
    whole = backend.achat

    async def chat(messages: Any, **options: Any) -> Any:
        try:
            return await whole(messages, **options)
        except errors.InvalidRequestError as refusal:
            if not refusal.attempts:
                await whole(_HELLO)
            raise

    backend.achat = chat


@saboteur("ERR-04", "does not say which argument is wrong")
def names_nothing(backend: Any) -> None:
    """Bad request."""
    whole = backend.achat

    async def chat(messages: Any, **options: Any) -> Any:
        try:
            return await whole(messages, **options)
        except errors.InvalidRequestError as refusal:
            refusal.message = refusal.message if refusal.attempts else "An argument is wrong."
            raise

    backend.achat = chat


@saboteur("ERR-04", "clips settings into their range", maker=True)
def clips_settings(make: Callable[..., Any]) -> Callable[..., Any]:
    """What was asked for is not what is done."""

    def clipping(site: Any, **settings: Any) -> Any:
        if settings.get("max_retries") == -1:
            settings["max_retries"] = 0
        return make(site, **settings)

    return clipping


@saboteur("ERR-05", "raises errors that cannot be pickled")
def unpicklable(backend: Any) -> None:
    """They hold the response, and a lock."""
    complete = backend._completed

    def spoilt(error: Any, call: Any) -> Any:
        complete(error, call)
        error.partial = error.partial or (lambda: None)
        return error

    backend._completed = spoilt


@saboteur("ERR-05", "breaks off the chain of causes")
def forgets_the_cause(backend: Any) -> None:
    """Nobody learns what the provider said."""
    complete = backend._completed

    def spoilt(error: Any, call: Any) -> Any:
        complete(error, call)
        error.__cause__ = None
        return error

    backend._completed = spoilt


@saboteur("ERR-05", "blames the provider for everything", subjects=EVERY_ROW)
def blames_the_provider(backend: Any) -> None:
    """A bad request is an outage."""
    complete = backend._completed

    def spoilt(error: Any, call: Any) -> Any:
        complete(error, call)
        error.fault = "provider"
        return error

    backend._completed = spoilt


@saboteur("ERR-06", "takes an unknown model for a missing page")
def plain_not_found(backend: Any) -> None:
    """404 is 404."""
    read = backend.read_error

    def spoilt(*arguments: Any) -> errors.BackendError:
        error: errors.BackendError = read(*arguments)
        known = isinstance(error, errors.UnknownModelError) and error.suggestions
        return errors.NotFoundError(error.message, status=error.status, code=error.code) if known else error

    backend.read_error = spoilt


@saboteur("ERR-06", "suggests nothing")
def no_suggestions(backend: Any) -> None:
    """The caller may look it up."""
    read = backend.read_error

    def spoilt(*arguments: Any) -> errors.BackendError:
        error: errors.BackendError = read(*arguments)
        error.suggestions = ()
        return error

    backend.read_error = spoilt


@saboteur("ERR-06", "suggests what was asked for")
def suggests_the_same(backend: Any) -> None:
    """Did you mean gpt-4-turbo? No, gpt-4-turbo."""
    read = backend.read_error

    def spoilt(status: Any, headers: Any, data: Any, operation: Any) -> errors.BackendError:
        error: errors.BackendError = read(status, headers, data, operation)
        if error.suggestions:
            error.suggestions = (operation.model,)
        return error

    backend.read_error = spoilt


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else 0.0
    return {name: _finite(inner) for name, inner in value.items()} if isinstance(value, dict) else value


@saboteur("ERR-07", "sends zero for what is not a number")
def zero_for_nan(backend: Any) -> None:
    """json.dumps writes NaN, so it is replaced."""

    def mend(messages: Any, options: dict[str, Any]) -> Any:
        for name in ("extra_body", "temperature"):
            if name in options:
                options[name] = _finite(options[name])
        return messages

    _mending(backend, mend)


@saboteur("ERR-07", "sends a question mark for half a character")
def mends_surrogates(backend: Any) -> None:
    """The text that is answered is not the text that was asked."""

    def mend(messages: Any, options: dict[str, Any]) -> Any:
        if messages and isinstance(messages[0].get("content"), str):
            return [{**messages[0], "content": messages[0]["content"].encode("utf-8", "replace").decode()}]
        return messages

    _mending(backend, mend)


@saboteur("ERR-07", "says hello where nothing was said")
def fills_the_silence(backend: Any) -> None:
    """An empty conversation is begun."""
    _mending(backend, lambda messages, options: messages or _HELLO)
