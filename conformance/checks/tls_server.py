"""The trial's simulator behind TLS, for checks about certificates. It judges nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from conformance.simulators.server import Simulator

__all__ = ["CERTIFICATES", "over_tls"]

CERTIFICATES: Final = Path(__file__).resolve().parent.parent / "data" / "tls"
"""Self-signed, each with its key: ``good`` (127.0.0.1, until 2120), ``wrong_name``, ``expired``. They guard nothing."""


class _Scene(Protocol):
    """What is needed of a trial, of whatever lane."""

    sim: Simulator

    @property
    def base_url(self) -> str:
        """The simulator's address for the subject."""
        ...

    async def settle(self) -> None:
        """Let everything happen that needs no time."""


@asynccontextmanager
async def over_tls(trial: _Scene, certificate: str, *, clients: str | None = None) -> AsyncIterator[str]:
    """Serve the trial's simulator over TLS, too; gives its address.

    Args:
        trial: whose simulator.
        certificate: the server's.
        clients: the one that callers must show; None asks them for none.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(CERTIFICATES / f"{clients}.pem")
    loop = asyncio.get_running_loop()
    report = loop.get_exception_handler()
    loop.set_exception_handler(lambda where, about: None if _gave_up(about) or report is None else report(where, about))
    server = await loop.create_server(trial.sim._protocol, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"https://127.0.0.1:{port}{urlsplit(trial.base_url).path}"
    finally:
        server.close()
        await trial.settle()
        loop.set_exception_handler(report)


def _gave_up(about: dict[str, Any]) -> bool:
    """Say whether the loop reports that a client broke off the handshake, as it does in debug mode: that is what is wanted."""
    return isinstance(about.get("exception"), ConnectionResetError | ssl.SSLError) and "incoming" in str(
        about.get("message")
    )
