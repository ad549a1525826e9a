"""Readers of vLLM's chat and completion streams: the dialect's, and what this server adds to it in the reply's ``raw``.

Wire facts: recorded streams of vLLM 0.32.0. The first chunk has the prompt's tokens, every chunk may have
``token_ids``, the one that ends a choice its ``stop_reason``, the last one ``system_fingerprint``. Text deltas may hold
U+FFFD where a token ends inside a character. After an error object ``[DONE]`` still follows; nobody reads so far.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_completions import CompletionStreamReader
from backends.dialects.openai_events import MAX_EVENT_BYTES
from backends.operation import Answer
from backends.types import ChatReply, Chunk, CompletionReply

__all__ = ["ChatReader", "CompletionReader"]

_LATE: Final = ("system_fingerprint", "kv_transfer_params", "ec_transfer_params", "metrics")
_ONCE: Final = ("stop_reason", "prompt_token_ids", "prompt_logprobs")


class _Additions:
    """What came beside the dialect's own fields."""

    __slots__ = ("_choices", "_fields")

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}
        self._choices: dict[Any, dict[str, Any]] = {}

    def note(self, payload: dict[str, Any]) -> None:
        """Keep what one chunk adds."""
        for name in _LATE:
            if payload.get(name) is not None:
                self._fields[name] = payload[name]
        for choice in payload.get("choices") or ():
            kept = self._choices.setdefault(choice.get("index", 0), {})
            for name in _ONCE:
                if choice.get(name) is not None:
                    kept[name] = choice[name]
            if choice.get("token_ids"):
                kept.setdefault("token_ids", []).extend(choice["token_ids"])

    def add_to(self, raw: dict[str, Any]) -> None:
        """Put it where it stands in a whole answer."""
        raw.update(self._fields)
        for choice in raw["choices"]:
            choice["stop_reason"] = None
            choice.update(self._choices.get(choice["index"], {}))


class ChatReader(ChatStreamReader):
    """Assembles one streamed chat answer."""

    __slots__ = ("_additions",)

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._additions = _Additions()

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one chunk object."""
        self._additions.note(payload)
        return super().take(payload)

    def reply(self, answer: Answer) -> ChatReply:
        """Return the reply of the whole stream."""
        reply = super().reply(answer)
        self._additions.add_to(reply.raw)
        return reply


class CompletionReader(CompletionStreamReader):
    """Assembles one streamed completion."""

    __slots__ = ("_additions",)

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._additions = _Additions()

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one piece."""
        self._additions.note(payload)
        return super().take(payload)

    def reply(self, answer: Answer) -> CompletionReply:
        """Return the reply of the whole stream."""
        reply = super().reply(answer)
        self._additions.add_to(reply.raw)
        return reply
