"""Chapter EDG: certificates, proxies, credentials that change and tenants, judged at the server, the proxy and the reports."""

from __future__ import annotations

import asyncio
import json
import os
from base64 import b64encode
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import httpx

from backends import errors
from backends.key_sources import CallableSource, ClientCredentials, Issued
from backends.secret import Key
from backends.telemetry.events import CallEnded
from conformance.check import check
from conformance.checks.key import KEYS
from conformance.checks.tls_server import CERTIFICATES, over_tls
from conformance.planted import Exhibits
from conformance.simulators.faults import Status
from conformance.simulators.forward_proxy import forward_proxy
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

_CLIENT_SECRET = "client-secret-7c1f0b9d5e"
_PROXY_PASSWORD = "proxy-password-2b8e"


@check("EDG-01")
async def edg_01(trial: Trial) -> None:
    """A server that asks for a client's certificate is shown the one that was set; without one the call fails."""
    ours, trusted = str(CERTIFICATES / "expired.pem"), str(CERTIFICATES / "good.pem")
    async with over_tls(trial, "good", clients="good") as address:
        backend = await trial.backend(base_url=address, verify=trusted, client_certificate=trusted)
        await trial.call(backend)
        trial.equal(len(trial.requests), 1, "requests with the certificate that the server trusts")
        for settings in ({}, {"client_certificate": [ours, ours]}):
            backend = await trial.backend(base_url=address, verify=trusted, max_retries=0, **settings)
            async with trial.raises(errors.TransportError, f"a call with {settings or 'no certificate'}"):
                await trial.call(backend)
        missing = await trial.backend(base_url=address, verify=trusted, client_certificate="/nowhere/client.pem")
        async with trial.raises(errors.TransportError, "a certificate that is not there") as caught:
            await trial.call(missing)
        trial.expect("/nowhere/client.pem" in str(caught.error), f"the error does not name the file: {caught.error}")
    trial.equal(len(trial.requests), 1, "requests in all")


@check("EDG-02")
async def edg_02(trial: Trial) -> None:
    """Connections go through the proxy that was set, with its credentials, and through none that was not."""
    demanded = "Basic " + b64encode(f"user:{_PROXY_PASSWORD}".encode()).decode()
    trusted = str(CERTIFICATES / "good.pem")
    async with over_tls(trial, "good") as address, forward_proxy(demanded) as proxy:
        host = urlsplit(address).netloc
        given = f"http://user:{_PROXY_PASSWORD}@127.0.0.1:{proxy.port}"
        backend = await trial.backend(base_url=address, verify=trusted, proxy=given)
        await trial.call(backend)
        trial.equal(proxy.asked, [f"CONNECT {host} HTTP/1.1"], "what the proxy was asked")
        trial.equal(proxy.shown, [demanded], "credentials shown to the proxy")
        refused = await trial.backend(base_url=address, verify=trusted, proxy=f"http://127.0.0.1:{proxy.port}")
        before = trial.now
        async with trial.raises(errors.TransportError, "a proxy that refuses") as caught:
            await trial.call(refused)
        trial.equal((caught.error.code, caught.error.attempts), ("proxy", 1), "code and attempts")
        trial.equal(len(proxy.asked), 2, "connections asked of the proxy")
        trial.expect(trial.now - before < 0.5, "time was lost on a proxy that refuses")
        wrong = await trial.backend(
            base_url=address, verify=trusted, proxy=f"http://user:not-{_PROXY_PASSWORD}@127.0.0.1:{proxy.port}"
        )
        async with trial.raises(errors.TransportError, "a wrong password") as caught:
            await trial.call(wrong)
        searched = Exhibits({"the proxy's password": _PROXY_PASSWORD})
        searched.error(caught.error, "the error")
        for kind, text in (("repr", f"{wrong!r} {wrong.settings!r}"), ("report", json.dumps(wrong.report()))):
            searched.show(kind, text, "the backend")
        trial.equal(searched.hits(), [], "where the proxy's password shows")
        trial.expect(searched.seen["local variable"] > 0, "no frame was searched")
        asked = len(proxy.asked)
        variables = {"HTTPS_PROXY": given, "https_proxy": given, "ALL_PROXY": given, "HTTP_PROXY": given}
        with patch.dict(os.environ, variables):
            quiet = await trial.backend(base_url=address, verify=trusted, environ=variables, api_key=KEYS[0])
            await trial.call(quiet)
        trial.equal(len(proxy.asked), asked, "connections through a proxy that only the environment names")
        await trial.call(
            await trial.backend(
                base_url=address, verify=trusted, proxy="environment", environ=variables, api_key=KEYS[0]
            )
        )
        trial.equal(len(proxy.asked), asked + 1, "connections through the proxy of the environment, as was asked for")
        excepted = {**variables, "NO_PROXY": "example.org,127.0.0.1"}
        await trial.call(
            await trial.backend(
                base_url=address, verify=trusted, proxy="environment", environ=excepted, api_key=KEYS[0]
            )
        )
        trial.equal(len(proxy.asked), asked + 1, "connections through it to a host that NO_PROXY names")


class _Source:
    """Gives one key after the other, each good for a minute, and fails when it is told to."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.failing = False
        self.gate: asyncio.Event | None = None

    async def __call__(self) -> Issued:
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.failing:
            raise ConnectionError(f"the secret store is away, {KEYS[9]}")
        return Issued((Key(self.keys[min(self.asked, len(self.keys)) - 1]),), good_for=60.0)


def _used(trial: Trial) -> list[str]:
    return [seen.key_fingerprint for seen in trial.requests]


@check("EDG-03")
async def edg_03(trial: Trial) -> None:
    """Keys of a source are fetched once for all, anew when they end or are refused, and a failing source harms nobody meanwhile."""
    source = _Source(*KEYS[:4])
    backend = await trial.backend(api_keys=None, key_source=CallableSource(source), max_retries=1)
    source.gate = asyncio.Event()
    calls = [trial.spawn(trial.call(backend)) for _ in range(3)]
    await trial.settle()
    source.gate.set()
    await asyncio.gather(*calls)
    trial.equal(source.asked, 1, "how often the source was asked by three callers at once")
    trial.equal(_used(trial), [fingerprint(KEYS[0])] * 3, "keys used")
    trial.sim.hold()
    flying = trial.spawn(trial.call(backend))
    await trial.sim.until(held=1)
    await trial.sleep(58.0)
    later = trial.spawn(trial.call(backend))
    await trial.sim.until(held=2)
    trial.sim.let_go()
    await asyncio.gather(flying, later)
    trial.equal(_used(trial)[3:], [fingerprint(KEYS[0]), fingerprint(KEYS[1])], "keys in flight and after the renewal")
    source.failing = True
    await trial.sleep(57.0)
    await trial.call(backend)
    trial.equal(_used(trial)[-1], fingerprint(KEYS[1]), "the key used while the source fails and the old one is good")
    await trial.sleep(60.0)
    async with trial.raises(errors.TransportError, "no key is good and the source fails") as caught:
        await trial.call(backend)
    trial.expect(KEYS[9] not in str(caught.error), "the error shows what the source said")
    source.failing = False
    source.keys = [KEYS[2]] * source.asked + [KEYS[2], KEYS[3]]
    await trial.sleep(60.0)
    await trial.call(backend)
    trial.fault(Status(401), nth=1)
    await trial.sleep(5.0)
    await trial.call(backend)
    trial.equal(_used(trial)[-2:], [fingerprint(KEYS[2]), fingerprint(KEYS[3])], "keys refused and used instead")
    trial.fault(Status(401))
    sent = len(trial.requests)
    async with trial.raises(errors.AuthenticationError, "a provider that refuses every key"):
        await trial.call(backend)
    trial.expect(len(trial.requests) - sent <= 2, f"{len(trial.requests) - sent} requests to a provider that refuses")


@check("EDG-04")
async def edg_04(trial: Trial) -> None:
    """The client credentials grant gives a token that is used until it is about to end; no secret shows."""
    asked: list[httpx.Request] = []
    answers: list[tuple[int, Any]] = [
        (200, {"access_token": KEYS[0], "token_type": "Bearer", "expires_in": 3600}),
        (200, {"access_token": KEYS[1], "token_type": "Bearer", "expires_in": 3600}),
        (401, {"error": "invalid_client", "error_description": f"{_CLIENT_SECRET} is wrong"}),
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        status, body = answers[min(len(asked), len(answers)) - 1]
        return httpx.Response(status, json=body)

    source = ClientCredentials(
        "https://login.example.com/token",
        "client-id",
        _CLIENT_SECRET,
        scope="models.read",
        parameters={"audience": "models"},
        transport=httpx.MockTransport(answer),
    )
    backend = await trial.backend(api_keys=None, key_source=source)
    await trial.call(backend)
    await trial.sleep(3000.0)
    await trial.call(backend)
    trial.equal(len(asked), 1, "how often the token service was asked while the token was good")
    trial.equal(
        parse_qs(asked[0].content.decode()),
        {"grant_type": ["client_credentials"], "scope": ["models.read"], "audience": ["models"]},
        "the form",
    )
    basic = "Basic " + b64encode(f"client-id:{_CLIENT_SECRET}".encode()).decode()
    trial.equal(asked[0].headers["authorization"], basic, "how the client shows who it is")
    await trial.sleep(590.0)
    await trial.call(backend)
    trial.equal(_used(trial), [fingerprint(KEYS[0])] * 2 + [fingerprint(KEYS[1])], "tokens used")
    await trial.sleep(4000.0)
    async with trial.raises(errors.AuthenticationError, "a token service that refuses the client") as caught:
        await trial.call(backend)
    told = f"{caught.error!r} {caught.error} {source!r} {backend!r} {json.dumps(backend.report())}"
    for secret in (_CLIENT_SECRET, *KEYS[:2]):
        trial.expect(secret not in told, "a secret of the token service shows")
    trial.expect("invalid_client" in str(caught.error), f"the service's own code is lost: {caught.error}")


@check("EDG-05")
async def edg_05(trial: Trial) -> None:
    """Counts stand for the tenant on whose behalf a call was made, and observers are told whose it was."""
    told: list[Any] = []
    backend = await trial.backend(observers=[told.append], max_retries=0)
    for tenant, calls in (("north", 2), ("south", 1)):
        for _ in range(calls):
            await trial.call(backend, tenant=tenant)
    await trial.call(backend)
    tenants = backend.report()["tenants"]
    trial.equal(
        {name: row["requests"] for name, row in tenants.items()}, {"north": 2, "south": 1}, "requests by tenant"
    )
    trial.equal(
        [event.call.tenant for event in told if isinstance(event, CallEnded)],
        ["north", "north", "south", None],
        "tenants that observers were told of",
    )
    used = sum(row["total_tokens"] for row in backend.report()["models"].values())
    of_tenants = sum(row["total_tokens"] for row in tenants.values())
    trial.expect(of_tenants * 4 == used * 3 or used == 0, f"{of_tenants} tokens of tenants, of {used} in all")
