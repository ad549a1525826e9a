"""A tiny provider over HTTPBackend and its subject, so that the harness is tested without depending on a real one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from backends.http import HTTPBackend
from backends.operation import Answer, Operation
from backends.provider import Provider
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream
from backends.types import ChatReply, Chunk, Usage
from backends.wire.sse import SSEDecoder
from conformance.subject import CallCase, Subject, standard_arguments


class _Reader:
    def __init__(self) -> None:
        self.done = False
        self._decoder = SSEDecoder(1 << 20)
        self._text = ""

    def feed(self, data: bytes) -> Iterable[Chunk]:
        for event in self._decoder.feed(data):
            if event.data == "[DONE]":
                self.done = True
                return
            payload = json.loads(event.data)
            for choice in payload.get("choices") or []:
                text = choice["delta"].get("content") or ""
                self._text += text
                yield Chunk(text=text, finish_reason=choice.get("finish_reason"), raw=payload)

    def finish(self) -> Iterable[Chunk]:
        return ()

    def partial(self) -> Any:
        return self._text or None

    def reply(self, answer: Answer) -> ChatReply:
        return ChatReply(text=self._text, **answer.facts())


class Parrot(HTTPBackend):
    provider = Provider("openai", "Parrot", "https://api.openai.com/v1", True, ("PARROT_API_KEY",))

    def _operation(self, text: str, stream: bool) -> Operation[ChatReply]:
        body: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}
        if stream:
            body["stream"] = True
        return Operation(
            "chat", _read, "/chat/completions", body=body, model="gpt-5-mini", stream=_Reader if stream else None
        )

    async def achat(self, text: str, **options: Any) -> ChatReply:
        return await self._perform(self._operation(text, False), options)  # type: ignore[arg-type]

    def astream_chat(self, text: str, **options: Any) -> AsyncStream[ChatReply]:
        return self._stream(self._operation(text, True), options)  # type: ignore[arg-type]

    chat = blocking(achat)
    stream_chat = blocking_stream(astream_chat)


def _read(answer: Answer) -> ChatReply:
    message, usage = answer.data["choices"][0]["message"], answer.data["usage"]
    return ChatReply(
        text=message["content"], usage=Usage(usage["prompt_tokens"], usage["completion_tokens"]), **answer.facts()
    )


PARROT = Subject(
    name="openai",
    title="Parrot",
    tags=frozenset({"http", "keys", "key_required", "chat", "stream", "sync", "usage"}),
    make=lambda site, **settings: Parrot(**standard_arguments(site, settings)),
    call=lambda backend, text, **options: backend.achat(text, **options),
    call_name="chat",
    call_arguments=lambda text: (text,),
    call_path="*/chat/completions",
    stream=lambda backend, text, **options: backend.astream_chat(text, **options),
    stream_name="stream_chat",
    provider="openai",
    sources=(__name__,),
    declared={"chat": CallCase(route="POST */chat/completions", run=lambda backend: backend.achat("hello"))},
)
