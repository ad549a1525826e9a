"""Calls that other providers have, or that the vendor offers by other means: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "complete": "it has no text completion; use chat(messages), or generate(text).",
    "rerank": "it has no reranking endpoint; embed query and texts and compare, or use a reranking server.",
    "moderate": "it has no moderation endpoint; safety_settings bound what is said, and ratings stand in raw.",
    "responses": "its Interactions API is another interface that is not built; chat does the same without stored state.",
    "transcribe": "it has no transcription endpoint; ask chat, with the sound as a part of the message.",
    "translate": "it has no translation endpoint; ask chat.",
    "speech": "it has no speech endpoint; chat with response_modalities=['AUDIO'] and speech_config, the sound stands in media.",
    "edit_image": "it has no endpoint for that; generate_image takes pictures as parts of its prompt.",
    "generate_video": "video is made by long-running predictions, which are not built.",
    "live": "live sessions are WebSockets, which are not built; stream_chat streams.",
    "tune": "tuning is not built; a tuned model is used by its name tunedModels/...",
}
