"""Reader of streamed answers: server-sent events in, chunks out, the whole reply at the end.

Wire facts: each event is ``data:`` and one whole ``GenerateContentResponse`` of which the text is new and the counts
are those so far. There is no terminator: the connection ends, and the answer is whole when every candidate has its
``finishReason``. Models of the past said ``STOP`` in every event, so that word alone ends nothing. An error comes as
an event ``{"error": ...}``, or as bare JSON between the events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from backends.gemini.answers import (
    Pieces,
    candidates_of,
    facts_of,
    made_reply,
    raise_when_blocked,
    read_parts,
    usage_of,
)
from backends.gemini.core import text_in
from backends.gemini.failures import typed_error
from backends.gemini.values import GeminiReply
from backends.operation import Answer, SoFar
from backends.types import Chunk, ToolCallDelta
from backends.wire.jsontext import loads
from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError

__all__ = ["GenerationReader"]

_BARE: Final = re.compile(rb"(?<=[\r\n])[{\[]")
_LONGEST_BARE: Final = 65_536
_JOINED: Final = ({"text"}, {"text", "thought"})
"""Names in parts that can be joined to the part before: text, and nothing else that would be lost."""


class _Candidate:
    """One candidate as it grows."""

    __slots__ = ("last", "parts", "pieces")

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.pieces = Pieces()
        self.last: dict[str, Any] = {}

    def add(self, parts: list[Any], pieces: Pieces, candidate: dict[str, Any]) -> None:
        for part in parts:
            before = self.parts[-1] if self.parts else {}
            if part.keys() in _JOINED and part.keys() == before.keys() and part.get("thought") == before.get("thought"):
                before["text"].append(part["text"])
            else:
                self.parts.append({**part, "text": [part["text"]]} if "text" in part else part)
        for name in Pieces.__slots__:
            getattr(self.pieces, name).extend(getattr(pieces, name))
        self.last = {**self.last, **{name: value for name, value in candidate.items() if name != "content"}}

    def payload(self) -> dict[str, Any]:
        """Return the candidate as it would have come whole."""
        parts = [{**part, "text": "".join(part["text"])} if "text" in part else part for part in self.parts]
        return {"content": {"parts": parts, "role": "model"}, **self.last} if parts else self.last


class GenerationReader:
    """Assembles one streamed answer.

    Args:
        max_event_bytes: bound of one event.
        model: the model asked for, for errors.
    """

    __slots__ = ("_at_line_start", "_bare", "_candidates", "_decoder", "_head", "_model", "done")

    def __init__(self, max_event_bytes: int, model: str) -> None:
        self._decoder = SSEDecoder(max_event_bytes)
        self._model = model
        self._candidates: dict[int, _Candidate] = {}
        self._head: dict[str, Any] = {}
        self._at_line_start = True
        self._bare: bytearray | None = None
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete, each before a later error in the same bytes is raised.

        Raises:
            BackendError: the provider sent an error, or blocked the prompt or the whole answer.
            FormatError: an event is not an answer.
        """
        if self._bare is None:
            start = self._bare_start(data)
            events = self._decoder.feed(data if start is None else data[:start])
            self._at_line_start = data[-1:] in (b"\r", b"\n") if data else self._at_line_start
            for event in events:
                if event.event is None and event.data:
                    yield from self._take(loads(event.data))
            if start is None:
                return
            self._bare, data = bytearray(), data[start:]
        self._bare += data[: _LONGEST_BARE - len(self._bare)]

    def _bare_start(self, data: bytes) -> int | None:
        """Return where JSON begins that stands in no event."""
        if self._at_line_start and data[:1] in (b"{", b"["):
            return 0
        found = _BARE.search(data)
        return None if found is None else found.start()

    def _take(self, payload: Any) -> Iterable[Chunk]:
        if type(payload) is not dict:
            raise FormatError("a stream event is not a JSON object")
        if payload.get("error"):
            raise typed_error(None, payload, model=self._model)
        candidates = candidates_of(payload)
        read = [read_parts(candidate) for candidate in candidates]
        came = any(candidate.parts for candidate in self._candidates.values()) or any(parts for parts, _ in read)
        finishes = [(candidate.get("finishReason"), candidate.get("finishMessage")) for candidate in candidates]
        raise_when_blocked(payload, finishes, came=came)
        self._head.update((name, value) for name, value in payload.items() if name != "candidates")
        chunks = [
            self._chunk(candidate, parts, pieces, payload)
            for candidate, (parts, pieces) in zip(candidates, read, strict=True)
        ]
        if payload.get("usageMetadata") is not None and (not chunks or chunks[-1].finish_reason):
            last = chunks.pop() if chunks else Chunk(raw=payload)
            chunks.append(replace(last, usage=usage_of(payload)))
        return chunks

    def _chunk(self, candidate: dict[str, Any], parts: list[Any], pieces: Pieces, payload: dict[str, Any]) -> Chunk:
        index = candidate.get("index", 0)
        if type(index) is not int or index < 0:
            raise FormatError("a candidate has no number")
        known = self._candidates.setdefault(index, _Candidate())
        first = len(known.pieces.calls)
        known.add(parts, pieces, candidate)
        return Chunk(
            "".join(pieces.text),
            "".join(pieces.thoughts),
            tuple(
                ToolCallDelta(first + place, call.id, call.name, call.arguments, call.type)
                for place, call in enumerate(pieces.calls)
            ),
            text_in(candidate, "finishReason"),
            None,
            index,
            payload,
            b"".join(media.data for media in pieces.media) or None,
        )

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the bytes as the end of the answer, if every candidate has ended.

        Raises:
            BackendError: bare JSON at the end is the provider's error.
        """
        if self._bare is not None:
            self._raise_bare(bytes(self._bare))
        ended = [text_in(candidate.last, "finishReason") is not None for candidate in self._candidates.values()]
        self.done = bool(ended) and all(ended)
        return ()

    def _raise_bare(self, data: bytes) -> None:
        try:
            payload = loads(data)
        except FormatError:
            return  # cut short, which the caller says
        body = payload[0] if type(payload) is list and payload else payload
        if type(body) is dict and body.get("error"):
            raise typed_error(None, body, model=self._model)

    def partial(self) -> str | None:
        """Return the text of the first candidate so far, None when there is none."""
        if not self._candidates:
            return None
        return "".join(self._candidates[min(self._candidates)].pieces.text) or None

    def so_far(self) -> SoFar:
        """Return what has come; every event carries the counts up to itself."""
        words = [
            part
            for candidate in self._candidates.values()
            for part in (
                *candidate.pieces.thoughts,
                *candidate.pieces.text,
                *(call.arguments for call in candidate.pieces.calls),
            )
        ]
        raw = {**self._head, "candidates": [candidate.last for candidate in self._candidates.values()]}
        told = type(self._head.get("usageMetadata")) is dict
        model = text_in(self._head, "modelVersion") or self._model
        return SoFar("".join(words), usage_of(self._head), told, model, raw)

    def reply(self, answer: Answer) -> GeminiReply:
        """Return the whole reply of a finished stream; its ``raw`` is the answer as it would have come whole."""
        ordered = [self._candidates[index] for index in sorted(self._candidates)]
        data = {"candidates": [candidate.payload() for candidate in ordered], **self._head}
        return made_reply(facts_of(answer, data), [candidate.pieces for candidate in ordered], ordered[0].last)
