"""Speaks for Ollama's own client in Python, as its README shows it: one asynchronous client, which has no retries."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import Any, Final

import ollama
from dialect import explained  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "read_timeout"}
_OPTIONS: Final = {"max_tokens": "num_predict", "seed": "seed", "stop": "stop", "temperature": "temperature"}
_CLASSES: Final = {
    "ConnectionError": "transport",
    "RequestError": "transport",  # httpx's own, which the client lets through
    "ResponseError": "server",  # its one class for whatever the server says is wrong
    "TimeoutException": "timeout",
    "TransportError": "transport",
}


class Ollama:
    """The client; what it does not take itself, it hands to httpx, whose timeout is the only setting it has."""

    def __init__(self) -> None:
        self._client: Any = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what the README promises: chat, streams, tools, structured answers, embeddings."""
        features = ["chat", "stream", "embed", "timeouts", "usage", "tools", "system", "seed", "stop", "json_schema"]
        versions = {"ollama": metadata.version("ollama"), "python": platform.python_version()}
        return {"name": "ollama", "language": "Python", "versions": versions, "claims": {"ollama": features}}

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the client; a key is a header of the user's."""
        key = next(iter(settings["api_keys"]), None)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        timeout = settings.get("read_timeout")
        self._client = ollama.AsyncClient(settings["base_url"], headers=headers, timeout=timeout)
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one answer."""
        reply = await self._client.chat(**self._asked(call))
        return _told(reply, reply.message.content or "", reply.message.tool_calls or [])

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer; tool calls come whole."""
        text, made, part = "", list[Any](), None
        async for part in await self._client.chat(**self._asked(call), stream=True):
            text += part.message.content or ""
            emit(part.message.content or "")
            made += part.message.tool_calls or []
        return {"text": text} if part is None else _told(part, text, made)

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return one vector a text."""
        reply = await self._client.embed(model=call.get("model", self._model), input=call["texts"])
        usage = {"input_tokens": reply.prompt_eval_count, "output_tokens": 0}
        return {"vectors": [list(vector) for vector in reply.embeddings], "usage": usage, "model": reply.model}

    def explain(self, error: Exception) -> dict[str, Any]:
        """Return what an error tells."""
        told: dict[str, Any] = explained(error, _CLASSES)
        return {name: value for name, value in told.items() if value != -1}  # its number for "no status"

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()

    def _asked(self, call: dict[str, Any]) -> dict[str, Any]:
        options = call.get("options", {})
        arguments: dict[str, Any] = {
            "model": call.get("model", self._model),
            "messages": call["messages"],
            "options": {_OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS},
        }
        if "tools" in options:
            arguments["tools"] = [{"type": "function", "function": tool} for tool in options["tools"]]
        if "json_schema" in options:
            arguments["format"] = options["json_schema"]
        return arguments


def _told(reply: ollama.ChatResponse, text: str, made: Any) -> dict[str, Any]:
    return {
        "text": text,
        "model": reply.model,
        "finish_reason": reply.done_reason,
        "usage": {"input_tokens": reply.prompt_eval_count, "output_tokens": reply.eval_count},
        "tool_calls": [{"name": call.function.name, "arguments": dict(call.function.arguments)} for call in made],
    }


if __name__ == "__main__":
    serve(Ollama())
