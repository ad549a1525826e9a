"""Calls that other providers have and a TEI server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "chat": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "stream_chat": "it embeds and scores; no call of it streams.",
    "complete": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "stream_complete": "it embeds and scores; no call of it streams.",
    "responses": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "moderate": "it has no such endpoint; a classifier for it answers predict.",
    "transcribe": "it has no speech models.",
    "speech": "it has no speech models.",
    "generate_image": "it has no image models.",
    "create_batch": "it has no batch endpoint; embed splits long lists itself.",
}
