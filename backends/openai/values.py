"""What OpenAI's images and moderation return. Every value is frozen and keeps the provider's payload in ``raw``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backends.types import Reply

__all__ = ["Image", "Images", "Moderation", "Verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Judgement of one input: overall, by category, with scores from 0 to 1 and what kind of input each was applied
    to."""

    flagged: bool
    categories: Mapping[str, bool]
    scores: Mapping[str, float]
    applied: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moderation(Reply):
    """Judgements, one per input; ``flagged`` when any is."""

    verdicts: tuple[Verdict, ...] = ()

    @property
    def flagged(self) -> bool:
        """True when any input was flagged."""
        return any(verdict.flagged for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class Image:
    """One image: its bytes, or where a server answered with an address, that address."""

    data: bytes = field(repr=False)
    url: str | None = None
    revised_prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Images(Reply):
    """Generated or edited images with what the provider chose (``output_format``, ``size``, ``quality``,
    ``background``)."""

    images: tuple[Image, ...] = ()
    output_format: str | None = None
    size: str | None = None
    quality: str | None = None
    background: str | None = None
