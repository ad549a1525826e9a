"""The bytes of the small client: one request, one answer or one stream of events, each within a bound."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import httpx

from conformance.blackbox.miniature.parts import Failure, refusal

__all__ = ["Whole", "Wire", "trusted"]


@cache
def trusted() -> ssl.SSLContext:
    """Return what the system trusts; read once, because it takes long."""
    return ssl.create_default_context()


class Wire:
    """One server.

    Args:
        base_url: its address.
        timeout: seconds between two bytes.
        most: bytes of an answer, unpacked.

    Attributes:
        heard: told of the headers of every answer, with the key.
    """

    def __init__(self, base_url: str, timeout: float, most: int) -> None:
        self.base_url = base_url
        self.most = most
        self.heard: Callable[[str, httpx.Headers], None] = lambda key, headers: None
        self.http = self.opened(timeout)

    def opened(self, timeout: float) -> httpx.AsyncClient:
        """Return the HTTP client: it follows nobody, trusts the system, asks no environment and keeps no connection.

        A kept one may hold bytes that nobody asked for, and httpx takes those that came with an answer for the next one.
        """
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.AsyncClient(verify=trusted(), timeout=timeout, trust_env=False, limits=limits)

    async def ask(self, path: str, key: str, body: dict[str, Any]) -> Any:
        """Return the JSON of an answer."""
        async with self.answer(path, key, body) as response:
            self.heard(key, response.headers)
            return self.read(await self.whole(response, key))

    async def events(self, path: str, key: str, body: dict[str, Any]) -> AsyncIterator[Any]:
        """Yield the events of a stream; it must end with its terminator."""
        async with self.answer(path, key, body) as response:
            self.heard(key, response.headers)
            if response.status_code != 200:
                await self.whole(response, key)
            async for line in response.aiter_lines():
                if line == "data: [DONE]":
                    return
                if line.startswith("data: "):
                    event = self.read(line[6:].encode())
                    if "error" in event:
                        raise Failure("server", str(event["error"].get("message", "an error without words")))
                    yield event
        self.cut_short()

    def cut_short(self) -> None:
        """What a stream is that ended without its terminator."""
        raise Failure("interrupted", "the stream ended before its end")

    def answer(self, path: str, key: str, body: dict[str, Any]) -> Any:
        """Begin a request."""
        return self.http.stream("POST", self.base_url + path, json=body, headers=self.headers(key))

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers of a request."""
        return {"authorization": f"Bearer {key}"}

    async def whole(self, response: httpx.Response, key: str) -> bytes:
        """Return the body of an answer 200."""
        body = bytearray()
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > self.most:
                raise Failure("response_format", f"the answer is larger than {self.most} bytes")
        if response.status_code != 200:
            raise refusal(response, bytes(body), key)
        return bytes(body)

    def read(self, body: bytes) -> dict[str, Any]:
        """Return the object that a body holds."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise Failure("response_format", "the answer is not JSON") from None
        if not isinstance(found, dict):
            raise Failure("response_format", "the answer is not an object")
        return found

    async def guarded(self, run: Callable[[], Any]) -> Any:
        """Run an exchange; what the HTTP library raises gets a name of ours."""
        try:
            return await run()
        except httpx.HTTPError as error:
            raise Failure("transport", f"{type(error).__name__}: {error}") from None
        except (KeyError, IndexError, TypeError, AttributeError):
            raise Failure("response_format", "the answer lacks what an answer has") from None


class Whole:
    """A stream, put together."""

    def __init__(self) -> None:
        self.text = ""
        self._model = ""
        self._usage: dict[str, Any] | None = None
        self._calls: dict[int, dict[str, str]] = {}

    def add(self, event: dict[str, Any]) -> str:
        """Take an event in; return its text."""
        self._model = event.get("model", self._model)
        self._usage = event.get("usage") or self._usage
        for choice in event.get("choices", ())[:1]:
            delta = choice.get("delta") or {}
            for piece in delta.get("tool_calls") or ():
                known = self._calls.setdefault(piece["index"], {"name": "", "arguments": ""})
                known["name"] += piece["function"].get("name") or ""
                known["arguments"] += piece["function"].get("arguments") or ""
            text = delta.get("content") or ""
            self.text += text
            return str(text)
        return ""

    def payload(self) -> dict[str, Any]:
        """Return what an answer in one piece would be."""
        calls = [{"function": call} for call in self._calls.values()]
        message = {"content": self.text, "tool_calls": calls}
        return {"choices": [{"message": message}], "model": self._model, "usage": self._usage}
