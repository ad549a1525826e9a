"""Where the server is: the forms that ``OLLAMA_HOST`` takes, turned into a base URL. Pure; reads no environment.

Wire facts: ``envconfig/config.go`` of the server and ``_parse_host`` of the official Python client 0.6.3.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from backends.errors import ConfigurationError

__all__ = ["DEFAULT_HOST", "host_url"]

DEFAULT_HOST: Final = "http://127.0.0.1:11434"
_PORTS: Final = {"http": 80, "https": 443}
_OWN_PORT: Final = 11434


def host_url(text: str, source: str = "base_url") -> str:
    """Return the base URL that a host setting means.

    ``h`` is ``http://h:11434``; ``http://h`` is port **80**, ``https://h`` port 443; ``:9`` is
    ``http://127.0.0.1:9``; a path behind the host is kept, a trailing slash is not; IPv6 addresses stand in brackets;
    empty text is this machine.

    Args:
        text: the setting.
        source: where it came from, for the error.

    Raises:
        ConfigurationError: it is none of these forms, or carries credentials, a query or a fragment. The text is not
            quoted, for it may hold a credential.
    """
    if not isinstance(text, str):
        raise ConfigurationError(f"{source} must be text, not {type(text).__name__}.", provider="ollama")
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise _wrong(source, "holds characters that do not belong into an address")
    scheme, marker, rest = text.partition("://")
    if marker:
        scheme = scheme.lower()
        if scheme not in _PORTS:
            raise _wrong(source, "must start with http://, https:// or the host itself")
        usual = _PORTS[scheme]
    else:
        scheme, rest, usual = "http", text, _OWN_PORT
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        raise _wrong(source, "is not an address; an IPv6 address stands in brackets, a port is below 65536") from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise _wrong(source, "must not hold credentials, a query or a fragment; pass keys as api_key")
    if port == 0:
        raise _wrong(source, "names port 0")
    path = parts.path.strip("/")
    return f"{scheme}://{_bracketed(host)}:{port or usual}" + (f"/{path}" if path else "")


def _bracketed(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


def _wrong(source: str, complaint: str) -> ConfigurationError:
    return ConfigurationError(f"{source} {complaint}.", provider="ollama")
