"""Calls that other providers have and an OPEA deployment has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "models": "a deployment serves the model that it was started with and lists none; replies name it.",
    "count_tokens": "it has no tokenizer service; the usage of chat has the model's own counts.",
    "moderate": "it has no moderation endpoint of OpenAI's kind; call guardrails, bias or toxicity.",
    "responses": "its text generation service has no Responses API; call chat.",
    "translate": "it transcribes sound but does not translate it; call transcribe, then translation.",
    "generate_image": "its text2image service is no part of this backend; ask that server itself.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here.",
    "upload_file": "it keeps no files for later requests; ingest stores documents for retrieval.",
}
