"""Chapter SEC: what somebody at either end of the wire cannot do."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from conformance.blackbox.question import question
from conformance.blackbox.trial import Trial
from conformance.checks.tls_server import over_tls

_BREAKS: Final = ("\r\nX-Evil: 1", "\nX-Evil: 1", "\r\n\r\nGET /evil HTTP/1.1")
_HOSTILE: Final = (
    "..",
    "../files",
    "a/../../files",
    "a/b",
    "a?limit=1",
    "a#part",
    "%2e%2e%2ffiles",
    "//elsewhere.example/x",
)


@question("SEC-01")
async def sec_01(trial: Trial) -> None:
    """A server whose certificate nobody vouches for is told nothing."""
    await trial.client(wish={"max_retries": 0})
    await trial.call()
    for certificate in ("good", "wrong_name", "expired"):
        async with over_tls(trial, certificate) as address:
            await trial.client(wish={"max_retries": 0}, base_url=address)
            await trial.refused(f"a server with a self-signed certificate ({certificate})")
    trial.equal(len(trial.requests), 1, "requests: strangers were told nothing")


@question("SEC-02")
async def sec_02(trial: Trial) -> None:
    """Line breaks in a key or a model never become a header or a request of their own."""
    await trial.client(wish={"max_retries": 0})
    await trial.call()
    for tail in _BREAKS:
        async with trial.failing(f"a key with {tail!r}"):
            await trial.client(keys=[f"sk-plain{tail}"], wish={"max_retries": 0})
            await trial.call()
        await trial.client(wish={"max_retries": 0})
        await trial.ends([trial.start(model=f"plain{tail}")])
    injected = [seen for seen in trial.sim.requests if seen.header("x-evil") or seen.path == "/evil"]
    trial.equal(len(injected), 0, "requests with what was injected")


@question("SEC-03")
async def sec_03(trial: Trial) -> None:
    """The name of a model cannot leave its place in the request."""
    await trial.client(wish={"max_retries": 0})
    await trial.call()
    plain = trial.requests[-1]
    before, _, after = unquote(plain.path).partition(trial.place.model)
    for name in _HOSTILE:
        await trial.client(wish={"max_retries": 0})
        sent = len(trial.sim.requests)
        await trial.ends([trial.start(model=name)])
        for seen in (one for one in trial.sim.requests[sent:] if one.method == "POST"):
            about = f"a model called {name!r} went to {seen.path}?{seen.query}"
            trial.equal(seen.query, plain.query, f"{about}: the query")
            trial.equal(seen.path.count("/"), plain.path.count("/"), f"{about}: segments of the path")
            path = unquote(seen.path)
            trial.expect(path.startswith(before) and path.endswith(after), f"{about}: the path around the name")
