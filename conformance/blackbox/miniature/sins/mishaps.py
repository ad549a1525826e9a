"""Sins of who meets a mishap of the catalogue: the chapter FLT, and what is asked of a provider that does not have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from conformance.blackbox.miniature.client import Endpoint, Miniature
from conformance.blackbox.miniature.parts import Failure
from conformance.blackbox.miniature.sins import sinner, spoilt
from conformance.blackbox.miniature.wire import Wire, trusted


def _all_lost(self: Miniature, error: Exception) -> dict[str, Any]:
    told = Miniature.explain(self, error)
    return told | {"message": "the connection was lost"} if told.get("class") == "transport" else told


def _not_without_an_answer(self: Miniature, failure: Failure) -> bool:
    return failure.kind != "transport" and Miniature.repeats(self, failure)


async def _reads_json_only(self: Wire, response: httpx.Response, key: str) -> bytes:
    if "json" not in response.headers.get("content-type", "") and response.status_code != 200:
        raise Failure("response_format", "the answer is not JSON", status=response.status_code)
    return await Wire.whole(self, response, key)


def _only_at_429(self: Miniature, attempts: int, failure: Failure) -> float:
    return Miniature.wait(self, attempts, failure) if failure.status == 429 else 0.0


def _however_long(self: Miniature, failure: Failure) -> bool:
    failure.headers = httpx.Headers({name: "5" for name in failure.headers if name == "retry-after"})
    return Miniature.repeats(self, failure)


async def _without_end(self: Miniature, settings: dict[str, Any]) -> list[str]:
    return await Miniature.configure(self, settings | {"deadline": None})


async def _whole_undecoded(self: Wire, response: httpx.Response, key: str) -> bytes:
    body = b"".join([piece async for piece in response.aiter_raw()])
    response._content = body
    if response.status_code != 200:
        return await Wire.whole(self, response, key)
    return body


async def _lets_go(self: Wire, run: Callable[[], Any]) -> Any:
    try:
        return await Wire.guarded(self, run)
    except Failure as failure:
        if "RemoteProtocolError" in str(failure):
            raise ValueError("what came cannot be read") from None
        raise


def _from_the_first_byte(self: Wire, body: bytes) -> dict[str, Any]:
    if not body.startswith(b"{"):
        raise Failure("response_format", "the answer is no object")
    return Wire.read(self, body)


def _whatever_fails(self: Miniature, failure: Failure) -> bool:
    return failure.kind == "response_format" or Miniature.repeats(self, failure)


def _never_a_stream(self: Miniature, failure: Failure) -> bool:
    return failure.kind != "interrupted" and failure.status is not None and Miniature.repeats(self, failure)


async def _hands_out_late(self: Miniature, call: Any, emit: Callable[[str], None]) -> dict[str, Any]:
    pieces: list[str] = []
    try:
        told = await Miniature.stream(self, call, pieces.append)
    except Failure as failure:
        failure.fields.pop("partial", None)
        raise
    for piece in pieces:
        emit(piece)
    return told


def _keeps_connections(self: Wire, timeout: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=trusted(), timeout=timeout, trust_env=False)


async def _tries_it(self: Miniature, call: dict[str, Any]) -> dict[str, Any]:
    endpoint: Endpoint = self.endpoints[None]
    try:
        await endpoint.wire.ask(f"/{call['operation']}", endpoint.keys.take(), {"model": self.settings["model"]})
    except Failure as failure:
        raise Failure("unsupported", str(failure)) from None
    return {}


sinner("CAP-03", "asks the server for what it does not have", other=_tries_it)
sinner("FLT-01", "tells silence as a lost connection", explain=_all_lost)
sinner("FLT-01", "gives up when a connection is lost", repeats=_not_without_an_answer)
sinner("FLT-02", "understands errors in JSON only", wire=spoilt(Wire, whole=_reads_json_only))
sinner("FLT-03", "does not hear a 503 ask for time", wait=_only_at_429)
sinner("FLT-03", "comes back long before it was told to", repeats=_however_long)
sinner("FLT-04", "has no deadline", configure=_without_end)
sinner("FLT-04", "lets the errors of its parser through", wire=spoilt(Wire, guarded=_lets_go))
sinner("FLT-05", "offers a coding that it cannot read", wire=spoilt(Wire, whole=_whole_undecoded))
sinner("FLT-06", "repeats what it cannot read", repeats=_whatever_fails)
sinner("FLT-06", "cannot bear a space before the JSON", wire=spoilt(Wire, read=_from_the_first_byte))
sinner("FLT-07", "does not begin a stream again", repeats=_never_a_stream)
sinner("FLT-07", "loses what came of a broken stream", stream=_hands_out_late)
sinner("FLT-08", "takes what lies in a kept connection for its answer", wire=spoilt(Wire, opened=_keeps_connections))
