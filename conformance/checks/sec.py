"""Chapter SEC: what an attacker at either end of the wire cannot do. Sources and files are in ``sec_code`` and ``sec_files``."""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpx

from backends import errors
from conformance.check import check
from conformance.checks.common import made
from conformance.checks.tls_server import CERTIFICATES, over_tls
from conformance.expectations import NamedCall, expectations_of
from conformance.simulators.faults import Fault, Redirect
from conformance.subject import PLANTED_KEY
from conformance.trial import Trial

_REFUSALS: Final = (errors.InvalidRequestError, errors.ConfigurationError)


@check("SEC-01")
async def sec_01(trial: Trial) -> None:
    """The server's certificate is verified, and a key is not sent in clear text to another machine unless that was asked for."""
    for certificate, settings in (
        ("good", {}),
        ("wrong_name", {"verify": str(CERTIFICATES / "wrong_name.pem")}),
        ("expired", {"verify": str(CERTIFICATES / "expired.pem")}),
        ("good", {"verify": str(CERTIFICATES / "expired.pem")}),
    ):
        async with over_tls(trial, certificate) as address:
            backend = await trial.backend(base_url=address, max_retries=2, **settings)
            about = f"a server with a certificate that is {certificate} and trusted by {'us' if settings else 'nobody'}"
            before = trial.now
            async with trial.raises(errors.TransportError, about) as caught:
                await trial.call(backend)
            trial.equal(caught.error.code, "tls", f"code of the error for {about}")
            trial.close_to(trial.now, before, f"time lost on {about}", 0.5)
    trial.equal(len(trial.requests), 0, "requests that were told to strangers")

    async with over_tls(trial, "good") as address:
        for verify in (str(CERTIFICATES / "good.pem"), False):
            backend = await trial.backend(base_url=address, verify=verify)
            await trial.call(backend)
        trial.equal(len(trial.requests), 2, "requests to a server that is trusted, or that we asked not to verify")
        trial.script(Fault(Redirect(trial.base_url + "/elsewhere"), nth=1))
        async with trial.raises(errors.BackendError, "a redirect from https to http"):
            await trial.call(backend)
        trial.equal(len(trial.requests), 3, "requests after a redirect from https to http")
        await backend.aclose()
    await _no_clear_text(trial)


async def _no_clear_text(trial: Trial) -> None:
    """Keys travel over plain http to this machine only, unless told otherwise."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(400, json={"error": {"message": "enough", "code": "enough"}})

    for host in ("api.example.com", "192.0.2.7", "127.0.0.1.example.com", "localhost.example.com"):
        address = f"http://{host}:8080{urlsplit(trial.base_url).path}"
        quiet: dict[str, Any] = {
            "base_url": address,
            "api_key": PLANTED_KEY,
            "transport": httpx.MockTransport(answer),
            "max_retries": 0,
        }
        async with trial.raises(errors.ConfigurationError, f"a key over plain http to {host}") as caught:
            await trial.call(await trial.backend(**quiet))
        trial.expect(
            "allow_insecure_http" in str(caught.error), f"the error does not say how to allow it: {caught.error}"
        )
        trial.equal(asked, [], f"requests in clear text to {host}")
    async with trial.raises(errors.BackendError, "an answer 400"):
        await trial.call(await trial.backend(**quiet, allow_insecure_http=True))
    trial.equal(asked, ["localhost.example.com"], "requests in clear text that were asked for")


_BREAKS: Final = ("\r\nX-Evil: 1", "\nX-Evil: 1", "\rX-Evil: 1", "\0", "\r\n\r\nGET /evil HTTP/1.1")


@check("SEC-02")
async def sec_02(trial: Trial) -> None:
    """Line breaks and control characters in keys, models, ids and headers are refused and never reach the wire."""
    backend = await trial.backend()
    injections = expectations_of(trial.subject).injections
    for tail in _BREAKS:
        text = f"plain{tail}-end"
        for about, call in (
            ("a header's value", partial(trial.call, backend, extra_headers={"X-Note": text})),
            ("a header's name", partial(trial.call, backend, extra_headers={text: "note"})),
            ("the request id", partial(trial.call, backend, request_id=text)),
            ("the endpoint", partial(trial.call, backend, endpoint=text)),
            *((f"call {number} of its own", partial(one, backend, text)) for number, one in enumerate(injections)),
        ):
            async with trial.raises(_REFUSALS, f"{about} with {tail!r}"):
                await made(call)
        for name in ("api_key", "user_agent", "base_url"):
            value = f"http://127.0.0.1/{text}" if name == "base_url" else text
            async with trial.raises(errors.ConfigurationError, f"{name} with {tail!r}") as caught:
                await trial.call(await trial.backend(**{name: value}))
            trial.expect(name != "api_key" or text not in str(caught.error), "the error shows the key")
    trial.equal(len(trial.requests), 0, "requests at the server")


_HOSTILE: Final = (
    *(
        "..",
        ".",
        "../files",
        "../../v1/files",
        "a/../../files",
        "a/b",
        "/etc/passwd",
        "..\\files",
        "a?limit=1",
        "a#part",
        "a;b=c",
    ),
    *(
        "%2e%2e",
        "%2e%2e%2ffiles",
        "..%2ffiles",
        "%00",
        "a b",
        "a+b",
        "a:b",
        "a@b",
        "naïve ☃",
        "//elsewhere.example/x",
        "a" * 400,
    ),
)


@check("SEC-03")
async def sec_03(trial: Trial) -> None:
    """The name of a model or of a key cannot leave its segment of the path."""
    calls = expectations_of(trial.subject).named_calls
    trial.expect(calls, "nobody has said which calls have a name in their path")
    backend = await trial.backend(max_retries=0, failure_threshold=1_000_000)
    for number, case in enumerate(calls):
        await _try(backend, case, case.good)
        plain = [(unquote(path), query) for path, query in _paths(trial)[-1:]]
        trial.equal(plain, [(case.prefix + case.good, "")], f"path of call {number} with a plain name")
        for name in _HOSTILE:
            sent = len(trial.requests)
            await _try(backend, case, name)
            for path, query in _paths(trial)[sent:]:
                about = f"call {number} with {name[:40]!r} went to {path}?{query}"
                inside = path.removeprefix(case.prefix)
                trial.expect(path.startswith(case.prefix), f"{about}, outside {case.prefix}")
                steps = inside.split("/") if case.slashes else [inside]
                trial.expect(
                    not set("/?#") & set("".join(steps)) and not {".", ".."} & set(steps),
                    f"{about}, out of its segment",
                )
                trial.equal(query, "", f"{about}: the query")
                trial.equal(unquote(inside), name, f"{about}: the segment")


async def _try(backend: Any, case: NamedCall, name: str) -> None:
    """Make the call; that the server does not know the name, or that we refuse it, is as good as an answer."""
    try:
        await made(partial(case.make, backend, name))
    except errors.BackendError as error:
        if isinstance(error, errors.TransportError | errors.ResponseFormatError):
            raise


def _paths(trial: Trial) -> list[tuple[str, str]]:
    return [(seen.path, seen.query) for seen in trial.requests]
