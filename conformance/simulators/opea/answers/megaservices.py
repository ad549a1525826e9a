"""Megaservices that answer in text. Each has one of the three dialects of streams; see the wire facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance.simulators.generation import Turn
from conformance.simulators.multipart import Upload
from conformance.simulators.opea.answers.common import document_id, prompt_of, refusal_for, said, streams, whole
from conformance.simulators.opea.answers.llm import chat_chunks, rag_prompt, text_chunks
from conformance.simulators.opea.errors import failed
from conformance.simulators.opea.framing import refused, spoken, wrapped
from conformance.simulators.opea.models import embedded, similarity
from conformance.simulators.openai.framing import DONE, data_only, sse
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["codegen", "codetrans", "docsum", "faqgen", "rag", "searchqna", "translation"]


def rag(service: str) -> Callable[[Call], Answer]:
    """ChatQnA and its relatives: guardrail, embedding, retriever, reranker, model."""

    def handle(call: Call) -> Answer:
        body = call.body
        try:
            question = prompt_of(body["messages"])
        except ValueError as error:
            return failed(str(error))
        streamed = streams(body, default=True)
        refusal = refusal_for(question)
        if refusal:
            return refused(refusal) if streamed else whole(call, service, refusal)
        if "sim:swallow" in question:
            return spoken(()) if streamed else failed("the model failed")
        texts = _found(call, question)
        turn = said(call, rag_prompt(question, texts, body.get("chat_template")))
        return spoken(turn.tokens) if streamed else whole(call, service, turn.text)

    return handle


def _found(call: Call, question: str) -> list[str]:
    """Texts of the best documents; without any, the reranker is skipped and the model asked as it is."""
    query = embedded(question)
    pieces = call.state.nearest(query, call.body.get("k") or 4)
    ranked = sorted(pieces, key=lambda piece: -similarity(query, embedded(piece.text)))
    return [piece.text for piece in ranked[: call.body.get("top_n") or 1]]


def searchqna(call: Call) -> Answer:
    """``POST /v1/searchqna``: the model's chunks as they are."""
    prompt = f"{prompt_of(call.body['messages'])}\n### Found: a page of the web"
    if streams(call.body, default=True):
        return text_chunks(call, prompt)
    return whole(call, "searchqna", said(call, prompt).text)


def codegen(call: Call) -> Answer:
    """``POST /v1/codegen``: the model's chunks as they are."""
    prompt = prompt_of(call.body["messages"])
    if streams(call.body, default=True):
        return chat_chunks(call, prompt)
    return whole(call, "codegen", said(call, prompt).text)


def codetrans(call: Call) -> Answer:
    """``POST /v1/codetrans``: a stream whatever was asked."""
    body = call.body
    return text_chunks(call, f"{body['language_from']} to {body['language_to']}: {body['source_code']}")


def translation(call: Call) -> Answer:
    """``POST /v1/translation``: a stream whatever was asked."""
    body = call.body
    return text_chunks(call, f"{body['language_from']} to {body['language_to']}: {body['source_language']}")


def docsum(call: Call) -> Answer:
    """``POST /v1/docsum``: always a stream; with ``stream: false`` one token that holds the whole as JSON."""
    body = call.body
    files = body.get("files") or []
    files = [files] if isinstance(files, Upload) else files
    contents = [upload.content.decode("utf-8", "replace") for upload in files]
    document = "\n".join([prompt_of(body["messages"]), *contents]).strip()
    if body["type"] != "text":
        document = f"what was heard in {len(document)} characters of {body['type']}"
    refusal = refusal_for(document)
    if refusal:
        return refused(refusal)
    turn = said(call, f"Sum up: {document}")
    if streams(body, default=True):
        return spoken(turn.tokens, Event("", part=Part.CLOSING), tells_errors=True)
    text = {"id": document_id(call), "text": turn.text, "prompt": document, "output_guardrail_params": None}
    return spoken((), wrapped(text), tells_errors=True)


def faqgen(call: Call) -> Answer:
    """``POST /v1/faqgen`` of the microservice: a run log, or a document."""
    prompt = prompt_of(call.body["messages"])
    turn = said(call, f"Questions about: {prompt}")
    if not streams(call.body, default=False):
        return Answer(payload={"id": document_id(call), "text": turn.text, "prompt": prompt})
    return sse(Stream(list(_patches(call, turn)), data_only, pings=()))


def _patches(call: Call, turn: Turn) -> Iterator[Event]:
    """The run log of a chain: every token stands in it twice, and texts that are none stand beside them."""

    def patch(*operations: tuple[str, str, Any], part: Part) -> Event:
        return Event({"ops": [{"op": op, "path": path, "value": value} for op, path, value in operations]}, part=part)

    log = "/logs/VLLMOpenAI"
    run: dict[str, Any] = {"id": call.nonce, "streamed_output": [], "final_output": None, "logs": {}, "type": "chain"}
    yield patch(("replace", "", run), part=Part.OPENING)
    yield patch(("add", log, {"name": "VLLMOpenAI", "start_time": "2026-01-01T00:00:00.000+00:00"}), part=Part.OPENING)
    for token in turn.tokens:
        pieces = (("add", f"{log}/streamed_output_str/-", token), ("add", f"{log}/streamed_output/-", token))
        yield patch(*pieces, part=Part.CONTENT)
    ended = ("add", f"{log}/end_time", "2026-01-01T00:00:01.000+00:00")
    yield patch(("add", f"{log}/final_output", {"generations": []}), ended, part=Part.CLOSING)
    yield patch(("replace", "/final_output", {"output_text": turn.text}), part=Part.CLOSING)
    yield DONE
