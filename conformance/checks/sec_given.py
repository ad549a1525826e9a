"""Chapter SEC, sixth part: credentials that are given in a wrong place or form, and permissions that are given away."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import httpx

from backends import errors
from backends.registry import create
from backends.s3_kit import CredentialPair
from conformance.check import check
from conformance.checks.mishaps import SETTINGS, attempted, befallen, said
from conformance.checks.sec_watchers import overheard
from conformance.planted import PLANTED, Exhibits
from conformance.simulators.faults import Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial

_KEY: Final = PLANTED["key"]
_STRAY: Final = PLANTED["stray"]
_SIGNATURE: Final = re.compile("Signature=([0-9a-f]{64})")
_BROKEN: Final = f"{_STRAY}\n{_STRAY}"
_ADDRESSES: Final = tuple(
    template.format(PLANTED["userinfo"])
    for template in (
        "https://user:{}@api.example/v1",
        "https://{}@api.example",
        "https://api.example?key={}",
        "http://{}:x",
    )
)


def _misplaced(trial: Trial, folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield constructor arguments that are wrong, each with a secret in it, and what they are."""
    name = trial.subject.name
    yield "a key with a line break", {"api_key": _BROKEN}
    yield "a key with a line break among others", {"api_keys": [_KEY, _BROKEN]}
    yield "a key where a list belongs", {"api_keys": _STRAY}
    yield "a key and a list of keys", {"api_key": _STRAY, "api_keys": [_KEY]}
    yield "a misspelt argument", {"apikey": _STRAY}
    yield "a key for a number", {"max_retries": _STRAY}
    yield "a key for a choice", {"overflow": _STRAY}
    yield "a key for a switch", {"allow_insecure_http": _STRAY}
    yield "a proxy of another kind", {"proxy": f"socks5://user:{_STRAY}@127.0.0.1:1"}
    yield "a wrong setting beside good keys", {"api_key": _KEY, "jitter": 7}
    yield "metadata that are a text", {"metadata": _STRAY}
    yield "metadata with a broken key", {"metadata": {f"{name}_api_key": _BROKEN}}
    yield "metadata with a text for a list", {"metadata": {f"{name}_api_keys": _STRAY}}
    for number, address in enumerate(_ADDRESSES):
        yield f"address {number}", {"base_url": address}
        yield (
            f"address {number} in metadata",
            {"base_url": None, "metadata": {f"{name}_base_url": address, f"{name}_api_key": _KEY}},
        )
    for number, text in enumerate(_FILES):
        path = folder / f"credentials-{number}"
        path.write_text(text.format(row=name, secret=_STRAY), encoding="utf-8")
        path.chmod(0o644 if number == 0 else 0o600)
        yield f"credentials file {number}", {"credentials_path": path}


_FILES: Final = (
    '[{row}]\napi_key = "{secret}"\n',  # readable by others
    '[{row}]\napi_key = "{secret}',
    "[{row}]\napi_key = {secret}\n",
    '[{row}]\napi_keys = "{secret}"\n',
    '[{row}]\napi_kye = "{secret}"\n',
    '{{"{row}": {{"api_key": "{secret}", }}}}',
    '{row} = "{secret}"\n',
)


@check("SEC-11")
async def sec_11(trial: Trial) -> None:
    """A credential in the wrong place or form is refused and shown nowhere: not in the error and not in its frames; one in an
    address is never sent."""
    exhibits = Exhibits()

    async def used(**settings: Any) -> None:
        await trial.call(await trial.backend(**settings))

    with tempfile.TemporaryDirectory() as folder:
        for about, settings in _misplaced(trial, Path(folder)):
            error = await attempted(lambda settings=settings: used(**settings))  # type: ignore[misc]
            _refused(trial, exhibits, about, error)
    kind = type(await trial.backend())
    variables = (*kind.provider.key_variables[:1], *kind.provider.base_url_variables[:1])
    for variable in variables:
        value = _ADDRESSES[0] if variable in kind.provider.base_url_variables else _BROKEN
        error = await attempted(lambda variable=variable, value=value: used(base_url=None, environ={variable: value}))  # type: ignore[misc]
        _refused(trial, exhibits, f"variable {variable}", error)
    await _misgiven(trial, exhibits)
    trial.equal(exhibits.hits(), [], "credentials shown")
    trial.expect(exhibits.seen["local variable"], "no local variable was looked at")
    trial.equal(len(trial.requests), 0, "requests at the server")


async def _misgiven(trial: Trial, exhibits: Exhibits) -> None:
    """The same to a backend that is there already, and to the one function that makes any."""
    backend = await trial.backend(api_key=_KEY)
    calls: dict[str, Callable[[], Any]] = {
        "a broken key added": lambda: backend.add_key(_BROKEN),
        "a key added twice": lambda: backend.add_key(_KEY),
        "a limit of nothing": lambda: backend.add_key(_STRAY, limit=0),
        "a broken key in the place of one": lambda: backend.rotate_key(fingerprint(_KEY), _BROKEN),
        "a key in the place of none": lambda: backend.rotate_key("no such key", _STRAY),
        "a key where its name belongs": lambda: backend.remove_key(_STRAY),
        "an endpoint with a broken key": lambda: backend.create_endpoint("other", api_key=_BROKEN),
        "an endpoint with a wrong setting": lambda: backend.create_endpoint("other", api_key=_STRAY, jitter=7),
        "an endpoint at a wrong address": lambda: backend.create_endpoint("other", _ADDRESSES[0], api_key=_STRAY),
        "an endpoint given wrongly": lambda: backend.create_endpoint("other", None, _STRAY, None, _STRAY, _STRAY),
        "a backend with a wrong setting": lambda: create(trial.subject.name, api_key=_STRAY, jitter=7),
        "a backend of no kind": lambda: create(trial.subject.name + "x", api_key=_STRAY),
    }
    for about, call in calls.items():
        _refused(trial, exhibits, about, await attempted(call))


def _refused(trial: Trial, exhibits: Exhibits, about: str, error: BaseException | None) -> None:
    trial.expect(isinstance(error, errors.BackendError | TypeError), f"{about} was not refused: {type(error).__name__}")
    assert error is not None
    exhibits.error(error, about)


@check("SEC-12")
async def sec_12(trial: Trial) -> None:
    """A presigned address is a secret, as temporary credentials are: whole only where it is asked for by name, and in no
    appearance, log, error or record of what was signed or sent."""
    pair = CredentialPair(_KEY, PLANTED["secret"], PLANTED["token"])
    exhibits = Exhibits()
    with overheard(exhibits):
        backend = await trial.backend(**{**SETTINGS, "api_key": pair})
        signed = [await backend.apresign("nonce/signed", method=method) for method in ("GET", "PUT")]
        for message in (said(PLANTED["secret"]), said(PLANTED["token"])):
            for status in (403, 500):
                error = await befallen(trial, backend, Status(status, message=message), keys=())
                assert error is not None, f"a {status} became a reply"
                exhibits.error(error, f"a {status}")
        for wrong in ({"expires_in": 0}, {"method": "DELETE"}, {"content_type": "text/plain"}, {"bucket": "A"}):
            error = await attempted(lambda wrong=wrong: backend.apresign("nonce/signed", **wrong))  # type: ignore[misc]
            _refused(trial, exhibits, f"presign with {wrong}", error)
    fetched = await _fetched(signed[0].url)  # where nobody listens: its HTTP library logs addresses
    for presigned in signed:
        for text in (repr(presigned), str(presigned), f"{presigned}", f"{[presigned]}"):
            exhibits.show("appearance", text, "a presigned address")
    for seen in trial.requests:
        exhibits.show("wire log", json.dumps(seen.as_json()), "the log of a simulator")
    signatures = {found for presigned in signed for found in _SIGNATURE.findall(presigned.url)}
    trial.equal((len(signatures), fetched), (2, 200), "signatures given away, and the answer to one of them")
    shown = [kind for kind in exhibits.seen for signature in signatures if exhibits.holds(kind, signature)]
    trial.equal(shown, [], "where a signature shows")
    trial.equal(exhibits.hits(), [], "credentials shown")
    for kind in ("appearance", "wire log", "message"):
        trial.expect(exhibits.masked[kind], f"no mask was seen in a {kind}: the search may look at nothing")


async def _fetched(url: str) -> int:
    """Return the status that whoever was given an address gets from it."""
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).status_code
