"""Answers of ``generateContent`` read into replies: text, thoughts, tool calls, media, usage; embeddings and counts.

Wire facts: an answer is candidates of parts; a part with ``thought: true`` is a summary of thinking, not answer text.
Tool calls end with ``STOP``. A blocked prompt is a 200 without candidates; a blocked answer is a candidate whose
``finishReason`` says so and that usually has no content. Zero counts may be left out.

What we make of a block: where nothing of the answer came there is no reply but a ContentFilterError; where something
came before, it is returned, with the provider's word as ``finish_reason``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backends.dialects.openai_common import arguments_text, count, json_object
from backends.dialects.openai_embeddings import read_vector
from backends.gemini.core import text_in
from backends.gemini.failures import blocked, raise_inside
from backends.gemini.values import FunctionCall, GeminiReply, Media
from backends.operation import Answer
from backends.types import Embeddings, TokenCount, Usage
from backends.wire.values import FormatError

__all__ = [
    "Pieces",
    "candidates_of",
    "facts_of",
    "raise_when_blocked",
    "read_count",
    "read_embeddings",
    "read_parts",
    "read_reply",
    "usage_of",
]

_BLOCKED: Final = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    }
)
_PICTURES: Final = ("IMAGE", "VIDEO", "DOCUMENT")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


@dataclass(slots=True)
class Pieces:
    """What some parts of one candidate hold."""

    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[FunctionCall] = field(default_factory=list)
    media: list[Media] = field(default_factory=list)


def candidates_of(data: Mapping[str, Any]) -> list[Any]:
    """Return the candidates of an answer or of one event, an empty list when it has none.

    Raises:
        FormatError: they are not a list.
    """
    candidates = data.get("candidates")
    if candidates is None:
        return []
    if type(candidates) is not list:
        raise FormatError("candidates is not a list")
    return candidates


def read_parts(candidate: Mapping[str, Any]) -> tuple[list[Any], Pieces]:
    """Return the parts of a candidate as they came, and what they hold; code and its results stay in ``raw`` alone.

    Raises:
        FormatError: a part is not what it says.
    """
    content = candidate.get("content")
    parts = content.get("parts") if content is not None else None
    if parts is None:
        return [], Pieces()
    if type(parts) is not list:
        raise FormatError("parts is not a list")
    pieces = Pieces()
    for part in parts:
        text = part.get("text")
        if text is not None:
            if type(text) is not str:
                raise FormatError("text is not text")
            (pieces.thoughts if part.get("thought") is True else pieces.text).append(text)
        call, blob = part.get("functionCall"), part.get("inlineData")
        if call is not None:
            pieces.calls.append(_call(call, part))
        if blob is not None and part.get("thought") is not True:
            pieces.media.append(_media(blob))
    return parts, pieces


def _call(call: Any, part: Mapping[str, Any]) -> FunctionCall:
    name = call["name"]
    if type(name) is not str or not name:
        raise FormatError("a tool call has no name")
    arguments = call.get("args")
    if arguments is not None and type(arguments) is not dict:
        raise FormatError("the arguments of a tool call are not an object")
    return FunctionCall(
        text_in(call, "id") or "", name, arguments_text(arguments or {}), signature=text_in(part, "thoughtSignature")
    )


def _media(blob: Any) -> Media:
    try:
        data = base64.b64decode(blob["data"].encode("ascii").translate(_URL_SAFE), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise FormatError("inline data is not base64") from None
    return Media(text_in(blob, "mimeType") or "application/octet-stream", data)


def usage_of(data: Mapping[str, Any]) -> Usage:
    """Return the token counts of an answer; all None where it brings none.

    The provider counts thoughts and the prompts of its own tools apart: here they are part of output and input, as
    everywhere in this library, and the thoughts stand in ``reasoning_tokens`` besides. Cached tokens are part of the
    prompt already.
    """
    usage = data.get("usageMetadata")
    if type(usage) is not dict:
        return Usage()
    given = (count(usage.get("promptTokenCount")) or 0) + (count(usage.get("toolUsePromptTokenCount")) or 0)
    thoughts = count(usage.get("thoughtsTokenCount"))
    made = (count(usage.get("candidatesTokenCount")) or 0) + (thoughts or 0)
    total = count(usage.get("totalTokenCount"))
    heard, seen = _apart(usage, "promptTokensDetails")
    spoken, drawn = _apart(usage, "candidatesTokensDetails")
    audio = None if heard is None and spoken is None else (heard or 0) + (spoken or 0)
    return Usage(
        given,
        made,
        given + made if total is None else total,
        cached_tokens=count(usage.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        audio_tokens=audio,
        audio_output_tokens=None if audio is None else spoken or 0,
        image_tokens=seen,
        image_output_tokens=drawn,
    )


def _apart(usage: Mapping[str, Any], name: str) -> tuple[int | None, int | None]:
    """Return the tokens of sound, and of pictures, video and documents; None where there are none."""
    sound = pictures = None
    details = usage.get(name)
    for entry in details if type(details) is list else ():
        kind = entry.get("modality") if type(entry) is dict else None
        if kind == "AUDIO":
            sound = (sound or 0) + (count(entry.get("tokenCount")) or 0)
        elif kind in _PICTURES:
            pictures = (pictures or 0) + (count(entry.get("tokenCount")) or 0)
    return sound, pictures


def raise_when_blocked(data: Mapping[str, Any], finishes: Iterable[tuple[Any, Any]], *, came: bool) -> None:
    """Raise where policy let nothing of an answer through.

    Args:
        data: the answer, or one event of a stream.
        finishes: ``finishReason`` and ``finishMessage`` of each candidate of it.
        came: whether anything of the answer has come.

    Raises:
        ContentFilterError: it did not.
    """
    if came:
        return
    feedback = data.get("promptFeedback") or {}
    reason = text_in(feedback, "blockReason")
    if reason is not None:
        raise blocked(reason, text_in(feedback, "blockReasonMessage") or "", prompt=True)
    for finish, message in finishes:
        if finish in _BLOCKED:
            raise blocked(finish, message if isinstance(message, str) else "", prompt=False)


def facts_of(answer: Answer, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a reply that do not depend on its candidates."""
    return {
        **answer.facts(),
        "raw": data,
        "usage": usage_of(data),
        "model": text_in(data, "modelVersion") or answer.model,
        "provider_request_id": text_in(data, "responseId"),
    }


def read_reply(answer: Answer) -> GeminiReply:
    """Read a whole answer.

    Raises:
        ContentFilterError: the prompt, or the whole answer, was blocked.
        FormatError: it has no candidates, or one is malformed.
    """
    raise_inside(answer.data, answer.model)
    data = json_object(answer.data)
    candidates = candidates_of(data)
    if len(candidates) > 1:
        candidates = sorted(candidates, key=lambda candidate: candidate.get("index") or 0)
    read = [read_parts(candidate) for candidate in candidates]
    finishes = [(candidate.get("finishReason"), candidate.get("finishMessage")) for candidate in candidates]
    raise_when_blocked(data, finishes, came=any(parts for parts, _ in read))
    if not candidates:
        raise FormatError("the answer has no candidates")
    return made_reply(facts_of(answer, data), [pieces for _, pieces in read], candidates[0])


def made_reply(facts: Mapping[str, Any], read: Sequence[Pieces], first: Mapping[str, Any]) -> GeminiReply:
    """Return a reply; its text, calls and media are those of the first candidate."""
    texts = tuple("".join(pieces.text) for pieces in read)
    return GeminiReply(
        **facts,
        text=texts[0],
        finish_reason=text_in(first, "finishReason"),
        tool_calls=tuple(read[0].calls),
        reasoning="".join(read[0].thoughts) or None,
        logprobs=first.get("logprobsResult"),
        texts=texts,
        media=tuple(read[0].media),
    )


def read_embeddings(answer: Answer, number: int) -> Embeddings:
    """Read the vectors, which come in the order of their texts.

    Raises:
        FormatError: one is missing, is not numbers, or differs in length from the rest.
    """
    raise_inside(answer.data, answer.model)
    data = json_object(answer.data)
    rows = [data["embedding"]] if "embedding" in data else data["embeddings"]
    if type(rows) is not list or len(rows) != number:
        raise FormatError(f"{len(rows) if type(rows) is list else 'no'} vectors came for {number} texts")
    vectors = tuple(read_vector(row["values"]) for row in rows)
    if len({*map(len, vectors)}) != 1:
        raise FormatError("the vectors differ in length")
    given = usage_of(data).input_tokens
    return Embeddings(**answer.facts(), usage=Usage(given, None, given), model=answer.model, vectors=vectors)


def read_count(answer: Answer) -> TokenCount:
    """Read a count of tokens; a zero may be left out."""
    raise_inside(answer.data, answer.model)
    tokens = count(json_object(answer.data).get("totalTokens", 0))
    if tokens is None:
        raise FormatError("the count is not a number")
    return TokenCount(tokens, estimated=False, method="provider")
