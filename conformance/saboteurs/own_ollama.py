"""Sins of an Ollama backend: taking the native API for OpenAI's."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends.types import Chunk
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import receiving, replying, sending
from conformance.saboteurs.str_reading import Reading, reading

_sin: Final = partial(saboteur, subjects=("ollama",), alone=True)


@_sin("CAP-01", "leaves out that it wants no stream", case="chat async")
def lets_it_stream(backend: Any) -> None:
    """Here a stream is what comes unless told otherwise."""
    sending(backend, lambda body: {name: value for name, value in body.items() if name != "stream"})


@_sin("CAP-04", "sends the model's options beside the messages", case="sampling")
def options_at_the_top(backend: Any) -> None:
    """The server passes over them without a word."""
    sending(backend, lambda body: {**body.pop("options", {}), **body})


@_sin("CAP-04", "sends the arguments of tool calls as text", case="tool results")
def arguments_as_text(backend: Any) -> None:
    """OpenAI wants them so."""

    def texted(call: Any) -> Any:
        function = call["function"]
        return {**call, "function": {**function, "arguments": json.dumps(function["arguments"])}}

    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["messages"] = [
            {**message, "tool_calls": [texted(call) for call in message["tool_calls"]]}
            if "tool_calls" in message
            else message
            for message in body["messages"]
        ]
        return body

    sending(backend, change)


@_sin("CAP-04", "puts the thinking before the answer's text", case="thinking")
def thinks_in_tags(backend: Any) -> None:
    """As the tags used to."""
    replying(backend, lambda reply: replace(reply, text=f"<think>{reply.reasoning}</think>{reply.text}"))


@_sin("ERR-02", "reads an error at 200 as an empty answer")
def takes_errors_for_silence(backend: Any) -> None:
    """There was no message."""

    def change(data: Any) -> Any:
        return {"message": {"content": ""}, "done": True} if isinstance(data, dict) and "error" in data else data

    receiving(backend, change)


@_sin("STR-03", "passes over a line that holds an error")
def skips_error_lines(backend: Any) -> None:
    """It has no message to read."""

    class Blind(Reading):
        def feed(self, data: bytes) -> Iterable[Chunk]:
            return super().feed(data.replace(b'{"error"', b'{"note"'))

    reading(backend, Blind)
