"""What distinguishes one provider from another before any call: its name, address, credentials and headers, as data."""

from __future__ import annotations

from dataclasses import dataclass

from backends.secret import Key

__all__ = ["Provider"]


@dataclass(frozen=True, slots=True)
class Provider:
    """The fixed facts of a provider.

    Attributes:
        name: row name (``openai``); also the prefix of its metadata keys (``openai_api_key``).
        title: name for people.
        base_url: the vendor's own address, without a trailing slash.
        key_required: False for servers that may run without a key.
        key_variables: environment variables that hold one key, first found wins; each may also hold several, comma-separated.
        key_file_variables: environment variables that name a file with the key and nothing else, asked after those.
        base_url_variables: environment variables that hold the address.
        key_header, key_prefix: where the key goes: ``Authorization``, ``Bearer ``.
        request_id_headers: answer headers that hold the provider's request id, first found wins.
        client_request_id_header: request header in which the provider takes our id, or None.
    """

    name: str
    title: str
    base_url: str
    key_required: bool
    key_variables: tuple[str, ...]
    key_file_variables: tuple[str, ...] = ()
    base_url_variables: tuple[str, ...] = ()
    key_header: str = "Authorization"
    key_prefix: str = "Bearer "
    request_id_headers: tuple[str, ...] = ("x-request-id",)
    client_request_id_header: str | None = None
    default_model: str | None = None

    def authorize(self, key: Key) -> tuple[str, str]:
        """Return the header that carries the key."""
        return (self.key_header, self.key_prefix + key.reveal())
