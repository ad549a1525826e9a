"""One attempt at a whole answer: the request goes out once, the answer becomes a reply or says what happened.

The clients that requests go through are kept here, one an endpoint. It never decides whether to try again
(:mod:`backends.resilience.call` does), and knows nothing of caches; :mod:`backends.streaming` reads streams from what it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from backends import errors
from backends.batched import BatchingBackend
from backends.operation import Answer, CallOptions, Operation
from backends.prepared import Work, prepare, timeouts
from backends.reading import UNREADABLE, decoded, error_text, readable_error, unreadable
from backends.resilience.call import Call
from backends.resilience.endpoint import Endpoint
from backends.resilience.failures import (
    AttemptFailed,
    error_class,
    failed_answer,
    failed_format,
    failed_stream,
    failed_wire,
)
from backends.secret import Key
from backends.wire.values import Limits, WireError, WireRequest

if TYPE_CHECKING:
    from backends.wire.client import Client, Response

__all__ = ["ExchangingBackend"]

T = TypeVar("T")


class ExchangingBackend(BatchingBackend):
    """Adds requests and whole answers over HTTP to a backend; see the module docstring."""

    user_agent: ClassVar[str] = "backends-conformance/0.1.0"
    reserved_headers: ClassVar[Mapping[str, str]] = {}
    """Headers that ``extra_headers`` must not set: lower-case name -> what to do instead."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._clients: dict[str, Client] = {}

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

    # -- one attempt ---------------------------------------------------------------------------------------------------

    def _work(self, operation: Operation[Any], endpoint: Endpoint, options: CallOptions) -> Work:
        return prepare(
            operation,
            endpoint,
            options,
            provider=self.provider,
            user_agent=self.user_agent,
            fixed_headers=self.fixed_headers(endpoint),
            reserved_headers=self.reserved_headers,
        )

    async def _send(self, work: Work, call: Call[Any], key: Key | None) -> Response:
        """Put the request on the wire once and return the answer when its headers are there and its status is good."""
        headers = work.headers
        if key is not None:
            headers = (*headers, self.credential_header(key))
        if self.provider.client_request_id_header is not None:
            headers = (*headers, (self.provider.client_request_id_header, call.id))
        operation, settings = work.operation, work.endpoint.settings
        client = self._client(work.endpoint)
        request = WireRequest(operation.method, work.path, headers, work.body, timeouts(settings, operation))
        try:
            response = await client.open(request)
        except WireError as problem:
            raise failed_wire(problem, work.repeat) from None
        call.headers = response.headers
        if response.status < 400 or response.status in operation.accepted:
            return response
        raise await self._refused(work, response)

    async def _refused(self, work: Work, response: Response) -> AttemptFailed:
        """Read an error answer, within bounds, into a failure."""
        try:
            content = await response.read()
        except WireError:
            content = b""  # the status alone decides; a broken error body must not hide it
        finally:
            await response.aclose()
        data = readable_error(content)
        try:
            error = self.read_error(response.status, response.headers, data, work.operation)
        except UNREADABLE:
            error = error_class(response.status)(f"HTTP {response.status}", status=response.status)
        error.provider_request_id = self._provider_request_id(response.headers)
        once = work.operation.repeat_once
        return failed_answer(error, response.headers, data, work.repeat, self._clock.time(), once)

    async def _attempt(self, work: Work, call: Call[T], key: Key | None) -> T:
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
            data = decoded(operation, content)
            answer = self._answer(call, response, data)
            if operation.inspect is not None:
                operation.inspect(answer)
            return operation.read(answer)  # type: ignore[no-any-return]  # Operation[Any] inside Work
        except errors.BackendError as error:
            raise failed_stream(error, work.repeat, self._clock.time()) from None
        except UNREADABLE as problem:
            raise failed_format(unreadable(operation, response, content, problem), **facts) from None

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

    # -- connections ---------------------------------------------------------------------------------------------------

    def _client(self, endpoint: Endpoint) -> Client:
        found = self._clients.get(endpoint.name)
        if found is None:
            from backends.wire.client import Client
            from backends.wire.route import Route

            settings = endpoint.settings
            limits = Limits(max_body_bytes=settings.max_response_bytes, max_event_bytes=settings.max_event_bytes)
            certificate = tuple(settings.client_certificate) if settings.client_certificate else None
            route = Route(settings.verify, certificate, self._proxy(endpoint))
            with self._lock:
                found = self._clients.setdefault(endpoint.name, Client(self._transport, limits=limits, route=route))
        return found

    def _abandon_wire(self) -> None:
        for client in self._clients.values():
            client.abandon()

    def _holds_wire(self) -> bool:
        return bool(self._clients)

    async def _close_wire(self) -> None:
        for client in list(self._clients.values()):
            await client.aclose()
