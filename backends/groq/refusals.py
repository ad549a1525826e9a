"""Calls that other providers have and GroqCloud has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "complete": "it has no text completion; use chat().",
    "stream_complete": "it has no text completion; use stream_chat().",
    "embed": "no embedding model is left on it; use an embedding backend such as OpenAI, Gemini or HFTEI.",
    "rerank": "it has no reranking endpoint; use a reranking server such as HFTEI.",
    "generate_image": "no model on it makes images; use OpenAI or Gemini.",
    "edit_image": "no model on it makes images; use OpenAI or Gemini.",
    "moderate": 'it has no moderation endpoint; ask a model of catalogue("safety") by chat().',
    "assistants": "it keeps no assistants or threads; send the whole conversation to chat() or responses().",
    "get_response": "it keeps no responses; what responses() returned is all there is.",
    "count_input_tokens": "it has no endpoint that counts; count_tokens() counts here.",
    "stream_transcribe": "transcripts come whole; use transcribe().",
    "fine_tune": "its models cannot be trained through the API.",
}
