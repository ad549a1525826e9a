"""Calls that users of OpenAI's class look for and a vLLM server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "assistants": "it has no assistants; use responses with previous_response_id, or send the conversation with chat.",
    "create_batch": "it has no batch endpoint; send requests one by one, or conversations together with chat_batch.",
    "delete_response": "what it keeps is gone when it ends; responses(..., store=False) keeps nothing.",
    "edit_image": "it makes no images; models that read images take them in chat.",
    "generate_image": "it makes no images; models that read images take them in chat.",
    "get_model": "it has no route for one model; models() lists every one with its length and parent.",
    "moderate": "it has no moderation endpoint; serve a guard model and ask it by chat or classify.",
    "speech": "it has no speech endpoint; it hears, with transcribe and translate.",
    "upload_file": "it keeps no files; messages carry images and sound themselves.",
}
