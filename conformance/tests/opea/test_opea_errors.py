"""Every error as its class, hidden failures included; hostile answers; what retries make of them."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from opea_bench import ASK, DONE, REFUSAL, backend_at, completion, events, into, mocked, tokens

from backends import errors
from backends.opea import OPEA
from backends.types import Usage
from conformance.simulators import Fault, Simulator
from conformance.simulators.faults import (
    CutAfter,
    CutBeforeTerminator,
    EmptyBody,
    EmptyStream,
    ErrorEvent,
    Html,
    Oversized,
    Reset,
    SplitEvery,
    Status,
)

MISSING = {"type": "missing", "loc": ["body", "messages", 0, "role"], "msg": "Field required", "input": {}}


@pytest.mark.parametrize(
    ("status", "body", "kind", "said", "code"),
    [
        (400, {"detail": "Uploaded file a.txt already exists."}, errors.InvalidRequestError, "already exists", None),
        (401, {"detail": "Unauthorized"}, errors.AuthenticationError, "Unauthorized", None),
        (403, {"detail": "Forbidden"}, errors.PermissionDeniedError, "Forbidden", None),
        (404, {"detail": "Not Found"}, errors.NotFoundError, "Not Found", None),
        (404, {"detail": "File not found in db file-keys."}, errors.NotFoundError, "File not found", None),
        (422, {"detail": [MISSING]}, errors.InvalidRequestError, r"^messages\[0\]\.role: Field required", "missing"),
        (422, {"detail": [MISSING, {"type": "x", "loc": ["body"], "msg": "Bad"}]}, errors.InvalidRequestError, "; Bad", "missing"),
        (422, {"detail": []}, errors.InvalidRequestError, "422", None),
        (422, {"detail": ["odd", 7]}, errors.InvalidRequestError, "422", None),
        (422, {"detail": [{"loc": 7, "msg": "x"}]}, errors.InvalidRequestError, "422", None),
        (429, {"detail": "Too Many Requests"}, errors.RateLimitError, "Too Many", None),
        (500, "Internal Server Error", errors.ServerError, "a service behind it", None),
        (500, {"detail": "'7' is not a valid id"}, errors.ServerError, "not a valid id", None),
        (502, "<html><h1>502 Bad Gateway</h1></html>", errors.ServerError, "HTML page", None),
        (503, {"detail": "Unable to convert audio to text."}, errors.OverloadedError, "Unable", None),
        (504, "<html><h1>504</h1></html>", errors.ServerError, "HTML page", None),
        (404, {"error": {"message": "no model `x`", "code": "model_not_found"}}, errors.UnknownModelError, "no model", "model_not_found"),
        (400, {"object": "error", "message": "maximum context length is 8", "code": 400}, errors.ContextLengthError, "context", None),
    ],
)  # fmt: skip
async def test_statuses(status: int, body: Any, kind: type[errors.BackendError], said: str, code: str | None) -> None:
    async with mocked((status, body)) as opea:
        with pytest.raises(errors.BackendError, match=said) as caught:
            await opea.achat(ASK)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.code, error.provider) == (status, code, "opea")
    assert type(pickle.loads(pickle.dumps(error))) is kind


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (completion(REFUSAL), errors.ContentFilterError, "Violent Crimes"),
        ({"id": "a", "text": REFUSAL, "downstream_black_list": [".*"]}, errors.ContentFilterError, "Violent Crimes"),
        (b"data: b'" + REFUSAL.encode() + b"'\n\n" + DONE, errors.ContentFilterError, "Violent Crimes"),
        (completion("Response Error"), errors.ServerError, "Response Error"),
        (
            completion("The server failed to generate an answer to your query!"),
            errors.ServerError,
            "failed to generate",
        ),
        ({"error": {"message": "engine died", "code": 500}}, errors.ServerError, "engine died"),
        ({"detail": "There is no video segments retrieved"}, errors.ServerError, "no video segments"),
        (DONE, errors.ResponseFormatError, "without a word"),
        (tokens("half"), errors.ResponseFormatError, "before its end was announced"),
        (tokens('{"error": {"message": "engine died"}}') + DONE, errors.ServerError, "engine died"),
        ({"choices": []}, errors.ResponseFormatError, "cannot be read"),
        ({"choices": [{"message": {"content": 7}}]}, errors.ResponseFormatError, "cannot be read"),
        ({"choices": [{"message": {}}]}, errors.ResponseFormatError, "'content' is missing"),
        ({"text": None, "prompt": None}, errors.ResponseFormatError, "no text"),
        ({}, errors.ResponseFormatError, "no text"),
        ([], errors.ResponseFormatError, "JSON object was expected"),
        (b"", errors.ResponseFormatError, "empty body"),
        (b"<html>data: </html>", errors.ResponseFormatError, "before its end"),
        (b"<html>", errors.ResponseFormatError, "not JSON"),
        (b"\xff\xfe", errors.ResponseFormatError, "cannot be read"),
        (b'{"text": ' + b"[" * 500 + b"]" * 500 + b"}", errors.ResponseFormatError, "nested too deeply"),
    ],
)
async def test_what_a_good_status_hides(body: Any, kind: type[errors.BackendError], said: str) -> None:
    async with mocked((200, body)) as opea:
        with pytest.raises(errors.BackendError, match=said) as caught:
            await opea.achatqna("hello")
    assert type(caught.value) is kind


async def test_a_refusal_is_not_asked_again_and_a_hidden_failure_is(sim: Simulator, opea: OPEA) -> None:
    for call in (opea.achatqna("sim:unsafe"), opea.adocsum("sim:unsafe"), opea.astream_chatqna("sim:unsafe").collect()):
        with pytest.raises(errors.ContentFilterError, match="Violent Crimes") as caught:
            await call
        assert (caught.value.attempts, caught.value.fault, caught.value.partial) == (1, "caller", None)
    with pytest.raises(errors.ContentFilterError, match='a user\'s "weapons"'):
        await opea.astream_chatqna("sim:unsafe_quote").collect()
    assert len(sim.requests) == 4
    async with mocked((200, completion("Response Error")), (200, completion("x = 1")), max_retries=1) as codegen:
        reply = await codegen.acodegen("a loop")
    assert (reply.text, reply.attempts) == ("x = 1", 2)


async def test_a_swallowed_failure_is_an_error_in_both_modes(sim: Simulator) -> None:
    async with backend_at(sim, max_retries=1) as opea:
        with pytest.raises(errors.ResponseFormatError, match="without a word") as caught:
            await opea.astream_chatqna("sim:swallow").collect()
        assert caught.value.attempts == 1  # nobody knows what failed, so nothing is asked again
        with pytest.raises(errors.ServerError) as caught:
            await opea.achatqna("sim:swallow")
        assert (caught.value.status, caught.value.attempts) == (500, 2)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (CutBeforeTerminator(), errors.StreamInterruptedError),
        (CutAfter(60), errors.StreamInterruptedError),
        (Reset("body", 60), errors.StreamInterruptedError),
        (EmptyStream(), errors.TransportError),
        (EmptyStream(terminator=True), errors.ResponseFormatError),
        (EmptyBody(200), errors.TransportError),
        (ErrorEvent(0), errors.ResponseFormatError),
        (Html(200), errors.ResponseFormatError),
    ],
)
async def test_broken_streams_of_a_megaservice(sim: Simulator, fault: Any, kind: type[errors.BackendError]) -> None:
    sim.script(Fault(fault))
    async with backend_at(sim, max_retries=0) as opea:
        seen: list[str] = []
        with pytest.raises(errors.BackendError) as caught:
            await into(seen, opea.astream_chatqna("hello"))
    assert type(caught.value) is kind
    assert (caught.value.partial or "") == "".join(seen)
    assert not sim.unfired()


async def test_an_error_behind_docsum_is_typed_and_keeps_what_came(sim: Simulator) -> None:
    sim.script(Fault(ErrorEvent(3, message="engine died")))
    async with backend_at(sim, max_retries=0) as opea:
        seen: list[str] = []
        with pytest.raises(errors.StreamInterruptedError, match="engine died") as caught:
            await into(seen, opea.astream_docsum("hello"))
    assert caught.value.partial == "".join(seen) != ""
    assert isinstance(caught.value.__cause__, errors.ServerError)


async def test_a_refusal_word_by_word_keeps_what_came() -> None:
    async with mocked((200, tokens(*(word + " " for word in REFUSAL.split())) + DONE)) as opea:
        stream = opea.astream_chatqna("hello")
        with pytest.raises(errors.StreamInterruptedError) as caught:
            await stream.collect()
    assert isinstance(caught.value.__cause__, errors.ContentFilterError)
    assert caught.value.partial.strip() == REFUSAL


@pytest.mark.parametrize("fault", [SplitEvery(1), SplitEvery(7)])
@pytest.mark.parametrize("call", ["chatqna", "docsum", "codegen", "faqgen"])
async def test_split_streams(sim: Simulator, opea: OPEA, call: str, fault: Any) -> None:
    plain = await getattr(opea, f"astream_{call}")("It's naïve").collect()
    sim.script(Fault(fault))
    split = await getattr(opea, f"astream_{call}")("It's naïve").collect()
    first, second = (seen.nonce for seen in sim.requests)
    assert split.text == plain.text.replace(first, second)
    assert "☃" in split.text
    assert not sim.unfired()


async def test_an_event_beyond_the_bound(sim: Simulator) -> None:
    sim.script(Fault(Oversized(100_000)))
    async with backend_at(sim, max_retries=0, max_event_bytes=50_000) as opea:
        with pytest.raises(errors.ResponseFormatError, match="larger than 50000 bytes"):
            await opea.astream_chatqna("hello").collect()


async def test_a_failure_behind_a_service_is_tried_again_and_an_upload_is_not(sim: Simulator, opea: OPEA) -> None:
    sim.script(Fault(Status(500), nth=1), Fault(Html(502), nth=2), Fault(Reset("headers"), nth=3))
    assert (await opea.achatqna("hello")).attempts == 4
    for call in (
        lambda: opea.aingest(("a.txt", b"one")),
        lambda: opea.asave_chat(ASK, "ann"),
        lambda: opea.asave_prompt("text", "ann"),
        lambda: opea.asave_feedback(ASK, "ann", thumbs_up=True),
    ):
        sim.script(Fault(Status(500), nth=1))
        with pytest.raises(errors.ServerError) as caught:
            await call()
        assert caught.value.attempts == 1
    made = await opea.asave_chat(ASK, "bob")
    sim.script(Fault(Status(500), path="/v1/chathistory/create", nth=1))
    assert (await opea.asave_chat(ASK, "bob", id=made.id)).attempts == 2


@pytest.mark.parametrize(
    ("call", "body", "kind"),
    [
        (lambda opea: opea.aget_chat("x", "ann"), "null", errors.NotFoundError),
        (lambda opea: opea.aget_chat("x", "ann"), [], errors.ResponseFormatError),
        (lambda opea: opea.aget_feedback("x", "ann"), "null", errors.NotFoundError),
        (lambda opea: opea.aget_prompt("x", "ann"), "null", errors.NotFoundError),
        (lambda opea: opea.aget_prompt("x", "ann"), {"prompt_text": "x"}, errors.ResponseFormatError),
        (lambda opea: opea.alist_chats("ann"), "null", errors.ResponseFormatError),
        (lambda opea: opea.alist_chats("ann"), ["x"], errors.ResponseFormatError),
        (lambda opea: opea.asave_prompt("x", "ann"), "null", errors.ServerError),
        (lambda opea: opea.asave_chat(ASK, "ann", id="x"), "false", errors.ServerError),
        (lambda opea: opea.asave_chat(ASK, "ann"), {"id": 7}, errors.ResponseFormatError),
        (lambda opea: opea.adelete_prompt("x", "ann"), "null", errors.ServerError),
        (lambda opea: opea.adelete_chat("x", "ann"), '"yes"', errors.ResponseFormatError),
        (lambda opea: opea.aingest(b"one"), {"status": 500, "message": "no"}, errors.ResponseFormatError),
        (lambda opea: opea.adelete_file("x"), {"status": "yes"}, errors.ResponseFormatError),
        (lambda opea: opea.alist_files(), {"files": []}, errors.ResponseFormatError),
        (lambda opea: opea.alist_files(), [{"name": "x"}], errors.ResponseFormatError),
        (lambda opea: opea.alist_indices(), [7], errors.ResponseFormatError),
        (lambda opea: opea.aretrieve("x", [0.1]), {"retrieved_docs": "x"}, errors.ResponseFormatError),
        (lambda opea: opea.aretrieve("x", [0.1]), {"retrieved_docs": [{"text": None}]}, errors.ResponseFormatError),
        (lambda opea: opea.arerank("x", ["a"]), {"reranked_docs": [{"text": "b"}]}, errors.ResponseFormatError),
        (lambda opea: opea.arerank("x", ["a"]), {"reranked_docs": {"text": "a"}}, errors.ResponseFormatError),
        (lambda opea: opea.aguardrails("x"), {"id": "a"}, errors.ResponseFormatError),
        (lambda opea: opea.ainjection("x"), {"score": "high"}, errors.ResponseFormatError),
        (lambda opea: opea.apii("x"), {"id": "a"}, errors.ResponseFormatError),
        (lambda opea: opea.aaudioqna(b"RIFF"), '"not base64!"', errors.ResponseFormatError),
        (lambda opea: opea.aaudioqna(b"RIFF"), '""', errors.ResponseFormatError),
        (lambda opea: opea.aaudioqna(b"RIFF"), {"tts_result": "aGk="}, errors.ResponseFormatError),
        (lambda opea: opea.aavatarchatbot(b"RIFF"), '""', errors.ResponseFormatError),
        (lambda opea: opea.aspeech("x"), b"", errors.ResponseFormatError),
        (lambda opea: opea.atranscribe(b"RIFF"), {"asr_result": "x"}, errors.ResponseFormatError),
        (lambda opea: opea.ahealth_check(), {"title": "x"}, errors.ResponseFormatError),
        (lambda opea: opea.astatistics(), {"llm": None}, errors.ResponseFormatError),
        (lambda opea: opea.ametrics(), "<html>", errors.ResponseFormatError),
        (lambda opea: opea.aembed("x"), {"data": [{"embedding": []}]}, errors.ResponseFormatError),
    ],
)
async def test_answers_of_the_wrong_shape(call: Any, body: Any, kind: type[errors.BackendError]) -> None:
    async with mocked((200, body)) as opea:
        with pytest.raises(errors.BackendError) as caught:
            await call(opea)
    assert type(caught.value) is kind
    assert caught.value.attempts == 1


async def test_counts_are_the_models_or_none() -> None:
    counted = completion("7", usage={"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5})
    async with mocked((200, completion("7")), (200, counted), (200, completion("7", usage=None))) as opea:
        usages = [(await opea.achatqna("hello")).usage for _ in range(3)]
    assert usages == [Usage(), Usage(5, 0, 5), Usage()]


async def test_a_stream_that_stops_after_its_models_error_event() -> None:
    body = events({"choices": [{"index": 0, "delta": {"content": "x"}}]}, {"error": {"message": "engine died"}})
    async with mocked((200, body)) as opea:
        with pytest.raises(errors.StreamInterruptedError, match="engine died") as caught:
            await opea.astream_codegen("a loop").collect()
    assert caught.value.partial == "x"
