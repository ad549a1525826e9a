"""Calls against the simulated deployment: answers from documents, summaries, code, pictures, sound, guards, stores."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from opea_bench import ASK, DONE, completion, events, mocked, tokens

from backends.opea import OPEA
from backends.types import Usage
from conformance.simulators import Simulator
from conformance.simulators.openai.answers.media import picture, wave

PIXEL = picture("c0ffee00")
ENCODED = base64.b64encode(PIXEL).decode()
SOUND = wave("c0ffee00")


async def test_chat_whole_is_chat_streamed(sim: Simulator, opea: OPEA) -> None:
    whole = await opea.achat(ASK)
    stream = opea.astream_chat(ASK)
    chunks = [chunk async for chunk in stream]
    first, second = (seen.nonce for seen in sim.requests)
    assert stream.reply.text == "".join(chunk.text for chunk in chunks) == whole.text.replace(first, second)
    assert whole.usage == stream.reply.usage == chunks[-1].usage
    assert whole.usage.input_tokens
    assert whole.usage.output_tokens
    assert (whole.model, whole.finish_reason) == ("meta-llama/Meta-Llama-3-8B-Instruct", "stop")


async def test_a_prompt_with_documents_is_answered_from_them(sim: Simulator, opea: OPEA) -> None:
    plain = await opea.acomplete("Which path?")
    known = await opea.acomplete("Which path?", documents=["The moon's path."])
    shaped = await opea.acomplete("Which?", documents=["A.", "B."], chat_template="Ask {question} of {context}")
    stream = opea.astream_complete("Which path?", documents=["The moon's path."])
    streamed = "".join([chunk.text async for chunk in stream])
    assert "moon" not in plain.text
    assert "moon's path" in known.text
    assert "Ask Which? of A. B." in shaped.text
    assert streamed == stream.reply.text == known.text.replace(sim.requests[1].nonce, sim.requests[3].nonce)
    assert known.usage.output_tokens
    assert stream.reply.usage == Usage()  # the service asks its model for none
    assert known.raw["object"] == "text_completion"


async def test_chat_with_a_system_prompt_of_documents(opea: OPEA) -> None:
    plain = await opea.achat(ASK)
    known = await opea.achat(ASK, documents=["one two three"], chat_template="Know: {context}")
    assert known.usage.input_tokens > plain.usage.input_tokens


async def test_ingest_embed_retrieve_rerank_answer(sim: Simulator, opea: OPEA, tmp_path: Path) -> None:
    note = tmp_path / "tide.txt"
    note.write_text("The tide follows the moon's path.")
    assert (await opea.aingest(note)).message == "Data preparation succeeded"
    await opea.aingest(("rain.txt", io.BytesIO(b"Rain falls on the plain.")))
    await opea.aingest_links(["https://example.com/wind"])
    files = await opea.alist_files()
    assert [file.name for file in files] == ["tide.txt", "rain.txt", "https://example.com/wind.txt"]
    assert files[0].raw["index_name"] == "rag_redis"
    question = "Which path has the tide?"
    vector = (await opea.aembed(question)).vectors[0]
    found = await opea.aretrieve(question, vector, k=2)
    assert found.texts[0] == "The tide follows the moon's path."
    assert len(found.documents) == 2
    ranked = await opea.arerank(question, found.texts, top_n=1)
    assert ranked.texts == ("The tide follows the moon's path.",)
    assert ranked.results[0].index == 0
    reply = await opea.achatqna(question, k=2)
    assert "moon's path" in reply.text
    assert "moon's path" in (await opea.astream_chatqna(question).collect()).text
    assert (await opea.aretrievaltool(question)).texts == ("The tide follows the moon's path.",)
    assert (await opea.adelete_file("tide.txt")).deleted is True
    assert "moon's path" not in (await opea.achatqna(question)).text
    await opea.adelete_all_files()
    assert await opea.alist_files() == ()
    assert (await opea.achatqna(question)).text  # the reranker is skipped, the model asked as it is
    assert all(seen.problem is None for seen in sim.requests)


async def test_indices_are_apart(opea: OPEA) -> None:
    await opea.aingest(("a.txt", b"one"), index_name="mine")
    assert await opea.alist_files() == ()
    assert [file.name for file in await opea.alist_files(index_name="mine")] == ["a.txt"]
    assert await opea.alist_indices() == ("file-keys", "mine")
    vector = (await opea.aembed("one")).vectors[0]
    assert (await opea.aretrieve("one", vector, form="opea")).documents == ()
    found = await opea.aretrieve("one", vector, form="opea", index_name="mine")
    assert (found.texts, found.documents[0].metadata) == (("one",), {"source": "a.txt"})
    assert len(found.documents[0].id or "") == 32


async def test_equal_texts_keep_their_own_places(opea: OPEA) -> None:
    ranked = await opea.arerank("tide", ["rain", "tide", "rain"])
    assert sorted(one.index for one in ranked.results) == [0, 1, 2]
    assert ranked.results[0].index == 1


@pytest.mark.parametrize(
    "call", ["chatqna", "graphrag", "hybridrag", "docsum", "codegen", "faqgen", "searchqna", "videoqna"]
)
async def test_text_in_every_script_and_quote(sim: Simulator, opea: OPEA, call: str) -> None:
    asked = 'It\'s "naïve" \\ ☃ 🙂'
    whole = await getattr(opea, "a" + call)(asked)
    stream = getattr(opea, "astream_" + call)(asked)
    pieces = [chunk.text async for chunk in stream]
    assert len([piece for piece in pieces if piece]) > 5
    assert asked in whole.text
    first, second = (seen.nonce for seen in sim.requests)
    assert "".join(pieces) == stream.reply.text == whole.text.replace(first, second)
    assert whole.usage == stream.reply.usage if call != "codegen" else whole.usage == Usage()


async def test_codegen_streams_the_models_own_chunks(opea: OPEA) -> None:
    stream = opea.astream_codegen("a loop")
    raws = [chunk.raw async for chunk in stream]
    assert {raw["object"] for raw in raws} == {"chat.completion.chunk"}
    assert (stream.reply.model, stream.reply.finish_reason) == ("meta-llama/Meta-Llama-3-8B-Instruct", "stop")


async def test_services_that_stream_whatever_is_asked(sim: Simulator, opea: OPEA) -> None:
    code = await opea.acodetrans("x := 1", "Go", "Python")
    text = await opea.atranslation("我爱机器翻译。", "Chinese", "English")
    assert "Go to Python: x := 1" in code.text
    assert "Chinese to English: 我爱机器翻译。" in text.text
    assert (code.finish_reason, code.usage) == ("stop", Usage())
    assert [seen.json["stream"] for seen in sim.requests] == [False, False]
    stream = opea.astream_translation("hello", "English", "German")
    assert "".join([chunk.text async for chunk in stream]) == stream.reply.text


async def test_one_that_honours_the_wish_reads_as_well() -> None:
    async with mocked(
        (200, completion("x = 1", model="codetrans")), (200, {"id": "a", "text": "Hi", "prompt": "p"})
    ) as opea:
        assert ((await opea.acodetrans("x := 1", "Go", "Python")).text) == "x = 1"
        reply = await opea.adocsum("a long text")
    assert (reply.text, reply.model, reply.raw["prompt"]) == ("Hi", "docsum", "p")


async def test_docsum_in_each_of_its_forms(sim: Simulator, opea: OPEA, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("notes on rain")
    plain = await opea.adocsum("a long text", summary_type="map_reduce", chunk_size=100)
    assert sim.requests[0].header("accept") != "text/event-stream"
    assert plain.text.startswith(sim.requests[0].nonce)
    assert "Sum up: a long text" in plain.text
    assert plain.raw["choices"][0]["message"]["content"] == plain.text
    files = await opea.adocsum("Also:", files=[note, ("b.txt", b"and on wind")])
    assert "Also: notes on rain and on wind" in files.text
    heard = await opea.astream_docsum(files=[("a.wav", SOUND)], type="audio").collect()
    assert "what was heard" in heard.text
    encoded = await opea.adocsum(base64.b64encode(SOUND).decode(), type="audio")
    assert "what was heard" in encoded.text
    assert sim.requests[1].body.count(b'name="files"') == 2
    assert b'name="stream"\r\n\r\nfalse' in sim.requests[1].body
    assert all(seen.problem is None for seen in sim.requests)


async def test_docsum_of_the_service_behind_the_megaservice() -> None:
    patches = events({"ops": [{"op": "add", "path": "/logs/L/streamed_output_str/-", "value": "Short."}]})
    async with mocked((200, patches + DONE)) as opea:
        assert (await opea.astream_docsum("a long text").collect()).text == "Short."


async def test_pictures_travel_as_bare_base64(sim: Simulator, opea: OPEA, tmp_path: Path) -> None:
    file = tmp_path / "pixel.png"
    file.write_bytes(PIXEL)
    url = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{ENCODED}"}}
    far = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    asked = [{"role": "user", "content": [{"type": "text", "text": "What's this?"}, url, far]}]
    whole = await opea.avisualqna(asked)
    stream = await opea.astream_visualqna(asked).collect()
    assert "What's this?" in whole.text
    assert "(2 pictures)" in stream.text
    sent = [part["image_url"]["url"] for part in sim.requests[0].json["messages"][0]["content"][1:]]
    assert sent == [ENCODED, "https://example.com/a.png"]
    assert asked[0]["content"][1] is url  # the caller's own is left alone
    assert url["image_url"]["url"].startswith("data:")
    shown = await opea.alvm("What's this?", file, max_new_tokens=64)
    several = await opea.alvm("Which?", [file, ("b.png", PIXEL), io.BytesIO(PIXEL)])
    named = await opea.alvm("Which?", ("b.png", PIXEL))
    none = await opea.astream_lvm("Which?").collect()
    pictures = [text.text.rsplit("(", 1)[1][:10] for text in (shown, several, named, none)]
    assert pictures == ["1 pictures", "3 pictures", "1 pictures", "0 pictures"]
    multi = await opea.amultimodalqna([{"role": "user", "content": [{"type": "text", "text": "What?"}, url]}])
    assert multi.raw["choices"][0]["metadata"]["source_video"] == "a.mp4"


async def test_sound_in_both_directions(sim: Simulator, opea: OPEA) -> None:
    spoken = await opea.aaudioqna(("a.wav", SOUND), voice="male")
    assert spoken.data == wave(sim.requests[0].nonce)
    assert (spoken.size, spoken.content_type, spoken.model) == (len(spoken.data), "audio/wav", "audioqna")
    heard = await opea.atranscribe(io.BytesIO(SOUND), language="german", temperature=0)
    assert heard.text == f"{sim.requests[1].nonce} is what was heard in {len(SOUND)} bytes, in german"
    said = await opea.aspeech("Name a prime.", voice="default")
    stream = opea.astream_speech("Name a prime.")
    pieces = [chunk.data async for chunk in stream]
    assert said.data[:4] == b"RIFF"
    assert b"".join(pieces) == stream.reply.data
    assert len(pieces) > 0
    assert (await opea.aavatarchatbot(("a.wav", SOUND))).text == f"/outputs/{sim.requests[-1].nonce}.mp4"


async def test_guards_judge_and_raise_nothing(opea: OPEA) -> None:
    bad, good = await opea.aguardrails("sim:unsafe"), await opea.aguardrails("hello")
    assert (bad.flagged, bad.policies, bad.score) == (True, "Violent Crimes", None)
    assert (good.flagged, good.policies, good.text) == (False, None, "hello")
    assert (await opea.aguardrails("hello", prompt="sim:unsafe")).flagged is True
    assert (await opea.abias("sim:unsafe")).policies == "bias"
    assert (await opea.atoxicity("hello")).flagged is False
    risk = await opea.ainjection("sim:unsafe")
    assert (risk.flagged, risk.score) == (None, 0.97)
    agreeing = await opea.afactuality("the tide rises", "the tide rises")
    differing = await opea.afactuality("the tide rises", "rain falls")
    assert (agreeing.score or 0) > (differing.score or 0)
    assert (await opea.ahallucination("sim:unsafe")).flagged is True
    assert (await opea.ahallucination(ASK)).flagged is False


@pytest.mark.parametrize(
    ("text", "flagged"),
    [
        ('{"REASONING": ["x"], "SCORE": PASS}', False),
        ('{"REASONING": ["he said \\"SCORE\\": PASS"], "SCORE": "FAIL"}', True),
        ("I cannot say.", None),
    ],
)
async def test_verdicts_of_a_judging_model(text: str, flagged: bool | None) -> None:
    async with mocked((200, {"id": "a", "text": text, "prompt": ""})) as opea:
        assert (await opea.ahallucination("judge")).flagged is flagged


async def test_personal_data(sim: Simulator, opea: OPEA) -> None:
    found = await opea.apii("call (555) 555-5555")
    assert [(one["start"], one["end"]) for one in found.found] == [(6, 19)]
    assert found.text is None
    masked = await opea.apii("call 555 555-5555", replace=True, replace_method="mask")
    assert (masked.found, masked.text) == ((), "call *")
    assert [sorted(seen.json) for seen in sim.requests] == [["text"], ["prompt", "replace", "replace_method"]]


async def test_conversations_prompts_and_feedback(opea: OPEA) -> None:
    chat = await opea.asave_chat(ASK, "ann", first_query="primes")
    assert (await opea.asave_chat([*ASK, *ASK], "ann", id=chat.id)).updated is True
    assert (await opea.aget_chat(chat.id, "ann"))["messages"] == [*ASK, *ASK]
    assert [entry["id"] for entry in await opea.alist_chats("ann")] == [chat.id]
    assert await opea.alist_chats("bob") == ()
    assert (await opea.adelete_chat(chat.id, "ann")).deleted is True
    assert (await opea.adelete_chat(chat.id, "ann")).deleted is False
    prompt = await opea.asave_prompt("Be brief about rain.", "ann")
    assert await opea.aget_prompt(prompt.id, "ann") == "Be brief about rain."
    assert [entry["id"] for entry in await opea.afind_prompts("rain", "ann")] == [prompt.id]
    assert await opea.afind_prompts("wind", "ann") == ()
    assert len(await opea.alist_prompts("ann")) == 1
    assert (await opea.adelete_prompt(prompt.id, "ann")).id == prompt.id
    opinion = await opea.asave_feedback(ASK, "ann", thumbs_up=False, rating=0, comment="no prime", chat_id="c1")
    kept = await opea.aget_feedback(opinion.id, "ann")
    assert kept["feedback_data"] == {"is_thumbs_up": False, "rating": 0, "comment": "no prime"}
    assert (await opea.asave_feedback(ASK, "ann", thumbs_up=True, feedback_id=opinion.id)).updated is True
    assert [entry["feedback_data"] for entry in await opea.alist_feedback("ann")] == [{"is_thumbs_up": True}]
    assert (await opea.adelete_feedback(opinion.id, "ann")).deleted is True


async def test_what_services_say_of_themselves(opea: OPEA) -> None:
    assert (await opea.ahealth()).latency >= 0
    info = await opea.ahealth_check()
    assert (info.title, info.version, info.raw["Service Description"]) == ("ChatQnAService", "1.5", info.description)
    before = await opea.astatistics()
    assert before["opea_service@llm"].average is None
    await opea.achat(ASK)
    after = await opea.astatistics()
    assert after["opea_service@llm"].p99 == pytest.approx(0.11)
    counters = {m.labels["handler"]: m.value for m in await opea.ametrics() if m.name == "http_requests_total"}
    assert counters["opea_service@llm"] == 1.0


async def test_embeddings_without_model_and_usage() -> None:
    answer = {"object": "list", "model": None, "data": [{"index": 0, "embedding": [0.5, 1]}], "usage": None}
    seen: list[httpx.Request] = []
    async with mocked((200, answer), seen=seen) as opea:
        reply = await opea.aembed("sun")
    assert (reply.vectors, reply.model, reply.usage) == (((0.5, 1.0),), None, Usage())
    assert json.loads(seen[0].content) == {"input": "sun", "encoding_format": "base64"}


async def test_a_ranking_without_scores(opea: OPEA) -> None:
    ranked = await opea.arerank("tide", ["rain", "the tide"], form="opea")
    assert [(one.index, one.score) for one in ranked.results] == [(1, None), (0, None)]
    assert ranked.raw["query"] == "tide"


def test_the_synchronous_twins(sim_in_thread: str) -> None:
    with OPEA(base_url=sim_in_thread, environ={}) as opea:
        stream = opea.stream_chatqna("It's naïve ☃")
        text = "".join(chunk.text for chunk in stream)
        assert stream.reply.text == text
        assert "It's naïve ☃" in text
        opea.ingest(("a.txt", b"one"))
        assert [file.name for file in opea.list_files()] == ["a.txt"]
        assert opea.guardrails("sim:unsafe").flagged is True
        assert opea.embed(["one", "two"]).vectors[0] != opea.embed("two").vectors[0]


async def test_tokens_reach_the_caller_as_they_come(sim: Simulator, opea: OPEA) -> None:
    raws: list[Any] = []
    async for chunk in opea.astream_chatqna("hello"):
        raws.append(chunk.raw)
        await asyncio.sleep(0)
    assert all(isinstance(raw, str) and raw.startswith(("b'", 'b"')) for raw in raws)
    assert b"".join(b"data: " + raw.encode() + b"\n\n" for raw in raws) == tokens(*map(_decoded, raws))


def _decoded(raw: str) -> str:
    from backends.opea.literals import read_literal

    return read_literal(raw).decode()
