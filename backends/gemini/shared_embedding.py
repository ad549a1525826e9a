"""How callers of ``embed`` share one ``batchEmbedContents``: each text is a request of its own in the body. Pure.

Wire facts: such a body takes 100 requests ("at most 100 requests can be in one batch"); vectors come in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from backends.batch_plan import BatchPlan, byte_length, counted_rows, items_of
from backends.dialects.openai_common import json_object
from backends.gemini.failures import raise_inside
from backends.operation import Answer, Operation
from backends.types import Embeddings
from backends.wire.jsontext import dumps

__all__ = ["embed_plan"]

_MOST_REQUESTS: Final = 100


def embed_plan(requests: Sequence[dict[str, Any]], path: str) -> BatchPlan[Embeddings]:
    """Return the plan of an embedding.

    Args:
        requests: one for each text, all with the same model and parameters.
        path: of ``batchEmbedContents``.
    """

    def shared(operation: Operation[Embeddings]) -> str:
        del operation
        return dumps({name: value for name, value in requests[0].items() if name != "content"}).decode()

    def join(operations: Sequence[Operation[Embeddings]]) -> Operation[Any]:
        together = [items_of(operation) for operation in operations]

        def read(answer: Answer) -> list[Embeddings]:
            raise_inside(answer.data, answer.model)
            data = json_object(answer.data)
            parts = counted_rows(data["embeddings"], [len(some) for some in together])
            return [
                operation.read(replace(answer, data={**data, "embeddings": rows}))
                for operation, rows in zip(operations, parts, strict=True)
            ]

        joined: Operation[Any] = operations[0]
        return replace(joined, path=path, body={"requests": [one for some in together for one in some]}, read=read)

    return BatchPlan(requests, shared, join, most_items=_MOST_REQUESTS, length_of=_length)


def _length(request: Mapping[str, Any]) -> int:
    return sum(byte_length(part.get("text", "")) for part in request["content"]["parts"])
