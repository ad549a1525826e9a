"""The simulated server's table of routes. KServe, configuration, metrics and lists are open; ``/v3`` may ask for a key."""

from __future__ import annotations

from conformance.simulators.ovms import fields
from conformance.simulators.ovms.answers import generation, kserve, management, media, serving, text
from conformance.simulators.ovms.errors import problem_answer
from conformance.simulators.provider import Answer, Handler, Request, Route

__all__ = ["ROUTES", "not_found"]


def _open(method: str, pattern: str, handler: Handler, *, raw: bool = False) -> Route:
    return Route(method, pattern, handler, raw=raw, query=None, open_to_all=True)


ROUTES: tuple[Route, ...] = (
    _open("GET", "/v2/health/live", kserve.live),
    _open("GET", "/v2/health/ready", kserve.ready),
    _open("GET", "/v2", kserve.server_metadata),
    _open("GET", "/v2/models/{model}/ready", kserve.model_ready),
    _open("GET", "/v2/models/{model}/versions/{version}/ready", kserve.model_ready),
    _open("GET", "/v2/models/{model}", kserve.metadata),
    _open("GET", "/v2/models/{model}/versions/{version}", kserve.metadata),
    _open("POST", "/v2/models/{model}/infer", kserve.infer, raw=True),
    _open("POST", "/v2/models/{model}/versions/{version}/infer", kserve.infer, raw=True),
    _open("GET", "/v1/config", management.config),
    _open("POST", "/v1/config/reload", management.reload),
    _open("GET", "/metrics", management.metrics),
    _open("POST", "/v1/models/{model}/versions/{version}:predict", serving.predict, raw=True),
    _open("POST", "/v1/models/{model}:predict", serving.predict, raw=True),
    _open("GET", "/v1/models/{model}/versions/{version}/metadata", serving.metadata),
    _open("GET", "/v1/models/{model}/metadata", serving.metadata),
    _open("GET", "/v1/models/{model}/versions/{version}", serving.status),
    _open("GET", "/v1/models/{model}", serving.status),
    _open("GET", "/v3/models", text.list_models),
    _open("GET", "/v3/models/{model:path}", text.get_model),
    Route("POST", "/v3/chat/completions", generation.chat, body=fields.CHAT),
    Route("POST", "/v3/completions", generation.complete, body=fields.COMPLETION),
    Route("POST", "/v3/responses", generation.respond, body=fields.RESPONSE),
    Route("POST", "/v3/embeddings", text.embed, body=fields.EMBEDDING),
    Route("POST", "/v3/rerank", text.rerank, body=fields.RERANK),
    Route("POST", "/v3/tokenize", text.tokenize, body=fields.TOKENIZE),
    Route("POST", "/v3/images/generations", media.draw, body=fields.IMAGE),
    Route("POST", "/v3/images/edits", media.edit, form=fields.IMAGE_EDIT),
    Route("POST", "/v3/audio/speech", media.speak, body=fields.SPEECH),
    Route("POST", "/v3/audio/transcriptions", media.transcribe, form=fields.TRANSCRIPTION),
    Route("POST", "/v3/audio/translations", media.translate, form=fields.TRANSLATION),
)


def not_found(request: Request, nearest: str) -> Answer:
    """406 where another verb would do, otherwise the 400 of an address that the server does not know."""
    if any(route.match(request.path) is not None for route in ROUTES):
        return problem_answer(406, "Unsupported method")
    return problem_answer(400, "Invalid request URL")
