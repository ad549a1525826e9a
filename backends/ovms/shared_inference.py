"""How callers of ``infer`` share one inference: stacked along axis 0, cut apart afterwards. Pure; no I/O.

This is right for models whose axis 0 is the batch, as it is for ``infer_batch``; a server whose model takes another number
of rows refuses the stack, and an answer with another number of rows is refused here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from backends.batch_plan import BatchPlan, items_of
from backends.operation import Answer, Operation
from backends.ovms.batching import split_reply
from backends.ovms.tensors import Tensor, joined, parted
from backends.ovms.values import InferReply
from backends.wire.jsontext import dumps

__all__ = ["infer_plan"]

Make = Callable[[Sequence[Tensor]], Operation[InferReply]]


def infer_plan(inputs: Sequence[Tensor], settings: Any, make: Make) -> BatchPlan[InferReply] | None:
    """Return the plan of an inference, None where its inputs have no rows in common to stack.

    Args:
        inputs: of the request, by name.
        settings: what else of the request must be the same, in a form that JSON can hold.
        make: makes the operation of stacked inputs.
    """
    rows = {one.shape[0] if one.shape else 0 for one in inputs}
    if len(rows) != 1 or 0 in rows:
        return None
    (number,) = rows
    ordered = sorted(inputs, key=lambda one: one.name)
    shape = [[one.name, one.datatype, *one.shape[1:]] for one in ordered]

    def shared(operation: Operation[InferReply]) -> str:
        del operation
        return dumps([shape, settings]).decode()

    def join(operations: Sequence[Operation[InferReply]]) -> Operation[Any]:
        stacks = [items_of(operation) for operation in operations]
        counts = [len(stack) for stack in stacks]
        columns = zip(*(row for stack in stacks for row in stack), strict=True)
        whole = make([joined(column) for column in columns])

        def read(answer: Answer) -> tuple[InferReply, ...]:
            return split_reply(whole.read(answer), counts)

        joint: Operation[Any] = whole
        return replace(joint, name=operations[0].name, read=read)

    pieces = [parted(one, [1] * number) for one in ordered]
    return BatchPlan(list(zip(*pieces, strict=True)), shared, join, length_of=_bytes)


def _bytes(row: Sequence[Tensor]) -> int:
    return sum(len(one.content) for one in row)
