"""What a simulated project at Gemini holds: models, files, uploads under way, cached contents, batches.

Nothing here knows HTTP. Model names and dates are the real ones (state: 2026-11); sizes are the simulator's own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CREATED", "EXPIRES", "VERSIONS", "Project", "SimulatedModel", "StoredFile", "Upload", "find_model"]

VERSIONS = ("v1", "v1beta", "v1alpha")
CREATED = "2026-11-25T10:00:00.123456789Z"
"""When everything was made: nine digits, as the real service writes them."""
EXPIRES = "2026-11-27T10:00:00.123456789Z"
_GENERATING = ("generateContent", "countTokens", "createCachedContent", "batchGenerateContent")
_EMBEDDING = ("embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent")


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model.

    Attributes:
        methods: what it can be asked for.
        context: tokens it takes. ``dimensions``: of its vectors, 0 for none.
        thinks: it thinks unless told not to. ``draws``: it makes pictures.
        lowest: it refuses the thinking level MINIMAL.
        versions: of the API that know it.
    """

    id: str
    methods: tuple[str, ...] = _GENERATING
    context: int = 1_048_576
    output: int = 65_536
    dimensions: int = 0
    thinks: bool = True
    draws: bool = False
    lowest: bool = False
    versions: tuple[str, ...] = VERSIONS

    def as_json(self) -> dict[str, Any]:
        """The catalogue's entry."""
        data: dict[str, Any] = {
            "name": f"models/{self.id}",
            "version": "001",
            "displayName": self.id.replace("-", " ").title(),
            "description": "A simulated model",
            "inputTokenLimit": self.context,
            "outputTokenLimit": self.output,
            "supportedGenerationMethods": list(self.methods),
        }
        if self.dimensions:
            return data
        return {**data, "temperature": 1, "topP": 0.95, "topK": 64, "maxTemperature": 2, "thinking": self.thinks}


_MODELS = (
    SimulatedModel("gemini-3.8-flash", lowest=True),
    *(SimulatedModel(name) for name in ("gemini-3.7-flash", "gemini-3.6-flash", "gemini-3.5-flash")),
    *(SimulatedModel(name, thinks=False) for name in ("gemini-3.5-flash-lite", "gemini-3.1-flash-lite")),
    *(SimulatedModel(name, draws=True, thinks=False) for name in ("gemini-3.1-flash-image", "gemini-3-pro-image")),
    *(SimulatedModel(name) for name in ("gemini-2.5-pro", "gemini-2.5-flash")),
    SimulatedModel("gemini-flash-latest", versions=("v1beta", "v1alpha")),
    *(SimulatedModel(f"gemini-embedding-{number}", _EMBEDDING, 8_192, 1, 3_072) for number in ("001", "2")),
)


@dataclass(slots=True)
class StoredFile:
    """A file; ``generated`` ones can be downloaded."""

    name: str
    content: bytes = field(repr=False)
    mime_type: str
    display_name: str = ""
    generated: bool = False

    def as_json(self, base_url: str) -> dict[str, Any]:
        """The file object; 64-bit numbers travel as text."""
        data = {
            "name": self.name,
            "mimeType": self.mime_type,
            "sizeBytes": str(len(self.content)),
            "createTime": CREATED,
            "updateTime": CREATED,
            "expirationTime": EXPIRES,
            "sha256Hash": base64.b64encode(hashlib.sha256(self.content).hexdigest().encode()).decode(),
            "uri": f"{base_url}/v1/{self.name}",
            "state": "ACTIVE",
            "source": "GENERATED" if self.generated else "UPLOADED",
        }
        if self.display_name:
            data["displayName"] = self.display_name
        if self.generated:
            data["downloadUri"] = f"{base_url}/v1/{self.name}:download?alt=media"
        return data


@dataclass(slots=True)
class Upload:
    """An upload under way; ``last`` is where the piece that came last begins, so that it may come again."""

    about: Mapping[str, Any]
    size: int
    mime_type: str
    content: bytearray = field(default_factory=bytearray, repr=False)
    last: int = 0
    finished: dict[str, Any] | None = None


@dataclass(slots=True)
class Project:
    """The state behind one server's Gemini."""

    models: dict[str, SimulatedModel] = field(default_factory=lambda: {model.id: model for model in _MODELS})
    files: dict[str, StoredFile] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    caches: dict[str, dict[str, Any]] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)


def find_model(project: Project, name: str, method: str, version: str) -> SimulatedModel | None:
    """The model of this name if this version of the API knows it and it can do that."""
    model = project.models.get(name)
    if model is None or method not in model.methods or version not in model.versions:
        return None
    return model
