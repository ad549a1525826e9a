"""What OVMS's calls beyond text return. Every value is frozen and keeps the server's payload in ``raw``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.dialects.prometheus import Metric
from backends.ovms.tensors import Tensor, TensorSpec
from backends.types import Reply

__all__ = [
    "InferReply",
    "Metrics",
    "ModelMetadata",
    "ModelStatistics",
    "Prediction",
    "ServerConfig",
    "ServerMetadata",
    "Statistics",
    "Timing",
    "Tokens",
    "VersionStatus",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class InferReply(Reply):
    """The outputs of an inference. ``raw`` is the JSON part of the answer, untouched; binary content stands in the
    tensors.

    Attributes:
        outputs: in the server's order.
        id: the request's own id, as the server echoed it.
        model_version: of the model that answered.
        parameters: what the server said besides, untouched.
    """

    outputs: tuple[Tensor, ...] = ()
    id: str | None = None
    model_version: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def output(self, name: str | None = None) -> Tensor:
        """Return the output of this name; without a name the only one.

        Raises:
            LookupError: there is none, or there are several and no name was given.
        """
        found = [one for one in self.outputs if name is None or one.name == name]
        if len(found) != 1:
            names = ", ".join(one.name for one in self.outputs)
            raise LookupError(f"no output {name!r}; there are: {names}" if name else f"name one output of: {names}")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMetadata(Reply):
    """What a model takes and gives; ``raw`` may hold ``rt_info`` besides."""

    name: str = ""
    versions: tuple[str, ...] = ()
    platform: str = ""
    inputs: tuple[TensorSpec, ...] = ()
    outputs: tuple[TensorSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata(Reply):
    """Name, version and protocol extensions of the server."""

    name: str = ""
    version: str = ""
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionStatus:
    """One version of a model.

    Attributes:
        version: its number as text.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error_code: OK, UNKNOWN or FAILED_PRECONDITION.
        error_message: ``OK`` or empty where there is no error.
    """

    version: str
    state: str
    error_code: str = "OK"
    error_message: str = ""

    @property
    def available(self) -> bool:
        """True when it answers requests."""
        return self.state == "AVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig(Reply):
    """Every model of the configuration with its versions. ``reloaded`` is True where the server said that a reload
    changed something (recent builds never say so)."""

    models: Mapping[str, tuple[VersionStatus, ...]] = field(default_factory=dict)
    reloaded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics(Reply):
    """The samples of ``/metrics``; ``raw`` is the text."""

    samples: tuple[Metric, ...] = ()


@dataclass(frozen=True, slots=True)
class Timing:
    """How often something was measured and how long it took altogether, in seconds."""

    count: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float | None:
        """Seconds on average, None where nothing was measured."""
        return self.seconds / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """What the server counted for one version of a model or graph since it started.

    Attributes:
        name, version: of the model; graphs have version 1 or none.
        succeeded, failed: requests, over all APIs and interfaces.
        active: requests in work now.
        request, inference, waiting: whole requests, the computation alone, and the wait for a free inference request.
    """

    name: str
    version: str
    succeeded: int = 0
    failed: int = 0
    active: int = 0
    request: Timing = Timing()
    inference: Timing = Timing()
    waiting: Timing = Timing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics(Reply):
    """Statistics of every model, read from the metrics; ``raw`` is their text."""

    models: tuple[ModelStatistics, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction(Reply):
    """An answer of the TensorFlow Serving API: ``predictions`` row by row, or ``outputs`` column by column, untouched;
    the other one is None."""

    predictions: Any = None
    outputs: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Reply):
    """Token ids, one tuple a text."""

    tokens: tuple[tuple[int, ...], ...] = ()
