"""Several requests of one shape as one: stacked along axis 0 before the wire, cut apart behind it. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from backends.ovms.kserve import Inputs, checked_inputs
from backends.ovms.tensors import Tensor, joined, parted
from backends.ovms.values import InferReply
from backends.parameters import bad_argument
from backends.wire.values import FormatError

__all__ = ["Stack", "split_reply", "stack"]

Stack = tuple[tuple[Tensor, ...], tuple[int, ...]]
"""The inputs of the one request, and how many rows of axis 0 each of the several has."""


def stack(requests: Sequence[Inputs]) -> Stack:
    """Return several requests' inputs stacked along axis 0.

    Args:
        requests: inputs each; the same names and datatypes in all of them, and the same sizes of every axis but the
            first.

    Raises:
        InvalidRequestError: there are none, or one does not fit the first; the message names it.
    """
    if not isinstance(requests, list | tuple) or not requests:
        bad_argument("requests must be a list of inputs, and not empty", "ovms")
    named = [
        {one.name: one for one in checked_inputs(inputs, f"requests[{place}]")} for place, inputs in enumerate(requests)
    ]
    first = named[0]
    rows = []
    for place, inputs in enumerate(named):
        if inputs.keys() != first.keys():
            names, wanted = ", ".join(inputs), ", ".join(first)
            bad_argument(f"requests[{place}] has the inputs {names} where the first has {wanted}", "ovms")
        rows.append(_rows(place, inputs, first))
    return tuple(joined([inputs[name] for inputs in named]) for name in first), tuple(rows)


def _rows(place: int, named: dict[str, Tensor], first: dict[str, Tensor]) -> int:
    """Return the rows of one request, which all its inputs must agree on."""
    sizes = set()
    for name, one in named.items():
        pattern = first[name]
        where = f"requests[{place}], input {name},"
        if not one.shape:
            bad_argument(f"{where} has no axis to stack along", "ovms")
        if one.datatype != pattern.datatype:
            bad_argument(f"{where} is {one.datatype} where the first is {pattern.datatype}", "ovms")
        if one.shape[1:] != pattern.shape[1:]:
            bad_argument(f"{where} has the shape {list(one.shape)} where the first has {list(pattern.shape)}", "ovms")
        sizes.add(one.shape[0])
    if len(sizes) != 1 or 0 in sizes:
        bad_argument(f"requests[{place}] must have the same number of rows in every input, at least one", "ovms")
    return sizes.pop()


def split_reply(reply: InferReply, rows: Sequence[int]) -> tuple[InferReply, ...]:
    """Return the reply to a stacked request as one reply for each of the several; each keeps the whole ``raw``.

    Raises:
        FormatError: an output has not as many rows as were sent.
    """
    for one in reply.outputs:
        if not one.shape or one.shape[0] != sum(rows):
            raise FormatError(f"output {one.name[:80]!r} has the shape {list(one.shape)} for {sum(rows)} rows")
    columns = [parted(one, rows) for one in reply.outputs]
    return tuple(replace(reply, outputs=tuple(column[place] for column in columns)) for place in range(len(rows)))
