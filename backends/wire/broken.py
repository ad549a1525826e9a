"""What an error of aiohttp's means: refused, reset before sending, reset after it, and each timeout, told apart.

What can be told of it is said in few words, which never hold a URL or a key. Whether anything is tried again is not judged here.
"""

from __future__ import annotations

from typing import Final

import aiohttp

from backends.wire.values import Failure, WireError

__all__ = ["broken"]

_UNSENT: Final = frozenset(
    {Failure.CONNECT, Failure.CONNECT_TIMEOUT, Failure.TLS, Failure.RESET_BEFORE_SENT, Failure.PROXY}
)


def broken(problem: Exception, *, body: bool) -> WireError:
    """Return the failure that an error of the network is.

    Args:
        problem: what aiohttp or the system raised.
        body: the headers of the answer had come.
    """
    failure = _kind(problem, body)
    return WireError(failure, _brief(problem), sent=failure not in _UNSENT)


def _kind(problem: Exception, body: bool) -> Failure:
    if isinstance(problem, (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)):
        return Failure.TLS
    if isinstance(problem, aiohttp.ClientHttpProxyError):
        return Failure.PROXY
    if isinstance(problem, aiohttp.ConnectionTimeoutError):
        return Failure.CONNECT_TIMEOUT
    if isinstance(problem, aiohttp.ClientConnectorError):
        return Failure.CONNECT
    if isinstance(problem, (aiohttp.SocketTimeoutError, TimeoutError)):
        return Failure.IDLE_TIMEOUT if body else Failure.READ_TIMEOUT
    if isinstance(problem, (aiohttp.ClientPayloadError, aiohttp.http_exceptions.TransferEncodingError)):
        return Failure.CUT_SHORT
    if isinstance(problem, aiohttp.ServerDisconnectedError):
        return Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    if isinstance(problem, aiohttp.ClientConnectionResetError):
        return Failure.RESET_BEFORE_SENT
    if isinstance(problem, OSError):
        return Failure.CUT_SHORT if body else Failure.RESET_AFTER_SENT
    return Failure.PROTOCOL


def _brief(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {problem.status}"
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"{problem.host}:{problem.port}: {problem.os_error.strerror or type(problem.os_error).__name__}"
    if isinstance(problem, OSError) and problem.strerror and "://" not in problem.strerror:
        return problem.strerror  # some of aiohttp's own texts hold the whole URL, which may hold a query
    return type(problem).__name__
