"""Saboteurs of chapter ERR: errors without class, words, code or bounds. Those of input are in ``err_input``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from backends import errors
from backends.resilience.failures import AttemptFailed, error_class
from backends.types import ChatReply
from backends.wire.values import Failure, Limits, WireError
from conformance.saboteurs import saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.common import telling

_ENDLESS = Limits(max_body_bytes=1 << 40, max_event_bytes=1 << 40, max_decompression_ratio=1 << 40)


@saboteur("ERR-01", "knows only good and bad")
def one_class_for_all(backend: Any) -> None:
    """Whoever wants to know reads the status."""

    def change(error: errors.BackendError) -> errors.BackendError:
        return errors.BackendError(error.message, status=error.status, code=error.code)

    telling(backend, change)


@saboteur("ERR-01", "looks at the status alone")
def blind_to_codes(backend: Any) -> None:
    """Spent quota is a rate limit like any other."""

    def change(error: errors.BackendError) -> errors.BackendError:
        return error_class(error.status or 0)(error.message, status=error.status, code=error.code)

    telling(backend, change)


@saboteur("ERR-01", "replaces the provider's message by its own")
def swallows_the_message(backend: Any) -> None:
    """Something went wrong."""

    def change(error: errors.BackendError) -> errors.BackendError:
        error.message = f"HTTP {error.status}"
        return error

    telling(backend, change)


@saboteur("ERR-01", "drops the provider's code")
def drops_the_code(backend: Any) -> None:
    """There is a message, after all."""

    def change(error: errors.BackendError) -> errors.BackendError:
        error.code = None
        return error

    telling(backend, change)


def _answering(backend: Any, change: Callable[[AttemptFailed], Any]) -> None:
    """Let ``change`` answer, or raise, where an answer could not be read."""
    attempt = backend._attempt

    async def spoilt(*arguments: Any) -> Any:
        try:
            return await attempt(*arguments)
        except AttemptFailed as failure:
            if (
                not isinstance(failure.error, errors.ResponseFormatError)
                or "cannot be read" not in failure.error.message
            ):
                raise
            return change(failure)

    backend._attempt = spoilt


@saboteur("ERR-02", "takes whatever came with a 200 for the answer")
def answers_with_garbage(backend: Any) -> None:
    """A gateway's page is what the model said."""
    _answering(backend, lambda failure: ChatReply(text=failure.error.message))


@saboteur("ERR-02", "lets the decoder's errors out")
def raw_errors(backend: Any) -> None:
    """KeyError: 'choices'."""

    def change(failure: AttemptFailed) -> Any:
        raise KeyError("choices")

    _answering(backend, change)


@saboteur("ERR-02", "says that something went wrong")
def says_nothing(backend: Any) -> None:
    """The error is typed and empty."""

    def change(failure: AttemptFailed) -> None:
        if isinstance(failure.error, errors.ResponseFormatError) and "cannot be read" in failure.error.message:
            failure.error.message = "Something went wrong."

    judging(backend, change)


@saboteur("ERR-02", "shows a gateway's page to the caller")
def shows_the_page(backend: Any) -> None:
    """The message is HTML."""

    def change(error: errors.BackendError) -> errors.BackendError:
        if "HTML" in error.message:
            error.message = "<title>502 Bad Gateway</title>"
        return error

    telling(backend, change)


@saboteur("ERR-02", "takes a body cut short for a whole one")
def accepts_short_bodies(backend: Any) -> None:
    """The length is only a figure."""

    async def patient(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in chunks:
                yield piece
        except WireError as problem:
            if problem.failure is not Failure.CUT_SHORT:
                raise

    _opening(backend, None, lambda response: _Rechunked(response, patient))


class _Rechunked:
    """A response whose body passes through another function."""

    def __init__(self, response: Any, change: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]) -> None:
        self._response = response
        self._change = change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    def chunks(self) -> AsyncIterator[bytes]:
        """The body, changed."""
        return self._change(self._response.chunks())

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([piece async for piece in self.chunks()])


def _opening(backend: Any, limits: Limits | None, wrap: Callable[[Any], Any] = lambda response: response) -> None:
    """Give every client other limits, and every response another form."""
    make = backend._client

    def spoilt(endpoint: Any) -> Any:
        client = make(endpoint)
        if "open" not in vars(client):
            client._limits = limits or client._limits
            open_response = client.open

            async def opened(request: Any) -> Any:
                return wrap(await open_response(request))

            client.open = opened
        return client

    backend._client = spoilt


@saboteur("ERR-03", "reads answers of any size")
def no_size_bound(backend: Any) -> None:
    """The setting is accepted and inert."""
    _opening(backend, _ENDLESS)


@saboteur("ERR-03", "looks at the size when everything has been read")
def measures_afterwards(backend: Any) -> None:
    """The error is right and the memory is gone."""

    class Late(_Rechunked):
        async def read(self) -> bytes:
            whole = await self._response.read()
            if len(whole) > 1 << 20:
                raise WireError(Failure.TOO_LARGE, "it is", sent=True)
            return whole  # type: ignore[no-any-return]

    _opening(backend, _ENDLESS, lambda response: Late(response, lambda chunks: chunks))


@saboteur("ERR-03", "inflates whatever it is sent")
def inflates_bombs(backend: Any) -> None:
    """The bound counts compressed bytes."""
    make = backend._client

    def spoilt(endpoint: Any) -> Any:
        client = make(endpoint)
        bound = client._limits
        if bound.max_body_bytes < 1 << 40:
            open_response = client.open
            client._limits = replace(_ENDLESS)

            async def opened(request: Any) -> Any:
                response = await open_response(request)
                response._limits = _ENDLESS if "content-encoding" in response.headers else bound
                return response

            client.open = opened
        return client

    backend._client = spoilt


@saboteur("ERR-03", "says only that the answer cannot be read")
def vague_about_size(backend: Any) -> None:
    """Whoever has set a bound too low never learns."""

    def change(failure: AttemptFailed) -> None:
        if "larger" in failure.error.message or "decompressed" in failure.error.message:
            failure.error.message = "The answer cannot be read."

    judging(backend, change)
