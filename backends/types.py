"""The values that pass between layers: what a caller gets back, and the small vocabulary used in asking.

Every value is frozen. Nothing here does I/O, knows a provider or reads a clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeAlias

__all__ = [
    "JSON",
    "ChatReply",
    "Chunk",
    "CompletionReply",
    "Embeddings",
    "Message",
    "Model",
    "Priority",
    "Ranked",
    "Ranking",
    "Reply",
    "TokenCount",
    "ToolCall",
    "ToolCallDelta",
    "Usage",
]

JSON: TypeAlias = dict[str, Any]
"""A decoded JSON object as it came from, or goes to, a provider."""

Message: TypeAlias = Mapping[str, Any]
"""One chat message in the provider's own shape, at least ``{"role": ..., "content": ...}``."""


class Priority(IntEnum):
    """Order among the waiting: every HIGH goes before every NORMAL, every NORMAL before every LOW; FIFO within."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one request, as the provider counted them.

    ``None`` means that the provider did not say; a zero is the provider's zero. ``estimated`` is true only where the
    numbers are ours. The detail counts are contained in the two main counts, never added to them; of the last four,
    ``cache_write_1h_tokens`` is contained in ``cache_write_tokens`` and ``audio_output_tokens`` in ``audio_tokens``, while
    ``image_tokens`` (pictures, video and documents that the provider counts apart) are of the input alone.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None
    estimated: bool = False
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    audio_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    audio_output_tokens: int | None = None
    image_tokens: int | None = None
    image_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that the model wants made.

    Attributes:
        id: the provider's id of the call; empty where the provider gives none.
        name: the tool's name.
        arguments: the arguments as JSON text exactly as the model wrote them; may be invalid JSON.
        type: ``function`` or ``custom``.
    """

    id: str
    name: str
    arguments: str
    type: str = "function"


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A piece of a tool call in a stream; pieces with the same ``index`` belong to one call."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What every finished request gives.

    Attributes:
        raw: the provider's payload, untouched (a JSON value, bytes or text).
        usage: token counts, or an all-``None`` Usage when the provider gives none.
        model: the model that answered, as the provider names it.
        request_id: our UUID.
        provider_request_id: the provider's id, when it gave one.
        attempts: how many times the request was on the wire (0 for a cached reply).
        latency: seconds from submission to the complete reply, waiting included.
        cost: in US dollars, or None when unknown; never a silent 0.
        cached: true when no wire was used.
        headers: the answer's headers with lower-case names (rate-limit windows and the like).
        hops: what was tried in vain before this answer, where a chain was called; see :mod:`backends.failover`.
    """

    raw: Any = None
    usage: Usage = field(default_factory=Usage)
    model: str | None = None
    request_id: str = ""
    provider_request_id: str | None = None
    attempts: int = 0
    latency: float = 0.0
    cost: float | None = None
    cached: bool = False
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    hops: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply(Reply):
    """A chat answer. ``text`` is the first choice's text; ``texts`` holds every choice's."""

    text: str = ""
    finish_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    refusal: str | None = None
    logprobs: Any = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionReply(Reply):
    """A text completion. ``text`` is the first choice's text; ``texts`` holds every choice's, prompt by prompt."""

    text: str = ""
    finish_reason: str | None = None
    reasoning: str | None = None
    logprobs: Any = None
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings(Reply):
    """Vectors in the order of the texts; each is a tuple of floats of the same length."""

    vectors: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Ranked:
    """One text of a ranking.

    Attributes:
        index: its place among the texts that were given.
        score: how well it fits the query, higher is better; None where the service only orders.
        text: itself, None where the service did not repeat it.
    """

    index: int
    score: float | None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking(Reply):
    """Texts by how well they fit a query, the best first; fewer than were given where only the best were asked for."""

    results: tuple[Ranked, ...] = ()

    @property
    def texts(self) -> tuple[str | None, ...]:
        """The texts in their new order."""
        return tuple(ranked.text for ranked in self.results)

    @property
    def scores(self) -> tuple[float | None, ...]:
        """The scores in the order of the texts that were given."""
        return tuple(ranked.score for ranked in sorted(self.results, key=lambda ranked: ranked.index))


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of a stream.

    Attributes:
        text: new answer text, or the line of a progress report; may be empty (a tool call, a usage report).
        reasoning: new reasoning text.
        tool_calls: pieces of tool calls.
        finish_reason: set on the chunk that ends a choice.
        usage: set on the chunk that reports it, usually the last.
        index: which choice this belongs to.
        raw: the provider's event, untouched.
        data: decoded bytes where the stream carries them (audio, images).
        refusal: new text of a refusal.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    index: int = 0
    raw: Any = None
    data: bytes | None = field(default=None, repr=False)
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the provider lists it; ``raw`` is the entry untouched."""

    id: str
    raw: Any = None
    owned_by: str | None = None
    created: int | None = None
    retires: str | None = None


@dataclass(frozen=True, slots=True)
class TokenCount:
    """A number of tokens; ``estimated`` says that it is not the provider's own or an exact encoding, ``method`` how."""

    tokens: int
    estimated: bool
    method: str


Texts: TypeAlias = str | Sequence[str]
"""One text or several."""
