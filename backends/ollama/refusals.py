"""Calls that other providers have and an Ollama server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "rerank": "it has no reranking endpoint; embed query and texts and compare, or use a reranking server.",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "speech": "it has no speech endpoint.",
    "count_tokens": "it has no tokenizer endpoint; every reply's usage has the server's counts.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here and at the server.",
    "generate_image": "image models are an experiment of single releases without a stable API.",
    "transcribe": "its own API has none; its OpenAI side has: OpenAI(base_url=ollama.openai_base_url).transcribe(...).",
    "responses": "its own API has none; its OpenAI side has: OpenAI(base_url=ollama.openai_base_url).responses(...).",
}
