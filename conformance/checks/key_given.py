"""Chapter KEY: where a key comes from, and where it never shows."""

from __future__ import annotations

import io
import json
import logging
import os
import pickle
import tempfile
import traceback
from pathlib import Path
from typing import Any

from backends import errors
from backends.secret import Key
from conformance.check import check
from conformance.checks.key import KEYS, used
from conformance.simulators.faults import CutBeforeTerminator, Fault, Garbage, Reset, Status
from conformance.simulators.record import fingerprint
from conformance.trial import Trial


def _file(folder: str, text: str, mode: int = 0o600) -> Path:
    path = Path(folder) / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


@check("KEY-01")
async def key_01(trial: Trial) -> None:
    """The argument beats metadata, metadata the environment, the environment the file; the official variable is read."""
    name = trial.subject.name
    with tempfile.TemporaryDirectory() as folder:
        path = _file(folder, f'[{name}]\napi_key = "{KEYS[4]}"\n')
        sources: list[dict[str, Any]] = [
            {"api_key": KEYS[1]},
            {"metadata": {f"{name}_api_key": KEYS[2]}},
            {"environ": dict.fromkeys(type(await trial.backend()).provider.key_variables, KEYS[3])},
            {"credentials_path": path},
        ]
        for first in range(len(sources)):
            merged: dict[str, Any] = {}
            for source in sources[first:]:
                merged |= source
            backend = await trial.backend(**merged)
            await trial.call(backend)
            trial.equal(
                used(trial)[-1], fingerprint(KEYS[first + 1]), f"key used when the sources are {', '.join(merged)}"
            )
        several = await trial.backend(metadata={f"{name}_api_keys": [KEYS[5], KEYS[6]]})
        for _ in range(2):
            await trial.call(several)
        trial.equal(
            set(used(trial)[-2:]), {fingerprint(KEYS[5]), fingerprint(KEYS[6])}, "keys used from metadata with several"
        )


@check("KEY-02")
async def key_02(trial: Trial) -> None:
    """A malformed credentials file is named with line and field, never a value; one that others can read is refused."""
    name = trial.subject.name
    secret = "sk-never-shown-77aa"
    cases = (
        (f'[{name}]\napi_key = "{secret}\n', ("line 2",)),
        (f'[{name}]\napi_kye = "{secret}"\n', ("line 2", "api_kye", "api_key")),
        (f'[{name}]\napi_keys = "{secret}"\n', ("line 2", "api_keys")),
        (f'[nobody]\napi_key = "{secret}"\n', ("line 1", "nobody")),
        (f'{{"{name}": {{"api_key": "{secret}"', ("line 1", "JSON")),
        (f'{{"{name}": {{"api_key": ["{secret}"]}}}}', ("api_key",)),
    )
    with tempfile.TemporaryDirectory() as folder:
        for text, parts in cases:
            path = _file(folder, text)
            backend = await trial.backend(credentials_path=path)
            async with trial.raises(errors.ConfigurationError, f"a file that says {text[:20]!r}") as caught:
                await trial.call(backend)
            shown = str(caught.error)
            for part in (str(path), *parts):
                trial.expect(part in shown, f"the error does not name {part!r}: {shown}")
            trial.expect(
                secret not in "".join(traceback.format_exception(caught.error)), "the error shows a value of the file"
            )
        path = _file(folder, f'[{name}]\napi_key = "{secret}"\n', 0o644)
        if os.name == "posix":
            backend = await trial.backend(credentials_path=path)
            async with trial.raises(errors.ConfigurationError, "a file that others can read") as caught:
                await trial.call(backend)
            trial.expect("chmod 600" in str(caught.error), f"the error does not say what to run: {caught.error}")
    trial.equal(len(trial.requests), 0, "requests at the server")


@check("KEY-03")
async def key_03(trial: Trial) -> None:
    """Without a key the call fails before the wire and names the variables to set; a server that needs none is called without."""
    backend = await trial.backend(environ={})
    provider = type(backend).provider
    if provider.key_required:
        async with trial.raises(errors.ConfigurationError, "a call without any key") as caught:
            await trial.call(backend)
        for variable in provider.key_variables:
            trial.expect(variable in str(caught.error), f"the error does not name {variable}: {caught.error}")
        trial.equal(len(trial.requests), 0, "requests at the server")
    else:
        await trial.call(backend)
        trial.equal(used(trial), [""], "keys sent to a server that needs none")


@check("KEY-10")
async def key_10(trial: Trial) -> None:
    """A key is in a header, never in an address; it shows in no repr, message, traceback, log, report or pickle."""
    key = "sk-planted-c0ffee5eed1234567890"
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    shown: list[str] = []
    try:
        backend = await trial.backend(api_key=key, max_retries=0, failure_threshold=1000, read_timeout=5.0)
        echo = {"error": {"message": f"Incorrect API key provided: {key}.", "code": f"invalid {key}", "type": key}}
        actions = [
            Status(401, body=echo), Status(400, body=echo), Status(500, body=f"no {key} here"), Garbage(), Reset("headers"),
        ]  # fmt: skip
        for number, action in enumerate(actions, 1):
            trial.fault(action, nth=number)
        for _ in actions:
            async with trial.raises(errors.BackendError, "a call that fails") as caught:
                await trial.call(backend)
            error = caught.error
            shown += [repr(error), str(error), "".join(traceback.format_exception(error)), repr(vars(error))]
            shown.append(_with_locals(error))
            shown.append(pickle.dumps(error).decode("latin-1"))
        await trial.call(backend)
        if trial.subject.stream is not None:
            trial.script(Fault(CutBeforeTerminator(), path=trial.subject.call_path, nth=1))
            async with trial.raises(errors.BackendError, "a stream that dies") as caught:
                await trial.stream(backend).collect()
            shown += [repr(caught.error), _with_locals(caught.error)]
        shown += [repr(backend), json.dumps(backend.report(), default=repr), repr(backend.endpoint().key_status())]
        shown += [f"{Key(key)}", f"{Key(key)!r}", f"{[Key(key)]}", repr(vars(backend))]
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown.append(written.getvalue())
    for place, text in enumerate(shown):
        trial.expect(key not in text, f"the key shows in output {place}: ...{_around(text, key)}...")
    trial.expect(
        any("****" in text for text in shown), "no redaction was seen anywhere: the search may look at nothing"
    )
    trial.expect(
        not any(seen.key_in_url or key in seen.path + seen.query for seen in trial.requests),
        "a key stood in an address",
    )
    trial.equal(set(used(trial)), {fingerprint(key)}, "keys at the server: it was really sent")
    with trial.raises(TypeError, "pickling a key"):
        pickle.dumps(Key(key))


def _with_locals(error: BaseException) -> str:
    """Return the local variables of every frame of the library that the error and its causes hold (the check's own know the key)."""
    lines = []
    link: BaseException | None = error
    while link is not None:
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if str(frame.f_globals.get("__name__", "")).startswith("backends"):
                lines += [f"{name} = {value!r}" for name, value in frame.f_locals.items()]
        link = link.__cause__ or link.__context__
    return "\n".join(lines)


def _around(text: str, key: str) -> str:
    start = text.find(key)
    return text[max(0, start - 60) : start] + "<KEY>" if start >= 0 else ""
