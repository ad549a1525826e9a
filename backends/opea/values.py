"""What OPEA's services return besides text. Every value is frozen; replies keep the service's payload in ``raw``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.types import Reply

__all__ = [
    "Document",
    "Ingested",
    "Judgement",
    "Latencies",
    "PersonalData",
    "Retrieved",
    "Saved",
    "ServiceInfo",
    "StoredFile",
]


@dataclass(frozen=True, slots=True)
class Document:
    """A piece of a stored document; ``id`` is random at most retrievers."""

    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved(Reply):
    """Documents, the nearest first."""

    documents: tuple[Document, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The documents' texts."""
        return tuple(document.text for document in self.documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement(Reply):
    """What a guardrail says of a text.

    Attributes:
        flagged: whether it was refused; None where the service only gives a score.
        score: 0 to 1, None where the service only says yes or no.
        policies: what was violated, in the service's words; None when nothing was.
        text: the text let through, or the refusal.
    """

    flagged: bool | None = None
    score: float | None = None
    policies: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData(Reply):
    """Personal data in a text: what was ``found`` (kinds and places, untouched), or the ``text`` with it replaced."""

    found: tuple[Mapping[str, Any], ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested(Reply):
    """Confirmation of the data preparation."""

    message: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file or link that was ingested; ``raw`` is the entry untouched."""

    name: str
    id: str
    type: str | None = None
    parent: str | None = None
    raw: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved(Reply):
    """A record that was saved: the ``id`` of a new one; None where an older one was changed, which ``updated`` says."""

    id: str | None = None
    updated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceInfo(Reply):
    """What a service says of itself. It answers as soon as it is up, even while the model behind it still loads."""

    title: str = ""
    version: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds per request of one service since its start; None before there was any."""

    p50: float | None
    p99: float | None
    average: float | None
    p50_first_token: float | None
    p99_first_token: float | None
    average_first_token: float | None
