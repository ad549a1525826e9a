"""CAP-05: exchanges recorded from a real server go through the backend's whole path and are read in full."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping
from itertools import pairwise
from typing import Any

import httpx

from backends import errors
from conformance.check import check
from conformance.recordings import Exchange, exchange
from conformance.simulators.registry import load
from conformance.subject import Subject
from conformance.trial import Trial


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, body: bytes, cuts: Iterable[int]) -> None:
        places = [0, *cuts, len(body)]
        self._pieces = [body[start:end] for start, end in pairwise(places)]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def _replaying(trial: Trial, recorded: Exchange, cuts: Iterable[int] = ()) -> tuple[Any, list[httpx.Request]]:
    """Return a backend whose server answers with the recording, and the requests that it will have seen."""
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        trial.count_traffic(1)
        return httpx.Response(
            recorded.status, headers=recorded.headers, stream=_Pieces(recorded.body, cuts), request=request
        )

    assert trial.subject.provider is not None, "a subject with recordings has a provider"
    base = "http://127.0.0.1:1" + load([trial.subject.provider])[0].suffix
    backend = await trial.backend(base_url=base, transport=httpx.MockTransport(respond), max_retries=0)
    return backend, seen


def _names(subject: Subject) -> Iterable[str]:
    return sorted(subject.recorded)


@check("CAP-05", cases=_names, lanes=("simulated", "mocked"))
async def cap_05(trial: Trial) -> None:
    """Exchanges recorded from a real server are sent as they were and read in full, streams at many splits of their bytes."""
    recorded = exchange(trial.case)
    replay = trial.subject.recorded[trial.case]
    backend, seen = await _replaying(trial, recorded)
    if recorded.status >= 400:
        async with trial.raises(replay.error or errors.BackendError, f"a recorded {recorded.status}") as caught:
            await replay.run(backend, recorded)
        trial.equal(caught.error.status, recorded.status, "status on the error")
        trial.equal((seen[0].method, seen[0].url.path), (recorded.method, recorded.path), "route of the request")
        message = _message(json.loads(recorded.body))
        trial.expect(
            message[:200] in caught.error.message, f"the server's message is not on the error: {caught.error.message}"
        )
        return
    reply = await replay.run(backend, recorded)
    trial.equal((seen[0].method, seen[0].url.path), (recorded.method, recorded.path), "route of the request")
    expected, expected_rest = _parted(recorded.sent, recorded.asked)
    sent, rest = _parted(seen[0].content, seen[0].headers)
    for field, value in expected.items():
        if field not in replay.differs:
            trial.equal(sent.get(field), value, f"field {field} of the recorded request")
    trial.equal(rest, expected_rest, "what follows the JSON of the recorded request")
    assert replay.judge is not None, "a recorded answer that is no error has its judge"
    replay.judge(trial, reply, recorded)
    if replay.stream:
        step = max(1, len(recorded.body) // 40)
        for cuts in ([cut] for cut in range(1, len(recorded.body), step)):
            again, _ = await _replaying(trial, recorded, cuts)
            other = await replay.run(again, recorded)
            trial.equal(_content(other), _content(reply), f"the reply with the bytes split at {cuts[0]}")
        single, _ = await _replaying(trial, recorded, range(1, len(recorded.body)))
        trial.equal(
            _content(await replay.run(single, recorded)), _content(reply), "the reply with the bytes one by one"
        )


def _message(body: Any) -> str:
    """What a recorded error says: ``{"error": {"message"}}``, ``{"error": text}`` or ``{"detail": text}``."""
    error = body.get("error") or body["detail"]
    return str(error["message"] if isinstance(error, dict) else error)


def _parted(body: Any, headers: Mapping[str, str]) -> tuple[dict[str, Any], bytes]:
    """Return the JSON object of a body and the bytes behind it, which a header announces where there are any."""
    if not isinstance(body, bytes):
        return body or {}, b""
    end = int(headers.get("inference-header-content-length", len(body)))
    return json.loads(body[:end] or b"{}"), body[end:]


def _content(reply: Any) -> tuple[Any, ...]:
    return (reply.text, reply.finish_reason, reply.usage, getattr(reply, "tool_calls", ()), reply.raw)
