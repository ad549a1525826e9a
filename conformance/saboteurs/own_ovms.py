"""Sins of an OVMS backend: errors that stand where nobody looks, and tensors that are believed."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends import errors
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import receiving, replying, rewriting, telling

_sin: Final = partial(saboteur, subjects=("ovms",), alone=True)


@_sin("STR-03", "ignores an error that is no event")
def events_only(backend: Any) -> None:
    """The standard says to ignore such a line."""

    def change(operation: Any) -> Any:
        make = operation.stream
        return operation if make is None else replace(operation, stream=lambda: make()._inner)

    rewriting(backend, change)


def _by_status(backend: Any, code: str, kind: type[errors.BackendError]) -> None:
    """Let an error with one of our codes be what its status says."""

    def change(error: errors.BackendError) -> errors.BackendError:
        return kind(error.message, status=error.status) if error.code == code else error

    telling(backend, change)


@_sin("BAK-01", "tries a refused key again")
def retries_a_refused_key(backend: Any) -> None:
    """The server says 500."""
    _by_status(backend, "unauthorized", errors.ServerError)


@_sin("BAK-01", "gives up on a model that is still being loaded")
def gives_up_on_loading(backend: Any) -> None:
    """The server says 404."""
    _by_status(backend, "not_loaded_yet", errors.NotFoundError)


@_sin("ERR-01", "takes an unknown model for an outage")
def unknown_is_down(backend: Any) -> None:
    """/v3/models says 500."""
    _by_status(backend, "model_not_found", errors.ServerError)


@_sin("ERR-02", "fills up tensors that came short")
def fills_up_tensors(backend: Any) -> None:
    """The shape says how much there should be."""

    def change(data: Any) -> Any:
        end = data.find(b"}]}") + 3 if isinstance(data, bytes) else 0
        if end < 3:
            return data
        head = json.loads(data[:end])
        for output in head["outputs"]:
            output.pop("parameters", None)
            output["data"] = [0.0] * (output["shape"][0] * output["shape"][1])
        text = json.dumps(head).encode()
        return text.ljust(end) if len(text) <= end else text

    receiving(backend, change)


@_sin("CAP-01", "does not say where the JSON ends and the tensors begin", case="infer async")
def hides_the_seam(backend: Any) -> None:
    """A proxy drops headers that it does not know."""
    rewriting(backend, lambda operation: replace(operation, headers=()))


@_sin("CAP-02", "gives the rows of a batch to its first caller", case="infer_batch async")
def mixes_up_rows(backend: Any) -> None:
    """Everybody gets the same answer."""
    replying(backend, lambda replies: (replies[0],) * len(replies))
