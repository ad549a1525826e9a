"""What a simulated workspace holds: models, files, batches, and the prompt cache. Rebuilt from nothing at reset.

Nothing here knows HTTP. Model names, dates and sizes are the real ones (state: 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CREATED", "EXPIRES", "Account", "SimulatedModel", "StoredBatch", "StoredFile"]

CREATED = "2026-11-18T11:06:40Z"
"""The time of everything made here: a rerun gives the same answers."""
EXPIRES = "2026-11-19T11:06:40Z"


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model. ``manual``: it takes thinking of type ``enabled``. ``prefill``: its answer can be begun."""

    id: str
    lifecycle: str = "active"
    retires: str | None = None
    context: int = 1_000_000
    output: int = 128_000
    manual: bool = False
    prefill: bool = False

    def as_json(self) -> dict[str, Any]:
        """The catalogue's entry."""
        line = self.id.split("-")[1]
        return {
            "type": "model",
            "id": self.id,
            "display_name": self.id.replace("-", " ").title(),
            "created_at": "2026-10-01T00:00:00Z",
            "lifecycle": self.lifecycle,
            "deprecated_at": None if self.lifecycle == "active" else "2026-05-01T00:00:00Z",
            "retires_at": self.retires,
            "line": line if line.isalpha() else None,
            "max_input_tokens": self.context,
            "max_tokens": self.output,
            "capabilities": {
                name: {"supported": True}
                for name in ("batch", "citations", "image_input", "pdf_input", "structured_outputs")
            },
        }


_OLD: dict[str, Any] = {"context": 200_000, "output": 64_000, "manual": True, "prefill": True}
_MODELS = (
    *(SimulatedModel(f"claude-{name}") for name in ("fable-5-2", "mythos-5-2", "haiku-5-5", "sonnet-5-5")),
    *(SimulatedModel(f"claude-{name}") for name in ("fable-5-1", "opus-5-5", "sonnet-5", "opus-5", "opus-4-8")),
    SimulatedModel("claude-haiku-4-5", **_OLD),
    SimulatedModel("claude-opus-4-5", "deprecated", "2027-01-22T00:00:00Z", **_OLD),
    SimulatedModel("claude-sonnet-4-5", "deprecated", "2026-11-30T00:00:00Z", **_OLD),
    SimulatedModel("claude-opus-4-0", "retired", "2026-06-15T00:00:00Z"),
    SimulatedModel("claude-3-opus-20240229", "retired", "2026-01-05T00:00:00Z"),
    SimulatedModel("claude-2.1", "retired", "2025-07-21T00:00:00Z"),
)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file; what was uploaded cannot be downloaded again, what a tool has made can."""

    id: str
    filename: str
    media_type: str
    content: bytes = field(repr=False)
    downloadable: bool = False
    expires: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The file object."""
        return {
            "id": self.id,
            "type": "file",
            "filename": self.filename,
            "mime_type": self.media_type,
            "size_bytes": len(self.content),
            "created_at": CREATED,
            "downloadable": self.downloadable,
            "expires_at": self.expires,
        }


@dataclass(slots=True)
class StoredBatch:
    """A batch: its requests, how often it was looked at, and its results once it has ended."""

    id: str
    requests: list[dict[str, Any]]
    headers: tuple[tuple[str, str], ...]
    status: str = "in_progress"
    looks: int = 0
    cancelled: bool = False
    results: list[dict[str, Any]] = field(default_factory=list)


def _made_by_a_tool() -> dict[str, StoredFile]:
    file = StoredFile("file_made_by_a_tool", "chart.csv", "text/csv", b"month,rain\n1,80\n2,71\n", downloadable=True)
    return {file.id: file}


@dataclass(slots=True)
class Account:
    """The state behind one server's Claude."""

    models: dict[str, SimulatedModel] = field(default_factory=lambda: {model.id: model for model in _MODELS})
    files: dict[str, StoredFile] = field(default_factory=_made_by_a_tool)
    batches: dict[str, StoredBatch] = field(default_factory=dict)
    cached: set[str] = field(default_factory=set)
    """Digests of the prefixes in the prompt cache."""

    def living(self, name: str) -> SimulatedModel | None:
        """The model of this name unless it has retired."""
        model = self.models.get(name)
        return None if model is None or model.lifecycle == "retired" else model
