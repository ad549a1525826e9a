"""The calls that the OPEA backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.opea.models import embedded
from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.opea_judges import (
    HELLO,
    Judge,
    answered,
    chosen,
    deleted,
    documents_came,
    flag_is,
    form_has,
    from_documents,
    info_came,
    messages_came,
    metrics_came,
    names_are,
    number_found,
    number_masked,
    ranked,
    records_are,
    saved,
    score_is,
    sound_came,
    sources_came,
    statistics_came,
    vectors_came,
)
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

_TALK: Final = [{"role": "system", "content": "Be brief."}, *HELLO]
_PICTURE: Final = picture("c0ffee00")
_ENCODED: Final = base64.b64encode(_PICTURE).decode()
_SOUND: Final = wave("c0ffee00")
_IMAGE: Final = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_ENCODED}"}}
_SEEN: Final = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE]}]
_DOCUMENTS: Final = {"rain.txt": b"Rain falls on the plain in Spain.", "tide.txt": b"The tide follows the moon's path."}
_RAG: Final = {"temperature": 0.2, "k": 3, "top_n": 2, "search_type": "mmr", "chat_template": "{context} - {question}"}


def _known(name: str, *arguments: Any, **options: Any) -> Callable[[], Story]:
    """A story that ingests two documents, and nothing else is there, before its call."""

    def plan() -> Story:
        yield do("delete_all_files")
        for file, content in _DOCUMENTS.items():
            yield do("ingest", (file, content))
        return (yield do(name, *arguments, **options))

    return plan


def _kept(save: str, arguments: tuple[Any, ...], then: str, **options: Any) -> Callable[[], Story]:
    """A story that saves a record and uses its id."""

    def plan() -> Story:
        made = yield do(save, *arguments, **options)
        return (yield do(then, made.id, "ann"))

    return plan


def _listed(save: str, arguments: tuple[Any, ...], then: tuple[Any, ...], **options: Any) -> Callable[[], Story]:
    """A story that saves a record and asks for the list."""

    def plan() -> Story:
        yield do(save, *arguments, **options)
        return (yield do(*then))

    return plan


def _statistics() -> Story:
    yield do("chat", HELLO)
    return (yield do("statistics"))


def _pair(service: str, *arguments: Any, sends: Mapping[str, Any], judge: Judge = answered, **options: Any) -> Any:
    """A megaservice's call, whole and streamed; only the whole one's answer is JSON."""
    route = f"POST /v1/{service}"
    whole = once(
        route, service, *arguments, options=options, sends={**sends, "stream": False}, judge=judge, whole_json=True
    )
    stream = once(
        route,
        f"stream_{service}",
        *arguments,
        options=options,
        sends={**sends, "stream": True},
        judge=judge,
        stream=True,
    )
    return {service: whole, f"stream_{service}": stream}


def _streamed_pair(service: str, *arguments: Any, sends: Mapping[str, Any], **options: Any) -> Any:
    """The same for a service that answers by a stream whatever was asked."""
    pair = _pair(service, *arguments, sends=sends, **options)
    route = f"POST /v1/{service}"
    plain = once(route, service, *arguments, options=options, sends={**sends, "stream": False}, judge=answered)
    return {**pair, service: plain}


_LANGUAGES: Final = {"language_from": "Go", "language_to": "Python"}
_CHAT: Final = ("save_chat", (HELLO, "ann"))
_PROMPT: Final = ("save_prompt", ("Be brief about rain.", "ann"))
_FEEDBACK: Final = ("save_feedback", (HELLO, "ann"))

DECLARED: Final[Mapping[str, CallCase]] = {
    "chatqna": story(
        "POST /v1/chatqna",
        _known("chatqna", "Which path has the tide?", **_RAG),
        sends={"messages": "Which path has the tide?", "stream": False, **_RAG},
        judge=from_documents,
        whole_json=True,
    ),
    "stream_chatqna": story(
        "POST /v1/chatqna",
        _known("stream_chatqna", "Which path has the tide?", **_RAG),
        sends={"messages": "Which path has the tide?", "stream": True, **_RAG},
        judge=from_documents,
        stream=True,
    ),
    **_pair("graphrag", _TALK, sends={"messages": _TALK, "max_tokens": 64}, max_tokens=64),
    **_pair("hybridrag", "It's naïve ☃", sends={"messages": "It's naïve ☃"}),
    **_pair("searchqna", "hello", sends={"messages": "hello"}),
    **_pair("videoqna", "hello", sends={"messages": "hello"}),
    **_pair("codegen", "a loop", sends={"messages": "a loop", "index_name": "mine", "agents_flag": True},
    index_name="mine", agents_flag=True),
    **_pair("faqgen", "hello", sends={"messages": "hello"}),
    **_streamed_pair("codetrans", "x := 1", "Go", "Python", sends={**_LANGUAGES, "source_code": "x := 1"}),
    **_streamed_pair("translation", "hello", "Go", "Python", sends={**_LANGUAGES, "source_language": "hello"}),
    "docsum": once("POST /v1/docsum", "docsum", "a long text", options={"summary_type": "refine", "language": "en"},
    sends={"messages": "a long text", "type": "text", "summary_type": "refine", "language": "en", "stream": False},
    judge=answered),
    "stream_docsum": once("POST /v1/docsum", "stream_docsum", "a long text", sends={"messages": "a long text", "type":
    "text", "stream": True}, judge=answered, stream=True),
    "docsum files": once("POST /v1/docsum", "docsum", options={"files": [("a.txt", b"one"), ("b.txt", b"two")],
    "chunk_size": 100}, judge=form_has(type="text", stream="false", chunk_size="100", messages="")),
    "stream_docsum audio": once("POST /v1/docsum", "stream_docsum", options={"files": [("a.wav", _SOUND)], "type":
    "audio"}, judge=form_has(type="audio", stream="true"), stream=True),
    "docsum video": once("POST /v1/docsum", "docsum", _ENCODED, options={"type": "video"}, sends={"messages": _ENCODED,
    "type": "video"}, judge=answered),
    **_pair("visualqna", _SEEN, sends={"messages": [{"role": "user", "content": [_SEEN[0]["content"][0],
    {"type": "image_url", "image_url": {"url": _ENCODED}}]}]}),
    "multimodalqna": once("POST /v1/multimodalqna", "multimodalqna", "hello", sends={"messages": "hello", "stream":
    False}, judge=answered, whole_json=True),
    "audioqna": once("POST /v1/audioqna", "audioqna", ("a.wav", _SOUND), options={"voice": "male", "max_tokens": 16},
    sends={"audio": base64.b64encode(_SOUND).decode(), "voice": "male", "max_tokens": 16}, judge=sound_came,
    nonce=False),
    "avatarchatbot": once("POST /v1/avatarchatbot", "avatarchatbot", ("a.wav", _SOUND), sends={"audio":
    base64.b64encode(_SOUND).decode()}),
    "retrievaltool": story("POST /v1/retrievaltool", _known("retrievaltool", "the tide's path", top_n=1),
    sends={"messages": "the tide's path", "top_n": 1}, judge=documents_came, whole_json=True),
    "chat": once("POST /v1/chat/completions", "chat", HELLO, sends={"messages": HELLO, "stream": False},
    whole_json=True),
    "stream_chat": once("POST /v1/chat/completions", "stream_chat", HELLO, sends={"stream": True, "stream_options":
    {"include_usage": True}}, stream=True),
    "complete": once("POST /v1/chat/completions", "complete", "hello", options={"documents": ["one", "two"]},
    sends={"messages": "hello", "documents": ["one", "two"], "stream": False}, whole_json=True),
    "stream_complete": once("POST /v1/chat/completions", "stream_complete", "hello", sends={"messages": "hello",
    "stream": True}, stream=True),
    "embed": once("POST /v1/embeddings", "embed", ["one", "two"], sends={"input": ["one", "two"]}, judge=vectors_came,
    nonce=False, whole_json=True),
    "lvm": once("POST /v1/lvm", "lvm", "What is it?", _PICTURE, options={"max_new_tokens": 64}, sends={"prompt":
    "What is it?", "image": _ENCODED, "max_new_tokens": 64, "stream": False}, judge=answered, whole_json=True),
    "stream_lvm": once("POST /v1/lvm", "stream_lvm", "What is it?", [_PICTURE, _PICTURE], sends={"image": [_ENCODED,
    _ENCODED], "stream": True}, judge=answered, stream=True),
    "transcribe": once("POST /v1/audio/transcriptions", "transcribe", ("a.wav", _SOUND), options={"language":
    "english"}, judge=form_has(language="english"), whole_json=True),
    "speech": once("POST /v1/audio/speech", "speech", "hello", options={"voice": "default"}, sends={"input": "hello",
    "voice": "default"}, judge=sound_came, nonce=False, headers=False),
    "stream_speech": once("POST /v1/audio/speech", "stream_speech", "hello", sends={"input": "hello"},
    judge=sound_came, nonce=False, stream=True, headers=False),
    "retrieve": story("POST /v1/retrieval", _known("retrieve", "the tide's path", embedded("the tide's path"), k=1),
    sends={"input": "the tide's path", "k": 1}, judge=sources_came, nonce=False, whole_json=True),
    "retrieve opea": story("POST /v1/retrieval", _known("retrieve", "the tide's path", embedded("the tide's path"),
    form="opea", index_name="rag_redis"), sends={"text": "the tide's path", "index_name": "rag_redis"},
    judge=sources_came, whole_json=True),
    "rerank": once("POST /v1/reranking", "rerank", "the tide", ["rain and wind", "the tide rises"], sends={"input":
    "the tide", "retrieved_docs": [{"text": "rain and wind"}, {"text": "the tide rises"}], "top_n": 2}, judge=ranked,
    nonce=False, whole_json=True),
    "rerank opea": once("POST /v1/reranking", "rerank", "the tide", ["rain and wind", "the tide rises"],
    options={"form": "opea", "top_n": 1}, sends={"initial_query": "the tide", "top_n": 1}, judge=chosen,
    whole_json=True),
    "ingest": once("POST /v1/dataprep/ingest", "ingest", ("rain.txt", b"Rain falls."), options={"chunk_size": 100,
    "process_table": False, "index_name": "mine"}, judge=form_has(chunk_size="100", process_table="false",
    index_name="mine"), nonce=False, whole_json=True),
    "ingest_links": once("POST /v1/dataprep/ingest", "ingest_links", ["https://example.com/é"],
    judge=form_has(link_list='["https://example.com/é"]'), nonce=False, whole_json=True),
    "list_files": story("POST /v1/dataprep/get", _known("list_files"), judge=names_are("rain.txt", "tide.txt"),
    nonce=False),
    "delete_file": story("POST /v1/dataprep/delete", _known("delete_file", "rain.txt"), sends={"file_path":
    "rain.txt"}, judge=deleted, nonce=False, whole_json=True),
    "delete_all_files": story("POST /v1/dataprep/delete", _known("delete_all_files", index_name="rag_redis"),
    sends={"file_path": "all", "index_name": "rag_redis"}, judge=deleted, nonce=False, whole_json=True),
    "list_indices": story("POST /v1/dataprep/indices", _known("list_indices"), judge=names_are("file-keys",
    "rag_redis"), nonce=False),
    "guardrails": once("POST /v1/guardrails", "guardrails", "sim:unsafe", sends={"text": "sim:unsafe"},
    judge=flag_is(True, "Violent Crimes"), whole_json=True),
    "guardrails answer": once("POST /v1/guardrails", "guardrails", "hello", options={"prompt": "say hello"},
    sends={"text": "hello", "prompt": "say hello"}, judge=flag_is(False), whole_json=True),
    "bias": once("POST /v1/bias", "bias", "sim:unsafe", sends={"text": "sim:unsafe"}, judge=flag_is(True, "bias"),
    whole_json=True),
    "toxicity": once("POST /v1/toxicity", "toxicity", "hello", sends={"text": "hello"}, judge=flag_is(False),
    whole_json=True),
    "injection": once("POST /v1/injection", "injection", "sim:unsafe", sends={"text": "sim:unsafe"},
    judge=score_is(0.9, 1), whole_json=True),
    "factuality": once("POST /v1/factuality", "factuality", "the tide rises", "the tide rises", sends={"reference":
    "the tide rises", "text": "the tide rises"}, judge=score_is(0.99, 1.01), whole_json=True),
    "hallucination": once("POST /v1/hallucination_detection", "hallucination", HELLO, options={"max_tokens": 600,
    "model": "lynx"}, sends={"messages": HELLO, "max_tokens": 600, "model": "lynx"}, judge=flag_is(False),
    whole_json=True),
    "pii": once("POST /v1/pii", "pii", "call (555) 555-5555", sends={"text": "call (555) 555-5555"},
    judge=number_found, whole_json=True),
    "pii replaced": once("POST /v1/pii", "pii", "call 555 555-5555", options={"replace": True, "replace_method":
    "mask"}, sends={"prompt": "call 555 555-5555", "replace": True, "replace_method": "mask"}, judge=number_masked,
    whole_json=True),
    "save_chat": once("POST /v1/chathistory/create", "save_chat", HELLO, "ann", options={"first_query": "hello"},
    sends={"data": {"messages": HELLO, "user": "ann"}, "first_query": "hello"}, judge=saved),
    "get_chat": story("POST /v1/chathistory/get", _kept(*_CHAT, "get_chat"), judge=messages_came, nonce=False),
    "list_chats": story("POST /v1/chathistory/get", _listed(*_CHAT, ("list_chats", "ann"), first_query="first"),
    sends={"user": "ann"}, judge=records_are("first_query", "first"), nonce=False),
    "delete_chat": story("POST /v1/chathistory/delete", _kept(*_CHAT, "delete_chat"), judge=deleted, nonce=False),
    "save_prompt": once("POST /v1/prompt/create", "save_prompt", "Be brief.", "ann", sends={"prompt_text": "Be brief.",
    "user": "ann"}, judge=saved),
    "get_prompt": story("POST /v1/prompt/get", _kept(*_PROMPT, "get_prompt"), nonce=False),
    "list_prompts": story("POST /v1/prompt/get", _listed(*_PROMPT, ("list_prompts", "ann")),
    judge=records_are("prompt_text", "Be brief about rain."), nonce=False),
    "find_prompts": story("POST /v1/prompt/get", _listed(*_PROMPT, ("find_prompts", "rain", "ann")),
    sends={"prompt_text": "rain", "user": "ann"}, judge=records_are("prompt_text", "Be brief about rain."),
    nonce=False),
    "delete_prompt": story("POST /v1/prompt/delete", _kept(*_PROMPT, "delete_prompt"), judge=deleted, nonce=False),
    "save_feedback": once("POST /v1/feedback/create", "save_feedback", HELLO, "ann", options={"thumbs_up": True,
    "rating": 4, "comment": "good", "chat_id": "c1"}, sends={"chat_data": {"messages": HELLO, "user": "ann"},
    "feedback_data": {"is_thumbs_up": True, "rating": 4, "comment": "good"}, "chat_id": "c1"}, judge=saved),
    "get_feedback": story("POST /v1/feedback/get", _kept(*_FEEDBACK, "get_feedback", thumbs_up=False), nonce=False),
    "list_feedback": story("POST /v1/feedback/get", _listed(*_FEEDBACK, ("list_feedback", "ann"), thumbs_up=False),
    judge=records_are("feedback_data", {"is_thumbs_up": False}), nonce=False),
    "delete_feedback": story("POST /v1/feedback/delete", _kept(*_FEEDBACK, "delete_feedback", thumbs_up=True),
    judge=deleted, nonce=False),
    "health": once("GET /health", "health", nonce=False),
    "health_check": once("GET /v1/health_check", "health_check", judge=info_came, nonce=False, whole_json=True),
    "statistics": story("GET /v1/statistics", _statistics, judge=statistics_came, nonce=False),
    "metrics": once("GET /metrics", "metrics", judge=metrics_came, nonce=False),
}  # fmt: skip


def _feature(
    messages: Any = HELLO, judge: Judge | None = None, sends: Mapping[str, Any] | None = None, **options: Any
) -> CallCase:
    return once(
        "POST /v1/chat/completions",
        "chat",
        messages,
        options=options,
        sends={"messages": messages, **(sends or options)},
        judge=judge,
    )


def _is_json(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, f'{{"answer": "{seen.nonce}"}}', "text of the reply")


def _came_twice(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.texts), 2, "answers of the reply")


FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature(_TALK),
    "image": _feature(_SEEN),
    "JSON object": _feature(response_format={"type": "json_object"}, judge=_is_json),
    "seed": _feature(seed=7),
    "stop": _feature(stop=["END"]),
    "penalties": _feature(presence_penalty=0.5, frequency_penalty=-0.5),
    "sampling": _feature(temperature=0.2, top_p=0.9, max_tokens=16, n=2, judge=_came_twice),
    "documents": _feature(documents=["one", "two"], chat_template="Know this: {context}"),
    "user": _feature(user="ann"),
}
