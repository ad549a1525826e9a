"""Connections of botocore that obey the exchange of their thread: its deadline, its size limit, its end from outside.

botocore offers no public way to choose its connection classes, so this module sets them on its HTTP session. It is the
only place that touches botocore's inside; where that inside has changed, :func:`watch` says so by returning False, and
calls still work, with deadlines that end the wait but not the thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from http.client import RemoteDisconnected
from typing import Any

from backends.s3_kit.exchange import Exchange, TooLargeError, current

__all__ = ["watch"]

_WITHOUT_BODY = frozenset({204, 304})
_FRAMES = frozenset({"content-length", "transfer-encoding"})
"""Every answer of S3 with a body has one of these."""
_LARGEST_ERROR = 1 << 20
_KEPT_ERROR = 1 << 16


def watch(client: Any) -> bool:
    """Make a boto3 client's connections obey :class:`~backends.s3_kit.exchange.Exchange`; False where that is
    impossible."""
    try:
        session = client._endpoint.http_session  # noqa: SLF001
        known = session._pool_classes_by_scheme  # noqa: SLF001
        manager = session._manager  # noqa: SLF001
        classes = {scheme: _watched(pool) for scheme, pool in known.items()}
        session._pool_classes_by_scheme = classes  # noqa: SLF001
        manager.pool_classes_by_scheme = classes
    except AttributeError:
        return False
    return True


@cache
def _watched(pool: Any) -> Any:
    base: Any = pool.ConnectionCls

    class WatchedConnection(base):  # type: ignore[misc]  # chosen at run time: plain or TLS
        """Tells the exchange of this thread what it is waiting on."""

        timeout: Any
        _verb = ""

        def connect(self) -> None:
            exchange = current()
            if exchange is not None:
                exchange.check()
                self.timeout = exchange.bounded(self.timeout)
            super().connect()
            if exchange is not None:
                exchange.hold(self.sock)

        def request(self, method: str, *arguments: Any, **options: Any) -> Any:
            exchange = current()
            self._verb = method
            if exchange is not None:
                exchange.hold(self.sock)
            return super().request(method, *arguments, **options)

        def send(self, data: Any) -> Any:
            exchange = current()
            if exchange is not None:
                if self.sock is None:
                    self.connect()
                exchange.sent = True
                self.sock.settimeout(exchange.bounded(self.sock.gettimeout()))
            return super().send(data)

        def getresponse(self) -> Any:
            exchange = current()
            if exchange is None:
                return super().getresponse()
            exchange.hold(self.sock)
            self.timeout = exchange.bounded(self.timeout)
            answer = super().getresponse()
            if (
                self._verb != "HEAD"
                and answer.status >= 200
                and answer.status not in _WITHOUT_BODY
                and not _FRAMES.intersection(map(str.lower, answer.headers))
            ):
                # The library takes a head that was cut for a whole one, and what follows for a body without end.
                answer.close()
                raise RemoteDisconnected("the head of the answer ended early")
            if answer.status >= 300:
                answer.stream = _Bounded(answer, _LARGEST_ERROR, self._verb, exchange).stream
            elif exchange.largest is not None:
                answer.stream = _Bounded(answer, exchange.largest, self._verb, exchange).stream
            return answer

    name = f"Watched{pool.__name__}"
    return type(name, (pool,), {"ConnectionCls": WatchedConnection})


class _Bounded:
    """Reads a whole answer within a size, and notices when it ends before its length."""

    def __init__(self, answer: Any, largest: int, verb: str, exchange: Exchange) -> None:
        self._exchange = exchange
        self._is_error = answer.status >= 300
        self._stream = answer.stream
        self._largest = largest
        length = answer.headers.get("content-length", "")
        whole = verb != "HEAD" and answer.status not in _WITHOUT_BODY
        self._announced = int(length) if whole and length.isascii() and length.isdigit() else None

    def stream(self, *arguments: Any, **options: Any) -> Iterator[bytes]:
        from urllib3.exceptions import IncompleteRead

        if self._announced is not None and self._announced > self._largest:
            raise TooLargeError(f"{self._announced} bytes, {self._largest} are allowed")
        seen = 0
        for piece in self._stream(*arguments, **options):
            seen += len(piece)
            if seen > self._largest:
                raise TooLargeError(f"more than {self._largest} bytes")
            if self._is_error and len(self._exchange.error_body) < _KEPT_ERROR:
                self._exchange.error_body += piece[:_KEPT_ERROR]
            yield piece
        if self._announced is not None and seen < self._announced:
            raise IncompleteRead(seen, self._announced - seen)
