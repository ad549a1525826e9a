"""Reader of batch results: one JSON object a line, in any order; nothing is kept of an item but its outcome.

Wire facts: ``{"custom_id", "result": {"type": "succeeded", "message"} | {"type": "errored", "error"} | {"type":
"canceled"} | {"type": "expired"}}``. There is no end mark: the end of the HTTP body is the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from backends.claude.failures import typed_error
from backends.claude.replies import message_from
from backends.claude.values import BatchItem, BatchResults, ItemChunk, MessageReply
from backends.dialects.openai_common import json_object
from backends.operation import Answer
from backends.types import Chunk
from backends.wire.jsontext import loads
from backends.wire.ndjson import NDJSONDecoder
from backends.wire.values import FormatError

__all__ = ["ResultReader", "unread"]


class ResultReader:
    """Turns lines into :class:`~backends.claude.values.ItemChunk`.

    Args:
        max_event_bytes: bound of one line.
        price: returns what a message costs; each names the tier ``batch``.
    """

    __slots__ = ("_decoder", "_outcomes", "_price", "done")

    def __init__(self, max_event_bytes: int, price: Callable[[MessageReply], float | None]) -> None:
        self._price = price
        self._decoder = NDJSONDecoder(max_event_bytes)
        self._outcomes: Counter[str] = Counter()
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the items of the lines that the next bytes complete.

        Raises:
            FormatError: a line is not a result.
        """
        for line in self._decoder.feed(data):
            yield self._take(line)

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the body as the end; a last line without a line feed counts when it is whole.

        Raises:
            FormatError: the last line is not a result.
        """
        chunks = [self._take(line) for line in self._decoder.close()]
        self.done = True
        return chunks

    def partial(self) -> None:
        """Nothing is kept."""

    def reply(self, answer: Answer) -> BatchResults:
        """Return how many items had which outcome."""
        outcomes = dict(self._outcomes)
        return BatchResults(**answer.facts(), total=sum(outcomes.values()), outcomes=outcomes)

    def _take(self, line: str) -> ItemChunk:
        data = json_object(loads(line))
        result = json_object(data["result"])
        name, outcome = data["custom_id"], result["type"]
        if not isinstance(name, str) or not isinstance(outcome, str):
            raise FormatError("a result has no custom_id or no type")
        item = BatchItem(name, outcome)
        if outcome == "succeeded":
            message = json_object(result["message"])
            reply = message_from(message, {"raw": message})
            item = BatchItem(name, outcome, reply=replace(reply, cost=self._price(reply)))
        elif outcome == "errored":
            error = typed_error(None, result["error"])
            error.provider = "claude"
            item = BatchItem(name, outcome, error=error)
        self._outcomes[outcome] += 1
        return ItemChunk(item.reply.text if item.reply is not None else "", raw=data, item=item)


def unread(answer: Answer) -> BatchResults:
    """Stand in for the reading of a whole answer, which does not happen: results always come as a stream."""
    return BatchResults(**answer.facts())
