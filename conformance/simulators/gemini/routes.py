"""The simulated Gemini's table of routes, the same for every version of the API."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.simulators.gemini import fields
from conformance.simulators.gemini.answers import batches, caches, catalogue, embedding, files, generating
from conformance.simulators.gemini.models import VERSIONS
from conformance.simulators.gemini.reading import Message, fitted
from conformance.simulators.provider import Handler, Route
from conformance.simulators.shape import Record

__all__ = ["ROUTES"]


def _posted(pattern: str, handler: Handler, body: Message, query: Record = fields.PLAIN, method: str = "POST") -> Route:
    return Route(method, pattern, fitted(body, handler), body=body, query=query)  # type: ignore[arg-type]  # none of ours waits


def _routes(version: str) -> Iterator[Route]:
    at = f"/{version}"
    for models in (f"{at}/models", f"{at}/tunedModels"):
        model = models + "/{model}"
        yield _posted(f"{model}:generateContent", generating.generate_content, fields.GENERATE)
        yield _posted(
            f"{model}:streamGenerateContent", generating.stream_generate_content, fields.GENERATE, fields.STREAM
        )
        yield _posted(f"{model}:countTokens", embedding.count_content, fields.COUNT)
    model = f"{at}/models/{{model}}"
    yield _posted(f"{model}:embedContent", embedding.embed_content, fields.EMBED)
    yield _posted(f"{model}:batchEmbedContents", embedding.embed_batch, fields.BATCH_EMBED)
    start = batches.creator("batchGenerateContent", "generateContent")
    yield _posted(f"{model}:batchGenerateContent", start, fields.BATCH)
    start = batches.creator("asyncBatchEmbedContent", "embedContent")
    yield _posted(f"{model}:asyncBatchEmbedContent", start, fields.EMBED_BATCH)
    yield Route("GET", f"{at}/models", catalogue.list_models, query=fields.PAGE)
    yield Route("GET", model, catalogue.get_model, query=fields.PLAIN)
    yield Route("POST", f"/upload{at}/files", files.upload, query=None, raw=True, open_to_all=True)
    yield Route("GET", f"{at}/files", files.list_files, query=fields.PAGE)
    yield Route("GET", f"{at}/files/{{file}}:download", files.content, query=fields.DOWNLOAD)
    yield Route("GET", f"{at}/files/{{file}}", files.get, query=fields.PLAIN)
    yield Route("DELETE", f"{at}/files/{{file}}", files.delete, query=fields.PLAIN)
    yield _posted(f"{at}/cachedContents", caches.create, fields.CACHE)
    yield Route("GET", f"{at}/cachedContents", caches.list_caches, query=fields.PAGE)
    cache = f"{at}/cachedContents/{{cache}}"
    yield Route("GET", cache, caches.get, query=fields.PLAIN)
    yield _posted(cache, caches.update, fields.CACHE_PATCH, method="PATCH")
    yield Route("DELETE", cache, caches.delete, query=fields.PLAIN)
    yield Route("GET", f"{at}/batches", batches.list_batches, query=fields.PAGE)
    yield _posted(f"{at}/batches/{{batch}}:cancel", batches.cancel, fields.NOTHING)
    yield Route("GET", f"{at}/batches/{{batch}}", batches.get, query=fields.PLAIN)
    yield Route("DELETE", f"{at}/batches/{{batch}}", batches.delete, query=fields.PLAIN)


ROUTES: tuple[Route, ...] = tuple(route for version in VERSIONS for route in _routes(version))
