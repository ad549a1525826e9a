"""The smallest provider whose callers can share requests, and a server that answers it by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import httpx
from base_bench import PARROT

from backends import errors
from backends.batch_plan import counted_rows, in_field, listed
from backends.http import HTTPBackend
from backends.operation import EXACT, Answer, CallOptions, Operation
from backends.twins import blocking
from backends.types import CompletionReply, Usage


class Choir(HTTPBackend):
    """One call, of a line or several."""

    provider = replace(PARROT, title="Choir")
    batches = frozenset({"sing"})

    async def asing(self, lines: str | Sequence[str], *, key: str = "C", **options: Any) -> CompletionReply:
        """Sing them."""
        given = listed(lines)
        plan = in_field("lines", given, cut)
        body = {"lines": lines, "key": key}
        return await self._perform(
            Operation("sing", read, "/sing", body=body, model="choir-1", cacheable=EXACT, batch=plan),
            CallOptions(**options),
        )

    sing = blocking(asing)


def read(answer: Answer) -> CompletionReply:
    texts = tuple(answer.data["sung"])
    return CompletionReply(
        **answer.facts(), texts=texts, text=texts[0], usage=Usage(answer.data["tokens"]), cost=answer.data.get("cost")
    )


def cut(data: Any, counts: Sequence[int]) -> list[Any]:
    return [{**data, "sung": rows} for rows in counted_rows(data["sung"], counts)]


class Hall(httpx.AsyncBaseTransport):
    """Answers each request; ``sizes`` tells how many lines each had.

    Args:
        most: lines that it takes at once.
        statuses: of the first answers, before it answers as it should.
    """

    def __init__(self, *statuses: int, most: int = 1_000) -> None:
        self.statuses = list(statuses)
        self.most = most
        self.sizes: list[int] = []
        self.ids: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        lines = [body["lines"]] if isinstance(body["lines"], str) else body["lines"]
        self.sizes.append(len(lines))
        status = self.statuses.pop(0) if self.statuses else 200
        if status != 200 or "bad" in lines or len(lines) > self.most:
            return httpx.Response(status if status != 200 else 400, json={"error": "refused"}, request=request)
        sung = [f"{body['key']}:{line}" for line in lines]
        tokens = sum(map(len, lines))
        return httpx.Response(200, json={"sung": sung, "tokens": tokens, "cost": 0.1}, request=request)


class Unknowing(Choir):
    """Knows no model."""

    def read_error(self, status: int, headers: Any, data: Any, operation: Any) -> errors.BackendError:
        """Every refusal is of the model."""
        del headers, data, operation
        return errors.UnknownModelError("there is no such model", status=status)


def choir(hall: httpx.AsyncBaseTransport, kind: type[Choir] = Choir, **settings: Any) -> Choir:
    """A choir that sings in one hall, batching up to four lines."""
    return kind(
        transport=hall, environ={}, api_key="sk-choir-1", **{"max_batch_size": 4, "batch_timeout": 60.0, **settings}
    )
