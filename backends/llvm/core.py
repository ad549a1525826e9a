"""The LLVM backend without its calls: construction, endpoints, and the way of one frame to a worker and back.

Queue, retries, breaker, counters and deadlines are those of every backend (:mod:`backends.resilience.call`); an attempt
is one frame to a worker. Building a backend starts no process and imports no llvmlite; a process of the caller never
imports it at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, TypeVar

from backends import errors
from backends.batched import BatchingBackend
from backends.endpoints import DEFAULT
from backends.llvm.cache import CompileCache, content_key
from backends.llvm.failures import divided, lost, refused
from backends.llvm.job import Job
from backends.llvm.transport import Request, Returned, Transport
from backends.llvm_worker import frames
from backends.operation import Answer, CallOptions
from backends.provider import Provider
from backends.resilience.call import Call
from backends.resilience.endpoint import Endpoint
from backends.resilience.failures import failed_format
from backends.secret import Key
from backends.types import Reply
from backends.wire import jsontext
from backends.wire.values import FormatError, WireError

__all__ = ["LLVMCore"]

R = TypeVar("R", bound=Reply)

_HERE: Final = "process://local"
_UNREADABLE: Final = (FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError)
"""What reading an answer of the wrong shape raises."""
_LARGEST_FRAME: Final = 1 << 30
_MOST_CACHED: Final = 1_000_000
_NOT_TAKEN: Final = {
    "api_key": "there is nobody to show it to",
    "api_keys": "there is nobody to show them to",
    "key_source": "there is nobody to show keys to",
    "proxy": "workers are on this machine",
    "client_certificate": "workers are on this machine",
    "model": "every call brings its own module",
}


class LLVMCore(BatchingBackend):
    """See :class:`backends.llvm.LLVM`."""

    provider: ClassVar[Provider] = Provider(
        name="llvm",
        title="LLVM",
        base_url=_HERE,
        key_required=False,
        key_variables=(),
        request_id_headers=(),
    )

    def __init__(
        self,
        resources: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        transport: Transport | None = None,
        base_url: str | None = None,
        worker_memory: int = 4 << 30,
        cache: int = 0,
        **settings: Any,
    ) -> None:
        for name, why in _NOT_TAKEN.items():
            if settings.pop(name, None) is not None:
                raise errors.ConfigurationError(f"LLVM takes no {name}: {why}.", provider="llvm")
        if base_url is not None and transport is None:
            raise errors.ConfigurationError(
                "base_url means nothing to worker processes of this machine; pass the transport that it is for.",
                provider="llvm",
            )
        super().__init__(resources, metadata, base_url=base_url, transport=transport, **settings)
        self._memory = _whole("worker_memory", worker_memory, 256 << 20, 1 << 46)
        self._cache = CompileCache(_whole("cache", cache, 0, _MOST_CACHED))
        self._workers: Transport | None = transport
        self._owns_workers = transport is None
        # No key is looked for, in no environment and no file.
        self._declared[DEFAULT] = (self._base_url or _HERE, (), self.settings)

    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        **settings: Any,
    ) -> None:
        """Add an endpoint with its own queue, breaker and counters; use it with ``endpoint=name`` on a call.

        Args:
            name: a new name.
            base_url: where the transport that was passed to the backend finds its workers.
            api_key, api_keys: refused: no worker takes one.
            **settings: what differs from the backend's settings.

        Raises:
            ConfigurationError: the name is taken or empty, or an argument is wrong.
        """
        if api_key is not None or api_keys is not None:
            raise errors.ConfigurationError(f"LLVM takes no api_key: {_NOT_TAKEN['api_key']}.", provider="llvm")
        if base_url is not None and self._transport is None:
            raise errors.ConfigurationError("base_url means nothing to processes of this machine.", provider="llvm")
        super().create_endpoint(name, base_url, **settings)
        url, _, chosen = self._declared[name]
        self._declared[name] = (url or self._base_url or _HERE, (), chosen)

    # -- the way of one frame ------------------------------------------------------------------------------------------

    async def _perform(self, job: Job[R], options: CallOptions) -> R:
        """Take one job through cache, queue, breaker and retries to a worker, and read its answer."""
        if self._closed:
            raise errors.ClosedError("This backend is closed; make a new one.", provider="llvm")
        endpoint = self.endpoint(options.get("endpoint"))
        call, frame = self._call_of(job, options, endpoint)
        shared = self._ride(call, job, options, endpoint)
        if not self._cache.most or not job.pure:
            return await self._run(call, endpoint, shared)
        mark = content_key(endpoint.name, frame)
        with self._lock:
            known: R | None = self._cache.get(mark)
        if known is not None:
            return self._cached(known, call, endpoint)
        reply = await self._run(call, endpoint, shared)
        with self._lock:
            self._cache.put(mark, reply, len(frame) + getattr(reply, "size", 0))
        return reply

    def _call_of(self, job: Job[R], options: CallOptions, endpoint: Endpoint) -> tuple[Call[R], bytes]:
        """Return the call of a job, and the frame that it sends."""
        seconds = _shorter(endpoint.settings.read_timeout, job.seconds)
        frame = self._framed(job, seconds)

        async def attempt(call: Call[R], key: Key | None) -> R:
            del key
            return await self._attempt(job, frame, seconds, call, endpoint)

        call: Call[R] = self._call(job.name, job.name, attempt, options, endpoint)
        call.asked = {}  # a run may be charged
        return call, frame

    def _journey(self, operation: Job[Any], options: CallOptions, endpoint: Endpoint) -> Call[Any]:
        call, _ = self._call_of(operation, options, endpoint)
        call.watch = None  # each caller that shares it is told of by itself
        return call

    def _cached(self, known: R, call: Call[R], endpoint: Endpoint) -> R:
        """Count a hit as a request without an attempt; it took no slot and no worker."""
        self._started()
        self._finished(call, endpoint, "success", None, None, None)
        latency = self._clock.monotonic() - call.started
        return replace(known, request_id=call.id, cached=True, attempts=0, latency=latency, cost=0.0)

    def _framed(self, job: Job[Any], seconds: float | None) -> bytes:
        header = {"operation": job.name, **job.header}
        if seconds is not None:
            header["seconds"] = seconds
        if job.blobs:
            header["blobs"] = [len(blob) for blob in job.blobs]
        try:
            frame = frames.join(jsontext.dumps(header), job.blobs)
        except ValueError as error:
            raise errors.InvalidRequestError(f"{job.name}: {error}", provider="llvm", code="invalid_argument") from None
        if len(frame) > _LARGEST_FRAME:
            raise errors.InvalidRequestError(
                f"{job.name}: {len(frame)} bytes are more than the {_LARGEST_FRAME} that a worker takes.",
                provider="llvm",
                code="invalid_argument",
            )
        return frame

    async def _attempt(self, job: Job[R], frame: bytes, seconds: float | None, call: Call[R], endpoint: Endpoint) -> R:
        """Send the frame to a worker once and read what comes back."""
        settings = endpoint.settings
        request = Request(
            job.name, frame, endpoint.base_url, seconds, settings.max_response_bytes, endpoint.admission.limit
        )
        try:
            returned = await self._wire().exchange(request)
        except WireError as problem:
            raise lost(problem, runs_code=job.runs_code, is_shared=job.is_shared) from None
        header: Any = None
        try:
            header, blobs = _opened(returned)
            if returned.status < 400 and header["status"] < 400:
                return job.read(self._answer(header, returned, call), blobs)
        except _UNREADABLE as problem:
            if returned.status < 400:
                words = _unreadable(job, returned, problem)
                raise (divided(words) if job.is_shared else failed_format(words)) from None
        raise refused(returned, header, self._clock.time())

    def _answer(self, header: dict[str, Any], returned: Returned, call: Call[Any]) -> Answer:
        worker = header["worker"]
        if not isinstance(worker, str):
            raise TypeError("the worker does not say its name")
        latency = self._clock.monotonic() - call.started
        return Answer(header["status"], returned.headers, header, call.id, worker[:200], call.attempts, latency)

    # -- workers -------------------------------------------------------------------------------------------------------

    def _wire(self) -> Transport:
        if self._workers is None:
            from backends.llvm.worker_pool import WorkerPool

            with self._lock:
                self._workers = self._workers or WorkerPool(self._memory)
        return self._workers

    def _abandon_wire(self) -> None:
        if self._workers is not None:
            self._workers.abandon()

    def _holds_wire(self) -> bool:
        return self._owns_workers and self._workers is not None

    async def _close_wire(self) -> None:
        """End our own workers; a transport that was passed in stays its owner's."""
        if self._owns_workers and self._workers is not None:
            await self._workers.aclose()

    def cache_status(self) -> dict[str, int]:
        """Return entries, bytes, hits and misses of the compile cache."""
        with self._lock:
            return self._cache.status()

    def clear_cache(self) -> None:
        """Forget every cached reply."""
        with self._lock:
            self._cache.clear()


def _opened(returned: Returned) -> tuple[dict[str, Any], tuple[bytes, ...]]:
    """Return header and blobs of a frame.

    Raises:
        ValueError, TypeError: it is none.
    """
    text, rest = frames.part(returned.frame)
    header = jsontext.loads(text, max_depth=64)
    if not isinstance(header, dict):
        raise TypeError(f"an object was expected, not {type(header).__name__}")
    blobs = frames.cut(rest, header.get("blobs", []))
    if returned.status < 400 and type(header["status"]) is not int:
        raise TypeError("the status is no number")
    return header, blobs


def _unreadable(job: Job[Any], returned: Returned, problem: Exception) -> str:
    kind = returned.headers.get("content-type", "a frame")[:100]
    size = f"{len(returned.frame)} bytes" if returned.frame else "an empty body"
    why = f"field {problem} is missing" if isinstance(problem, KeyError) else str(problem)
    return f"The answer to {job.name} cannot be read: {why[:200]} ({kind}, {size})."


def _shorter(limit: float | None, other: float | None) -> float | None:
    return limit if other is None else other if limit is None else min(limit, other)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise errors.ConfigurationError(
            f"Setting {name} must be a whole number between {low} and {high}, not {value!r}.", provider="llvm"
        )
    return value
