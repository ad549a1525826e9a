"""Saboteurs of chapter EDG: certificates not shown, proxies gone round, tokens kept too long, tenants mixed up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from backends import errors
from backends.resilience.failures import AttemptFailed
from backends.resilience.supply import Issued
from conformance.saboteurs import saboteur

Make = Callable[..., Any]


def _without(make: Make, *names: str) -> Make:
    return lambda site, **settings: make(site, **{name: value for name, value in settings.items() if name not in names})


@saboteur("EDG-01", "takes a client's certificate and shows none", maker=True)
def shows_no_certificate(make: Make) -> Make:
    """The setting is there, it only does nothing."""
    return _without(make, "client_certificate")


@saboteur("EDG-02", "goes round the proxy", maker=True)
def goes_round_the_proxy(make: Make) -> Make:
    """The direct way is shorter."""
    return _without(make, "proxy")


def _when_a_proxy_refuses(
    backend: Any, then: Callable[[AttemptFailed, Callable[[], Awaitable[Any]]], Awaitable[None]]
) -> None:
    """Let something happen after an attempt that a proxy refused: it is given the failure, and a way to send again."""
    send = backend._send

    async def spoilt(work: Any, call: Any, key: Any) -> Any:
        try:
            return await send(work, call, key)
        except AttemptFailed as failure:
            if failure.kind == "proxy":
                await then(failure, lambda: send(work, call, key))
            raise

    backend._send = spoilt


@saboteur("EDG-02", "asks a proxy that refuses again and again")
def hammers_the_proxy(backend: Any) -> None:
    """It may think better of it."""

    async def again(failure: AttemptFailed, send: Callable[[], Awaitable[Any]]) -> None:
        del failure
        await send()

    _when_a_proxy_refuses(backend, again)


@saboteur("EDG-02", "notes a proxy that refuses, with its password")
def tells_the_password(backend: Any) -> None:
    """So that the log shows which proxy it was."""
    transport = backend._client(backend.endpoint())._native

    async def note(failure: AttemptFailed, send: Callable[[], Awaitable[Any]]) -> None:
        del send
        failure.error.add_note(transport._route.proxy.url())

    _when_a_proxy_refuses(backend, note)


@saboteur("EDG-02", "listens to the environment unasked", maker=True)
def listens_to_the_environment(make: Make) -> Make:
    """trust_env is such a convenience."""
    return lambda site, **settings: make(site, **{"proxy": "environment", **settings})


def _spoilt_source(make: Make, spoil: Callable[[Any], Any]) -> Make:
    def making(site: Any, **settings: Any) -> Any:
        source = settings.get("key_source")
        return make(site, **({**settings, "key_source": spoil(source)} if source is not None else settings))

    return making


class _Forever:
    """Asks once and believes it for ever."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def fetch(self) -> Issued:
        issued: Issued = await self._inner.fetch()
        return replace(issued, good_for=None, again_after=None)


class _Impatient:
    """Asks for every call."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def fetch(self) -> Issued:
        issued: Issued = await self._inner.fetch()
        return replace(issued, good_for=1e-6)


class _Talkative:
    """Tells what the source said."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def fetch(self) -> Issued:
        try:
            return await self._inner.fetch()  # type: ignore[no-any-return]  # an Issued
        except errors.BackendError as error:
            secret = getattr(self._inner, "_secret", None)
            error.message += f" (asked with {secret.reveal() if secret is not None else ''})"
            raise


@saboteur("EDG-03", "keeps a key for ever", maker=True)
def keeps_keys_for_ever(make: Make) -> Make:
    """It was good once."""
    return _spoilt_source(make, _Forever)


@saboteur("EDG-03", "asks the source for every call", maker=True)
def asks_every_time(make: Make) -> Make:
    """The secret store is made for it."""
    return _spoilt_source(make, _Impatient)


@saboteur("EDG-04", "keeps a token past its end", maker=True)
def keeps_tokens_for_ever(make: Make) -> Make:
    """expires_in is but a number."""
    return _spoilt_source(make, _Forever)


@saboteur("EDG-04", "tells the client's secret in an error", maker=True)
def tells_the_secret(make: Make) -> Make:
    """So that people can see what is wrong."""
    return _spoilt_source(make, _Talkative)


@saboteur("EDG-05", "counts everything for the first tenant")
def one_tenant_pays(backend: Any) -> None:
    """The one who came first."""
    make, first = backend._call, []

    def spoilt(*arguments: Any) -> Any:
        call = make(*arguments)
        first.append(call.tenant)
        call.tenant = first[0]
        return call

    backend._call = spoilt
