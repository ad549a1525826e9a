"""Saboteurs of chapter FLT: good backends that take one kind of mishap for another, for an answer, or for the caller's affair."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MethodType
from typing import Any, Final

import aiohttp

from backends import errors
from backends.resilience.failures import AttemptFailed, Blame
from backends.types import Usage
from backends.wire.values import Failure
from conformance.saboteurs import saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.common import connecting, replying

_plain: Final = partial(saboteur, alone=True, case="plain")
_stream: Final = partial(saboteur, alone=True, case="stream")


@_plain("FLT-01", "reports a server that hung up as a connection that was never made")
def hung_up_is_connect_timeout(backend: Any) -> None:
    """As httpx-aiohttp 0.2.0 does: nobody can tell any more whether the request was read."""

    def change(failure: AttemptFailed) -> None:
        if failure.error.code == Failure.RESET_AFTER_SENT.value:
            failure.error.code = Failure.CONNECT_TIMEOUT.value

    judging(backend, change)


@_plain("FLT-02", "takes a conflict for the caller's mistake")
def gives_up_on_conflicts(backend: Any) -> None:
    """A 409 passes in a moment."""

    def change(failure: AttemptFailed) -> None:
        if failure.error.status == 409:
            failure.blame = Blame.REQUEST

    judging(backend, change)


@_plain("FLT-02", "takes a gateway's page for a refusal")
def blames_the_caller_for_pages(backend: Any) -> None:
    """Where there is no JSON, the request must have been wrong."""

    def change(failure: AttemptFailed) -> None:
        if "HTML" in failure.error.message:
            failure.error = errors.InvalidRequestError(failure.error.message, status=failure.error.status)

    judging(backend, change)


@_plain("FLT-03", "reads whole seconds only")
def cuts_fractions_off(backend: Any) -> None:
    """2.5 seconds are 2."""

    def change(failure: AttemptFailed) -> None:
        if failure.hint is not None:
            failure.hint = float(int(failure.hint))

    judging(backend, change)


@_plain("FLT-04", "gives up on what is no HTTP")
def gives_up_on_garbage(backend: Any) -> None:
    """A gateway that stumbles once loses the call."""

    def change(failure: AttemptFailed) -> None:
        if failure.kind is Failure.PROTOCOL:
            failure.repeatable = False

    judging(backend, change)


@_plain("FLT-05", "takes a body that was cut short for one that cannot be read")
def cut_is_unreadable(backend: Any) -> None:
    """The network failed, the provider is blamed, and nothing is repeated."""

    def change(failure: AttemptFailed) -> None:
        if failure.kind is Failure.CUT_SHORT:
            failure.error = errors.ResponseFormatError(failure.error.message, status=failure.error.status)
            failure.blame, failure.repeatable = Blame.REQUEST, False

    judging(backend, change)


@_plain("FLT-05", "tells nobody that the framing of a body broke")
def swallows_broken_framing(backend: Any) -> None:
    """As aiohttp's own protocol does: whoever waits for more of the body waits until the deadline."""

    def spoilt(connector: Any) -> None:
        connector._factory = partial(aiohttp.client_proto.ResponseHandler, loop=connector._loop)

    connecting(backend, spoilt)


@_plain("FLT-06", "asks again for what it cannot read")
def repeats_the_unreadable(backend: Any) -> None:
    """The answer was paid for, and comes again as it was."""

    def change(failure: AttemptFailed) -> None:
        if isinstance(failure.error, errors.ResponseFormatError):
            failure.blame, failure.repeatable = Blame.OUTAGE, True

    judging(backend, change)


@_plain("FLT-06", "believes every count")
def believes_every_count(backend: Any) -> None:
    """Minus five tokens lower the bill."""

    def change(reply: Any) -> Any:
        told = reply.raw["usage"].get("completion_tokens")
        return replace(reply, usage=Usage(output_tokens=told)) if type(told) is int else reply

    replying(backend, change)


@_stream("FLT-07", "loses what came before a stream died")
def loses_what_came(backend: Any) -> None:
    """The caller has seen half an answer, and the error knows nothing of it."""
    interrupted = backend._interrupted

    def spoilt(*arguments: Any) -> Any:
        error = interrupted(*arguments)
        error.partial = None
        return error

    backend._interrupted = spoilt


@_plain("FLT-08", "takes what nobody asked for as the answer to the next request")
def drinks_from_the_queue(backend: Any) -> None:
    """As aiohttp's own connector does: only a closed connection is not used again."""

    def spoilt(connector: Any) -> None:
        connector._get = MethodType(aiohttp.TCPConnector._get, connector)

    connecting(backend, spoilt)


@_plain("FLT-09", "never closes an answer that it does not read to its end")
def leaves_answers_open(backend: Any) -> None:
    """One connection is lost with each."""
    client = backend._client(backend.endpoint())
    open_response = client.open
    left: list[Any] = []

    async def opened(request: Any) -> Any:
        response = await open_response(request)
        response._closed = True  # what is closed already is not closed again
        left.append(response)
        return response

    client.open = opened
