"""Field tables of Ollama's own API, from ``api/types.go``.

The real server passes unknown fields; here they are refused, because a client that sends one has mistaken something.
Unknown options pass, as they do there.
"""

from __future__ import annotations

import binascii
from typing import Any

from conformance.simulators.shape import (
    Anything,
    Choice,
    Flag,
    Integer,
    Kind,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Problem,
    Record,
    Tagged,
    Text,
)

__all__ = ["CHAT", "COPY", "CREATE", "DELETE", "EMBED", "EMBEDDINGS", "GENERATE", "PULL", "PUSH", "SHOW"]


class Base64(Text):
    """Base64 text without any prefix."""

    def inspect(self, value: Any, path: str) -> Problem | None:
        """Go decodes it while it reads the JSON."""
        try:
            binascii.a2b_base64(value, strict_mode=True)
        except ValueError:
            return Problem(Kind.FORMAT, path, "base64", value[:80])
        return None


TEXT = Text()
_IMAGES = ListOf(Base64())
_NAMES = {"model": TEXT, "name": TEXT}
_DIGESTS = MapOf(Text(pattern="sha256:[0-9a-f]{64}"))
KEEP_ALIVE = OneOf(Number(), Text(pattern=r"[-+]?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h))+)"))
_WHOLE, _PART = Integer(), Number()
OPTIONS = Record(
    {},
    {
        **dict.fromkeys(("num_keep", "seed", "num_predict", "top_k", "repeat_last_n"), _WHOLE),
        **dict.fromkeys(("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread"), _WHOLE),
        **dict.fromkeys(("top_p", "min_p", "typical_p", "temperature", "repeat_penalty"), _PART),
        **dict.fromkeys(("presence_penalty", "frequency_penalty"), _PART),
        "use_mmap": Flag(),
        "stop": ListOf(TEXT),
    },
    open=True,
)
_CALL = Record({"function": Record({"name": TEXT, "arguments": MapOf(Anything())}, {"index": _WHOLE})}, {"id": TEXT})
_MESSAGE = Record(
    {"role": Choice("system", "user", "assistant", "tool")},
    {
        "content": TEXT,
        "thinking": TEXT,
        "images": _IMAGES,
        "tool_calls": ListOf(_CALL),
        "tool_name": TEXT,
        "tool_call_id": TEXT,
    },
)
_TOOL = Tagged(
    {
        "function": Record(
            {"function": Record({"name": TEXT}, {"description": TEXT, "parameters": MapOf(Anything())})},
            {"type": TEXT},
        )
    },
    default="function",
)
_COMMON = {
    "model": TEXT,
    "stream": Flag(),
    "format": OneOf(Choice("", "json"), MapOf(Anything())),
    "think": OneOf(Flag(), Choice("low", "medium", "high", "max")),
    "keep_alive": KEEP_ALIVE,
    "options": OPTIONS,
    "truncate": Flag(),
    "shift": Flag(),
    "logprobs": Flag(),
    "top_logprobs": Integer(0, 20),
}
CHAT = Record({}, {**_COMMON, "messages": ListOf(_MESSAGE), "tools": ListOf(_TOOL)})
GENERATE = Record(
    {},
    {
        **_COMMON,
        "prompt": TEXT,
        "suffix": TEXT,
        "system": TEXT,
        "template": TEXT,
        "raw": Flag(),
        "context": ListOf(_WHOLE),
        "images": _IMAGES,
        "width": _WHOLE,
        "height": _WHOLE,
        "steps": _WHOLE,
    },
)
EMBED = Record(
    {},
    {
        "model": TEXT,
        "input": Anything(),
        "truncate": Flag(),
        "dimensions": _WHOLE,
        "options": OPTIONS,
        "keep_alive": KEEP_ALIVE,
    },
)
EMBEDDINGS = Record({}, {"model": TEXT, "prompt": TEXT, "options": OPTIONS, "keep_alive": KEEP_ALIVE})
SHOW = Record({}, {**_NAMES, "verbose": Flag(), "system": TEXT, "template": TEXT, "options": OPTIONS})
PULL = PUSH = Record({}, {**_NAMES, "insecure": Flag(), "stream": Flag(), "username": TEXT, "password": TEXT})
DELETE = Record({}, _NAMES)
COPY = Record({}, {"source": TEXT, "destination": TEXT})
CREATE = Record(
    {},
    {
        **_NAMES,
        "stream": Flag(),
        "quantize": TEXT,
        "from": TEXT,
        "files": _DIGESTS,
        "adapters": _DIGESTS,
        "template": TEXT,
        "license": OneOf(TEXT, ListOf(TEXT)),
        "system": TEXT,
        "parameters": OPTIONS,
        "messages": ListOf(_MESSAGE),
    },
)
