"""What a call is called in OpenTelemetry: attributes and span names by its semantic conventions for generative AI.

Names are those of semantic conventions 1.44; what the conventions have no name for stands under ``backends.``. Pure: it needs no
package, and never sees a text of a request or answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from backends.telemetry.events import AttemptEnded, CallEnded, CallFacts

__all__ = [
    "INSTALL",
    "SCHEMA",
    "SCOPE",
    "Attributes",
    "attempted",
    "common",
    "ending",
    "measured",
    "operation_name",
    "place",
    "provider_name",
    "span_name",
    "starting",
]

Attributes: TypeAlias = dict[str, Any]

SCHEMA: Final = "https://opentelemetry.io/schemas/1.44.0"
SCOPE: Final = "backends"
INSTALL: Final = "OpenTelemetry needs its API package: pip install 'backends-conformance[otel]'"

_PROVIDERS: Final = {"claude": "anthropic", "gemini": "gcp.gemini"}
"""Row name -> well-known value of ``gen_ai.provider.name``; every other row's name is its own value."""
_OPERATIONS: Final = {
    "complete": "text_completion",
    "generate": "text_completion",
    "responses": "chat",
    "embed": "embeddings",
    "openai_embed": "embeddings",
    "retrieve": "retrieval",
}
"""Capability -> well-known value of ``gen_ai.operation.name``; every other capability's name is its own value."""
_GEMINI_OPERATIONS: Final = {"chat": "generate_content"}
_MODEL_ATTRIBUTES: Final[Mapping[str, str | None]] = {"s3_kit": "aws.s3.bucket", "llvm": None}
"""What the ``model`` of a call is where it is no model: a bucket; the name of the operation once more."""


def provider_name(row: str) -> str:
    """Return ``gen_ai.provider.name`` of a row."""
    return _PROVIDERS.get(row, row)


def operation_name(call: CallFacts) -> str:
    """Return ``gen_ai.operation.name``; that an answer is streamed is told by an attribute of its own."""
    name = call.operation.removeprefix("stream_")
    if call.provider == "gemini":
        name = _GEMINI_OPERATIONS.get(name, name)
    return _OPERATIONS.get(name, name)


def place(base_url: str) -> Attributes:
    """Return ``server.address`` and ``server.port``; nothing where the address is that of another wire."""
    try:
        parts = urlsplit(base_url)
        address, port = parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return {}
    return _present({"server.address": address, "server.port": port}) if address is not None else {}


def common(call: CallFacts) -> Attributes:
    """Return what a call's span and all its measurements have in common."""
    told = {
        "gen_ai.operation.name": operation_name(call),
        "gen_ai.provider.name": provider_name(call.provider),
        **place(call.base_url),
    }
    model = _MODEL_ATTRIBUTES.get(call.provider, "gen_ai.request.model")
    if model is not None and call.model is not None:
        told[model] = call.model
    return told


def span_name(call: CallFacts, shared: Attributes) -> str:
    """Return the name of a call's span; ``shared`` is what :func:`common` says of it."""
    target = call.model if _MODEL_ATTRIBUTES.get(call.provider, "") == "" else None
    operation = shared["gen_ai.operation.name"]
    return f"{operation} {target}" if target else str(operation)


def starting(call: CallFacts, shared: Attributes) -> Attributes:
    """Return what a call's span holds from its beginning."""
    told = {
        **shared,
        "backends.request.id": call.request_id,
        "backends.endpoint": call.endpoint,
        "backends.priority": call.priority,
    }
    if call.tenant is not None:
        told["backends.tenant"] = call.tenant
    if call.stream:
        told["gen_ai.request.stream"] = True
    return told


def ending(event: CallEnded) -> Attributes:
    """Return what a call's span holds at its end besides."""
    told: Attributes = {
        "backends.outcome": event.outcome,
        "backends.attempts": event.attempts,
        "backends.cached": event.cached,
        "backends.queued": event.queued,
    }
    if event.finish_reason is not None:
        told["gen_ai.response.finish_reasons"] = (event.finish_reason,)
    error = _error_type(event)
    usage = event.usage
    for name, value in (
        ("gen_ai.response.model", event.model),
        ("gen_ai.response.time_to_first_chunk", event.first_token),
        ("error.type", error),
        ("http.response.status_code", event.status),
        ("backends.cost", event.cost),
        ("backends.key.fingerprint", event.key),
        ("backends.provider_request_id", event.provider_request_id),
    ):
        if value is not None:
            told[name] = value
    if usage is not None:
        for name, tokens in (
            ("gen_ai.usage.input_tokens", usage.input_tokens),
            ("gen_ai.usage.output_tokens", usage.output_tokens),
            ("gen_ai.usage.cache_read.input_tokens", usage.cached_tokens),
            ("gen_ai.usage.cache_creation.input_tokens", usage.cache_write_tokens),
            ("gen_ai.usage.reasoning.output_tokens", usage.reasoning_tokens),
        ):
            if tokens is not None:
                told[name] = tokens
    return told


def measured(event: CallEnded, shared: Attributes) -> Attributes:
    """Return the attributes of all that is measured at a call's end."""
    told = shared.copy()
    if event.model is not None:
        told["gen_ai.response.model"] = event.model
    error = _error_type(event)
    if error is not None:
        told["error.type"] = error
    return told


def attempted(event: AttemptEnded) -> Attributes:
    """Return the attributes of an attempt that failed."""
    return _present(
        {
            "backends.attempt.number": event.number,
            "backends.attempt.reason": event.reason,
            "backends.attempt.delay": event.delay,
            "backends.key.fingerprint": event.key,
            "http.response.status_code": event.status,
            "error.type": event.error,
        }
    )


def _error_type(event: CallEnded) -> str | None:
    return "cancelled" if event.outcome == "cancelled" else event.error


def _present(attributes: Mapping[str, Any]) -> Attributes:
    return {name: value for name, value in attributes.items() if value is not None}
