"""``/api/pull``, ``/api/push``, ``/api/create``: sequences of progress, and what they leave behind.

With ``stream: false`` one final object comes, or an error with a status; in a stream an error is the last line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.simulators.ollama.answers.common import is_streamed
from conformance.simulators.ollama.errors import problem_answer
from conformance.simulators.ollama.framing import ndjson
from conformance.simulators.ollama.models import Layer, Server, StoredModel, digest, full_name, is_name
from conformance.simulators.provider import Answer, Call, Event, Part

__all__ = ["create", "pull", "push"]

_STEPS = 4
_UNKNOWN = "pull model manifest: file does not exist"
_DENIED = "you are not authorized to push to this namespace, create the model under a namespace you own"


class _TransferError(Exception):
    """The transfer fails here; the argument is the error's text."""


def _told(call: Call, lines: Iterator[dict[str, Any]]) -> Answer:
    """Lines of progress as a stream or as their outcome."""
    told: list[dict[str, Any]] = []
    failure: str | None = None
    try:
        # The nonce goes where a client can see it and no client can mind it.
        told.extend({**one, "nonce": call.nonce} for one in lines)
    except _TransferError as problem:
        failure = str(problem)
    if not is_streamed(call.body):
        if failure is not None:
            return problem_answer(500, failure)
        return Answer(payload=told[-1], content_type="application/json; charset=utf-8")
    events = [Event(one) for one in told]
    if failure is not None:
        events.append(Event({"error": failure}, part=Part.CLOSING))
    else:
        events[-1] = Event(told[-1], part=Part.TERMINATOR)
    return ndjson(events, (Event({"status": "still at it", "later": 1}, part=Part.EXTRA),))


def _moved(verb: str, layers: Sequence[Layer]) -> Iterator[dict[str, Any]]:
    for layer in layers:
        base = {"status": f"{verb} {layer.digest[7:19]}", "digest": layer.digest, "total": layer.total}
        yield base  # a count of zero is left out
        for step in range(1, _STEPS + 1):
            yield {**base, "completed": layer.total * step // _STEPS}


def pull(call: Call) -> Answer:
    """``POST /api/pull``."""
    name = call.body["model"]
    return _told(call, _pulled(call.state, name)) if is_name(name) else problem_answer(400, "invalid model name")


def _pulled(state: Server, name: str) -> Iterator[dict[str, Any]]:
    yield {"status": "pulling manifest"}
    model = state.find(name, registry=True)
    if model is None:
        raise _TransferError(_UNKNOWN)
    yield from _moved("pulling", model.layers)
    yield from ({"status": text} for text in ("verifying sha256 digest", "writing manifest"))
    if model.name in state.models:
        yield {"status": "removing unused layers"}
    state.add(model, model.name)
    yield {"status": "success"}


def push(call: Call) -> Answer:
    """``POST /api/push``; only names with a namespace can be pushed."""
    name = call.body["model"]
    return _told(call, _pushed(call.state, name)) if is_name(name) else problem_answer(400, "invalid model name")


def _pushed(state: Server, name: str) -> Iterator[dict[str, Any]]:
    yield {"status": "retrieving manifest"}
    model = state.find(name)
    if model is None:
        raise _TransferError(f"model '{name[:200]}' not found")
    if "/" not in name:
        raise _TransferError(_DENIED)
    yield from _moved("pushing", model.layers)
    yield {"status": "pushing manifest"}
    state.pullable[model.name] = model
    yield {"status": "success"}


def create(call: Call) -> Answer:
    """``POST /api/create``, from another model or from blobs."""
    body = call.body
    if not is_name(body["model"]):
        return problem_answer(400, "invalid model name")
    if not body.get("from") and not body.get("files"):
        return problem_answer(400, "neither 'from' or 'files' was specified")
    for known in ("files", "adapters"):
        for blob in (body.get(known) or {}).values():
            if blob not in call.state.blobs:
                return problem_answer(404, f"blob {blob} not found")
    return _told(call, _created(call.state, body))


def _created(state: Server, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parent = state.find(body["from"]) if body.get("from") else None
    if body.get("from") and parent is None:
        yield {"status": "pulling manifest"}
        parent = state.find(body["from"], registry=True)
        if parent is None:
            raise _TransferError(_UNKNOWN)
        yield from _moved("pulling", parent.layers)
    for layer in parent.layers if parent is not None else ():
        yield {"status": f"using existing layer {layer.digest}"}
    for name in body.get("files") or ():
        yield {"status": "parsing GGUF" if name.endswith(".gguf") else "converting model"}
    if body.get("quantize"):
        yield {"status": f"quantizing F16 model to {body['quantize'].upper()}"}
    model = parent or StoredModel(full_name(body["model"]), ("completion",))
    license_ = body.get("license")
    changes = {
        "parent": parent.name if parent is not None else "",
        "template": body.get("template") or model.template,
        "system": body.get("system") or model.system,
        "license": "\n".join(license_) if isinstance(license_, list) else license_ or model.license,
        "parameters": {**model.parameters, **(body.get("parameters") or {})},
        "messages": tuple(body.get("messages") or model.messages),
        "quantization": (body.get("quantize") or model.quantization).upper(),
    }
    for part in ("template", "system", "license", "parameters", "messages"):
        if body.get(part):
            yield {"status": f"creating new layer {digest(part + str(body[part]))}"}
    state.add(model, body["model"], **changes)
    yield from ({"status": text} for text in ("writing manifest", "success"))
