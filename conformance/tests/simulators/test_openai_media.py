"""Embeddings, moderation, completions, images and audio, driven by the official client."""

from __future__ import annotations

import base64
import io
import wave

import openai
import pytest

from conformance.simulators import Simulator

WHISPER = "whisper-1"
PNG = b"\x89PNG\r\n\x1a\n and more"
SOUND = ("talk.wav", b"RIFF....WAVE", "audio/wav")


async def test_embeddings_in_both_encodings(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    small = "text-embedding-3-small"
    packed = await client.embeddings.create(model=small, input=["one two", "one three", "seven eight"], dimensions=64)
    plain = await client.embeddings.create(
        model=small, input=["one two", "one three", "seven eight"], dimensions=64, encoding_format="float"
    )
    assert [seen.json["encoding_format"] for seen in sim.requests] == ["base64", "float"]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert sum(value * value for value in other.embedding) == pytest.approx(1, abs=1e-6)

    def likeness(left: int, right: int) -> float:
        return sum(a * b for a, b in zip(plain.data[left].embedding, plain.data[right].embedding, strict=True))

    assert likeness(0, 1) > likeness(0, 2)
    assert (plain.usage.prompt_tokens, [row.index for row in plain.data]) == (6, [0, 1, 2])
    tokens = await client.embeddings.create(model=small, input=[[1, 2, 3], [4]])
    assert (len(tokens.data), len(tokens.data[0].embedding), tokens.usage.prompt_tokens) == (2, 1536, 4)


async def test_embedding_limits(client: openai.AsyncOpenAI) -> None:
    for wrong in (
        {"model": "text-embedding-ada-002", "input": "x", "dimensions": 8},
        {"model": "text-embedding-3-small", "input": "x", "dimensions": 1537},
        {"model": "text-embedding-3-small", "input": ""},
        {"model": "text-embedding-3-small", "input": "word " * 8193},
        {"model": "text-embedding-3-small", "input": ["x"] * 2049},
    ):
        with pytest.raises(openai.BadRequestError):
            await client.embeddings.create(**wrong)


async def test_moderation_of_text_lists_and_pictures(client: openai.AsyncOpenAI) -> None:
    one = await client.moderations.create(input="I will kill it")
    assert one.results[0].flagged
    assert one.results[0].categories.violence
    assert one.results[0].category_scores.violence > 0.9
    two = await client.moderations.create(input=["hello", "they hate"], model="omni-moderation-latest")
    assert [result.flagged for result in two.results] == [False, True]
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]
    seen = await client.moderations.create(input=parts)
    assert "image" in seen.results[0].category_applied_input_types.violence


async def test_completions_whole_and_streamed(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    model = "gpt-3.5-turbo-instruct"
    whole = await client.completions.create(
        model=model, prompt=["One", "Two"], n=2, echo=True, logprobs=2, max_tokens=5
    )
    assert [choice.index for choice in whole.choices] == [0, 1, 2, 3]
    assert whole.choices[2].text.startswith(f"Two{sim.requests[0].nonce}")
    assert (whole.choices[0].finish_reason, len(whole.choices[0].logprobs.tokens)) == ("length", 5)
    stream = await client.completions.create(
        model=model, prompt="One", stream=True, stream_options={"include_usage": True}, max_tokens=100
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks[:-1]).startswith(sim.requests[1].nonce)
    assert chunks[-1].usage.completion_tokens > 10


async def test_images_made_edited_and_streamed(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    made = await client.images.generate(model="gpt-image-2", prompt="A tree", n=2, size="1024x1536", quality="low")
    pictures = [base64.b64decode(image.b64_json) for image in made.data]
    assert all(picture.startswith(b"\x89PNG") and sim.requests[0].nonce.encode() in picture for picture in pictures)
    assert (made.size, made.usage.output_tokens) == ("1024x1536", 544)
    edited = await client.images.edit(
        model="gpt-image-2",
        image=[("a.png", PNG, "image/png"), ("b.png", PNG, "image/png")],
        mask=("m.png", PNG, "image/png"),
        prompt="Add a bird",
        n=1,
    )
    assert edited.usage.input_tokens_details.image_tokens == 2 * 323
    single = await client.images.edit(image=("a.png", PNG, "image/png"), prompt="Add a bird")
    assert single.usage.input_tokens_details.image_tokens == 323
    for stream, kind in (
        (await client.images.generate(prompt="A tree", stream=True, partial_images=2), "image_generation"),
        (
            await client.images.edit(image=("a.png", PNG, "image/png"), prompt="A bird", stream=True, partial_images=2),
            "image_edit",
        ),
    ):
        events = [event async for event in stream]
        assert [event.type for event in events] == [f"{kind}.partial_image"] * 2 + [f"{kind}.completed"]
        assert events[-1].usage.total_tokens > 0


async def test_wrong_images(client: openai.AsyncOpenAI) -> None:
    for wrong in ({"size": "1000x1000"}, {"size": "3840x256"}, {"n": 11}, {"response_format": "url"}):
        with pytest.raises(openai.BadRequestError):
            await client.images.generate(prompt="A tree", **wrong)
    with pytest.raises(openai.BadRequestError):
        await client.images.edit(image=("a.txt", b"not a picture", "text/plain"), prompt="A bird")


async def test_speech_as_bytes_and_as_events(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    spoken = await client.audio.speech.create(
        model="tts-1", voice="alloy", input="Hello there", response_format="wav", speed=1.5
    )
    with wave.open(io.BytesIO(spoken.content)) as sound:
        assert (sound.getnchannels(), sound.getnframes()) == (1, 440)
    assert spoken.response.headers["content-type"] == "audio/wav"
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello " * 40
    ) as streamed:
        pieces = [piece async for piece in streamed.iter_bytes()]
    assert len(pieces) > 1
    assert sim.requests[1].nonce.encode() in b"".join(pieces)
    async with client.audio.speech.with_streaming_response.create(
        model="gpt-4o-mini-tts", voice="alloy", input="Hello " * 40, stream_format="sse"
    ) as events:
        lines = [line async for line in events.iter_lines() if line]
    assert lines[0].startswith('data: {"type":"speech.audio.delta"')
    assert '"speech.audio.done","usage"' in lines[-1]


async def test_transcription_in_every_format(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    async def heard(model: str = WHISPER, **options: object) -> object:
        return await client.audio.transcriptions.create(model=model, file=SOUND, **options)

    plain = await heard()
    assert plain.text.startswith(sim.requests[0].nonce)
    assert plain.usage.type == "duration"
    assert (await heard("gpt-transcribe", include=["logprobs"])).logprobs
    assert isinstance(await heard(response_format="text"), str)
    assert (await heard(response_format="srt")).startswith("1\n00:00:00,000 --> ")
    assert (await heard(response_format="vtt")).startswith("WEBVTT\n\n00:00:00.000 --> ")
    verbose = await heard(response_format="verbose_json", timestamp_granularities=["word", "segment"], language="de")
    assert (len(verbose.words), len(verbose.segments)) == (len(verbose.text.split()), 1)
    diarized = await heard("gpt-4o-transcribe-diarize", response_format="diarized_json", chunking_strategy="auto")
    assert {segment.speaker for segment in diarized.segments} == {"A", "B"}
    stream = await heard("gpt-4o-transcribe", stream=True)
    events = [event async for event in stream]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text
    assert events[-1].usage.total_tokens > 0
    vad = await heard("gpt-transcribe", chunking_strategy={"type": "server_vad", "threshold": 0.5}, temperature=0.2)
    assert vad.usage.type == "tokens"


async def test_wrong_sound(client: openai.AsyncOpenAI) -> None:
    for wrong in (
        {"model": "gpt-transcribe", "response_format": "srt"},
        {"model": WHISPER, "timestamp_granularities": ["word"]},
        {"model": WHISPER, "temperature": 1.5},
        {"model": WHISPER, "file": ("a.exe", b"MZ")},
    ):
        with pytest.raises(openai.BadRequestError):
            await client.audio.transcriptions.create(**{"file": SOUND, **wrong})


@pytest.mark.filterwarnings("ignore::DeprecationWarning:.*")
async def test_translation(sim: Simulator, client: openai.AsyncOpenAI) -> None:
    plain = await client.audio.translations.create(model=WHISPER, file=SOUND)
    assert plain.text.startswith(sim.requests[0].nonce)
    verbose = await client.audio.translations.create(model=WHISPER, file=SOUND, response_format="verbose_json")
    assert verbose.language == "english"
