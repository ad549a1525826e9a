"""Saboteurs of SEC-08 to SEC-12: credentials that show where nobody thought of looking.

Each is alone: what shows a key in one place mostly shows it in several, so that other checks tell nothing apart.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any

from backends import errors
from backends.s3_kit.replies import Presigned
from backends.secret import Key
from backends.telemetry.events import CallEnded
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.common import spoilt_keys


def _sending(backend: Any, spoil: Callable[[Any], None]) -> None:
    """Let ``spoil`` see each request before it is sent."""
    make = backend._client

    def spoilt(endpoint: Any) -> Any:
        fresh = endpoint.name not in backend._clients
        client = make(endpoint)
        if fresh:
            send = client.open

            async def sent(request: Any) -> Any:
                spoil(request)
                return await send(request)

            client.open = sent
        return client

    backend._client = spoilt


def _failing(backend: Any, spoil: Callable[[errors.BackendError, Any], None]) -> None:
    """Let ``spoil`` change every error of a call before its caller gets it."""
    complete = backend._completed

    def spoilt(error: errors.BackendError, call: Any) -> errors.BackendError:
        done: errors.BackendError = complete(error, call)
        spoil(done, backend.endpoint().pool.keys()[0])
        return done

    backend._completed = spoilt


@saboteur("SEC-08", "names the key in the message of its errors", alone=True)
def names_the_key(backend: Any) -> None:
    """So that support knows which one."""

    def spoil(error: errors.BackendError, key: Key) -> None:
        error.message += f" (sent with {key.reveal()})"

    _failing(backend, spoil)


@saboteur("SEC-08", "keeps the request on the error", alone=True)
def keeps_the_request(backend: Any) -> None:
    """As httpx does: error.request.headers has it all."""

    def spoil(error: errors.BackendError, key: Key) -> None:
        error.request = {"headers": {"authorization": str(key.reveal())}}  # type: ignore[attr-defined]  # the sin

    _failing(backend, spoil)


@saboteur("SEC-08", "keeps what caused its errors, headers and all", alone=True)
def keeps_the_cause(backend: Any) -> None:
    """raise ... from problem"""

    def spoil(error: errors.BackendError, key: Key) -> None:
        error.__cause__ = ConnectionError(f"POST / HTTP/1.1 authorization: Bearer {key.reveal()}")

    _failing(backend, spoil)


def _in_the_library(function: FunctionType) -> FunctionType:
    """Return the function as if it stood in a module of the library: the harness's own frames are not looked into."""
    where = {**function.__globals__, "__name__": "backends.spoilt"}
    return FunctionType(function.__code__, where, function.__name__, function.__defaults__, function.__closure__)


@saboteur("SEC-08", "holds the key as plain text in a frame of its errors", alone=True)
def holds_plain_text(backend: Any) -> None:
    """An error tracker shows every local variable."""
    perform = backend._perform

    async def spoilt(operation: Any, options: Any) -> Any:
        authorization = "Bearer " + str(backend.endpoint().pool.keys()[0].reveal())
        reply = await perform(operation, options)
        del authorization
        return reply

    backend._perform = _in_the_library(spoilt)  # type: ignore[arg-type]  # a coroutine function is one, too


@saboteur(
    "SEC-08", "sends the key as plain text through every frame of the wire", subjects=("openai", "claude"), alone=True
)
def sends_plain_text(backend: Any) -> None:
    """A call that is cancelled keeps the frames that it was in, and they hold its headers."""
    header = backend.credential_header
    backend.credential_header = lambda key: tuple(map(str, header(key)))


@saboteur(
    "SEC-09",
    "shows what the provider says as it is",
    subjects=("openai", "claude", "gemini", "ollama", "s3_kit"),
    alone=True,
)
def repeats_what_it_hears(backend: Any) -> None:
    """Providers quote the key in their errors."""
    spoilt_keys(backend, hide=lambda key, text: text)


@saboteur("SEC-09", "takes the key out only where it stands whole and as it is", alone=True)
def looks_for_whole_keys(backend: Any) -> None:
    """str.replace; what was cut or encoded stays."""
    spoilt_keys(backend, hide=lambda key, text: text.replace(key.reveal(), repr(key)))


@saboteur("SEC-09", "takes the key out of the message alone", alone=True)
def mends_the_message_alone(backend: Any) -> None:
    """The server's own id of the request is a text of the server, too."""
    heard: list[str | None] = [None]
    refused = backend._refused

    async def spoilt(work: Any, response: Any) -> Any:
        failure = await refused(work, response)
        heard[0] = failure.error.provider_request_id
        return failure

    def spoil(error: errors.BackendError, key: Key) -> None:
        error.provider_request_id = heard[0]

    backend._refused = spoilt
    _failing(backend, spoil)


@saboteur("SEC-09", "shows what a stream's error says as it is", alone=True)
def trusts_streams(backend: Any) -> None:
    """Whoever answers 200 means well."""
    heard: list[str] = [""]
    interrupted = backend._interrupted

    def spoilt(*arguments: Any) -> Any:
        error = interrupted(*arguments)
        heard[0] = error.message
        return error

    def spoil(error: errors.BackendError, key: Key) -> None:
        if isinstance(error, errors.StreamInterruptedError):
            error.message = heard[0]

    backend._interrupted = spoilt
    _failing(backend, spoil)


@saboteur("SEC-10", "logs the headers that it sends", alone=True)
def logs_headers(backend: Any) -> None:
    """Only at level debug."""
    log = logging.getLogger("backends.wire")
    _sending(backend, lambda request: log.debug("%s %s %s", request.method, request.url, _plain(request)))


@saboteur("SEC-10", "warns with the headers of a request", alone=True)
def warns_with_headers(backend: Any) -> None:
    """ResourceWarning: unclosed <Request headers=...>"""
    _sending(backend, lambda request: warnings.warn(f"unclosed {_plain(request)}", ResourceWarning, stacklevel=2))


def _plain(request: Any) -> str:
    return " ".join(f"{name}: {value}" for name, value in request.headers)


@saboteur("SEC-10", "tells its observers the key", alone=True)
def tells_observers(backend: Any) -> None:
    """A fingerprint is so hard to read."""
    for guarded in backend._observers._guarded if backend._observers is not None else ():
        tell = guarded.observer
        guarded.observer = lambda event, tell=tell: tell(
            replace(event, key=str(backend.endpoint().pool.keys()[0].reveal()))
            if isinstance(event, CallEnded)
            else event
        )


@saboteur("SEC-10", "names the key in its report", alone=True)
def reports_the_key(backend: Any) -> None:
    """The dashboard shows which key is worn out."""
    report = backend.report
    backend.report = lambda: {**report(), "api_name": str(backend.endpoint().pool.keys()[0].reveal())}


@saboteur("SEC-11", "says what it was given", maker=True, subjects=EVERY_ROW, alone=True)
def says_what_it_was_given(make: Callable[..., Any]) -> Callable[..., Any]:
    """The message should help."""

    def telling(site: Any, **settings: Any) -> Any:
        try:
            return make(site, **settings)
        except errors.ConfigurationError as error:
            raise errors.ConfigurationError(f"{error.message} Given were: {settings}") from None

    return telling


@saboteur("SEC-11", "keeps what it was given in a frame of the error", maker=True, alone=True)
def keeps_what_it_was_given(make: Callable[..., Any]) -> Callable[..., Any]:
    """def __init__(self, **options)"""

    def making(site: Any, **settings: Any) -> Any:
        return make(site, **settings)

    return _in_the_library(making)  # type: ignore[arg-type]  # a function is one


@saboteur("SEC-11", "quotes a key that it cannot take", alone=True)
def quotes_a_bad_key(backend: Any) -> None:
    """ValueError: not a key: 'sk-...'"""
    add = backend.add_key

    def spoilt(key: str, **options: Any) -> Any:
        try:
            return add(key, **options)
        except errors.ConfigurationError as error:
            error.message += f" Not a key: {key!r}"
            raise

    backend.add_key = spoilt


@saboteur("SEC-12", "shows a presigned address in full", subjects=("s3_kit",), alone=True)
def shows_the_address(backend: Any) -> None:
    """A dataclass shows all its fields."""
    sign = backend.apresign

    class Open(Presigned):
        def __str__(self) -> str:
            return self.url

    async def spoilt(*arguments: Any, **options: Any) -> Any:
        signed = await sign(*arguments, **options)
        return Open(signed.url, signed.method, signed.expires_in, signed.headers)

    backend.apresign = spoilt


@saboteur("SEC-12", "logs what it signed", subjects=("s3_kit",), alone=True)
def logs_what_it_signed(backend: Any) -> None:
    """botocore does so, too, at level debug."""
    sign = backend.apresign

    async def spoilt(*arguments: Any, **options: Any) -> Any:
        signed = await sign(*arguments, **options)
        logging.getLogger("backends.s3_kit").debug("signed %s", signed.url)
        return signed

    backend.apresign = spoilt


@saboteur("SEC-12", "takes only the access key id for a secret", subjects=("s3_kit",), alone=True)
def hides_the_id_alone(backend: Any) -> None:
    """The half that is public."""
    spoilt_keys(backend, secrets=lambda pair: pair._parts[:1])
