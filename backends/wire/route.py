"""How connections are made: whom to trust, who we say we are, and through which proxy. Nothing is opened here.

A proxy's address may hold a password, so its text is shown without one.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote, urlsplit

__all__ = ["FROM_ENVIRONMENT", "Proxy", "Route", "proxy_for"]

FROM_ENVIRONMENT: Final = "environment"
"""A proxy setting: what ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say."""


class Proxy:
    """The address of an HTTP proxy, with or without a user and password for it.

    Args:
        url: ``http://[user:password@]host:port``.

    Raises:
        ValueError: it is something else; the message holds no password.
    """

    __slots__ = ("_password", "_user", "address")

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except (ValueError, AttributeError, TypeError):
            raise ValueError("must be a URL such as http://host:port") from None
        if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError("must be http://host:port; other kinds of proxy are not spoken")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        self.address = f"http://{host}:{port or 80}"
        """Without user and password."""
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        if any(not character.isprintable() for character in self._user + self._password):
            raise ValueError("holds control characters in its user or password")

    def credentials(self) -> tuple[str, str] | None:
        """Return user and password; call this only where they go into a header."""
        return (self._user, self._password) if self._user or self._password else None

    def url(self) -> str:
        """Return the address with user and password; hand it to a library, and show it to nobody."""
        if self.credentials() is None:
            return self.address
        return f"http://{quote(self._user, safe='')}:{quote(self._password, safe='')}@{self.address.removeprefix('http://')}"

    def __repr__(self) -> str:
        return f"Proxy({self.address!r}{', with credentials' if self.credentials() else ''})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxy) and (other.address, other.credentials()) == (self.address, self.credentials())

    def __hash__(self) -> int:
        return hash((self.address, self._user, self._password))

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("A Proxy is not pickled: a pickle would carry its password.")


@dataclass(frozen=True, slots=True)
class Route:
    """How the connections of one endpoint are made.

    Attributes:
        verify: True for the system's certificates, False for no check, a file or folder of certificates, or a context.
        client_certificate: file with certificate and key, or two files; None for none (mutual TLS).
        proxy: through which connections go; None for none.
    """

    verify: bool | str | ssl.SSLContext = True
    client_certificate: tuple[str, ...] | None = None
    proxy: Proxy | None = None

    def context(self) -> ssl.SSLContext | bool:
        """Return what connections are secured with, made once for equal routes.

        Raises:
            OSError: a file is not there, or is no certificate or no key.
        """
        return _context(self.verify, self.client_certificate)


@lru_cache(maxsize=16)
def _context(verify: bool | str | ssl.SSLContext, certificate: tuple[str, ...] | None) -> ssl.SSLContext | bool:
    if isinstance(verify, ssl.SSLContext):
        return verify
    if isinstance(verify, str):
        folder = os.path.isdir(verify)
        context = ssl.create_default_context(capath=verify if folder else None, cafile=None if folder else verify)
    elif certificate is None:
        return verify
    else:
        context = ssl.create_default_context()
        if not verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if certificate is not None:
        context.load_cert_chain(*certificate)
    return context


def proxy_for(address: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy that the environment names for an address, None where it names none or excepts the host.

    Raises:
        ValueError: what it names is no HTTP proxy; the message names the variable.
    """
    parts = urlsplit(address)
    variables = {name.lower(): name for name in environ if name.lower().endswith("_proxy") and environ[name].strip()}
    name = variables.get(f"{parts.scheme}_proxy") or variables.get("all_proxy")
    if name is None or _is_excepted(parts.hostname or "", parts.port, environ.get(variables.get("no_proxy", ""), "")):
        return None
    try:
        return Proxy(environ[name].strip())
    except ValueError as error:
        raise ValueError(f"environment variable {name} {error}") from None


def _is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    """Tell whether a list such as ``localhost,.example.org,10.0.0.1:8080`` names a host; a name covers what is below it."""
    for entry in exceptions.lower().replace(" ", "").split(","):
        name = entry.removeprefix("*").lstrip(".")
        if entry == "*" or (name and (host == name or f"{host}:{port}" == name or host.endswith(f".{name}"))):
            return True
    return False
