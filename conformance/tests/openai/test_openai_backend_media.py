"""Images and audio against the simulator."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from backends import OpenAI, errors
from conformance.simulators.faults import CutAfter, Fault, Status
from conformance.simulators.server import Simulator

PNG = b"\x89PNG\r\n\x1a\n and more"
SOUND = b"RIFF....WAVE and more"


def names_in(directory: Path) -> list[str]:
    return sorted(entry.name for entry in directory.iterdir())


async def test_images_are_decoded(sim: Simulator, backend: OpenAI) -> None:
    made = await backend.agenerate_image("a cat", n=2, size="1024x1024", quality="low")
    assert [image.data[:8] for image in made.images] == [PNG[:8]] * 2
    assert sim.requests[0].nonce.encode() in made.images[0].data
    assert made.usage.total_tokens == made.raw["usage"]["total_tokens"]
    assert sim.requests[0].json == {
        "model": "gpt-image-2",
        "prompt": "a cat",
        "n": 2,
        "size": "1024x1024",
        "quality": "low",
    }


async def test_partial_images_come_before_the_whole(sim: Simulator, backend: OpenAI) -> None:
    stream = backend.astream_image("a cat", partial_images=2)
    chunks = [chunk async for chunk in stream]
    assert len(chunks) == 3
    assert all(chunk.data and chunk.data[:4] == b"\x89PNG" for chunk in chunks)
    assert chunks[-1].data == stream.reply.images[0].data
    assert chunks[-1].usage == stream.reply.usage
    assert chunks[-1].finish_reason == "stop"


async def test_edits_take_one_picture_or_several_and_a_mask(sim: Simulator, backend: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    path.write_bytes(PNG)
    one = await backend.aedit_image(path, "a hat", input_fidelity="high")
    assert one.images[0].data[:4] == b"\x89PNG"
    several = await backend.aedit_image([PNG, ("dog.png", PNG)], "a hat", mask=io.BytesIO(PNG))
    assert several.images
    assert b'name="image"; filename="cat.png"' in sim.requests[0].body
    assert sim.requests[1].body.count(b'name="image[]"') == 2
    assert b'name="mask"' in sim.requests[1].body
    stream = backend.astream_image_edit(PNG, "a hat", partial_images=1)
    assert len([chunk async for chunk in stream]) == 2
    assert stream.reply.images


async def test_speech_whole_streamed_and_in_events(sim: Simulator, backend: OpenAI) -> None:
    said = await backend.aspeech("hello there", response_format="wav", speed=1.5)
    assert sim.requests[0].json == {
        "model": "gpt-4o-mini-tts",
        "input": "hello there",
        "voice": "alloy",
        "response_format": "wav",
        "speed": 1.5,
    }
    with wave.open(io.BytesIO(said.data)) as sound:
        assert sound.getnchannels() == 1
    assert said.content_type is not None
    assert said.content_type.startswith("audio/")
    assert said.size == len(said.data)
    stream = backend.astream_speech("hello there", response_format="wav")
    pieces = [chunk.data async for chunk in stream]
    assert b"".join(piece for piece in pieces if piece) == stream.reply.data
    assert stream.reply.data[:4] == b"RIFF"
    events = backend.astream_speech("hello there", response_format="wav", stream_format="sse")
    chunks = [chunk async for chunk in events]
    assert b"".join(chunk.data for chunk in chunks if chunk.data)[:4] == b"RIFF"
    assert events.reply.usage.total_tokens


async def test_speech_lands_in_a_file_only_when_whole(sim: Simulator, backend: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "hello.wav"
    said = await backend.aspeech_to_file("hello there", path, response_format="wav")
    assert said.size == path.stat().st_size > 0
    assert said.data == b""
    assert path.read_bytes()[:4] == b"RIFF"
    before = path.read_bytes()
    sim.script(Fault(CutAfter(40), path="*/audio/speech", nth=1))
    with pytest.raises(errors.BackendError):
        await backend.aspeech_to_file("hello again", path, response_format="wav")
    assert not sim.unfired()
    assert path.read_bytes() == before
    assert names_in(tmp_path) == ["hello.wav"]
    sim.script(Fault(Status(400), path="*/audio/speech", nth=1))
    with pytest.raises(errors.InvalidRequestError):
        await backend.aspeech_to_file("hello", tmp_path / "other.wav")
    with pytest.raises(errors.ConfigurationError, match="cannot be written"):
        await backend.aspeech_to_file("hello", tmp_path / "missing" / "x.wav")
    assert names_in(tmp_path) == ["hello.wav"]


@pytest.mark.parametrize("kind", ["json", "text", "srt", "vtt", "verbose_json"])
async def test_every_format_of_transcripts(sim: Simulator, backend: OpenAI, kind: str) -> None:
    model = "whisper-1" if kind in ("srt", "vtt", "verbose_json") else "gpt-transcribe"
    heard = await backend.atranscribe(("talk.wav", SOUND), model=model, response_format=kind, language="en")
    assert sim.requests[0].nonce in heard.text
    if kind == "verbose_json":
        assert heard.duration
        assert heard.language
        assert heard.segments
    if kind in ("srt", "vtt"):
        assert "-->" in heard.text


async def test_transcripts_of_words_and_speakers(sim: Simulator, backend: OpenAI) -> None:
    timed = await backend.atranscribe(
        SOUND, model="whisper-1", response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert timed.words
    assert sim.requests[0].body.count(b'name="timestamp_granularities[]"') == 2
    spoken = await backend.atranscribe(
        SOUND,
        model="gpt-4o-transcribe-diarize",
        response_format="diarized_json",
        chunking_strategy={"type": "server_vad", "threshold": 0.5},
    )
    assert spoken.segments
    assert b'name="chunking_strategy[type]"\r\n\r\nserver_vad' in sim.requests[1].body


async def test_uploads_from_path_bytes_and_file_object(sim: Simulator, backend: OpenAI, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    path.write_bytes(SOUND)
    with path.open("rb") as opened:
        for given in (path, str(path), SOUND, opened, io.BytesIO(SOUND), ("named.wav", io.BytesIO(SOUND))):
            assert (await backend.atranscribe(given)).text
    names = [seen.body.split(b'filename="')[1].split(b'"')[0] for seen in sim.requests]
    assert names == [b"talk.wav", b"talk.wav", b"file.wav", b"talk.wav", b"file.wav", b"named.wav"]
    assert all(SOUND in seen.body for seen in sim.requests)


async def test_transcripts_as_they_are_recognised(sim: Simulator, backend: OpenAI) -> None:
    stream = backend.astream_transcribe(SOUND, model="gpt-4o-transcribe")
    text = "".join([chunk.text async for chunk in stream])
    assert text == stream.reply.text
    assert sim.requests[0].nonce in text
    assert stream.reply.usage.total_tokens


async def test_translation(sim: Simulator, backend: OpenAI) -> None:
    heard = await backend.atranslate(SOUND, temperature=0.2, prompt="sea")
    assert sim.requests[0].path.endswith("/audio/translations")
    assert b"whisper-1" in sim.requests[0].body
    assert sim.requests[0].nonce in heard.text


async def test_a_form_is_sent_again_byte_for_byte(sim: Simulator, backend: OpenAI) -> None:
    sim.script(Fault(Status(500), path="*/transcriptions", nth=1))
    heard = await backend.atranscribe(SOUND)
    assert heard.attempts == 2
    assert sim.requests[0].body == sim.requests[1].body


async def test_what_is_not_sound_or_not_an_image(answering: Callable[..., OpenAI]) -> None:
    for answer in ({"x": 1}, lambda request: httpx.Response(200, content=b"", request=request)):
        backend = answering(answer)
        with pytest.raises(errors.ResponseFormatError):
            await backend.aspeech("hi")
        await backend.aclose()
    for body in ({"data": []}, {"data": [{"b64_json": "*"}]}, {"data": [{}]}, {}):
        backend = answering(body)
        with pytest.raises(errors.ResponseFormatError):
            await backend.agenerate_image("a cat")
        await backend.aclose()
