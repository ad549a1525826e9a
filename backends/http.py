"""Backends whose wire is HTTP: an :class:`~backends.operation.Operation` becomes attempts, an attempt a reply or a failure.

This module turns operations into wire requests and answers into replies. It never decides whether to try again: it only
says what happened (:mod:`backends.resilience.failures`), and the path of a call decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from urllib.parse import quote, urlencode

from backends import errors
from backends.base import Outcome
from backends.batched import BatchingBackend
from backends.operation import Answer, CallOptions, Operation, Repeat, StreamReader
from backends.resilience.call import Call, travel, within
from backends.resilience.endpoint import Endpoint, Passage
from backends.resilience.failures import (
    AttemptFailed,
    Blame,
    bare,
    error_class,
    failed_answer,
    failed_format,
    failed_stream,
    failed_wire,
)
from backends.secret import Key
from backends.settings import Settings
from backends.streams import AsyncStream, StreamState
from backends.types import Chunk, Usage
from backends.wire import jsontext
from backends.wire.multipart import Multipart
from backends.wire.values import Failure, FormatError, Limits, Timeouts, WireError, WireRequest, check_header

if TYPE_CHECKING:
    from backends.cache import Cache
    from backends.cache.asking import Asking
    from backends.wire.client import Client, Response

__all__ = ["HTTPBackend"]

T = TypeVar("T")

_UNREADABLE: Final = (
    *(FormatError, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError),
    OverflowError,  # an integer of a thousand digits where a float belongs
)
"""What reading an answer of the wrong shape raises: the answer is hostile until read, so each is the answer's fault."""
_LARGEST_ERROR_BODY: Final = 65_536
_LARGEST_MESSAGE: Final = 2_000
_LARGEST_TAIL: Final = 65_536
_TAIL_SECONDS: Final = 0.05
_MOST_HELD: Final = 256
_PROTECTED_HEADERS: Final = frozenset({"authorization", "host", "content-length", "transfer-encoding", "connection"})


class _Opened:
    """A stream that has begun: what was read to reach its first content, and where the rest comes from."""

    __slots__ = ("chunks", "first_at", "held", "key", "reader", "response", "trouble")

    def __init__(self, response: Response, reader: StreamReader[Any], chunks: AsyncIterator[bytes]) -> None:
        self.response = response
        self.reader = reader
        self.chunks = chunks
        self.held: list[Chunk] = []
        self.trouble: Exception | None = None
        self.first_at: float | None = None
        self.key: Key | None = None


class _Work:
    """One operation on one endpoint, prepared once: every attempt sends the same bytes. ``asked`` is its JSON body with the
    caller's extra fields, empty where the body is something else."""

    __slots__ = ("asked", "body", "endpoint", "headers", "operation", "path", "repeat")

    def __init__(
        self,
        operation: Operation[Any],
        endpoint: Endpoint,
        asked: Mapping[str, Any],
        body: bytes | Multipart | None,
        headers: tuple[tuple[str, str], ...],
        path: str,
        repeat: Repeat,
    ) -> None:
        self.operation = operation
        self.endpoint = endpoint
        self.asked = asked
        self.body = body
        self.headers = headers
        self.path = path
        self.repeat = repeat


class HTTPBackend(BatchingBackend):
    """Adds operations over HTTP to :class:`~backends.base.Backend`; providers inherit from this."""

    keeps_answers: ClassVar[bool] = True
    user_agent: ClassVar[str] = "backends-conformance/0.1.0"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clients: dict[str, Client] = {}
        self._own_cache: Cache | None = None

    # -- what a provider may change ------------------------------------------------------------------------------------

    def fixed_headers(self, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
        """Return headers of every request to an endpoint besides authentication (organisation, version)."""
        del endpoint
        return ()

    def credential_header(self, key: Key) -> tuple[str, str]:
        """Return the header that carries a key; where it goes may depend on the kind of key."""
        return self.provider.authorize(key)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error for an answer with an error status.

        Args:
            status: 400 or more (or a refused 2xx).
            headers: lower-case names.
            data: decoded JSON, or text where it was not JSON.
            operation: what was asked.
        """
        del headers, operation
        message, code = error_text(data)
        return error_class(status)(message or f"HTTP {status}", status=status, code=code)

    # -- calling -------------------------------------------------------------------------------------------------------

    async def _perform(self, operation: Operation[T], options: CallOptions) -> T:
        """Run one operation to its reply."""
        endpoint = self._prepared_endpoint(options)
        work = self._work(operation, endpoint, options)
        call: Call[T] = self._call_of(work, options)
        shared = self._ride(call, operation, options, endpoint)
        asking: Asking[T] | None = self._asking(work, call, options, shared=shared is not None)
        if asking is None:
            return await self._run(call, endpoint, shared)
        work.operation = asking.recording()
        return await asking.whole(lambda: self._run(call, endpoint))

    def _call_of(self, work: _Work, options: CallOptions) -> Call[T]:
        async def attempt(call: Call[T], key: Key | None) -> T:
            return await self._attempt(work, call, key)

        return self._prepared_call(work, attempt, options)

    def _prepared_call(
        self, work: _Work, attempt: Callable[[Call[T], Key | None], Any], options: CallOptions
    ) -> Call[T]:
        """Return a call that knows what it asks and which key its prompt belongs to."""
        call = self._call(work.operation.name, work.operation.model, attempt, options, work.endpoint)
        call.affinity = _affinity(work)
        call.asked = (
            work.asked if work.operation.method == "POST" else None
        )  # what only asks what there is costs nothing
        return call

    def _journey(self, operation: Operation[T], options: CallOptions, endpoint: Endpoint) -> Call[T]:
        call: Call[T] = self._call_of(self._work(operation, endpoint, options), options)
        call.watch = None  # each caller that shares it is told of by itself
        return call

    def _stream(self, operation: Operation[T], options: CallOptions) -> AsyncStream[T]:
        """Return a stream of one operation; nothing is sent before its first chunk is asked for."""
        endpoint = self._prepared_endpoint(options)
        work = self._work(operation, endpoint, options)

        async def attempt(call: Call[_Opened], key: Key | None) -> _Opened:
            return await self._open(work, call, key)

        call: Call[_Opened] = self._prepared_call(work, attempt, options)
        if call.watch is not None:
            call.watch.stream = True
        state: StreamState[T] = StreamState(call.id)
        flow = self._flow(call, work, state)
        asking: Asking[T] | None = self._asking(work, call, options)
        if asking is not None:
            work.operation = asking.recording()
            flow = asking.stream(flow, state)
        return AsyncStream(flow, state)

    def _prepared_endpoint(self, options: CallOptions) -> Endpoint:
        if self._closed:
            raise errors.ClosedError("This backend is closed; make a new one.", provider=self.provider.name)
        return self.endpoint(options.get("endpoint"))

    def _work(self, operation: Operation[T], endpoint: Endpoint, options: CallOptions) -> _Work:
        extended = options.get("extra_body")
        asked = operation.body if isinstance(operation.body, Mapping) else {}
        if extended:
            asked = {**asked, **extended}
        body, content_type = self._encoded(operation, asked, extended=bool(extended))
        headers: list[tuple[str, str]] = [("user-agent", endpoint.settings.user_agent or self.user_agent)]
        if content_type is not None:
            headers.append(("content-type", content_type))
        headers.extend(self.fixed_headers(endpoint))
        headers.extend(operation.headers)
        extra = options.get("extra_headers")
        if extra:
            headers.extend(self._extra_headers(extra))
        path = endpoint.base_url + operation.path
        if operation.query:
            path += "?" + urlencode(operation.query, quote_via=quote)
        repeat = operation.repeat
        if isinstance(body, Multipart) and not body.repeatable:
            repeat = Repeat.NEVER
        return _Work(operation, endpoint, asked, body, tuple(headers), path, repeat)

    def _encoded(
        self, operation: Operation[Any], asked: Mapping[str, Any], *, extended: bool
    ) -> tuple[bytes | Multipart | None, str | None]:
        body = operation.body
        if extended and not isinstance(body, Mapping | Multipart):  # forms are merged by their provider
            raise errors.InvalidRequestError(
                f"extra_body: {operation.name} sends no JSON object that it could be merged into.",
                provider=self.provider.name,
            )
        if isinstance(body, Multipart):
            return body, body.content_type
        if isinstance(body, bytes):
            return body, "application/octet-stream"
        if body is None:
            return None, None
        try:
            return jsontext.dumps(asked), "application/json"
        except ValueError as error:
            raise errors.InvalidRequestError(
                f"{operation.name}: {error}", provider=self.provider.name, code="invalid_argument"
            ) from None

    def _extra_headers(self, extra: Mapping[str, str]) -> Iterable[tuple[str, str]]:
        for name, value in extra.items():
            if name.lower() in _PROTECTED_HEADERS or name.lower() == self.provider.key_header.lower():
                raise errors.InvalidRequestError(f"extra_headers must not set {name}.", provider=self.provider.name)
            try:
                check_header(name, value)
            except ValueError as error:
                raise errors.InvalidRequestError(f"extra_headers: {error}", provider=self.provider.name) from None
            yield name, value

    # -- kept answers --------------------------------------------------------------------------------------------------

    def cache(self, endpoint: str | None = None) -> Cache | None:
        """Return the cache of an endpoint, to look at or to invalidate; None where answers are not kept.

        Raises:
            ConfigurationError: no such endpoint, or no credentials.
        """
        return self._cache_of(self.endpoint(endpoint))

    def _cache_of(self, endpoint: Endpoint) -> Cache | None:
        chosen = endpoint.settings.cache
        if chosen != "exact":
            return chosen  # type: ignore[no-any-return]  # None or a Cache: the settings have seen to it
        if self._own_cache is None:
            from backends.cache import Cache

            with self._lock:
                self._own_cache = self._own_cache or Cache()
        return self._own_cache

    def _asking(
        self, work: _Work, call: Call[Any], options: CallOptions, *, shared: bool = False
    ) -> Asking[Any] | None:
        """Return how a call passes the cache; None where its answer is neither looked for nor kept.

        What shares a wire call with others passes by: the counts of the answer are those of all of them.
        """
        operation, endpoint = work.operation, work.endpoint
        if endpoint.settings.cache is None or operation.cacheable is None or not isinstance(operation.body, Mapping):
            return None
        from backends.cache.asking import Asking
        from backends.cache.exact import identify, is_sampled

        cache = self._cache_of(endpoint)
        assert cache is not None
        if shared or options.get("cache") is False or (is_sampled(work.asked) and not cache.store_sampled):
            self._count_cache("bypassed", 1)
            return None
        tenant = options.get("cache_tenant", cache.tenant)
        identity = identify(
            operation.cacheable,
            name=operation.name,
            body=work.asked,
            address=(self.provider.name, endpoint.name, operation.model or "", operation.method, work.path),
            headers=work.headers,
            tenant=tenant,
        )
        return Asking(cache, operation, identity, tenant, call, self._clock, self._count_cache)

    # -- one attempt ---------------------------------------------------------------------------------------------------

    async def _send(self, work: _Work, call: Call[Any], key: Key | None) -> Response:
        """Put the request on the wire once and return the answer when its headers are there and its status is good."""
        headers = work.headers
        if key is not None:
            headers = (*headers, self.credential_header(key))
        if self.provider.client_request_id_header is not None:
            headers = (*headers, (self.provider.client_request_id_header, call.id))
        operation, settings = work.operation, work.endpoint.settings
        client = self._client(work.endpoint)
        request = WireRequest(operation.method, work.path, headers, work.body, _timeouts(settings, operation))
        try:
            response = await client.open(request)
        except WireError as problem:
            raise failed_wire(problem, work.repeat) from None
        if response.status < 400 or response.status in operation.accepted:
            return response
        raise await self._refused(work, response, key)

    async def _refused(self, work: _Work, response: Response, key: Key | None) -> AttemptFailed:
        """Read an error answer, within bounds, into a failure."""
        try:
            content = await response.read()
        except WireError:
            content = b""  # the status alone decides; a broken error body must not hide it
        finally:
            await response.aclose()
        data: Any = content[:_LARGEST_ERROR_BODY]
        try:
            data = jsontext.loads(content, max_depth=64)
        except FormatError:
            data = content[:_LARGEST_ERROR_BODY].decode("utf-8", "replace")
        try:
            error = self.read_error(response.status, response.headers, data, work.operation)
        except _UNREADABLE:
            error = error_class(response.status)(f"HTTP {response.status}", status=response.status)
        error.provider_request_id = self._provider_request_id(response.headers)
        _mask(error, key)
        failure = failed_answer(error, response.headers, data, work.repeat, self._clock.time())
        if response.status in work.operation.repeat_once and not isinstance(error, errors.OverloadedError):
            failure.most_repeats = 1
        return failure

    async def _attempt(self, work: _Work, call: Call[T], key: Key | None) -> T:
        """One attempt at a whole answer."""
        response = await self._send(work, call, key)
        operation = work.operation
        try:
            content = await response.read()
        except WireError as problem:
            raise failed_wire(problem, work.repeat, status=response.status) from None
        finally:
            await response.aclose()
        facts = {"status": response.status, "provider_request_id": self._provider_request_id(response.headers)}
        try:
            data = _decoded(operation, content)
            answer = self._answer(call, response, data)
            if operation.inspect is not None:
                operation.inspect(answer)
            return operation.read(answer)  # type: ignore[no-any-return]  # Operation[Any] inside _Work
        except errors.BackendError as error:
            _mask(error, key)
            raise failed_stream(error, work.repeat, self._clock.time()) from None
        except _UNREADABLE as problem:
            raise failed_format(_unreadable(operation, response, content, problem), **facts) from None

    def _answer(self, call: Call[Any], response: Response, data: Any) -> Answer:
        headers = response.headers
        return Answer(
            response.status,
            headers,
            data,
            call.id,
            self._provider_request_id(headers),
            call.attempts,
            self._clock.monotonic() - call.started,
            call.model,
        )

    def _provider_request_id(self, headers: Mapping[str, str]) -> str | None:
        for name in self.provider.request_id_headers:
            if name in headers:
                return headers[name][:200]
        return None

    # -- streams -------------------------------------------------------------------------------------------------------

    async def _open(self, work: _Work, call: Call[Any], key: Key | None) -> _Opened:
        """One attempt at a stream, up to its first content: until then it may be repeated."""
        limit = work.endpoint.settings.first_token_timeout
        if limit is None:
            return await self._open_to_first_content(work, call, key)
        try:
            async with asyncio.timeout(limit):
                return await self._open_to_first_content(work, call, key)
        except TimeoutError:
            problem = WireError(Failure.READ_TIMEOUT, f"no content within {limit:g} s", sent=True)
            raise failed_wire(problem, work.repeat) from None

    async def _open_to_first_content(self, work: _Work, call: Call[Any], key: Key | None) -> _Opened:
        assert work.operation.stream is not None
        response = await self._send(work, call, key)
        opened = _Opened(response, work.operation.stream(), response.chunks())
        try:
            await self._prime(opened)
        except BaseException as problem:
            await response.aclose()
            if isinstance(problem, errors.BackendError):
                _mask(problem, key)
                problem.provider_request_id = self._provider_request_id(response.headers)
                raise failed_stream(problem, work.repeat, self._clock.time()) from None
            if isinstance(problem, WireError):
                raise failed_wire(problem, work.repeat, status=response.status) from None
            if isinstance(problem, _UNREADABLE):
                raise failed_format(f"The stream of {work.operation.name} cannot be read: {_brief(problem)}.") from None
            raise
        opened.first_at = self._clock.monotonic()
        opened.key = key
        return opened

    async def _prime(self, opened: _Opened) -> None:
        """Read until there is content; an error before it raises, one behind it in the same bytes is kept for later."""
        reader, held = opened.reader, opened.held
        content = False
        async for data in opened.chunks:
            try:
                for chunk in reader.feed(data):
                    held.append(chunk)
                    content = content or _is_content(chunk)
            except (errors.BackendError, *_UNREADABLE) as trouble:
                if not content:
                    raise
                opened.trouble = trouble
                return
            if content or reader.done or len(held) > _MOST_HELD:
                return
        held.extend(reader.finish())
        if not reader.done:
            raise _cut_short()

    async def _flow(self, call: Call[_Opened], work: _Work, state: StreamState[T]) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of one stream and count it exactly once, however it ends."""
        self._started()
        if call.watch is not None:
            call.watch.started()
        outcome: Outcome = "cancelled"
        error: str | None = None
        usage: Usage | None = None
        passage: Passage | None = None
        first: float | None = None
        response: Response | None = None
        try:
            self._till.admit(call, work.endpoint)
            arrived = await within(self._remaining(call), travel(call, work.endpoint, self._random))
            opened, passage = arrived
            response = opened.response
            first = opened.first_at - call.started if opened.first_at is not None else None
            if call.watch is not None and first is not None:
                call.watch.first_token(first)
            reader, chunks = opened.reader, opened.chunks
            state.provider_request_id = self._provider_request_id(opened.response.headers)
            held, opened.held = opened.held, []
            for chunk in held:
                yield chunk
            try:
                if opened.trouble is not None:
                    raise opened.trouble
                while not reader.done:
                    if call.deadline_at is None:
                        data = await anext(chunks, None)
                    else:
                        data = await within(self._remaining(call), anext(chunks, None))
                    if data is None:
                        break
                    for chunk in reader.feed(data):
                        yield chunk
                else:
                    await _drain(chunks)
                if not reader.done:
                    for chunk in reader.finish():
                        yield chunk
                if not reader.done:
                    raise _cut_short()
                reply: Any = reader.reply(self._answer(call, opened.response, None))
            except (WireError, *_UNREADABLE, errors.BackendError) as problem:
                error_now = self._interrupted(bare(problem), opened, work)
                raise error_now from error_now.__cause__
            reply = self._till.charged(reply, call)
            usage = getattr(reply, "usage", None)
            passage.succeed(usage, call.charge)
            outcome = "success"
            state.reply = reply
            if call.watch is not None:
                call.watch.reply = reply
        except errors.BackendError as failure:
            outcome, error = "failure", type(failure).__name__
            if passage is not None:
                usage = self._till.charged_so_far(reader, call, passage, failure)
                self._learn_from_end(passage, failure, work)
            raise self._completed(failure, call) from failure.__cause__
        finally:
            if passage is not None:
                if outcome == "cancelled":
                    usage = self._till.charged_so_far(reader, call, passage)
                passage.let_go()  # nothing happens where it was ended above
            self._finished(call, work.endpoint, outcome, error, usage, first)
            if response is not None:
                await response.aclose()

    def _interrupted(self, problem: Exception, opened: _Opened, work: _Work) -> errors.BackendError:
        """Return the typed error for a stream that had begun and did not end well; it carries what came."""
        partial = opened.reader.partial()
        if isinstance(problem, errors.DeadlineExceededError):
            problem.partial = partial
            return problem
        facts: dict[str, Any] = {
            "provider_request_id": self._provider_request_id(opened.response.headers),
            "partial": partial,
        }
        if isinstance(problem, errors.BackendError):
            _mask(problem, opened.key)
            interrupted = errors.StreamInterruptedError(
                f"The provider ended the stream with an error: {problem.message}",
                status=problem.status,
                code=problem.code,
                retry_after=problem.retry_after,
                **facts,
            )
            interrupted.__cause__ = problem
            return interrupted
        if isinstance(problem, WireError):
            failed = failed_wire(problem, Repeat.NEVER)
            if isinstance(failed.error, errors.ResponseFormatError):
                failed.error.partial = partial
                return failed.error
            interrupted = errors.StreamInterruptedError(failed.error.message, code=problem.failure.value, **facts)
            interrupted.__cause__ = failed.error
            return interrupted
        return errors.StreamInterruptedError(
            f"The stream of {work.operation.name} cannot be read: {_brief(problem)}.", code="format", **facts
        )

    def _learn_from_end(self, passage: Passage, failure: errors.BackendError, work: _Work) -> None:
        """Let the breaker learn how a stream that had begun ended: a stream that died is an outage, a broken format is not."""
        cause = failure.__cause__
        if isinstance(failure, errors.DeadlineExceededError):
            passage.let_go()
        elif isinstance(cause, errors.TransportError) or (
            isinstance(cause, errors.BackendError)
            and failed_stream(cause, work.repeat, self._clock.time()).blame is Blame.OUTAGE
        ):
            passage.fail()
        else:
            passage.alive()

    def _remaining(self, call: Call[Any]) -> float | None:
        if call.deadline_at is None:
            return None
        return max(0.0, call.deadline_at - self._clock.monotonic())

    # -- connections ---------------------------------------------------------------------------------------------------

    def _client(self, endpoint: Endpoint) -> Client:
        found = self._clients.get(endpoint.name)
        if found is None:
            from backends.wire.client import Client

            settings = endpoint.settings
            limits = Limits(max_body_bytes=settings.max_response_bytes, max_event_bytes=settings.max_event_bytes)
            with self._lock:
                found = self._clients.setdefault(
                    endpoint.name, Client(self._transport, limits=limits, verify=settings.verify)
                )
        return found

    def _abandon_wire(self) -> None:
        for client in self._clients.values():
            client.abandon()

    def _holds_wire(self) -> bool:
        return bool(self._clients)

    async def _close_wire(self) -> None:
        for client in list(self._clients.values()):
            await client.aclose()


def _cut_short() -> WireError:
    return WireError(Failure.CUT_SHORT, "it ended before its end was announced", sent=True)


def _affinity(work: _Work) -> bytes | None:
    """Return the start of the body where requests that share it should share a key, None where that is off or it is short."""
    length = work.endpoint.settings.prefix_affinity
    if length is None or not isinstance(work.body, bytes) or len(work.body) < length:
        return None
    return work.body[:length]


def error_text(data: Any) -> tuple[str, str | None]:
    """Return message and code of the error bodies in use: ``{"error": {...}}``, ``{"error": text}``, ``{"message": ...}``, text."""
    body = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(body, dict):
        message = body.get("message")
        code = body.get("code") or body.get("type")
        return _short(message), str(code)[:200] if code is not None else None
    return _short(body), None


def _short(text: Any) -> str:
    if not isinstance(text, str):
        return ""
    stripped = text.strip()
    if stripped.startswith("<"):
        return "an HTML page instead of the API's own error"
    return stripped[:_LARGEST_MESSAGE]


def _mask(error: errors.BackendError, key: Key | None) -> None:
    """Providers quote keys in their errors; ours never do."""
    if key is None:
        return
    secret = key.reveal()
    if secret in error.message:
        error.message = error.message.replace(secret, repr(key))
        error.args = (error.message,)
    if error.code is not None and secret in error.code:
        error.code = error.code.replace(secret, repr(key))


def _decoded(operation: Operation[Any], content: bytes) -> Any:
    if operation.expect == "json":
        return jsontext.loads(content, max_depth=128)
    if operation.expect == "text":
        return content.decode("utf-8")
    return content if operation.expect == "bytes" else None


def _unreadable(operation: Operation[Any], response: Response, content: bytes, problem: Exception) -> str:
    kind = response.headers.get("content-type", "no content type")[:100]
    size = "an empty body" if not content else f"{len(content)} bytes"
    return f"The answer to {operation.name} cannot be read: {_brief(problem)} ({kind}, {size})."


def _brief(problem: BaseException) -> str:
    if isinstance(problem, KeyError):
        return f"field {str(problem)[:100]} is missing"
    return (
        f"{type(problem).__name__}: {str(problem)[:200]}"
        if not isinstance(problem, FormatError)
        else str(problem)[:200]
    )


def _is_content(chunk: Chunk) -> bool:
    return bool(chunk.text or chunk.tool_calls or chunk.reasoning or chunk.data or chunk.refusal or chunk.finish_reason)


def _timeouts(settings: Settings, operation: Operation[Any]) -> Timeouts:
    read = _longer(settings.read_timeout, operation.silence)
    return Timeouts(
        connect=settings.connect_timeout,
        write=settings.write_timeout,
        read=read,
        idle=_longer(settings.idle_timeout, operation.silence) if operation.stream is not None else read,
    )


def _longer(limit: float | None, silence: float | None) -> float | None:
    return limit if limit is None or silence is None else max(limit, silence)


async def _drain(chunks: AsyncIterator[bytes]) -> None:
    """Read what follows the end announced by the provider, briefly, so that the connection can serve the next call."""
    seen = 0
    try:
        async with asyncio.timeout(_TAIL_SECONDS):
            async for data in chunks:
                seen += len(data)
                if seen > _LARGEST_TAIL:
                    return
    except (TimeoutError, WireError):
        return
