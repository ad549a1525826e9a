"""Calls that other providers have and Claude has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "complete": "its Text Completions API has been retired; use chat with one user message.",
    "stream_complete": "its Text Completions API has been retired; use stream_chat with one user message.",
    "embed": "it has no embedding endpoint; use an embedding model of another provider.",
    "rerank": "it has no reranking endpoint; use a reranking server, or ask for an order by chat.",
    "moderate": "it has no moderation endpoint; ask for a verdict by chat with a JSON schema.",
    "generate_image": "its models take images but make none.",
    "speech": "its models make no sound.",
    "transcribe": "its models take no sound.",
    "responses": "that is OpenAI's interface; use chat, which has thinking, tools and structured output.",
}
