"""Where keys may come from while a program runs: a file that another program keeps, a function, a token service.

Pass one as ``key_source=`` to a backend or an endpoint. When a source is asked is decided elsewhere
(:mod:`backends.resilience.freshness`); a source only answers, and shows no key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote_plus, urlencode

from backends import errors
from backends.address import checked_url, is_local
from backends.callables import is_asynchronous
from backends.discretion import discreet
from backends.resilience.supply import Issued, KeySource
from backends.secret import Key, SecretText

__all__ = ["CallableSource", "ClientCredentials", "FileSource", "Issued", "KeySource"]

_LARGEST_FILE: Final = 65_536
_LARGEST_ANSWER: Final = 262_144
_LONGEST_TIME: Final = 366 * 86_400.0

Given: TypeAlias = str | Key | Sequence[str | Key] | Issued


class FileSource:
    """Keys in a file, one a line; blank lines and those that begin with ``#`` are none. It is read anew every so often.

    Args:
        path: of the file.
        every: seconds after which it is read again.

    Raises:
        ConfigurationError: ``every`` is not above 0.
    """

    def __init__(self, path: str | Path, *, every: float = 30.0) -> None:
        self._path = Path(path)
        self._every = _seconds("every", every)

    async def fetch(self) -> Issued:
        """Return the keys in the file.

        Raises:
            ConfigurationError: it cannot be read, is too large, or holds no key.
        """
        text = await asyncio.to_thread(self._read)
        lines = [line.strip() for line in text.splitlines()]
        keys = _keys([line for line in lines if line and not line.startswith("#")], f"key file {self._path}")
        return Issued(keys, again_after=self._every)

    def _read(self) -> str:
        try:
            with open(self._path, "rb") as file:
                content = file.read(_LARGEST_FILE + 1)
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise errors.ConfigurationError(f"Key file {self._path} is not UTF-8 text.") from None
        except OSError as error:
            raise errors.ConfigurationError(f"Key file {self._path} cannot be read: {error.strerror}.") from None
        if len(content) > _LARGEST_FILE:
            raise errors.ConfigurationError(f"Key file {self._path} is too large to hold keys.")
        return text

    def __repr__(self) -> str:
        return f"FileSource({str(self._path)!r})"


class CallableSource:
    """Keys that a function returns, such as one that asks a secret store.

    Args:
        function: returns a key, several, or an :class:`Issued`; it may be asynchronous, else it runs in a thread.
        every: seconds after which it is asked again, unless it says when.
        within: seconds that it may take.

    Raises:
        ConfigurationError: it is no function, or a time is not above 0.
    """

    def __init__(
        self, function: Callable[[], Given | Awaitable[Given]], *, every: float = 300.0, within: float = 10.0
    ) -> None:
        if not callable(function):
            raise errors.ConfigurationError("function must be callable.")
        self._function = function
        self._every = _seconds("every", every)
        self._within = _seconds("within", within)

    async def fetch(self) -> Issued:
        """Return what the function gives.

        Raises:
            ConfigurationError: it gave no key.
            TransportError: it raised or took too long; the message holds the kind of its error and not its words.
        """
        try:
            async with asyncio.timeout(self._within):
                given = await self._ask()
        except errors.BackendError:
            raise
        except TimeoutError:
            raise errors.TransportError(f"The key source gave nothing within {self._within:g} s.") from None
        except Exception as problem:  # whatever a caller's function raises; its words may hold a secret
            raise errors.TransportError(f"The key source failed: {type(problem).__name__}.") from None
        if isinstance(given, Issued):
            return given
        return Issued(_keys([given] if isinstance(given, str | Key) else given, "key source"), again_after=self._every)

    async def _ask(self) -> Given:
        function = self._function
        given = function() if is_asynchronous(function) else await asyncio.to_thread(function)
        return await given if isinstance(given, Awaitable) else given

    def __repr__(self) -> str:
        return f"CallableSource({getattr(self._function, '__name__', type(self._function).__name__)})"


class ClientCredentials:
    """Access tokens of an OAuth 2.0 token service, by the client credentials grant (RFC 6749, 4.4).

    Args:
        token_url: of the service; https, unless it is on this machine.
        client_id: who asks.
        client_secret: shown to the token service alone.
        scope: what for; None leaves it to the service.
        parameters: further fields of the form (``audience``, ``resource``).
        authentication: ``basic`` sends id and secret in a header (RFC 6749, 2.3.1), ``body`` in the form.
        good_for: seconds that a token is good for when the service does not say.
        transport: an httpx transport instead of the network.
        route: how connections are made (``backends.wire.route.Route``).

    Raises:
        ConfigurationError: an argument is wrong; the message names it and shows no secret.
    """

    @discreet
    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: str | Key,
        *,
        scope: str | None = None,
        parameters: Mapping[str, str] | None = None,
        authentication: Literal["basic", "body"] = "basic",
        good_for: float = 300.0,
        transport: Any = None,
        route: Any = None,
    ) -> None:
        self._url = checked_url(token_url, "token_url")
        if self._url.startswith("http://") and not is_local(self._url):
            raise errors.ConfigurationError("token_url must be https: the client's secret would travel unencrypted.")
        if not isinstance(client_id, str) or not client_id:
            raise errors.ConfigurationError("client_id must be text.")
        if authentication not in ("basic", "body"):
            raise errors.ConfigurationError(f"authentication must be basic or body, not {authentication!r}.")
        self._id = client_id
        self._secret = client_secret if isinstance(client_secret, Key) else Key(client_secret)
        self._form = {"grant_type": "client_credentials", **(parameters or {})}
        if scope is not None:
            self._form["scope"] = scope
        self._authentication = authentication
        self._good_for = _seconds("good_for", good_for)
        self._transport = transport
        self._route = route

    async def fetch(self) -> Issued:
        """Return a new token.

        Raises:
            AuthenticationError: the service refused the client.
            RateLimitError, ServerError, TransportError: it did not answer, or not now.
            ResponseFormatError: its answer holds no token.
        """
        status, content = await self._exchange()
        data = _object(content)
        if status != 200:
            raise _refused(status, data)
        return self._issued(data)

    async def _exchange(self) -> tuple[int, bytes]:
        from backends.wire.client import Client
        from backends.wire.values import Limits, Timeouts, WireError, WireRequest

        client = Client(self._transport, limits=Limits(max_body_bytes=_LARGEST_ANSWER), route=self._route)
        body, headers = self._request()
        request = WireRequest("POST", self._url, headers, body, Timeouts(read=30.0, idle=30.0))
        try:
            response = await client.open(request)
            try:
                return response.status, await response.read()
            finally:
                await response.aclose()
        except WireError as problem:
            raise errors.TransportError(
                f"The token service could not be asked: {problem.message or problem.failure.value}.",
                code=problem.failure.value,
            ) from None
        finally:
            await client.aclose()

    def _request(self) -> tuple[bytes, tuple[tuple[str, str], ...]]:
        from base64 import b64encode

        form = dict(self._form)
        headers = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json")]
        if self._authentication == "body":
            form |= {"client_id": self._id, "client_secret": self._secret.reveal()}
        else:
            pair = f"{quote_plus(self._id)}:{quote_plus(self._secret.reveal())}"
            headers.append(("authorization", "Basic " + SecretText(b64encode(pair.encode()).decode())))
        return urlencode(form).encode(), tuple(headers)

    def _issued(self, data: Mapping[str, Any]) -> Issued:
        token, kind, seconds = data.get("access_token"), data.get("token_type", "bearer"), data.get("expires_in")
        if not isinstance(token, str) or not isinstance(kind, str) or kind.lower() != "bearer":
            raise errors.ResponseFormatError("The token service's answer holds no bearer token.")
        if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit():  # some services write it as text
            seconds = int(seconds[:12])
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_TIME:
            seconds = self._good_for
        return Issued(_keys([token], "answer of the token service"), good_for=float(seconds))

    def __repr__(self) -> str:
        return f"ClientCredentials({self._url!r}, {self._id!r}, {self._secret!r})"


def _seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise errors.ConfigurationError(f"{name} must be a number of seconds above 0, not {value!r}.")
    return float(value)


def _keys(values: Any, where: str) -> tuple[Key, ...]:
    if not isinstance(values, Sequence) or isinstance(values, bytes) or not values:
        raise errors.ConfigurationError(f"The {where} gave no key.")
    try:
        return tuple(dict.fromkeys(value if isinstance(value, Key) else Key(value) for value in values))
    except errors.ConfigurationError as error:
        raise errors.ConfigurationError(f"{error.message} (from the {where})") from None


def _object(content: bytes) -> dict[str, Any]:
    from backends.wire import jsontext
    from backends.wire.values import FormatError

    try:
        data = jsontext.loads(content, max_depth=16)
    except (FormatError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def _refused(status: int, data: Mapping[str, Any]) -> errors.BackendError:
    """Return the error for what a token service answered; its own code is told, its words may quote the secret."""
    code = data.get("error")
    told = code if isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum() else None
    says = f"The token service answered {status}{f' ({told[:60]})' if told else ''}."
    if status == 429:
        return errors.RateLimitError(says, status=status, code=told)
    if status >= 500:
        return errors.ServerError(says, status=status, code=told)
    return errors.AuthenticationError(says, status=status, code=told)
