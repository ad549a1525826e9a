"""What a simulated server holds: models that do simple sums, graphs that generate, and what it counted. No HTTP."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.simulators.openai.models import ModelKind
from conformance.simulators.ovms.tensors import SIZES

__all__ = ["Graph", "Model", "Port", "Result", "Server"]

Result = tuple[tuple[int, ...], list[Any]]
"""Shape and elements of one tensor."""
Sums = Callable[[Mapping[str, Result], int], dict[str, Result]]
"""Takes the inputs by name and the version, gives the outputs by name."""


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output; -1 in the shape takes any size. ``images``: BYTES elements are decoded as PNG."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    images: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model: what it takes, what it gives, how it gets there; None computes nothing but fails."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    sums: Sums | None
    versions: tuple[str, ...] = ("1",)


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph under ``/v3``: what it is for, its context or dimensions, and whether it thinks aloud."""

    kind: ModelKind
    size: int = 8_192
    thinks: bool = False
    reranks: bool = False


def _each(output: str, change: Callable[[Any, int], Any]) -> Sums:
    """A model of one input that treats its elements one by one."""

    def sums(inputs: Mapping[str, Result], version: int) -> dict[str, Result]:
        ((shape, values),) = inputs.values()
        return {output: (shape, [change(value, version) for value in values])}

    return sums


def _sum(inputs: Mapping[str, Result], version: int) -> dict[str, Result]:
    (shape, left), (_, right) = inputs["a"], inputs["b"]
    pairs = list(zip(left, right, strict=True))
    return {"total": (shape, [one + other for one, other in pairs]), "difference": (shape, [o - p for o, p in pairs])}


def _measure(inputs: Mapping[str, Result], version: int) -> dict[str, Result]:
    """Width and height of each picture."""
    shape, pictures = inputs["image"]
    sides = [side for one in pictures for side in struct.unpack(">II", one[16:24])]
    return {"sides": ((shape[0], 2), sides)}


def _identity(datatype: str) -> Model:
    port = Port("x", datatype, (-1, -1))
    return Model((port,), (Port("y", datatype, (-1, -1)),), _each("y", lambda value, _: value))


_X = (Port("x", "FP32", (-1, -1)),)
_Y = (Port("y", "FP32", (-1, -1)),)
MODELS: Mapping[str, Model] = {
    "add": Model(_X, _Y, _each("y", lambda value, _: value + 1)),
    "double": Model(_X, _Y, _each("y", lambda value, _: value * 2)),
    "scale": Model(_X, _Y, _each("y", lambda value, version: value * version), ("1", "2")),
    "sum": Model(
        (Port("a", "INT32", (-1, 2)), Port("b", "INT32", (-1, 2))),
        (Port("total", "INT32", (-1, 2)), Port("difference", "INT32", (-1, 2))),
        _sum,
    ),
    "shout": Model(
        (Port("text", "BYTES", (-1,)),),
        (Port("loud", "BYTES", (-1,)),),
        _each("loud", lambda value, _: value.upper()),
    ),
    "picture": Model(
        (Port("image", "FP32", (-1, 4, 4, 3), images=True),), (Port("sides", "INT64", (-1, 2)),), _measure
    ),
    "broken": Model(_X, _Y, None),
    **{f"identity_{datatype.lower()}": _identity(datatype) for datatype in (*SIZES, "BYTES")},
}
"""``late`` (loads while it is asked for) and ``gone`` (retired) are states of a server, see :class:`Server`."""

GRAPHS: Mapping[str, Graph] = {
    "llama3": Graph(ModelKind.CHAT),
    "qwen3": Graph(ModelKind.CHAT, thinks=True),
    "gte-large": Graph(ModelKind.EMBEDDING, 1_024),
    "bge-reranker": Graph(ModelKind.EMBEDDING, 256, reranks=True),
    "flux": Graph(ModelKind.IMAGE),
    "kokoro": Graph(ModelKind.SPEECH),
    "whisper": Graph(ModelKind.TRANSCRIPTION),
}


@dataclass(slots=True)
class Server:
    """The state behind one simulated server.

    Attributes:
        states: of models that are not available; ``late`` is available once it was refused for loading.
        stale: the configuration file differs from what is loaded, until the first reload.
        succeeded, failed: inferences by model and version.
        metrics: whether ``/metrics`` is switched on.
    """

    models: dict[str, Model] = field(
        default_factory=lambda: {**MODELS, "late": MODELS["double"], "gone": MODELS["double"]}
    )
    graphs: dict[str, Graph] = field(default_factory=lambda: dict(GRAPHS))
    states: dict[str, str] = field(default_factory=lambda: {"late": "LOADING", "gone": "END"})
    ready: bool = True
    stale: bool = True
    metrics: bool = True
    succeeded: Counter[tuple[str, str]] = field(default_factory=Counter)
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def state_of(self, name: str) -> str:
        """The state of every version of a model."""
        return self.states.get(name, "AVAILABLE")
