"""What the small client saves: requests that were answered before, and those that several callers can share."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from conformance.blackbox.miniature.parts import Failure

__all__ = ["Saving"]

_FILLERS: Final = frozenset({"do", "can", "please"})
"""Words that change a question's form and not its meaning."""


class Saving:
    """A cache and a batcher over :meth:`perform`, which sends."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.kept: dict[str, dict[str, Any]] = {}
        self.flights: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.batches: dict[str, list[tuple[list[str], asyncio.Future[dict[str, Any]]]]] = {}

    async def perform(
        self, call: dict[str, Any], send: Callable[[Any, str], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Send a request until it is answered."""
        raise NotImplementedError

    # -- what is kept --------------------------------------------------------------------------------------------------

    async def cached(
        self, call: dict[str, Any], body: dict[str, Any], make: Callable[[], Awaitable[dict[str, Any]]]
    ) -> dict[str, Any]:
        """Answer from what is kept, or make the call, once for all who ask the same."""
        if not self.keeps(body):
            return await make()
        name = self.name(body)
        if name in self.kept:
            return {**self.kept[name], "cached": True}
        if name in self.flights:
            return {**await asyncio.shield(self.flights[name]), "cached": True}
        flight = self.flights[name] = asyncio.ensure_future(make())
        try:
            self.kept[name] = await flight
        finally:
            del self.flights[name]
        return self.kept[name]

    def keeps(self, body: dict[str, Any]) -> bool:
        """Say whether an answer is worth keeping."""
        return self.settings["cache"] is not None and not body.get("temperature")

    def name(self, body: dict[str, Any]) -> str:
        """Return the name under which an answer is kept."""
        if self.settings["cache"] == "semantic":
            words = body["messages"][-1]["content"].lower().strip("?").split()
            body = {**body, "messages": self.meaning(words)}
        return json.dumps(body, sort_keys=True)

    def meaning(self, words: list[str]) -> list[str]:
        """Return the words that two questions must share, in their order."""
        return [word for word in words if word not in _FILLERS]

    # -- what is shared ------------------------------------------------------------------------------------------------

    async def vectors(self, model: str, texts: list[str]) -> dict[str, Any]:
        """One request for some texts."""

        async def send(endpoint: Any, key: str) -> dict[str, Any]:
            found = await endpoint.wire.ask("/embeddings", key, {"model": model, "input": texts})
            return {"vectors": [item["embedding"] for item in sorted(found["data"], key=lambda item: item["index"])]}

        return await self.perform({}, send)

    async def shared(self, model: str, texts: list[str]) -> dict[str, Any]:
        """Wait for others who want the same model, then ask for all."""
        mine: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        batch = self.batches.setdefault(self.lot(model), [])
        batch.append((texts, mine))
        if sum(len(some) for some, _ in batch) >= self.settings["max_batch_size"]:
            await self.flush(model, batch)
        elif len(batch) == 1:
            asyncio.get_running_loop().call_later(
                self.settings["batch_timeout"], lambda: asyncio.ensure_future(self.flush(model, batch))
            )
        return await mine

    def lot(self, model: str) -> str:
        """Return the name of the batch that a call belongs to."""
        return model

    async def flush(self, model: str, batch: list[Any]) -> None:
        """Send a batch and give everybody their own."""
        if self.batches.get(self.lot(model)) is batch:
            del self.batches[self.lot(model)]
        members, batch[:] = list(batch), []
        if not members:
            return
        try:
            found = await self.vectors(model, [text for texts, _ in members for text in texts])
        except Failure as failure:
            await self.fail(model, members, failure)
            return
        vectors = iter(found["vectors"])
        for texts, mine in members:
            mine.set_result({"vectors": [next(vectors) for _ in texts]})

    async def fail(self, model: str, members: list[Any], failure: Failure) -> None:
        """Tell everybody, or find out who is to blame."""
        for texts, mine in members:
            if len(members) > 1 and failure.kind == "invalid_request":
                ends = await asyncio.gather(self.vectors(model, texts), return_exceptions=True)
                mine.set_exception(ends[0]) if isinstance(ends[0], BaseException) else mine.set_result(ends[0])
            else:
                mine.set_exception(failure)
