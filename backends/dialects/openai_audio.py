"""Audio in the OpenAI dialect: how whole sound and transcripts read, and the readers of their streams (sound as plain
bytes or as events, transcripts as events)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from backends.dialects.openai_common import json_object, read_usage, text_of
from backends.dialects.openai_errors import raise_inside, stream_error
from backends.dialects.openai_events import EventReader
from backends.operation import Answer
from backends.parameters import bad_argument
from backends.types import Chunk, Usage
from backends.values import Speech, Transcript
from backends.wire.values import FormatError

__all__ = ["SpeechStreamReader", "TranscriptStreamReader", "read_speech", "read_transcript", "transcript_kind"]

_PLAIN: Final = frozenset({"text", "srt", "vtt"})


def transcript_kind(
    fields: Mapping[str, Any], provider: str, *, streamed: bool = False, streamable: Collection[str] = ("json",)
) -> Literal["text", "json"]:
    """Return what the answer's body is by the arguments of a call, which are checked against each other.

    Args:
        fields: of the call; ``json`` is the format of one that names none.
        provider: row name, for the error.
        streamed: whether it is a stream.
        streamable: formats that a stream may have.

    Raises:
        InvalidRequestError: times are asked for in a format that has none, or a format that is never streamed.
    """
    kind = fields.get("response_format")
    if "timestamp_granularities" in fields and kind != "verbose_json":
        bad_argument("timestamp_granularities needs response_format='verbose_json'", provider)
    if streamed and kind is not None and kind not in streamable:
        bad_argument(f"response_format {kind!r} cannot be streamed", provider)
    return "text" if kind in _PLAIN else "json"


def read_speech(answer: Answer) -> Speech:
    """Read a whole sound file.

    Raises:
        FormatError: it is empty, or JSON instead of sound.
    """
    data = answer.data
    kind = answer.headers.get("content-type")
    if not data:
        raise FormatError("there is no sound")
    if kind is not None and kind.startswith(("application/json", "text/html")):
        raise FormatError("it is not sound")
    return Speech(**{**answer.facts(), "raw": None}, model=answer.model, data=data, size=len(data), content_type=kind)


def read_transcript(answer: Answer) -> Transcript:
    """Read a whole transcript: the text itself, or JSON with or without times."""
    if isinstance(answer.data, str):
        return Transcript(**answer.facts(), model=answer.model, text=answer.data)
    data = json_object(answer.data)
    raise_inside(data)
    duration = data.get("duration")
    return Transcript(
        **answer.facts(),
        usage=read_usage(data.get("usage")),
        model=answer.model,
        text=text_of(data["text"]),
        language=data.get("language"),
        duration=float(duration) if duration is not None else None,
        segments=tuple(data.get("segments") or ()),
        words=tuple(data.get("words") or ()),
    )


class SpeechStreamReader(EventReader):
    """Sound on its way. Plain bytes have no end mark of their own: the end of the HTTP body is their end.

    Args:
        max_event_bytes: bound of one event.
        events: whether the sound comes in events (``speech.audio.delta``, ``speech.audio.done``).
        keep: whether the reply holds the sound; otherwise only its size is counted.
    """

    __slots__ = ("_events", "_keep", "_parts", "_size", "_usage")

    def __init__(self, max_event_bytes: int, *, events: bool, keep: bool) -> None:
        super().__init__(max_event_bytes)
        self._events = events
        self._keep = keep
        self._parts: list[bytes] = []
        self._size = 0
        self._usage = Usage()

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the sound in the next bytes."""
        if self._events:
            yield from super().feed(data)
        elif data:
            yield self._sound(data, None)

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one event; unknown ones are passed over."""
        kind = payload.get("type")
        if kind == "error":
            raise stream_error(payload)
        if kind == "speech.audio.delta":
            try:
                data = base64.b64decode(payload["audio"], validate=True)
            except binascii.Error:
                raise FormatError("sound is not base64") from None
            return (self._sound(data, payload),)
        if kind == "speech.audio.done":
            self._usage = read_usage(payload.get("usage"))
            self.done = True
            return (Chunk(finish_reason="stop", usage=self._usage, raw=payload),)
        return ()

    def _sound(self, data: bytes, raw: Any) -> Chunk:
        self._size += len(data)
        if self._keep:
            self._parts.append(data)
        return Chunk(raw=raw, data=data)

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the body as the end of plain sound."""
        if not self._events and self._size:
            self.done = True
        return ()

    def partial(self) -> bytes | None:
        """Return the sound so far where it is kept, None when there is none."""
        return b"".join(self._parts) or None

    def reply(self, answer: Answer) -> Speech:
        """Return the reply of the whole stream."""
        if not self._size:
            raise FormatError("there is no sound")
        kind = answer.headers.get("content-type")
        if kind is not None and kind.startswith(("application/json", "text/html")):
            raise FormatError("it is not sound")
        return Speech(
            **answer.facts(),
            usage=self._usage,
            model=answer.model,
            data=b"".join(self._parts),
            size=self._size,
            content_type=kind,
        )


class TranscriptStreamReader(EventReader):
    """Reads ``transcript.text.delta``, ``.segment`` and ``.done``."""

    __slots__ = ("_last", "_segments", "_text")

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._text: list[str] = []
        self._segments: list[Any] = []
        self._last: dict[str, Any] | None = None

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one event; unknown ones are passed over."""
        kind = payload.get("type")
        if kind == "transcript.text.delta":
            text = text_of(payload["delta"])
            self._text.append(text)
            return (Chunk(text, raw=payload),)
        if kind == "transcript.text.segment":
            self._segments.append(payload)
            return (Chunk(raw=payload),)
        if kind == "transcript.text.done":
            self._last = payload
            self.done = True
            return (Chunk(finish_reason="stop", usage=read_usage(payload.get("usage")), raw=payload),)
        if kind == "error":
            raise stream_error(payload)
        return ()

    def ended(self) -> None:
        """``[DONE]`` before the typed end is a cut, not an end."""
        raise FormatError("the stream ended without transcript.text.done")

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def reply(self, answer: Answer) -> Transcript:
        """Return the reply of the whole stream; ``raw`` is the last event."""
        if self._last is None:
            raise FormatError("the stream ended without transcript.text.done")
        facts = answer.facts()
        facts["raw"] = self._last
        return Transcript(
            **facts,
            usage=read_usage(self._last.get("usage")),
            model=answer.model,
            text=text_of(self._last.get("text")) or "".join(self._text),
            segments=tuple(self._segments),
        )
