"""Speaks for Groq's own client in Python, as its README shows it: one asynchronous client with one key."""

from __future__ import annotations

import platform
from typing import Any, Final

import groq
from dialect import STAINLESS, asked, explained, told, usage  # type: ignore[import-not-found]  # the kit is on the path
from speak import serve  # type: ignore[import-not-found]  # likewise

_GIVEN: Final = {"id", "do", "provider", "base_url", "api_keys", "model", "max_retries", "read_timeout"}


class Groq:
    """The client; waits between attempts, deadlines of a whole call, queues and breakers are not among its arguments."""

    def __init__(self) -> None:
        self._client: groq.AsyncGroq | None = None
        self._model = ""

    def hello(self) -> dict[str, Any]:
        """Return what README and API reference promise: retries with Retry-After, timeouts, streams; one key, no queue."""
        features = ["chat", "stream", "retries", "timeouts", "usage", "tools", "system", "seed", "stop", "json_schema"]
        versions = {"groq": groq.__version__, "python": platform.python_version()}
        disclaims = {"STR-07": "the client hands out the pieces of a tool call; its users put them together"}
        return {
            "name": "groq",
            "language": "Python",
            "versions": versions,
            "claims": {"groq": features},
            "disclaims": disclaims,
        }

    async def configure(self, settings: dict[str, Any]) -> set[str]:
        """Make the client; without a key it takes none from the environment, for there is none."""
        chosen: dict[str, Any] = {}
        if "max_retries" in settings:
            chosen["max_retries"] = settings["max_retries"]
        if "read_timeout" in settings:
            chosen["timeout"] = groq.Timeout(60, connect=5, read=settings["read_timeout"])
        key = next(iter(settings["api_keys"]), None)
        self._client = groq.AsyncGroq(api_key=key, base_url=settings["base_url"], **chosen)
        self._model = settings.get("model", "")
        return set(settings) - _GIVEN

    async def chat(self, call: dict[str, Any]) -> Any:
        """Return one answer."""
        assert self._client is not None
        return told(await self._client.chat.completions.create(**{"model": self._model, **asked(call)}))

    async def stream(self, call: dict[str, Any], emit: Any) -> dict[str, Any]:
        """Hand out one answer; the last chunk carries the counts."""
        assert self._client is not None
        arguments = {"model": self._model, **asked(call), "stream": True}
        text, reply = "", {}
        async with await self._client.chat.completions.create(**arguments) as stream:
            async for chunk in stream:
                for choice in chunk.choices or ():
                    text += choice.delta.content or ""
                    emit(choice.delta.content or "")
                    reply["finish_reason"] = choice.finish_reason
                if chunk.x_groq is not None and chunk.x_groq.usage is not None:
                    reply["usage"] = usage(chunk.x_groq.usage)
                reply["model"] = chunk.model
        return {"text": text, **reply}

    def explain(self, error: Exception) -> Any:
        """Return what an error of the client tells."""
        if type(error) is groq.GroqError:
            return {"class": "configuration"}
        return explained(error, STAINLESS)

    async def close(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.close()


if __name__ == "__main__":
    serve(Groq())
