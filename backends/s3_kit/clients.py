"""boto3's clients: imported late, made once per credential, with retries off and everything that we decide switched
over to us.

A client made with explicit credentials reads no profile and no file of the AWS tools; without them it is boto3's own
chain that finds some. Nothing here sends anything, except what that chain does to find credentials.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from backends.errors import ConfigurationError
from backends.s3_kit.connections import watch
from backends.s3_kit.credentials import CredentialPair
from backends.s3_kit.quiet import install
from backends.s3_kit.stores import Store
from backends.settings import Settings

if TYPE_CHECKING:
    from backends.wire.route import Proxy

__all__ = ["INSTALL", "Clients", "Site"]

INSTALL: Final = "pip install 'backends-conformance[s3]'"
_USER_AGENT: Final = "backends-conformance/0.1.0"
_ALONE: Final = {
    # Explicit credentials: a profile that does not exist, or one that says otherwise, must not get in the way.
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a client talks to, and how.

    Attributes:
        endpoint: name of the endpoint.
        address: its URL; None is the vendor's own for the region.
        region: for signing.
        store, settings: the endpoint's own.
        proxy: through which it is reached.
    """

    endpoint: str
    address: str | None
    region: str
    store: Store
    settings: Settings
    proxy: Proxy | None = None


class Clients:
    """The clients of one backend. Safe from many threads; a client itself is, too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, CredentialPair | None], Any] = {}

    def get(self, site: Site, pair: CredentialPair | None) -> Any:
        """Return the client for a site and a pair; it takes a few tenths of a second the first time.

        Raises:
            ConfigurationError: boto3 is not installed, or a setting is not to its liking.
        """
        known = self._made.get((site.endpoint, pair))
        if known is not None:
            return known
        with self._lock:  # making clients is not safe from many threads
            found = self._made.get((site.endpoint, pair))
            if found is None:
                found = self._made[site.endpoint, pair] = _make(site, pair)
            return found

    def forget(self, pair: CredentialPair) -> None:
        """Drop the clients of a pair that is used no more; calls in flight keep theirs until they end."""
        with self._lock:
            for place in [place for place in self._made if place[1] == pair]:
                del self._made[place]

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            clients = list(self._made.values())
            self._made.clear()
        for client in clients:
            client.close()


def _make(site: Site, pair: CredentialPair | None) -> Any:
    try:
        import boto3.session
        import botocore
        import botocore.config
        import botocore.exceptions
        import botocore.session
    except ImportError as error:
        raise ConfigurationError(f"S3 needs boto3: {INSTALL}", provider="s3_kit") from error
    store, settings = site.store, site.settings
    if not isinstance(settings.verify, bool | str):
        raise ConfigurationError("Setting verify must be True, False or a path for S3: boto3 takes no context.")
    proxy = site.proxy.url() if site.proxy is not None else None
    checksums = "when_supported" if store.sends_checksums else "when_required"
    decided: dict[str, Any] = {
        # v4 always: the default for presigned URLs is still the old form, which newer regions and many stores refuse.
        "signature_version": botocore.UNSIGNED if store.anonymous else "s3v4",
        "retries": {"total_max_attempts": 1, "mode": "standard"},  # the path of a call is the one owner of retries
        "connect_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout,
        "max_pool_connections": settings.max_concurrent_requests,
        "s3": {"addressing_style": store.addressed},
        "request_checksum_calculation": checksums,
        "response_checksum_validation": checksums,
        "user_agent_extra": settings.user_agent or _USER_AGENT,
        "ignore_configured_endpoint_urls": True,  # the address was decided by our chain
        "proxies": {"http": proxy, "https": proxy} if proxy is not None else {},  # empty: not those of the environment
        "client_cert": _certificate(settings),
    }
    alone = pair is not None or store.anonymous
    try:
        core = botocore.session.Session(session_vars=dict(_ALONE) if alone else None)
        if alone:
            core.register_component("data_loader", _descriptions())
        session: Any = boto3.session.Session(botocore_session=core)
        client = session.client(
            "s3",
            region_name=site.region,
            endpoint_url=site.address,
            verify=settings.verify,
            config=botocore.config.Config(**decided),
            **(pair.arguments() if pair is not None else {}),
        )
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"boto3 refuses this configuration: {error}", provider="s3_kit") from None
    client.meta.events.register("before-call.s3", _stay_here)
    watch(client)
    install()
    return client


def _certificate(settings: Settings) -> str | tuple[str, ...] | None:
    """Return a client's certificate as boto3 takes it: one file, or the two as a pair."""
    files = tuple(settings.client_certificate or ())
    return files if len(files) == 2 else files[0] if files else None


@cache
def _descriptions() -> Any:
    """Return the reader of boto3's service descriptions; it keeps what it has read, and reading costs more than a call."""
    import botocore.loaders

    return botocore.loaders.create_loader()


def _stay_here(context: dict[str, Any], **_: Any) -> None:
    """Keep boto3 from following a bucket into another region: it would ask twice more on its own; the error names the
    region."""
    redirect = context.get("s3_redirect")
    if isinstance(redirect, dict):
        redirect["redirected"] = True
