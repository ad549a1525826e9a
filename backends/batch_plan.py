"""How operations of one kind share a wire call, as data: what a provider says of a call that it can batch.

A plan never decides when a batch leaves (:mod:`backends.resilience.batcher`) and never sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from backends.wire import jsontext
from backends.wire.values import FormatError

if TYPE_CHECKING:
    from backends.operation import Answer, Operation

__all__ = ["BatchPlan", "Shareable", "byte_length", "counted_rows", "in_field", "items_of", "listed"]

T = TypeVar("T")
_OUR_ID: Final = "request_id"

Cut = Callable[[Any, Sequence[int]], Sequence[Any]]
"""Takes the data of a joined answer and the items of each request; returns the data of an answer to each.

Raises:
    FormatError: the answer has not one row for each item.
"""


def byte_length(item: Any) -> int:
    """Return the length of a text in bytes, of token ids in ids, of several texts together."""
    if isinstance(item, str):
        return len(item.encode("utf-8", "surrogatepass"))
    if isinstance(item, list | tuple):
        return sum(byte_length(part) if isinstance(part, str) else 1 for part in item)
    return 1


class Shareable(Protocol):
    """What a call says of itself that may share a wire call: an :class:`~backends.operation.Operation`, or what a backend
    with another wire has in its place."""

    @property
    def name(self) -> str:
        """The capability."""
        ...

    @property
    def model(self) -> str | None:
        """The model asked for."""
        ...

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Of this call only."""
        ...

    @property
    def batch(self) -> BatchPlan[Any] | None:
        """None where every call is a request of its own."""
        ...


@dataclass(frozen=True, slots=True)
class BatchPlan(Generic[T]):
    """What one operation brings to a batch, and how such operations become one.

    Attributes:
        items: its inputs, in order.
        shared: returns text of everything in the body besides the items: operations whose name, headers, model and
            text are equal may be joined.
        join: returns one operation for several whose ``read`` gives their replies in order, each with the usage of all;
            in place of a reply an error, where the provider tells what is wrong with one of them.
        most_items: the provider's own limit of items in a request, None for none.
        most_length: bound of the lengths' sum, None for none. A provider's bound of tokens may stand here: no token is
            shorter than a byte.
        length_of: the length of an item, what usage is parted by: bytes of UTF-8, or elements where there is no text.
        written: length of what a reply says, for calls that generate; None where the items alone make the work.
    """

    items: Sequence[Any]
    shared: Callable[[Any], str]
    join: Callable[[Sequence[Any]], Any]
    most_items: int | None = None
    most_length: int | None = None
    written: Callable[[T], int] | None = None
    length_of: Callable[[Any], int] = byte_length

    def length(self) -> int:
        """Return the length of all items together."""
        return sum(map(self.length_of, self.items))


def in_field(
    field: str,
    items: Sequence[Any],
    cut: Cut,
    *,
    most_items: int | None = None,
    most_length: int | None = None,
    written: Callable[[T], int] | None = None,
) -> BatchPlan[T]:
    """Return the plan of an operation whose items stand as a list in one field of its JSON body.

    Where a provider takes our own id in the body, the joined one bears that of the first request.

    Args:
        field: of the body; the joined one holds the list of everybody's items, even where a single request would hold
            the bare item.
        items: of this operation.
        cut: takes the joined answer apart; the operations' own ``read`` reads the parts, so that a part can be kept as the
            answer to one of them.
        most_items, most_length, written: as in :class:`BatchPlan`.
    """

    def shared(operation: Operation[T]) -> str:
        assert isinstance(operation.body, dict)
        rest = {name: operation.body[name] for name in sorted(operation.body) if name not in (field, _OUR_ID)}
        kinds = sorted({type(item).__name__ for item in items})  # no provider is asked to read texts among numbers
        return jsontext.dumps([operation.path, rest, kinds]).decode()

    def join(operations: Sequence[Operation[T]]) -> Operation[list[T]]:
        counts = [len(items_of(operation)) for operation in operations]

        def read_all(answer: Answer) -> list[T]:
            parts = [replace(answer, data=data) for data in cut(answer.data, counts)]
            return [operation.read(part) for operation, part in zip(operations, parts, strict=True)]

        body = {**operations[0].body, field: [item for operation in operations for item in items_of(operation)]}  # type: ignore[dict-item]  # a JSON body, as above
        return replace(operations[0], body=body, read=read_all)  # type: ignore[arg-type, return-value]  # it reads a list

    return BatchPlan(items, shared, join, most_items, most_length, written)


def items_of(operation: Shareable) -> Sequence[Any]:
    """Return the items of an operation, which must have a plan."""
    assert operation.batch is not None
    return operation.batch.items


def listed(items: Any) -> Sequence[Any]:
    """Return a text, token ids, or several of either as a list of inputs."""
    return [items] if isinstance(items, str) or isinstance(items[0], int) else items


def counted_rows(rows: Any, counts: Sequence[int]) -> list[list[Any]]:
    """Return rows in consecutive parts of so many.

    Raises:
        FormatError: there are more or fewer than all parts together have.
    """
    if type(rows) is not list or len(rows) != sum(counts):
        raise FormatError(f"{len(rows) if type(rows) is list else 'no'} rows came for {sum(counts)} inputs")
    parts, start = [], 0
    for count in counts:
        parts.append(rows[start : start + count])
        start += count
    return parts
