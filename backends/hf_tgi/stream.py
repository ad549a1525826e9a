"""Readers of TGI's streams: its own, and what is particular in those of its OpenAI side.

Wire facts: each event is one token, ``data:{`` at releases built on axum 0.6 and ``data: {`` since. The last one also
carries ``generated_text`` (and ``details`` where asked for), and nothing follows it: there is no ``[DONE]``. The status
is always 200, so an error of any kind is an event ``{"error", "error_type"}``, behind which the stream closes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from backends.dialects.hugging_face import typed_error
from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_completions import CompletionStreamReader
from backends.dialects.openai_events import MAX_EVENT_BYTES, EventReader
from backends.errors import BackendError
from backends.hf_tgi.reading import read_token, usage_of
from backends.hf_tgi.values import Generation, GenerationToken
from backends.operation import Answer, SoFar
from backends.types import Chunk, Usage
from backends.wire.values import FormatError

__all__ = ["ChatReader", "CompletionReader", "GenerationReader"]


class GenerationReader(EventReader):
    """Assembles one streamed generation.

    The text of special tokens is in no chunk. The reply's ``text`` is the server's own ``generated_text``, which holds
    the prompt where ``return_full_text`` asked for it; its ``raw`` is the answer as it would have come whole.
    """

    __slots__ = ("_details", "_raw_tokens", "_raw_top", "_text", "_tokens", "_whole")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._text: list[str] = []
        self._tokens: list[GenerationToken] = []
        self._raw_tokens: list[Any] = []
        self._raw_top: list[Any] = []
        self._whole: str | None = None
        self._details: dict[str, Any] | None = None

    def failure(self, payload: dict[str, Any]) -> BackendError:
        """Return the typed error of an error event."""
        return typed_error(None, payload)

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one token; an event without one is passed over."""
        raw = payload.get("token")
        if raw is None:
            return ()
        token, whole = read_token(raw), payload.get("generated_text")
        if whole is not None and type(whole) is not str:
            raise FormatError("generated_text is not text")
        self._tokens.append(token)
        self._raw_tokens.append(raw)
        top = payload.get("top_tokens")
        if type(top) is list:
            self._raw_top.append(top)
        text = "" if token.special else token.text
        if text:
            self._text.append(text)
        if whole is None:
            return (Chunk(text, raw=payload),)
        self._whole = whole
        self.done = True
        details = payload.get("details")
        if type(details) is not dict:
            return (Chunk(text, raw=payload),)
        self._details = details
        finish = details.get("finish_reason")
        return (Chunk(text, "", (), finish if type(finish) is str else None, usage_of({}, details), raw=payload),)

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def so_far(self) -> SoFar:
        """Return what has come: a token an event; the prompt is counted with the last one alone."""
        if self._details is not None:
            return SoFar("".join(self._text), usage_of({}, self._details), counted=True)
        return SoFar("".join(self._text), Usage(output_tokens=len(self._tokens)))

    def ended(self) -> None:
        """``[DONE]`` before the last token is a cut, not an end."""
        raise FormatError("the stream ended without generated_text")

    def reply(self, answer: Answer) -> Generation:
        """Return the reply of the whole stream."""
        if self._whole is None:
            raise FormatError("the stream ended without generated_text")
        facts, details = answer.facts(), self._details
        facts["raw"] = {"generated_text": self._whole}
        if details is not None:
            rest = {**details, "prefill": [], "tokens": self._raw_tokens}
            facts["raw"]["details"] = {**rest, "top_tokens": self._raw_top} if self._raw_top else rest
        finish, seed = (details.get("finish_reason"), details.get("seed")) if details is not None else (None, None)
        return Generation(
            **facts,
            usage=usage_of({}, details) if details is not None else Usage(),
            model=answer.model,
            text=self._whole,
            texts=(self._whole,),
            finish_reason=finish if type(finish) is str else None,
            tokens=tuple(self._tokens),
            top_tokens=tuple(tuple(map(read_token, place)) for place in self._raw_top),
            seed=seed if type(seed) is int else None,
        )


class ChatReader(ChatStreamReader):
    """Streamed chat, whose error events say 422 whatever went wrong: the message decides."""

    __slots__ = ()

    def failure(self, payload: dict[str, Any]) -> BackendError:
        """Return the typed error of an error event."""
        return typed_error(None, payload)


class CompletionReader(CompletionStreamReader):
    """Streamed completion, with the same error events."""

    __slots__ = ()

    def failure(self, payload: dict[str, Any]) -> BackendError:
        """Return the typed error of an error event."""
        return typed_error(None, payload)
