"""Speaks for this library's own backends; it runs where the judge runs."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from typing import Any, Final

from speak import serve  # type: ignore[import-not-found]  # the kit's folder is on the path where adapters run

from backends import Priority, create, errors

_CHAT: Final = ("chat", "stream", "keys", "endpoints", "limit", "queue", "priorities", "retries", "breaker", "timeouts",
                "cancel", "usage", "tools", "system", "stop", "cache", "weights", "adaptive", "bounded_wait", "refusals")  # fmt: skip
_TOLD: Final = ("headroom", "allowance")
"""What is built on headers about rate limits, which not every provider sends."""
CLAIMS: Final[dict[str, tuple[str, ...]]] = {
    "openai": (*_CHAT, *_TOLD, "embed", "seed", "json_schema", "suggestions", "batching"),
    "claude": (*_CHAT, *_TOLD),
    "groq": (*_CHAT, *_TOLD, "seed", "json_schema"),
    "gemini": (*_CHAT, "embed", "seed", "json_schema"),
    "ollama": (*_CHAT, "embed", "seed", "json_schema"),
}
_CLASSES: Final = {
    errors.BudgetExceededError: "quota",
    errors.ConfigurationError: "configuration",
    errors.ContextLengthError: "context_length",
    errors.UnsupportedError: "unsupported",
    errors.UnknownModelError: "unknown_model",
    errors.InvalidRequestError: "invalid_request",
    errors.AuthenticationError: "authentication",
    errors.PermissionDeniedError: "permission",
    errors.NotFoundError: "not_found",
    errors.QuotaExceededError: "quota",
    errors.RateLimitError: "rate_limit",
    errors.ServerError: "server",
    errors.TransportError: "transport",
    errors.DeadlineExceededError: "timeout",
    errors.ServiceUnavailableError: "unavailable",
    errors.QueueFullError: "queue_full",
    errors.ResponseFormatError: "response_format",
    errors.StreamInterruptedError: "interrupted",
}


class Backends:
    """One backend at a time, as its users make it."""

    def __init__(self) -> None:
        self._backend: Any = None
        self._provider = ""

    def hello(self) -> dict[str, Any]:
        """Return who speaks; a checkout that is not installed has no version."""
        try:
            version = metadata.version("backends-conformance")
        except metadata.PackageNotFoundError:
            version = "checkout"
        versions = {"backends": version, "python": platform.python_version()}
        return {"name": "backends", "language": "Python", "versions": versions, "claims": CLAIMS}

    def made(self, **settings: Any) -> Any:
        """Return the backend itself; a test puts a spoilt one here."""
        return create(self._provider, **settings)

    async def configure(self, settings: dict[str, Any]) -> list[str]:
        """Make the backend, with no source of keys but the one that is given."""
        await self.close()
        chosen = {name: value for name, value in settings.items() if name not in ("id", "do", "provider", "endpoints")}
        # A semantic cache is given as an object with an embedder, which is the caller's code and not a setting.
        ignored = ["cache"] if chosen.get("cache") == "semantic" else []
        for name in ignored:
            del chosen[name]
        keys = chosen.pop("api_keys")
        if keys:
            chosen["api_keys"] = keys
        if "read_timeout" in chosen:
            chosen["idle_timeout"] = chosen["read_timeout"]
        self._provider = settings["provider"]
        self._backend = self.made(environ={}, credentials_path="/nonexistent/credentials", **chosen)
        for name, place in settings.get("endpoints", {}).items():
            self._backend.create_endpoint(name, base_url=place["base_url"], api_keys=place["api_keys"])
        return ignored

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer."""
        return _told(await self._backend.achat(call["messages"], **self._arguments(call)))

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer piece by piece."""
        stream = self._backend.astream_chat(call["messages"], **self._arguments(call))
        try:
            async for chunk in stream:
                if chunk.text:
                    emit(chunk.text)
        finally:
            await stream.aclose()
        return _told(stream.reply)

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        model = {"model": call["model"]} if "model" in call else {}
        reply = await self._backend.aembed(call["texts"], **model)
        return {**_told(reply), "vectors": [list(vector) for vector in reply.vectors]}

    async def other(self, call: dict[str, Any]) -> None:
        """Ask for what the provider does not have."""
        await getattr(self._backend, f"a{call['operation']}")()

    async def close(self) -> None:
        """Close the backend, if there is one."""
        if self._backend is not None:
            await self._backend.aclose()
            self._backend = None

    def explain(self, error: Exception) -> dict[str, Any]:
        """Return what an error of this library tells."""
        if not isinstance(error, errors.BackendError):
            return {}
        told = next((name for kind, name in _CLASSES.items() if isinstance(error, kind)), "other")
        fields = {name: getattr(error, name) for name in ("status", "code", "attempts", "retry_after")}
        partial = error.partial if isinstance(error.partial, str) else None
        return {"class": told, "message": str(error), **fields, "partial": partial}

    def _arguments(self, call: dict[str, Any]) -> dict[str, Any]:
        plain: dict[str, Any] = {name: call[name] for name in ("model", "endpoint", "deadline") if name in call}
        if "priority" in call:
            plain["priority"] = Priority[call["priority"].upper()]
        options: dict[str, Any] = dict(call.get("options", {}))
        if "tools" in options:
            options["tools"] = [_tool(self._provider, tool) for tool in options["tools"]]
        if "json_schema" in options:
            options |= _schema(self._provider, options.pop("json_schema"))
        names: dict[str, str] = _NAMES.get(self._provider, {})
        return plain | {names.get(name, name): value for name, value in options.items()}


_NAMES: Final = {
    "openai": {"max_tokens": "max_completion_tokens"},
    "groq": {"max_tokens": "max_completion_tokens"},
    "claude": {"stop": "stop_sequences"},
}


def _tool(provider: str, tool: dict[str, Any]) -> dict[str, Any]:
    if provider == "claude":
        return {"name": tool["name"], "description": tool.get("description", ""), "input_schema": tool["parameters"]}
    return {"type": "function", "function": tool}


def _schema(provider: str, schema: dict[str, Any]) -> dict[str, Any]:
    if provider == "gemini":
        return {"response_json_schema": schema}
    if provider == "ollama":
        return {"format": schema}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}}


def _told(reply: Any) -> dict[str, Any]:
    usage = reply.usage
    told: dict[str, Any] = {
        "text": getattr(reply, "text", ""),
        "usage": {name: getattr(usage, name) for name in ("input_tokens", "output_tokens", "estimated")},
        **{name: getattr(reply, name) for name in ("model", "attempts", "cached")},
    }
    if hasattr(reply, "finish_reason"):
        told["finish_reason"] = reply.finish_reason
        told["tool_calls"] = [
            {"name": made.name, "arguments": json.loads(made.arguments or "{}")} for made in reply.tool_calls
        ]
    return told


if __name__ == "__main__":
    serve(Backends())
