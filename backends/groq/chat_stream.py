"""Reader of Groq's streamed chat: the dialect's chunks, and in ``x_groq`` the usage, the request id, the end that came
too early.

Usage comes with the last chunk always, and once more in a chunk of its own where ``include_usage`` was asked for: it is
reported once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from backends.dialects.openai_chat_stream import ChatStreamReader
from backends.dialects.openai_common import json_object
from backends.dialects.openai_errors import stream_error
from backends.dialects.openai_events import MAX_EVENT_BYTES
from backends.groq.facts import with_facts
from backends.operation import Answer
from backends.types import ChatReply, Chunk
from backends.wire.values import FormatError

__all__ = ["GroqStreamReader"]

_GATHERED = ("executed_tools", "annotations")
"""Lists of a message that come in pieces; an entry with an index replaces or extends the one of that index."""


class GroqStreamReader(ChatStreamReader):
    """Assembles one streamed answer. Its reply's ``raw`` is the answer as it would have come whole.

    Args:
        max_event_bytes: bound of one event.
        tier: the service tier asked for, by which the answer is priced where it names none.
    """

    __slots__ = ("_extra", "_gathered", "_tier")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES, tier: str | None = None) -> None:
        super().__init__(max_event_bytes)
        self._tier = tier
        self._extra: dict[str, Any] = {}
        self._gathered: dict[tuple[int, str], list[Any]] = {}

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one chunk object."""
        for choice in payload.get("choices") or ():
            delta = choice.get("delta")
            if delta and not delta.keys().isdisjoint(_GATHERED):
                self._gather(choice.get("index", 0), delta)
        if "x_groq" in payload or payload.get("usage"):
            return self._take_extra(payload)
        return super().take(payload)

    def _take_extra(self, payload: dict[str, Any]) -> Iterator[Chunk]:
        """Yield the chunks of a payload that says more than the dialect's: content first, then an error."""
        extra = json_object(payload.get("x_groq") or {})
        error, counts = extra.get("error"), extra.get("usage")
        self._extra.update((name, value) for name, value in extra.items() if name not in ("error", "usage"))
        told = self._usage is not None
        usage = {**(self._usage_raw or {}), **(counts or {}), **(payload.get("usage") or {})}
        for chunk in super().take({**payload, "usage": usage or None}):
            yield replace(chunk, raw=payload, usage=None if told else chunk.usage)
        if error:
            raise stream_error({"error": error if isinstance(error, dict) else {"message": str(error)}})

    def _gather(self, index: int, delta: dict[str, Any]) -> None:
        for name in _GATHERED:
            entries = delta.get(name)
            if entries is None:
                continue
            if type(entries) is not list:
                raise FormatError(f"{name} is not a list")
            known = self._gathered.setdefault((index, name), [])
            for entry in entries:
                _merge(known, entry)

    def reply(self, answer: Answer) -> ChatReply:
        """Return the reply of the whole stream."""
        return with_facts(super().reply(answer), self._tier)

    def _payload(self, head: dict[str, Any]) -> dict[str, Any]:
        """Build the answer as it would have come whole: usage at the top, and in ``x_groq`` what is left."""
        whole = super()._payload({name: value for name, value in head.items() if name != "x_groq"})
        for choice in whole["choices"]:
            for name in _GATHERED:
                if (choice["index"], name) in self._gathered:
                    choice["message"][name] = self._gathered[choice["index"], name]
        extra = dict(self._extra)
        if "usage_breakdown" in extra:
            whole["usage_breakdown"] = extra.pop("usage_breakdown")
        if extra:
            whole["x_groq"] = extra
        return whole


def _merge(known: list[Any], entry: Any) -> None:
    place = entry.get("index") if type(entry) is dict else None
    if type(place) is int:
        for number, other in enumerate(known):
            if type(other) is dict and other.get("index") == place:
                known[number] = {**other, **entry}
                return
    known.append(entry)
