"""Field tables of OPEA's services, from ``api_protocol.py`` and ``docarray.py`` of GenAIComps 1.5.

The real services pass over unknown fields; here they are refused, because a client that sends one has mistaken something.
"""

from __future__ import annotations

from conformance.simulators.shape import (
    Anything,
    Choice,
    File,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Record,
    Text,
)

__all__ = [
    "ASKED",
    "AUDIO",
    "BIAS",
    "CHAT",
    "CHAT_ID",
    "CHAT_RECORD",
    "CODEGEN",
    "CODETRANS",
    "DATAPREP_DELETE",
    "DATAPREP_GET",
    "DOCSUM",
    "EMBEDDING",
    "FACTUALITY",
    "FEEDBACK",
    "FEEDBACK_ID",
    "GUARDRAILS",
    "INGEST",
    "LLM",
    "LVM",
    "PII",
    "PROMPT",
    "PROMPT_ID",
    "RAG",
    "RERANKING",
    "RETRIEVAL",
    "SPEECH",
    "TEI_EMBED",
    "TEI_RERANK",
    "TRANSCRIPTION",
    "TRANSLATION",
]

TEXT, SOME = Text(), Text(1)
_POSITIVE, _LEAST_ZERO = Integer(1), Number(0)
_PART = MapOf(OneOf(TEXT, MapOf(TEXT)))
MESSAGES = OneOf(TEXT, ListOf(MapOf(OneOf(TEXT, ListOf(_PART))), 1))
_GENERATE = {
    "max_tokens": _POSITIVE,
    "temperature": _LEAST_ZERO,
    "top_p": _LEAST_ZERO,
    "top_k": _POSITIVE,
    "frequency_penalty": Number(),
    "presence_penalty": Number(),
    "repetition_penalty": _LEAST_ZERO,
    "stream": Flag(),
}
_SEARCH = {
    "search_type": Choice("similarity", "mmr", "similarity_distance_threshold", "similarity_score_threshold"),
    "k": _POSITIVE,
    "fetch_k": _POSITIVE,
    "lambda_mult": _LEAST_ZERO,
    "distance_threshold": Number(),
    "score_threshold": _LEAST_ZERO,
}
_DOCUMENTS = ListOf(OneOf(TEXT, MapOf(TEXT)))
_CHAT_ONLY = {
    "model": TEXT,
    "n": _POSITIVE,
    "seed": _POSITIVE,
    "stop": OneOf(TEXT, ListOf(TEXT)),
    "stream_options": Record({}, {"include_usage": Flag()}),
    "response_format": Record({"type": Choice("text", "json_object")}),
    "user": TEXT,
    "documents": _DOCUMENTS,
    "chat_template": TEXT,
    "echo": Flag(),
    "suffix": TEXT,
    "best_of": _POSITIVE,
    "logit_bias": MapOf(Number()),
    "logprobs": Flag(),
    "top_logprobs": Integer(),
    "tools": ListOf(Record({"function": Record({"name": TEXT}, open=True)}, {"type": Choice("function")})),
    "tool_choice": OneOf(Choice("none"), MapOf(Anything())),
    "parallel_tool_calls": Flag(),
    "language": TEXT,
}
CHAT = Record({"messages": MESSAGES}, {**_GENERATE, **_CHAT_ONLY})
_QUERY = Record({"query": TEXT}, {**_GENERATE, "model": TEXT, "documents": _DOCUMENTS, "chat_template": TEXT})
_TEXT_DOC = Record({"text": TEXT}, {"id": TEXT, "downstream_black_list": ListOf(TEXT)})
_FOUND = ListOf(Record({"text": TEXT}, {"id": TEXT, "metadata": MapOf(Anything())}, open=True))
_SEARCHED = Record({"initial_query": TEXT, "retrieved_docs": _FOUND}, {"top_n": _POSITIVE, "id": TEXT})
LLM = OneOf(CHAT, _QUERY, _SEARCHED)

ASKED = Record({"messages": MESSAGES}, {**_GENERATE, "chat_template": TEXT})
RAG = Record({"messages": MESSAGES}, {**_GENERATE, **_SEARCH, "chat_template": TEXT, "top_n": _POSITIVE})
CODEGEN = Record({"messages": MESSAGES}, {**_GENERATE, "index_name": TEXT, "agents_flag": Flag()})
_LANGUAGES = {"language_from": TEXT, "language_to": TEXT}
CODETRANS = Record({**_LANGUAGES, "source_code": TEXT}, {"stream": Flag()})
TRANSLATION = Record({**_LANGUAGES, "source_language": TEXT}, {"stream": Flag()})
DOCSUM = Record(
    {"type": Choice("text", "audio", "video"), "messages": MESSAGES},
    {
        **_GENERATE,
        "files": OneOf(File(), ListOf(File(), 1)),
        "summary_type": Choice("auto", "stuff", "truncate", "map_reduce", "refine"),
        "chunk_size": Integer(-1),
        "chunk_overlap": Integer(-1),
        "language": Choice("auto", "en", "zh"),
    },
)
AUDIO = Record({"audio": SOME}, {**_GENERATE, "voice": TEXT})

EMBEDDING = Record(
    {"input": OneOf(TEXT, ListOf(TEXT, 1))},
    {"model": TEXT, "encoding_format": Choice("float", "base64"), "dimensions": Integer(1), "user": TEXT},
)
_VECTOR = ListOf(Number(), 1)
_LOOKED = {**_SEARCH, "embedding": _VECTOR}
RETRIEVAL = OneOf(
    Record({"text": TEXT, "embedding": _VECTOR}, {**_SEARCH, "constraints": Anything(), "index_name": TEXT}),
    Record({"input": TEXT}, _LOOKED),
)
RERANKING = OneOf(
    Record({"input": TEXT, "retrieved_docs": _FOUND}, {"top_n": _POSITIVE}),
    _SEARCHED,
)
TEI_EMBED = Record({"inputs": OneOf(TEXT, ListOf(TEXT, 1))}, {"normalize": Flag(), "truncate": Flag()})
TEI_RERANK = Record({"query": TEXT, "texts": ListOf(TEXT, 1)}, {"raw_scores": Flag(), "truncate": Flag()})
INGEST = Record(
    {},
    {
        "files": OneOf(File(), ListOf(File(), 1)),
        "link_list": TEXT,
        "chunk_size": _POSITIVE,
        "chunk_overlap": Integer(0),
        "process_table": Flag(),
        "table_strategy": Choice("fast", "hq", "llm"),
        "index_name": TEXT,
    },
)
DATAPREP_GET = Record({}, {"index_name": TEXT})
DATAPREP_DELETE = Record({"file_path": TEXT}, {"index_name": TEXT})

GUARDRAILS = OneOf(_TEXT_DOC, Record({"text": TEXT, "prompt": TEXT}, {"id": TEXT}), _QUERY)
BIAS = _TEXT_DOC
FACTUALITY = Record({"reference": TEXT, "text": TEXT})
PII = OneOf(
    _TEXT_DOC,
    Record({"prompt": TEXT}, {"replace": Flag(), "replace_method": Choice("random", "fake", "category", "mask")}),
)

TRANSCRIPTION = Record(
    {"file": OneOf(File(), TEXT)},
    {
        "model": TEXT,
        "language": TEXT,
        "prompt": TEXT,
        "response_format": TEXT,
        "temperature": Number(),
        "timestamp_granularities": ListOf(TEXT),
    },
)
SPEECH = Record(
    {"input": TEXT}, {"model": TEXT, "voice": Choice("default", "male"), "response_format": TEXT, "speed": Number(1, 1)}
)
LVM = Record(
    {"image": OneOf(TEXT, ListOf(TEXT)), "prompt": TEXT},
    {
        "max_new_tokens": Integer(0, 1024),
        "top_k": Integer(),
        "top_p": Number(),
        "typical_p": Number(),
        "temperature": Number(),
        "repetition_penalty": Number(),
        "stream": Flag(),
    },
)

_KEPT = Record({"messages": MESSAGES}, {"user": TEXT}, open=True)
CHAT_RECORD = Record({"data": _KEPT}, {"id": TEXT, "first_query": TEXT})
CHAT_ID = Record({"user": TEXT}, {"id": TEXT})
PROMPT = Record({"prompt_text": TEXT, "user": TEXT})
PROMPT_ID = Record({"user": TEXT}, {"prompt_id": TEXT, "prompt_text": TEXT})
_THUMB = Record({"is_thumbs_up": Flag()}, {"rating": Integer(0, 5), "comment": TEXT})
FEEDBACK = Record({"chat_data": _KEPT, "feedback_data": _THUMB}, {"chat_id": TEXT, "feedback_id": TEXT})
FEEDBACK_ID = Record({"user": TEXT}, {"feedback_id": TEXT})
