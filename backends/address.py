"""What a base URL may be, and whether it is this machine's own. Nothing is resolved or opened."""

from __future__ import annotations

from backends import errors

__all__ = ["checked_url", "is_local"]


def checked_url(url: str, argument: str) -> str:
    """Return a base URL without its trailing slash.

    Raises:
        ConfigurationError: it is not an http(s) address, or carries credentials, a query or a fragment.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or 0 < parts.port < 65536
    except (ValueError, AttributeError, TypeError):
        raise errors.ConfigurationError(f"{argument} is not a URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_valid:
        raise errors.ConfigurationError(f"{argument} must start with http:// or https:// and name a host.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise errors.ConfigurationError(
            f"{argument} must not hold credentials, a query or a fragment; pass keys as api_key."
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise errors.ConfigurationError(f"{argument} holds characters that do not belong into a URL.")
    return url.rstrip("/")


def is_local(address: str) -> bool:
    """Say whether an address is a loopback one, by its text alone."""
    import ipaddress
    from urllib.parse import urlsplit

    host = urlsplit(address).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
