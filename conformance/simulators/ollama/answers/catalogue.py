"""What the server knows of itself: version, models installed and loaded, one model's card; copying, deleting, blobs."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from conformance.simulators.ollama.answers.common import missing
from conformance.simulators.ollama.errors import problem_answer
from conformance.simulators.ollama.models import MODIFIED_AT, StoredModel, is_name
from conformance.simulators.provider import Answer, Call

__all__ = ["blob_exists", "copy", "delete", "health", "loaded", "put_blob", "show", "status", "tags", "version"]

VERSION = "0.33.0"
_JSON = "application/json; charset=utf-8"
_DIGEST = re.compile(r"sha256[:-][0-9a-f]{64}")
_FOR_EVER = "2318-08-11T09:47:16.854775807Z"


def health(call: Call) -> Answer:
    """``GET /``."""
    return Answer(body=b"Ollama is running", content_type="text/plain; charset=utf-8")


def version(call: Call) -> Answer:
    """``GET /api/version``."""
    return Answer(payload={"version": VERSION}, content_type=_JSON)


def status(call: Call) -> Answer:
    """``GET /api/status``."""
    return Answer(payload={"cloud": {"disabled": False, "source": "none"}}, content_type=_JSON)


def _entry(model: StoredModel) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": model.name, "model": model.name, "size": model.size, "digest": model.digest}
    return {**entry, "details": model.details()}


def tags(call: Call) -> Answer:
    """``GET /api/tags``."""
    rows = []
    for model in call.state.models.values():
        row = {**_entry(model), "modified_at": MODIFIED_AT, "capabilities": list(model.capabilities)}
        if model.remote:
            row |= {"remote_model": model.name.removesuffix("-cloud"), "remote_host": "https://ollama.com:443"}
        rows.append(row)
    return Answer(payload={"models": rows}, content_type=_JSON)


def loaded(call: Call) -> Answer:
    """``GET /api/ps``, the longest-lived first."""
    kept = sorted(call.state.loaded.items(), key=lambda pair: -pair[1] if pair[1] > 0 else float("-inf"))
    rows = []
    for name, seconds in kept:
        model = call.state.models.get(name)
        if model is not None:
            row = {**_entry(model), "expires_at": _expiry(seconds), "size_vram": model.size}
            rows.append({**row, "context_length": min(model.context, 4096)})
    return Answer(payload={"models": rows}, content_type=_JSON)


def _expiry(seconds: float) -> str:
    if seconds < 0 or seconds >= 86_400:
        return _FOR_EVER
    whole = int(seconds)
    return f"2026-05-01T{10 + whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.123456789+00:00"


def show(call: Call) -> Answer:
    """``POST /api/show``."""
    name = call.body["model"]
    if not is_name(name):
        return problem_answer(400, "invalid model name")
    model: StoredModel | None = call.state.find(name)
    if model is None:
        return missing(name)
    parameters = "\n".join(f"{key:<30} {value!r}" for key, value in model.parameters.items())
    card: dict[str, Any] = {
        "license": model.license,
        "modelfile": f"# Modelfile generated for {model.name}\nFROM {model.name}\nTEMPLATE {model.template}\n",
        "parameters": parameters,
        "template": model.template,
        "details": model.details(),
        "model_info": model.info(verbose=bool(call.body.get("verbose"))),
        "capabilities": list(model.capabilities),
        "modified_at": MODIFIED_AT,
        "nonce": call.nonce,
    }
    if model.system:
        card["system"] = model.system
    if model.messages:
        card["messages"] = list(model.messages)
    return Answer(payload=card, content_type=_JSON)


def copy(call: Call) -> Answer:
    """``POST /api/copy``."""
    source, destination = call.body.get("source") or "", call.body.get("destination") or ""
    for kind, name in (("source", source), ("destination", destination)):
        if not is_name(name):
            return problem_answer(400, f'{kind} "{name[:200]}" is invalid')
    model = call.state.find(source)
    if model is None:
        return problem_answer(404, f'model "{source[:200]}" not found')
    call.state.add(model, destination)
    return Answer(content_type=None)


def delete(call: Call) -> Answer:
    """``DELETE /api/delete``."""
    name = call.body["model"]
    if not is_name(name):
        return problem_answer(400, f'name "{name[:200]}" is invalid')
    model = call.state.find(name)
    if model is None:
        return missing(name)
    del call.state.models[model.name]
    call.state.loaded.pop(model.name, None)
    return Answer(content_type=None)


def blob_exists(call: Call) -> Answer:
    """``HEAD /api/blobs/:digest``."""
    return Answer(200 if call.params["digest"] in call.state.blobs else 404, content_type=None)


def put_blob(call: Call) -> Answer:
    """``POST /api/blobs/:digest``: 201 for a new one, 200 for one that was there."""
    wanted = call.params["digest"]
    if not _DIGEST.fullmatch(wanted):
        return problem_answer(400, "invalid digest format")
    if wanted in call.state.blobs:
        return Answer(content_type=None)
    found = "sha256:" + hashlib.sha256(call.request.body).hexdigest()
    if found != wanted.replace("-", ":"):
        return problem_answer(400, f'digest mismatch, expected "{wanted}", got "{found}"')
    call.state.blobs[wanted] = len(call.request.body)
    return Answer(201, content_type=None)
