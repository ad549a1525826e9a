"""What a simulated OpenAI account holds: models, files, batches and stored responses. Rebuilt from nothing at reset.

Nothing here knows HTTP. Model names and dates are the real ones (state: 2026-11); sizes are the simulator's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["EPOCH", "Account", "ModelKind", "SimulatedModel", "StoredFile", "StoredResponse", "find_model"]

EPOCH = 1_795_000_000
"""The unix time of everything made here: a rerun gives the same answers."""


class ModelKind(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    COMPLETION = "completion"
    EMBEDDING = "embedding"
    MODERATION = "moderation"
    IMAGE = "image"
    SPEECH = "speech"
    TRANSCRIPTION = "transcription"


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model; ``size`` is the context in tokens, or the dimensions of an embedding."""

    id: str
    kind: ModelKind
    size: int = 128_000
    shutdown_date: str | None = None
    retired: bool = False
    old_limit_refused: bool = False
    """``max_tokens`` is refused in favour of ``max_completion_tokens``."""
    owned_by: str = "system"

    def as_json(self) -> dict[str, Any]:
        """The catalogue's entry."""
        return {
            "id": self.id,
            "object": "model",
            "created": EPOCH,
            "owned_by": self.owned_by,
            "shutdown_date": self.shutdown_date,
        }


def _rows(kind: ModelKind, names: str, **rest: Any) -> list[SimulatedModel]:
    return [SimulatedModel(name, kind, **rest) for name in names.split()]


_MODELS = [
    *_rows(ModelKind.CHAT, "gpt-6-astra gpt-6.1-sol gpt-6.1-terra gpt-6-sol gpt-6-luna gpt-5.6-sol gpt-5.6-terra"),
    *_rows(ModelKind.CHAT, "gpt-5.6-luna gpt-5.5 gpt-5.4 gpt-5.4-mini"),
    *_rows(ModelKind.CHAT, "gpt-5 gpt-5-mini gpt-5-nano", shutdown_date="2026-12-11"),
    *_rows(ModelKind.CHAT, "o3", shutdown_date="2026-12-11", old_limit_refused=True),
    *_rows(ModelKind.CHAT, "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini", shutdown_date="2027-01-14"),
    *_rows(
        ModelKind.CHAT,
        "gpt-3.5-turbo gpt-4 gpt-4-turbo gpt-4o-2024-05-13 gpt-4.1-nano o1 o3-mini o4-mini",
        retired=True,
    ),
    *_rows(ModelKind.CHAT, "ft:gpt-4.1-mini:example::sim", owned_by="example"),
    *_rows(ModelKind.COMPLETION, "gpt-3.5-turbo-instruct davinci-002 babbage-002", size=4_096),
    *_rows(ModelKind.EMBEDDING, "text-embedding-3-small text-embedding-ada-002", size=1_536),
    *_rows(ModelKind.EMBEDDING, "text-embedding-3-large", size=3_072),
    *_rows(ModelKind.MODERATION, "omni-moderation-latest omni-moderation-2024-09-26"),
    *_rows(ModelKind.IMAGE, "gpt-image-1.5 gpt-image-2 gpt-image-2.5"),
    *_rows(ModelKind.IMAGE, "gpt-image-1 dall-e-2 dall-e-3", retired=True),
    *_rows(ModelKind.SPEECH, "tts-1 tts-1-hd gpt-4o-mini-tts", shutdown_date="2027-01-06"),
    *_rows(ModelKind.TRANSCRIPTION, "gpt-transcribe"),
    *_rows(
        ModelKind.TRANSCRIPTION,
        "whisper-1 gpt-4o-transcribe gpt-4o-mini-transcribe gpt-4o-transcribe-diarize",
        shutdown_date="2027-02-26",
    ),
]
MODELS = {model.id: model for model in _MODELS}


@dataclass(slots=True)
class StoredFile:
    """An uploaded or produced file."""

    id: str
    filename: str
    purpose: str
    content: bytes = field(repr=False)
    expires_at: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The file object."""
        data: dict[str, Any] = {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": EPOCH,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
        }
        if self.expires_at is not None:
            data["expires_at"] = self.expires_at
        return data


@dataclass(slots=True)
class StoredResponse:
    """A stored response, its input items, and what it will be when its background work is done."""

    body: dict[str, Any]
    input_items: list[dict[str, Any]]
    finished: dict[str, Any] | None = None


@dataclass(slots=True)
class Account:
    """The state behind one server's OpenAI."""

    models: dict[str, SimulatedModel] = field(default_factory=lambda: dict(MODELS))
    files: dict[str, StoredFile] = field(default_factory=dict)
    batches: dict[str, dict[str, Any]] = field(default_factory=dict)
    responses: dict[str, StoredResponse] = field(default_factory=dict)


def find_model(account: Account, name: str, *kinds: ModelKind) -> SimulatedModel | None:
    """The model of this name if it is alive and of one of the kinds (any for none)."""
    model = account.models.get(name)
    if model is None or model.retired or (kinds and model.kind not in kinds):
        return None
    return model
