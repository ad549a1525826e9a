"""The simulated Claude's table of routes. A row says what a request may hold; the handler says what it gets."""

from __future__ import annotations

from conformance.simulators.claude import fields
from conformance.simulators.claude.answers import batches, catalogue, files, messages
from conformance.simulators.provider import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route("POST", "/v1/messages", messages.create, body=fields.MESSAGES),
    Route("POST", "/v1/messages/count_tokens", messages.count, body=fields.COUNT),
    Route("POST", "/v1/messages/batches", batches.create, body=fields.BATCH),
    Route("GET", "/v1/messages/batches", batches.list_batches, query=fields.PAGE),
    Route("GET", "/v1/messages/batches/{batch_id}", batches.get),
    Route("DELETE", "/v1/messages/batches/{batch_id}", batches.delete),
    Route("POST", "/v1/messages/batches/{batch_id}/cancel", batches.cancel),
    Route("GET", "/v1/messages/batches/{batch_id}/results", batches.results),
    Route("GET", "/v1/models", catalogue.list_models, query=fields.MODEL_PAGE),
    Route("GET", "/v1/models/{model}", catalogue.get_model),
    Route("POST", "/v1/files", files.create, form=fields.FILE),
    Route("GET", "/v1/files", files.list_files, query=fields.FILE_PAGE),
    Route("GET", "/v1/files/{file_id}", files.get),
    Route("DELETE", "/v1/files/{file_id}", files.delete),
    Route("GET", "/v1/files/{file_id}/content", files.content),
)
