"""The simulated OpenAI's table of routes. A row says what a request may hold; the handler says what it gets."""

from __future__ import annotations

from conformance.simulators.openai import fields
from conformance.simulators.openai.answers import (
    audio,
    batches,
    catalogue,
    chat,
    completions,
    embeddings,
    files,
    images,
    moderations,
    responses,
)
from conformance.simulators.openai.fields_chat import CHAT
from conformance.simulators.openai.fields_responses import INPUT_ITEMS_QUERY, INPUT_TOKENS, RESPONSE, RETRIEVE_QUERY
from conformance.simulators.provider import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/chat/completions", chat.chat, body=CHAT),
    Route("POST", "/v1/responses", responses.create, body=RESPONSE),
    Route("POST", "/v1/responses/input_tokens", responses.input_tokens, body=INPUT_TOKENS),
    Route("GET", "/v1/responses/{response_id}", responses.get, query=RETRIEVE_QUERY),
    Route("DELETE", "/v1/responses/{response_id}", responses.delete),
    Route("POST", "/v1/responses/{response_id}/cancel", responses.cancel),
    Route("GET", "/v1/responses/{response_id}/input_items", responses.input_items, query=INPUT_ITEMS_QUERY),
    Route("POST", "/v1/completions", completions.complete, body=fields.COMPLETION),
    Route("POST", "/v1/embeddings", embeddings.embed, body=fields.EMBEDDING),
    Route("POST", "/v1/moderations", moderations.moderate, body=fields.MODERATION),
    Route("POST", "/v1/images/generations", images.generate_images, body=fields.IMAGE),
    Route("POST", "/v1/images/edits", images.edit, form=fields.IMAGE_EDIT),
    Route("POST", "/v1/images/variations", catalogue.variations, raw=True),
    Route("POST", "/v1/audio/speech", audio.speak, body=fields.SPEECH),
    Route("POST", "/v1/audio/transcriptions", audio.transcribe, form=fields.TRANSCRIPTION),
    Route("POST", "/v1/audio/translations", audio.translate, form=fields.TRANSLATION),
    Route("GET", "/v1/models", catalogue.list_models),
    Route("GET", "/v1/models/{model}", catalogue.get_model),
    Route("DELETE", "/v1/models/{model}", catalogue.delete_model),
    Route("POST", "/v1/files", files.create, form=fields.FILE),
    Route("GET", "/v1/files", files.list_files, query=fields.FILE_PAGE),
    Route("GET", "/v1/files/{file_id}", files.get),
    Route("DELETE", "/v1/files/{file_id}", files.delete),
    Route("GET", "/v1/files/{file_id}/content", files.content),
    Route("POST", "/v1/batches", batches.create, body=fields.BATCH),
    Route("GET", "/v1/batches", batches.list_batches, query=fields.PAGE),
    Route("GET", "/v1/batches/{batch_id}", batches.get),
    Route("POST", "/v1/batches/{batch_id}/cancel", batches.cancel),
)
