"""What the lane knows of each provider: a model that its simulator has, where its calls arrive, what its documents promise.

Data only. The clients judged here are anybody's, so nothing of our own backends stands in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PLACES", "Place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One provider as a scene.

    Attributes:
        provider: its row name.
        model, near_miss: a model that chats, and a name that is almost it.
        other_model: another one that chats.
        embedding_models: two that embed; empty where none does.
        path: where calls arrive, below the mount; what else a client asks for (lists of models) is not counted.
        variables: of which a missing key's error names one; empty where no key is needed.
        usage_fields: where input and output tokens stand in an answer.
        missing_usage: the part of an answer without which no count is known; empty where a missing count means zero.
        hints: ways of this provider to say when to come back, besides ``retry-after``: name -> (header or "", value).
        pings: its streams may hold noise.
        lacks: operations of the protocol that it does not have.
        rates: the headers that tell of a key's requests: limit, what is left of it, and when it is whole again; empty where it
            sends none. dated: that last one is a time of day, not a duration.
    """

    provider: str
    model: str
    near_miss: str
    other_model: str
    embedding_models: tuple[str, ...] = ()
    path: str = "*/chat/completions"
    variables: tuple[str, ...] = ()
    usage_fields: tuple[str, str] = ("usage.prompt_tokens", "usage.completion_tokens")
    missing_usage: str = "usage"
    hints: tuple[tuple[str, str], ...] = ()
    pings: bool = True
    lacks: tuple[str, ...] = ()
    rates: tuple[str, ...] = ()
    dated: bool = False


_RATES: Final = tuple(f"x-ratelimit-{word}-requests" for word in ("limit", "remaining", "reset"))
_RESETS: Final = (("x-ratelimit-reset-requests", "80ms"),)

PLACES: Final = {
    place.provider: place
    for place in (
        Place(
            provider="openai",
            model="gpt-5.4-mini",
            near_miss="gpt-5.4-minni",
            other_model="gpt-5.4",
            embedding_models=("text-embedding-3-small", "text-embedding-3-large"),
            path="*/[cr]*s",
            variables=("OPENAI_API_KEY",),
            hints=(("retry-after-ms", "80"), *_RESETS),
            lacks=("assistants",),
            rates=_RATES,
        ),
        Place(
            provider="claude",
            model="claude-haiku-5-5",
            near_miss="claude-haiku-5-6",
            other_model="claude-sonnet-5-5",
            path="*/messages",
            variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
            usage_fields=("usage.input_tokens", "usage.output_tokens"),
            lacks=("embed", "generate_image", "rerank", "transcribe"),
            rates=tuple(f"anthropic-ratelimit-requests-{word}" for word in ("limit", "remaining", "reset")),
            dated=True,
        ),
        Place(
            provider="groq",
            model="openai/gpt-oss-20b",
            near_miss="openai/gpt-oss-20bb",
            other_model="openai/gpt-oss-120b",
            variables=("GROQ_API_KEY",),
            hints=_RESETS,
            lacks=("embed", "generate_image", "rerank"),
            rates=_RATES,
        ),
        Place(
            provider="gemini",
            model="gemini-3.5-flash-lite",
            near_miss="gemini-3.5-flash-lit",
            other_model="gemini-3.8-flash",
            embedding_models=("gemini-embedding-001", "gemini-embedding-2"),
            path="*:*enerateContent",
            variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            usage_fields=("usageMetadata.promptTokenCount", "usageMetadata.candidatesTokenCount"),
            missing_usage="usageMetadata",
            hints=(("", "0.08s"),),
            lacks=("rerank",),
        ),
        Place(
            provider="ollama",
            model="llama3.2",
            near_miss="llama3.3x",
            other_model="qwen3",
            embedding_models=("nomic-embed-text",),
            path="*/api/chat",
            usage_fields=("prompt_eval_count", "eval_count"),
            missing_usage="",
            pings=False,
            lacks=("generate_image", "rerank", "transcribe"),
        ),
    )
}
