"""Calls that other providers have and a TGI server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "embed": "it only generates; embeddings come from a TEI server (hf_tei).",
    "rerank": "it only generates; rankings come from a TEI server (hf_tei).",
    "responses": "it has no such endpoint; use chat.",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "transcribe": "it has no speech models.",
    "speech": "it has no speech models.",
    "generate_image": "it has no image models; it reads images in chat.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here and are batched at the server.",
    "load_adapter": "adapters are named when the server starts (LORA_ADAPTERS); use one with model=.",
}
