"""The simulated deployment's table of routes: megaservices, microservices, TEI's own paths, what every service has."""

from __future__ import annotations

from conformance.simulators.opea import fields
from conformance.simulators.opea.answers import documents, guards, llm, media, megaservices, status, stores
from conformance.simulators.opea.reading import Plain, mega, micro
from conformance.simulators.provider import Handler, Route
from conformance.simulators.shape import Record, Shape

__all__ = ["ROUTES"]


def _mega(service: str, shape: Record, handler: Plain) -> Route:
    return Route("POST", f"/v1/{service}", mega(shape, handler), raw=True)


def _micro(path: str, shape: Shape, handler: Plain) -> Route:
    """A microservice whose body has several shapes."""
    return Route("POST", path, micro(shape, handler), raw=True)


def _store(
    service: str, made: tuple[Record, Handler], named: Record, got: Handler, deleted: Handler
) -> tuple[Route, ...]:
    return (
        Route("POST", f"/v1/{service}/create", made[1], body=made[0]),
        Route("POST", f"/v1/{service}/get", got, body=named),
        Route("POST", f"/v1/{service}/delete", deleted, body=named),
    )


ROUTES: tuple[Route, ...] = (
    _mega("chatqna", fields.RAG, megaservices.rag("chatqna")),
    _mega("graphrag", fields.RAG, megaservices.rag("graphrag")),
    _mega("hybridrag", fields.RAG, megaservices.rag("hybridrag")),
    _mega("searchqna", fields.ASKED, megaservices.searchqna),
    _mega("codegen", fields.CODEGEN, megaservices.codegen),
    _mega("codetrans", fields.CODETRANS, megaservices.codetrans),
    _mega("translation", fields.TRANSLATION, megaservices.translation),
    _mega("docsum", fields.DOCSUM, megaservices.docsum),
    _micro("/v1/faqgen", fields.ASKED, megaservices.faqgen),
    _mega("visualqna", fields.ASKED, media.visual("visualqna", needs_picture=True)),
    _mega("videoqna", fields.ASKED, media.visual("videoqna", needs_picture=False)),
    _mega("multimodalqna", fields.ASKED, media.multimodalqna),
    _mega("audioqna", fields.AUDIO, media.audioqna),
    _mega("avatarchatbot", fields.AUDIO, media.avatarchatbot),
    _mega("retrievaltool", fields.RAG, documents.retrieval_tool),
    _micro("/v1/chat/completions", fields.LLM, llm.generate_text),
    Route("POST", "/v1/embeddings", documents.embed, body=fields.EMBEDDING),
    _micro("/v1/retrieval", fields.RETRIEVAL, documents.retrieve),
    _micro("/v1/reranking", fields.RERANKING, documents.rerank),
    Route("POST", "/v1/dataprep/ingest", documents.ingest, form=fields.INGEST),
    Route("POST", "/v1/dataprep/get", documents.listed, body=fields.DATAPREP_GET),
    Route("POST", "/v1/dataprep/delete", documents.delete, body=fields.DATAPREP_DELETE),
    Route("POST", "/v1/dataprep/indices", documents.indices, body=Record()),
    Route("POST", "/embed", documents.tei_embed, body=fields.TEI_EMBED),
    Route("POST", "/rerank", documents.tei_rerank, body=fields.TEI_RERANK),
    _micro("/v1/guardrails", fields.GUARDRAILS, guards.guardrails),
    Route("POST", "/v1/bias", guards.judged("bias"), body=fields.BIAS),
    Route("POST", "/v1/toxicity", guards.judged("toxicity"), body=fields.BIAS),
    Route("POST", "/v1/injection", guards.scored, body=fields.BIAS),
    Route("POST", "/v1/factuality", guards.factuality, body=fields.FACTUALITY),
    Route("POST", "/v1/hallucination_detection", guards.hallucination, body=fields.CHAT),
    _micro("/v1/pii", fields.PII, guards.pii),
    Route("POST", "/v1/lvm", media.lvm, body=fields.LVM),
    Route("POST", "/v1/audio/transcriptions", media.transcribe, form=fields.TRANSCRIPTION),
    Route("POST", "/v1/audio/speech", media.speak, body=fields.SPEECH),
    *_store(
        "chathistory", (fields.CHAT_RECORD, stores.create_chat), fields.CHAT_ID, stores.get_chat, stores.delete_chat
    ),
    *_store("prompt", (fields.PROMPT, stores.create_prompt), fields.PROMPT_ID, stores.get_prompt, stores.delete_prompt),
    *_store(
        "feedback",
        (fields.FEEDBACK, stores.create_feedback),
        fields.FEEDBACK_ID,
        stores.get_feedback,
        stores.delete_feedback,
    ),
    Route("GET", "/health", status.health),
    Route("GET", "/v1/health_check", status.health_check),
    Route("GET", "/v1/statistics", status.statistics),
    Route("GET", "/metrics", status.metrics),
)
