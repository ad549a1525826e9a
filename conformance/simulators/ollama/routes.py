"""The simulated Ollama's table of routes: its own API, and the compatible one under ``/v1``."""

from __future__ import annotations

from conformance.simulators.ollama import fields
from conformance.simulators.ollama.answers import catalogue, compat, embedding, transfers, writing
from conformance.simulators.ollama.answers.anthropic import MESSAGES, messages, messages_refuse
from conformance.simulators.ollama.errors import compat_refuse
from conformance.simulators.ollama.reading import compatible, native
from conformance.simulators.openai.fields import COMPLETION, EMBEDDING, TRANSCRIPTION
from conformance.simulators.openai.fields_chat import CHAT
from conformance.simulators.openai.fields_responses import RESPONSE
from conformance.simulators.provider import Answer, Request, Route

__all__ = ["ROUTES", "not_found"]

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", catalogue.health),
    Route("GET", "/api/version", catalogue.version),
    Route("GET", "/api/status", catalogue.status),
    Route("POST", "/api/generate", native(fields.GENERATE, writing.complete), raw=True),
    Route("POST", "/api/chat", native(fields.CHAT, writing.chat), raw=True),
    Route("POST", "/api/embed", native(fields.EMBED, embedding.embed), raw=True),
    Route("POST", "/api/embeddings", native(fields.EMBEDDINGS, embedding.embed_one), raw=True),
    Route("GET", "/api/tags", catalogue.tags),
    Route("GET", "/api/ps", catalogue.loaded),
    Route("POST", "/api/show", native(fields.SHOW, catalogue.show), raw=True),
    Route("POST", "/api/pull", native(fields.PULL, transfers.pull), raw=True),
    Route("POST", "/api/push", native(fields.PUSH, transfers.push), raw=True),
    Route("POST", "/api/create", native(fields.CREATE, transfers.create), raw=True),
    Route("POST", "/api/copy", native(fields.COPY, catalogue.copy), raw=True),
    Route("DELETE", "/api/delete", native(fields.DELETE, catalogue.delete), raw=True),
    Route("HEAD", "/api/blobs/{digest}", catalogue.blob_exists),
    Route("POST", "/api/blobs/{digest}", catalogue.put_blob, raw=True),
    Route("POST", "/v1/chat/completions", compatible(CHAT, compat.compat_chat, compat_refuse), raw=True),
    Route("POST", "/v1/completions", compatible(COMPLETION, compat.compat_complete, compat_refuse), raw=True),
    Route("POST", "/v1/embeddings", compatible(EMBEDDING, compat.compat_embed, compat_refuse), raw=True),
    Route("POST", "/v1/responses", compatible(RESPONSE, compat.compat_respond, compat_refuse), raw=True),
    Route("POST", "/v1/messages", compatible(MESSAGES, messages, messages_refuse), raw=True),
    Route("POST", "/v1/audio/transcriptions", compat.compat_transcribe, form=TRANSCRIPTION),
    Route("GET", "/v1/models", compat.compat_models),
    Route("GET", "/v1/models/{model:path}", compat.compat_model),
)


def not_found(request: Request, nearest: str) -> Answer:
    """405 where another verb would do, otherwise the web framework's plain 404."""
    if any(route.match(request.path) is not None for route in ROUTES):
        return Answer(405, body=b"405 method not allowed", content_type="text/plain", problem=f"try {nearest}")
    return Answer(404, body=b"404 page not found", content_type="text/plain", problem=f"try {nearest}")
