"""The simulated vLLM's table of routes: the OpenAI dialect under ``/v1``, everything else at the root."""

from __future__ import annotations

from conformance.simulators.provider import Answer, Request, Route
from conformance.simulators.vllm import fields
from conformance.simulators.vllm.answers import audio, chat, completions, management, pooling, responses, tokenizer
from conformance.simulators.vllm.errors import detail

__all__ = ["ROUTES", "not_found"]

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/chat/completions", chat.chat, body=fields.CHAT),
    Route("POST", "/v1/chat/completions/batch", chat.chat_batch, body=fields.BATCH),
    Route("POST", "/v1/completions", completions.complete, body=fields.COMPLETION),
    Route("POST", "/v1/responses", responses.create, body=fields.RESPONSE),
    Route("GET", "/v1/responses/{response_id}", responses.get),
    Route("POST", "/v1/responses/{response_id}/cancel", responses.cancel),
    Route("GET", "/v1/models", management.list_models),
    Route("POST", "/v1/audio/transcriptions", audio.transcribe, form=fields.TRANSCRIPTION),
    Route("POST", "/v1/audio/translations", audio.translate, form=fields.TRANSLATION),
    Route("POST", "/v1/embeddings", pooling.embed, body=fields.EMBED),
    Route("POST", "/pooling", pooling.pool, body=fields.POOL),
    Route("POST", "/classify", pooling.classify, body=fields.CLASSIFY),
    Route("POST", "/score", pooling.score, body=fields.SCORE),
    Route("POST", "/v1/score", pooling.score, body=fields.SCORE),
    Route("POST", "/rerank", pooling.rerank, body=fields.RERANK),
    Route("POST", "/v1/rerank", pooling.rerank, body=fields.RERANK),
    Route("POST", "/v2/rerank", pooling.rerank, body=fields.RERANK),
    Route("POST", "/tokenize", tokenizer.tokenize, body=fields.TOKENIZE),
    Route("POST", "/detokenize", tokenizer.detokenize, body=fields.DETOKENIZE),
    Route("POST", "/v1/load_lora_adapter", management.load_lora, body=fields.LOAD_LORA),
    Route("POST", "/v1/unload_lora_adapter", management.unload_lora, body=fields.UNLOAD_LORA),
    Route("POST", "/sleep", management.sleep, query=fields.SLEEP_QUERY),
    Route("POST", "/wake_up", management.wake_up, query=fields.WAKE_QUERY),
    Route("GET", "/is_sleeping", management.is_sleeping),
    Route("POST", "/reset_prefix_cache", management.reset_prefix_cache, query=fields.RESET_QUERY),
    Route("GET", "/health", management.health),
    Route("GET", "/ping", management.health),
    Route("POST", "/ping", management.health),
    Route("GET", "/version", management.version),
    Route("GET", "/load", management.load),
    Route("GET", "/metrics", management.metrics),
)


def not_found(request: Request, nearest: str) -> Answer:
    """405 where another verb would do, otherwise the web framework's own 404."""
    if any(route.match(request.path) is not None for route in ROUTES):
        return detail(405, "Method Not Allowed")
    return detail(404, "Not Found")
