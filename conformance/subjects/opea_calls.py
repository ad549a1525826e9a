"""The calls that the OPEA backend declares, and what of chat CAP-04 asks. Every call is made in both modes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.opea.models import DIMENSIONS, embedded
from conformance.simulators.openai.answers.media import picture, wave
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import Story, do, once, story
from conformance.trial import Trial

__all__ = ["DECLARED", "FEATURES"]

Judge = Callable[[Trial, Any, Seen], None]

_HELLO: Final = [{"role": "user", "content": "hello"}]
_TALK: Final = [{"role": "system", "content": "Be brief."}, *_HELLO]
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


def _kept(save: str, saved: tuple[Any, ...], then: str, **options: Any) -> Callable[[], Story]:
    """A story that saves a record and uses its id."""

    def plan() -> Story:
        made = yield do(save, *saved, **options)
        return (yield do(then, made.id, "ann"))

    return plan


def _listed(save: str, saved: tuple[Any, ...], then: tuple[Any, ...], **options: Any) -> Callable[[], Story]:
    def plan() -> Story:
        yield do(save, *saved, **options)
        return (yield do(*then))

    return plan


# -- judgements --------------------------------------------------------------------------------------------------------


def _answered(trial: Trial, reply: Any, seen: Seen) -> None:
    """The text is the server's, and a count that nobody made is no count."""
    trial.expect(seen.nonce in reply.text, "the server's text is not in the reply")
    trial.equal(
        (reply.usage.input_tokens, reply.usage.output_tokens),
        (None, None),
        "token counts of a service that counts none",
    )


def _from_documents(trial: Trial, reply: Any, seen: Seen) -> None:
    _answered(trial, reply, seen)
    trial.expect("tide follows" in reply.text, "the answer does not use the document that was ingested")


def _vectors_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([len(vector) for vector in reply.vectors], [DIMENSIONS, DIMENSIONS], "lengths of the vectors")
    trial.expect(reply.vectors[0] != reply.vectors[1], "two texts got the same vector")


def _documents_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.texts[0], "The tide follows the moon's path.", "the nearest document")


def _sources_came(trial: Trial, reply: Any, seen: Seen) -> None:
    _documents_came(trial, reply, seen)
    trial.equal(reply.documents[0].metadata, {"source": "tide.txt"}, "metadata of the nearest document")


def _ranked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one.index for one in reply.results], [1, 0], "places of the texts, the best first")
    scores = [one.score for one in reply.results]
    trial.expect(scores == sorted(scores, reverse=True) and scores[0] > scores[1], f"scores: {scores}")


def _chosen(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([(one.index, one.score) for one in reply.results], [(1, None)], "the best text, without a score")


def _names_are(*names: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal([getattr(one, "name", one) for one in reply], list(names), "names that came")

    return judge


def _flag_is(flag: bool | None, policies: str | None = None) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal((reply.flagged, reply.policies), (flag, policies), "verdict")

    return judge


def _score_is(low: float, high: float) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.expect(reply.score is not None and low <= reply.score <= high, f"score: {reply.score}")

    return judge


def _number_found(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([one["entity_type"] for one in reply.found], ["PHONE_NUMBER"], "personal data found")


def _number_masked(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, "call *", "the text with personal data replaced")


def _sound_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.data[:4], b"RIFF", "first bytes of the sound")
    trial.expect(seen.nonce.encode() in reply.data, "the sound is not the server's")


def _form_has(**fields: str) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        for name, value in fields.items():
            part = f'name="{name}"\r\n\r\n{value}\r\n'.encode()
            trial.expect(part in seen.body, f"field {name} of the form is not {value!r}")
        if hasattr(reply, "usage"):
            trial.expect(reply.usage.input_tokens is None, "token counts of a service that counts none")

    return judge


def _saved(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.id and seen.nonce in reply.id and not reply.updated, "the new record's id is missing")


def _messages_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply["messages"], _HELLO, "messages of the conversation")


def _records_are(field: str, *values: Any) -> Judge:
    def judge(trial: Trial, reply: Any, seen: Seen) -> None:
        trial.equal([record.get(field) for record in reply], list(values), f"field {field} of the records")

    return judge


def _deleted(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.deleted, True, "whether it was deleted")


def _info_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal((reply.title, reply.version), ("ChatQnAService", "1.5"), "what the service says of itself")


def _statistics_came(trial: Trial, reply: Any, seen: Seen) -> None:
    asked, idle = reply["opea_service@llm"], reply["opea_service@retrievers"]
    trial.expect(asked.p50 and asked.average, "no latency of a service that was asked")
    trial.equal((idle.p50, asked.p50_first_token), (None, None), "latencies that there are none of")


def _metrics_came(trial: Trial, reply: Any, seen: Seen) -> None:
    found = {(one.name, one.labels.get("le")): one.value for one in reply}
    trial.equal(found.get(("megaservice_request_pending", None)), 0.0, "requests pending")
    trial.equal(found.get(("megaservice_request_latency_bucket", "+Inf")), 2.0, "a bucket of a histogram")


def _statistics() -> Story:
    yield do("chat", _HELLO)
    return (yield do("statistics"))


# -- the calls ---------------------------------------------------------------------------------------------------------


def _pair(service: str, *arguments: Any, sends: Mapping[str, Any], judge: Judge = _answered, **options: Any) -> Any:
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
    plain = once(route, service, *arguments, options=options, sends={**sends, "stream": False}, judge=_answered)
    return {**pair, service: plain}


_LANGUAGES: Final = {"language_from": "Go", "language_to": "Python"}
_CHAT: Final = ("save_chat", (_HELLO, "ann"))
_PROMPT: Final = ("save_prompt", ("Be brief about rain.", "ann"))
_FEEDBACK: Final = ("save_feedback", (_HELLO, "ann"))

DECLARED: Final[Mapping[str, CallCase]] = {
    "chatqna": story(
        "POST /v1/chatqna",
        _known("chatqna", "Which path has the tide?", **_RAG),
        sends={"messages": "Which path has the tide?", "stream": False, **_RAG},
        judge=_from_documents,
        whole_json=True,
    ),
    "stream_chatqna": story(
        "POST /v1/chatqna",
        _known("stream_chatqna", "Which path has the tide?", **_RAG),
        sends={"messages": "Which path has the tide?", "stream": True, **_RAG},
        judge=_from_documents,
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
    judge=_answered),
    "stream_docsum": once("POST /v1/docsum", "stream_docsum", "a long text", sends={"messages": "a long text", "type":
    "text", "stream": True}, judge=_answered, stream=True),
    "docsum files": once("POST /v1/docsum", "docsum", options={"files": [("a.txt", b"one"), ("b.txt", b"two")],
    "chunk_size": 100}, judge=_form_has(type="text", stream="false", chunk_size="100", messages="")),
    "stream_docsum audio": once("POST /v1/docsum", "stream_docsum", options={"files": [("a.wav", _SOUND)], "type":
    "audio"}, judge=_form_has(type="audio", stream="true"), stream=True),
    "docsum video": once("POST /v1/docsum", "docsum", _ENCODED, options={"type": "video"}, sends={"messages": _ENCODED,
    "type": "video"}, judge=_answered),
    **_pair("visualqna", _SEEN, sends={"messages": [{"role": "user", "content": [_SEEN[0]["content"][0],
    {"type": "image_url", "image_url": {"url": _ENCODED}}]}]}),
    "multimodalqna": once("POST /v1/multimodalqna", "multimodalqna", "hello", sends={"messages": "hello", "stream":
    False}, judge=_answered, whole_json=True),
    "audioqna": once("POST /v1/audioqna", "audioqna", ("a.wav", _SOUND), options={"voice": "male", "max_tokens": 16},
    sends={"audio": base64.b64encode(_SOUND).decode(), "voice": "male", "max_tokens": 16}, judge=_sound_came,
    nonce=False),
    "avatarchatbot": once("POST /v1/avatarchatbot", "avatarchatbot", ("a.wav", _SOUND), sends={"audio":
    base64.b64encode(_SOUND).decode()}),
    "retrievaltool": story("POST /v1/retrievaltool", _known("retrievaltool", "the tide's path", top_n=1),
    sends={"messages": "the tide's path", "top_n": 1}, judge=_documents_came, whole_json=True),
    "chat": once("POST /v1/chat/completions", "chat", _HELLO, sends={"messages": _HELLO, "stream": False},
    whole_json=True),
    "stream_chat": once("POST /v1/chat/completions", "stream_chat", _HELLO, sends={"stream": True, "stream_options":
    {"include_usage": True}}, stream=True),
    "complete": once("POST /v1/chat/completions", "complete", "hello", options={"documents": ["one", "two"]},
    sends={"messages": "hello", "documents": ["one", "two"], "stream": False}, whole_json=True),
    "stream_complete": once("POST /v1/chat/completions", "stream_complete", "hello", sends={"messages": "hello",
    "stream": True}, stream=True),
    "embed": once("POST /v1/embeddings", "embed", ["one", "two"], sends={"input": ["one", "two"]}, judge=_vectors_came,
    nonce=False, whole_json=True),
    "lvm": once("POST /v1/lvm", "lvm", "What is it?", _PICTURE, options={"max_new_tokens": 64}, sends={"prompt":
    "What is it?", "image": _ENCODED, "max_new_tokens": 64, "stream": False}, judge=_answered, whole_json=True),
    "stream_lvm": once("POST /v1/lvm", "stream_lvm", "What is it?", [_PICTURE, _PICTURE], sends={"image": [_ENCODED,
    _ENCODED], "stream": True}, judge=_answered, stream=True),
    "transcribe": once("POST /v1/audio/transcriptions", "transcribe", ("a.wav", _SOUND), options={"language":
    "english"}, judge=_form_has(language="english"), whole_json=True),
    "speech": once("POST /v1/audio/speech", "speech", "hello", options={"voice": "default"}, sends={"input": "hello",
    "voice": "default"}, judge=_sound_came, nonce=False, headers=False),
    "stream_speech": once("POST /v1/audio/speech", "stream_speech", "hello", sends={"input": "hello"},
    judge=_sound_came, nonce=False, stream=True, headers=False),
    "retrieve": story("POST /v1/retrieval", _known("retrieve", "the tide's path", embedded("the tide's path"), k=1),
    sends={"input": "the tide's path", "k": 1}, judge=_sources_came, nonce=False, whole_json=True),
    "retrieve opea": story("POST /v1/retrieval", _known("retrieve", "the tide's path", embedded("the tide's path"),
    form="opea", index_name="rag_redis"), sends={"text": "the tide's path", "index_name": "rag_redis"},
    judge=_sources_came, whole_json=True),
    "rerank": once("POST /v1/reranking", "rerank", "the tide", ["rain and wind", "the tide rises"], sends={"input":
    "the tide", "retrieved_docs": [{"text": "rain and wind"}, {"text": "the tide rises"}], "top_n": 2}, judge=_ranked,
    nonce=False, whole_json=True),
    "rerank opea": once("POST /v1/reranking", "rerank", "the tide", ["rain and wind", "the tide rises"],
    options={"form": "opea", "top_n": 1}, sends={"initial_query": "the tide", "top_n": 1}, judge=_chosen,
    whole_json=True),
    "ingest": once("POST /v1/dataprep/ingest", "ingest", ("rain.txt", b"Rain falls."), options={"chunk_size": 100,
    "process_table": False, "index_name": "mine"}, judge=_form_has(chunk_size="100", process_table="false",
    index_name="mine"), nonce=False, whole_json=True),
    "ingest_links": once("POST /v1/dataprep/ingest", "ingest_links", ["https://example.com/é"],
    judge=_form_has(link_list='["https://example.com/é"]'), nonce=False, whole_json=True),
    "list_files": story("POST /v1/dataprep/get", _known("list_files"), judge=_names_are("rain.txt", "tide.txt"),
    nonce=False),
    "delete_file": story("POST /v1/dataprep/delete", _known("delete_file", "rain.txt"), sends={"file_path":
    "rain.txt"}, judge=_deleted, nonce=False, whole_json=True),
    "delete_all_files": story("POST /v1/dataprep/delete", _known("delete_all_files", index_name="rag_redis"),
    sends={"file_path": "all", "index_name": "rag_redis"}, judge=_deleted, nonce=False, whole_json=True),
    "list_indices": story("POST /v1/dataprep/indices", _known("list_indices"), judge=_names_are("file-keys",
    "rag_redis"), nonce=False),
    "guardrails": once("POST /v1/guardrails", "guardrails", "sim:unsafe", sends={"text": "sim:unsafe"},
    judge=_flag_is(True, "Violent Crimes"), whole_json=True),
    "guardrails answer": once("POST /v1/guardrails", "guardrails", "hello", options={"prompt": "say hello"},
    sends={"text": "hello", "prompt": "say hello"}, judge=_flag_is(False), whole_json=True),
    "bias": once("POST /v1/bias", "bias", "sim:unsafe", sends={"text": "sim:unsafe"}, judge=_flag_is(True, "bias"),
    whole_json=True),
    "toxicity": once("POST /v1/toxicity", "toxicity", "hello", sends={"text": "hello"}, judge=_flag_is(False),
    whole_json=True),
    "injection": once("POST /v1/injection", "injection", "sim:unsafe", sends={"text": "sim:unsafe"},
    judge=_score_is(0.9, 1), whole_json=True),
    "factuality": once("POST /v1/factuality", "factuality", "the tide rises", "the tide rises", sends={"reference":
    "the tide rises", "text": "the tide rises"}, judge=_score_is(0.99, 1.01), whole_json=True),
    "hallucination": once("POST /v1/hallucination_detection", "hallucination", _HELLO, options={"max_tokens": 600,
    "model": "lynx"}, sends={"messages": _HELLO, "max_tokens": 600, "model": "lynx"}, judge=_flag_is(False),
    whole_json=True),
    "pii": once("POST /v1/pii", "pii", "call (555) 555-5555", sends={"text": "call (555) 555-5555"},
    judge=_number_found, whole_json=True),
    "pii replaced": once("POST /v1/pii", "pii", "call 555 555-5555", options={"replace": True, "replace_method":
    "mask"}, sends={"prompt": "call 555 555-5555", "replace": True, "replace_method": "mask"}, judge=_number_masked,
    whole_json=True),
    "save_chat": once("POST /v1/chathistory/create", "save_chat", _HELLO, "ann", options={"first_query": "hello"},
    sends={"data": {"messages": _HELLO, "user": "ann"}, "first_query": "hello"}, judge=_saved),
    "get_chat": story("POST /v1/chathistory/get", _kept(*_CHAT, "get_chat"), judge=_messages_came, nonce=False),
    "list_chats": story("POST /v1/chathistory/get", _listed(*_CHAT, ("list_chats", "ann"), first_query="first"),
    sends={"user": "ann"}, judge=_records_are("first_query", "first"), nonce=False),
    "delete_chat": story("POST /v1/chathistory/delete", _kept(*_CHAT, "delete_chat"), judge=_deleted, nonce=False),
    "save_prompt": once("POST /v1/prompt/create", "save_prompt", "Be brief.", "ann", sends={"prompt_text": "Be brief.",
    "user": "ann"}, judge=_saved),
    "get_prompt": story("POST /v1/prompt/get", _kept(*_PROMPT, "get_prompt"), nonce=False),
    "list_prompts": story("POST /v1/prompt/get", _listed(*_PROMPT, ("list_prompts", "ann")),
    judge=_records_are("prompt_text", "Be brief about rain."), nonce=False),
    "find_prompts": story("POST /v1/prompt/get", _listed(*_PROMPT, ("find_prompts", "rain", "ann")),
    sends={"prompt_text": "rain", "user": "ann"}, judge=_records_are("prompt_text", "Be brief about rain."),
    nonce=False),
    "delete_prompt": story("POST /v1/prompt/delete", _kept(*_PROMPT, "delete_prompt"), judge=_deleted, nonce=False),
    "save_feedback": once("POST /v1/feedback/create", "save_feedback", _HELLO, "ann", options={"thumbs_up": True,
    "rating": 4, "comment": "good", "chat_id": "c1"}, sends={"chat_data": {"messages": _HELLO, "user": "ann"},
    "feedback_data": {"is_thumbs_up": True, "rating": 4, "comment": "good"}, "chat_id": "c1"}, judge=_saved),
    "get_feedback": story("POST /v1/feedback/get", _kept(*_FEEDBACK, "get_feedback", thumbs_up=False), nonce=False),
    "list_feedback": story("POST /v1/feedback/get", _listed(*_FEEDBACK, ("list_feedback", "ann"), thumbs_up=False),
    judge=_records_are("feedback_data", {"is_thumbs_up": False}), nonce=False),
    "delete_feedback": story("POST /v1/feedback/delete", _kept(*_FEEDBACK, "delete_feedback", thumbs_up=True),
    judge=_deleted, nonce=False),
    "health": once("GET /health", "health", nonce=False),
    "health_check": once("GET /v1/health_check", "health_check", judge=_info_came, nonce=False, whole_json=True),
    "statistics": story("GET /v1/statistics", _statistics, judge=_statistics_came, nonce=False),
    "metrics": once("GET /metrics", "metrics", judge=_metrics_came, nonce=False),
}  # fmt: skip


def _feature(
    messages: Any = _HELLO, judge: Judge | None = None, sends: Mapping[str, Any] | None = None, **options: Any
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
