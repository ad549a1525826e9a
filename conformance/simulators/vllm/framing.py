"""How vLLM's events become bytes: those of the OpenAI dialect. The server itself sends no pings; proxies before it do."""

from __future__ import annotations

from conformance.simulators.openai.framing import DONE, data_only, named, sse
from conformance.simulators.provider import Event, Part

__all__ = ["DONE", "NOISE", "frame", "named", "sse"]

frame = data_only
NOISE = (
    Event(raw=b": keep-alive\n\n", part=Part.EXTRA),
    Event({"object": "chat.completion.chunk", "choices": []}, part=Part.EXTRA),
)
