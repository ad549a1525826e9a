"""Speaks for Google's own client in Python, as its documentation shows it: ``Client(...).aio`` with one key."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any, Final

from dialect import explained  # type: ignore[import-not-found]  # the kit is on the path
from google import genai
from google.genai import types
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model"}
_RETRIES: Final = {"initial_retry_delay": "initial_delay", "max_retry_delay": "max_delay"}
_ROLES: Final = {"user": "user", "assistant": "model"}
_OPTIONS: Final = {
    "json_schema": "response_json_schema",
    "max_tokens": "max_output_tokens",
    "seed": "seed",
    "stop": "stop_sequences",
    "temperature": "temperature",
}
_CLASSES: Final = {
    "ClientError": "invalid_request",
    "ConnectionError": "transport",
    "RequestError": "transport",  # the HTTP library's own, which the client lets through
    "ServerError": "server",
    "TimeoutError": "timeout",
    "TimeoutException": "timeout",
    "TransportError": "transport",
    "UnknownApiResponseError": "response_format",
}


class GoogleGenAI:
    """The client; its ``http_options`` have retries with waits and one timeout for a whole request."""

    def __init__(self) -> None:
        self._client: genai.Client | None = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what documentation and types promise: retries where asked for, streams, schemas; one key, no queue."""
        features = ["chat", "stream", "embed", "retries", "usage", "tools", "system", "seed", "stop", "json_schema"]
        versions = {"google-genai": metadata.version("google-genai"), "python": platform.python_version()}
        disclaims = {
            "BAK-04": "HttpRetryOptions has delays of its own and does not mention Retry-After or RetryInfo",
            "FLT-03": "HttpRetryOptions has delays of its own and does not mention Retry-After or RetryInfo",
            "BAK-07": "x-should-retry is no header of the Gemini API",
        }
        return {
            "name": "google-genai",
            "language": "Python",
            "versions": versions,
            "claims": {"gemini": features},
            "disclaims": disclaims,
        }

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the client; ``attempts`` counts the first one, and without retry options there are none."""
        chosen: dict[str, Any] = {"base_url": settings["base_url"]}
        if "max_retries" in settings:
            waits = {theirs: settings[ours] for ours, theirs in _RETRIES.items() if ours in settings}
            chosen["retry_options"] = types.HttpRetryOptions(attempts=settings["max_retries"] + 1, **waits)
        if "deadline" in settings:
            chosen["timeout"] = round(settings["deadline"] * 1000)
        key = next(iter(settings["api_keys"]), None)
        self._client = genai.Client(api_key=key, http_options=types.HttpOptions(**chosen))
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN - {"deadline", "max_retries", *_RETRIES}

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer."""
        assert self._client is not None
        return _told(await self._client.aio.models.generate_content(**self._asked(call)))

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer; function calls come whole."""
        assert self._client is not None
        text, made, reply = "", [], {}
        async for chunk in await self._client.aio.models.generate_content_stream(**self._asked(call)):
            reply = _told(chunk)
            emit(reply["text"])
            text += reply["text"]
            made += reply["tool_calls"]
        return {**reply, "text": text, "tool_calls": made}

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        assert self._client is not None
        model = call.get("model", self._model)
        reply = await self._client.aio.models.embed_content(model=model, contents=call["texts"])
        return {"vectors": [list(item.values or ()) for item in reply.embeddings or ()]}

    def explain(self, error: Exception) -> Any:
        """Return what an error tells; the client has one class for 4xx and one for 5xx."""
        if type(error) is ValueError:
            return {"class": "configuration"}
        return explained(error, _CLASSES, status="code", code="status")

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.aio.aclose()

    def _asked(self, call: dict[str, Any]) -> dict[str, Any]:
        options = call.get("options", {})
        config: dict[str, Any] = {_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS}
        if "json_schema" in options:
            config["response_mime_type"] = "application/json"
        if "tools" in options:
            declared = [
                {**{name: tool[name] for name in ("name", "description") if name in tool},
                 "parameters_json_schema": tool["parameters"]}
                for tool in options["tools"]
            ]  # fmt: skip
            config["tools"] = [{"function_declarations": declared}]
        if system := [message["content"] for message in call["messages"] if message["role"] == "system"]:
            config["system_instruction"] = system
        contents = [
            {"role": _ROLES[message["role"]], "parts": [{"text": message["content"]}]}
            for message in call["messages"]
            if message["role"] != "system"
        ]
        return {"model": call.get("model", self._model), "contents": contents, "config": config}


def _told(reply: types.GenerateContentResponse) -> dict[str, Any]:
    counted = reply.usage_metadata
    candidate = reply.candidates[0] if reply.candidates else None
    parts = (candidate.content.parts or []) if candidate is not None and candidate.content is not None else []
    reason = None if candidate is None else candidate.finish_reason
    usage = counted and {
        "input_tokens": counted.prompt_token_count,
        "output_tokens": counted.candidates_token_count,
    }
    return {
        "text": "".join(part.text for part in parts if part.text),
        "model": reply.model_version,
        "finish_reason": reason and reason.value,
        "usage": usage,
        "tool_calls": [{"name": call.name, "arguments": call.args or {}} for call in reply.function_calls or ()],
    }


if __name__ == "__main__":
    serve(GoogleGenAI())
