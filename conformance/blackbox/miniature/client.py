"""The small client itself: what a call is, how often it is sent, and what is kept of it."""

from __future__ import annotations

import asyncio
import difflib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx

from conformance.blackbox.miniature.line import Line
from conformance.blackbox.miniature.parts import OUTAGE, PASSING, Breaker, Failure, Keys, asked_wait, now
from conformance.blackbox.miniature.saving import Saving
from conformance.blackbox.miniature.wire import Whole, Wire

__all__ = ["Endpoint", "Miniature"]

_DEFAULTS: Final[dict[str, Any]] = {
    "max_concurrent_requests": 5,
    "queue_size": 100,
    "max_retries": 2,
    "initial_retry_delay": 0.5,
    "max_retry_delay": 8.0,
    "read_timeout": 60.0,
    "deadline": None,
    "max_response_bytes": 16 << 20,
    "failure_threshold": 5,
    "reset_timeout": 30.0,
    "key_strategy": "round_robin",
    "key_weights": None,
    "adaptive_concurrency": False,
    "max_queue_wait": None,
    "rate_limit_headers": False,
    "cache": None,
    "max_batch_size": 1,
    "batch_timeout": 0.01,
}
_FEATURES: Final = (
    *("chat", "stream", "embed", "keys", "endpoints", "limit", "queue", "priorities", "retries", "breaker", "timeouts"),
    *("cancel", "usage", "tools", "system", "seed", "stop", "json_schema", "suggestions", "cache", "semantic_cache"),
    *("batching", "weights", "headroom", "allowance", "adaptive", "bounded_wait", "refusals"),
)
_LONGEST_WAIT: Final = 60.0
"""Seconds that a server may ask to be waited for."""
_PRIORITIES: Final = {"high": 0, "normal": 1, "low": 2}


class Endpoint:
    """One address with its keys, its line and its breaker."""

    def __init__(self, parts: type[Miniature], place: dict[str, Any], settings: dict[str, Any]) -> None:
        self.wire = parts.wire(place["base_url"], settings["read_timeout"], settings["max_response_bytes"])
        self.keys = parts.keys(place["api_keys"], settings["key_strategy"])
        self.keys.weights |= dict(zip(place["api_keys"], settings["key_weights"] or (), strict=False))
        self.keys.heeds = settings["rate_limit_headers"]
        self.wire.heard = self.keys.heard
        self.line = parts.line(settings["max_concurrent_requests"], settings["queue_size"])
        self.line.adaptive = settings["adaptive_concurrency"]
        self.line.longest = settings["max_queue_wait"]
        self.breaker = parts.breaker(settings["failure_threshold"], settings["reset_timeout"])


class Miniature(Saving):
    """The adapter and the client in one: there is nothing between them to lie about."""

    wire = Wire
    keys = Keys
    line = Line
    breaker = Breaker
    claims: tuple[str, ...] = _FEATURES

    def __init__(self) -> None:
        super().__init__()
        self.endpoints: dict[str | None, Endpoint] = {}

    # -- the protocol --------------------------------------------------------------------------------------------------

    def hello(self) -> dict[str, Any]:
        """Say who speaks."""
        return {"name": "miniature", "language": "Python", "versions": {}, "claims": {"openai": list(self.claims)}}

    async def configure(self, settings: dict[str, Any]) -> list[str]:
        """Make everything anew; there is nothing that it cannot be given."""
        await self.close()
        self.__init__()  # type: ignore[misc]  # a new client in place of the one before
        self.settings = {**_DEFAULTS, **settings}
        places = {None: settings, **settings.get("endpoints", {})}
        self.endpoints = {name: Endpoint(type(self), place, self.settings) for name, place in places.items()}
        return []

    async def close(self) -> None:
        """Close every connection."""
        for endpoint in self.endpoints.values():
            await endpoint.wire.http.aclose()

    def explain(self, error: Exception) -> dict[str, Any]:
        """Tell what is known of a failure."""
        if isinstance(error, httpx.HTTPError):
            return {"class": "transport"}
        return {"class": error.kind, **error.fields} if isinstance(error, Failure) else {}

    async def chat(self, call: dict[str, Any]) -> dict[str, Any]:
        """One answer."""
        body = self.body(call)

        async def send(endpoint: Endpoint, key: str) -> dict[str, Any]:
            return self.told(await endpoint.wire.ask("/chat/completions", key, body))

        return await self.cached(call, body, lambda: self.perform(call, send))

    async def stream(self, call: dict[str, Any], emit: Callable[[str], None]) -> dict[str, Any]:
        """One answer, piece by piece."""
        body = {**self.body(call), "stream": True, "stream_options": {"include_usage": True}}

        async def send(endpoint: Endpoint, key: str) -> dict[str, Any]:
            whole = Whole()
            try:
                async for event in endpoint.wire.events("/chat/completions", key, body):
                    text = whole.add(event)
                    if text:
                        self.hand_out(emit, text)
            except (Failure, httpx.HTTPError) as error:
                if not whole.text:
                    raise
                raise Failure("interrupted", str(error), partial=whole.text) from None
            return self.told(whole.payload())

        return await self.perform(call, send)

    async def embed(self, call: dict[str, Any]) -> dict[str, Any]:
        """Vectors, alone or with others."""
        if self.settings["max_batch_size"] > 1:
            return await self.shared(call["model"], call["texts"])
        return await self.vectors(call["model"], call["texts"])

    async def other(self, call: dict[str, Any]) -> dict[str, Any]:
        """Refuse: the provider has nothing that is no chat and no embedding."""
        raise Failure("unsupported", f"OpenAI does not offer {call['operation']}")

    # -- what is sent and read -----------------------------------------------------------------------------------------

    def body(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return the body of a chat."""
        options = dict(call.get("options", {}))
        if "tools" in options:
            options["tools"] = [{"type": "function", "function": tool} for tool in options["tools"]]
        if "json_schema" in options:
            schema = {"name": "answer", "schema": options.pop("json_schema")}
            options["response_format"] = {"type": "json_schema", "json_schema": schema}
        if "max_tokens" in options:
            options["max_completion_tokens"] = options.pop("max_tokens")
        return {"model": call.get("model") or self.settings["model"], "messages": call["messages"], **options}

    def told(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Return what the protocol wants of an answer."""
        message = payload["choices"][0]["message"]
        calls = [made["function"] for made in message.get("tool_calls") or ()]
        told = {
            "text": message["content"] or "",
            "tool_calls": [{"name": made["name"], "arguments": json.loads(made["arguments"])} for made in calls],
            "model": payload["model"],
        }
        usage = payload.get("usage")
        if usage:
            told["usage"] = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
        return told

    def hand_out(self, emit: Callable[[str], None], text: str) -> None:
        """Give a piece to the caller at once."""
        emit(text)

    # -- how often it is sent ------------------------------------------------------------------------------------------

    async def perform(
        self, call: dict[str, Any], send: Callable[[Endpoint, str], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Send until it is answered or there is no sense in it."""
        endpoint = self.endpoints[call.get("endpoint")]
        async with endpoint.breaker.watch(), self.patience(call):
            attempts = 0
            while True:
                attempts += 1
                try:
                    return {**await self.once(endpoint, call, send), "attempts": attempts}
                except Failure as failure:
                    failure.fields["attempts"] = attempts
                    if failure.fields.pop("walk", False):
                        attempts -= 1
                        continue
                    if attempts > self.settings["max_retries"] or not self.repeats(failure):
                        raise await self.with_suggestions(endpoint, call, failure) from None
                    wait = self.wait(attempts, failure)
                await asyncio.sleep(wait)

    @asynccontextmanager
    async def patience(self, call: dict[str, Any]) -> AsyncIterator[None]:
        """End a call at its deadline, wherever it is."""
        try:
            async with asyncio.timeout(call.get("deadline", self.settings["deadline"])):
                yield
        except TimeoutError:
            raise Failure("timeout", "the call had no time left") from None

    async def once(self, endpoint: Endpoint, call: dict[str, Any], send: Any) -> dict[str, Any]:
        """Make one attempt, in its place and with a key."""
        await endpoint.keys.ready()
        async with endpoint.line.place(_PRIORITIES[call.get("priority", "normal")]):
            key, sent = endpoint.keys.take(), now()
            try:
                told: dict[str, Any] = await endpoint.wire.guarded(lambda: send(endpoint, key))
            except Failure as failure:
                failure.fields["walk"] = endpoint.keys.learn(key, failure)
                if failure.kind in (*OUTAGE, "rate_limit"):
                    endpoint.line.refused(sent)
                raise
            finally:
                endpoint.keys.flying[key] -= 1
            endpoint.line.answered(sent)
            return told

    def repeats(self, failure: Failure) -> bool:
        """Say whether a failure may pass."""
        advice = failure.headers.get("x-should-retry")
        if advice in ("true", "false"):
            return bool(advice == "true")
        if failure.fields.get("partial") or failure.kind == "quota" or asked_wait(failure.headers) > _LONGEST_WAIT:
            return False
        return failure.status in PASSING or failure.kind in ("transport", "interrupted", "server")

    def wait(self, attempts: int, failure: Failure) -> float:
        """Return the seconds before the next attempt."""
        grown = self.settings["initial_retry_delay"] * 2.0 ** (attempts - 1)
        wait: float = max(min(grown, self.settings["max_retry_delay"]), asked_wait(failure.headers))
        return wait

    async def with_suggestions(self, endpoint: Endpoint, call: dict[str, Any], failure: Failure) -> Failure:
        """Add the nearest names of models to a failure about a model."""
        if failure.kind != "unknown_model":
            return failure
        answer = await endpoint.wire.http.get(
            endpoint.wire.base_url + "/models", headers=endpoint.wire.headers(endpoint.keys.live[0])
        )
        near = difflib.get_close_matches(call["model"], [model["id"] for model in answer.json()["data"]])
        return Failure(failure.kind, f"{failure} Did you mean {', '.join(near)}?", failure.headers, **failure.fields)
