"""S3 for clients of any language: moto's own server, unchanged, on a port of its own.

The variant with a log, faults and nonces is the provider ``s3_kit`` of
:class:`~conformance.simulators.server.Simulator`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

__all__ = ["PlainStore"]


class PlainStore:
    """moto's threaded S3 server as a context manager; ``url`` is what a client takes as its endpoint.

    Args:
        port: 0 picks a free one.

    Raises:
        RuntimeError: moto is not installed.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._server: Any = None

    def start(self) -> None:
        """Listen, with nothing stored."""
        try:
            from moto.server import ThreadedMotoServer
        except ImportError as error:
            raise RuntimeError("the object store needs moto: pip install 'moto[s3,server]'") from error
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    @property
    def url(self) -> str:
        """The endpoint's address."""
        if self._server is None:
            raise RuntimeError("the store is not running")
        return f"http://127.0.0.1:{self._server.get_host_and_port()[1]}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
