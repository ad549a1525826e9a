"""Reader of every stream of an OPEA service: three dialects, told apart event by event.

Wire facts: an event is ``data: b'...'`` (a token as a bytes literal), ``data: {"choices": ...}`` (an OpenAI chunk passed
through) or ``data: {"ops": [...]}`` (patches of a run log); the end is ``data: [DONE]``. There is no error event:
ChatQnA drops what it cannot read, so an answer without a word hides a failure; DocSum wraps it into a literal instead,
where it is found here. ``[DONE]`` does not prove that an answer is complete. A guardrail's refusal comes as the text.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from typing import Any, Final

from backends.dialects.openai_common import read_usage, text_of
from backends.dialects.openai_errors import stream_error
from backends.opea.disguises import raise_refusal
from backends.opea.literals import is_literal, read_literal
from backends.operation import Answer, SoFar
from backends.types import ChatReply, Chunk, Usage
from backends.wire.jsontext import loads
from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError

__all__ = ["AnswerReader", "counted"]

_KNOWN: Final = frozenset({"choices", "ops", "error", "detail"})
_TOKENS: Final = "/streamed_output_str/-"
"""Where a run log holds a token; the same token stands in other places of the same patch, too."""


class AnswerReader:
    """Assembles one streamed answer. Its reply's ``raw`` is the answer as a service would have sent it whole.

    Args:
        service: whose answer; names the model where the stream does not.
        max_event_bytes: bound of one event.
    """

    __slots__ = (
        "_bytes",
        "_content",
        "_decoder",
        "_finish",
        "_head",
        "_service",
        "_text",
        "_usage",
        "_usage_raw",
        "done",
    )

    def __init__(self, service: str, max_event_bytes: int) -> None:
        self._service = service
        self._decoder = SSEDecoder(max_event_bytes)
        self._bytes = codecs.getincrementaldecoder("utf-8")()
        self._text: list[str] = []
        self._content = False
        self._head: dict[str, Any] = {}
        self._finish: str | None = None
        self._usage = Usage()
        self._usage_raw: Any = None
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete, each before a later error in the same bytes is raised.

        Raises:
            BackendError: an error of a service behind this one, or a guardrail's refusal.
            FormatError: an event is of none of the dialects, or the answer ended without a word.
        """
        for event in () if self.done else self._decoder.feed(data):
            text = event.data
            if text.strip() == "[DONE]":
                self._end()
                return
            if event.event is None and text.strip():
                yield from self._take(text)

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the bytes; an event without its blank line is not an event."""
        return ()

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._text) or None

    def so_far(self) -> SoFar:
        """Return what has come, and the counts where the service tells any."""
        return SoFar("".join(self._text), self._usage, self._usage.output_tokens is not None)

    def reply(self, answer: Answer) -> ChatReply:
        """Return the reply of the whole stream."""
        text = "".join(self._text)
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": self._finish}]
        model = self._head.get("model")
        return ChatReply(
            **{**answer.facts(), "raw": {**self._head, "choices": choices, "usage": self._usage_raw}},
            usage=self._usage,
            model=model if isinstance(model, str) else self._service,
            text=text,
            texts=(text,),
            finish_reason=self._finish,
        )

    def _take(self, text: str) -> Iterator[Chunk]:
        if text[0] == "{":
            yield from self._take_payload(loads(text))
            return
        if not is_literal(text):
            raise FormatError("a stream event is neither JSON nor a bytes literal")
        content = read_literal(text)
        wrapped = _payloads(content) if content[:1] == b"{" else None
        if wrapped is None:
            yield self._chunk(self._decoded(content), text)
            return
        for payload in wrapped:
            yield from self._take_payload(payload)

    def _take_payload(self, payload: Any) -> Iterator[Chunk]:
        """Read one JSON object; what says nothing is passed over."""
        if not isinstance(payload, dict):
            raise FormatError("a stream event is not a JSON object")
        if payload.get("error") or payload.get("object") == "error" or payload.get("detail"):
            raise stream_error(payload)
        if type(payload.get("ops")) is list:
            yield self._chunk("".join(map(_token, payload["ops"])), payload)
        elif "choices" in payload:
            yield self._take_choices(payload)
        elif isinstance(payload.get("text"), str):
            yield self._chunk(payload["text"], payload)

    def _take_choices(self, payload: dict[str, Any]) -> Chunk:
        if not self._head:
            self._head = {name: value for name, value in payload.items() if name not in ("choices", "usage")}
        usage = None
        if payload.get("usage"):
            self._usage_raw = payload["usage"]
            usage = self._usage = counted(payload["usage"])
        if not payload["choices"]:
            return Chunk(usage=usage, raw=payload)
        choice = payload["choices"][0]
        finish = choice.get("finish_reason")
        if finish:
            self._finish, self._content = finish, True
        said = choice.get("text") if "delta" not in choice else (choice["delta"] or {}).get("content")
        return self._chunk(text_of(said), payload, finish, usage)

    def _chunk(self, text: str, raw: Any, finish: str | None = None, usage: Usage | None = None) -> Chunk:
        if text:
            if not self._text:
                raise_refusal(text)  # a refusal is a single event, so it is found before anything is handed out
            self._content = True
            self._text.append(text)
        return Chunk(text, finish_reason=finish, usage=usage, raw=raw)

    def _decoded(self, content: bytes, *, final: bool = False) -> str:
        """Return text; every event holds whole characters, but one that was cut goes on in the next event."""
        try:
            return self._bytes.decode(content, final)
        except UnicodeDecodeError:
            raise FormatError("a token is not UTF-8 text") from None

    def _end(self) -> None:
        self._decoded(b"", final=True)
        if not self._content:
            raise FormatError("it ended without a word, which hides the failure of a service behind it")
        raise_refusal("".join(self._text))  # word by word, where the guardrail stands behind the model
        self.done = True


def counted(usage: Any) -> Usage:
    """Return token counts; megaservices send zeros because they count nothing, which is not a count."""
    found = read_usage(usage)
    return found if found.input_tokens or found.output_tokens else Usage()


def _token(operation: Any) -> str:
    path, value = operation["path"], operation.get("value")
    return value if isinstance(value, str) and isinstance(path, str) and path.endswith(_TOKENS) else ""


def _payloads(content: bytes) -> list[dict[str, Any]] | None:
    """Return the objects inside a literal that DocSum wrapped because it could not read them: an error, a usage report,
    a whole answer, or two events that had come in one piece. None where it is a text that happens to begin with a brace.
    """
    found: list[dict[str, Any]] = []
    for piece in content.split(b"\n\ndata: "):
        try:
            payload = loads(piece)
        except FormatError:
            return None
        if not isinstance(payload, dict) or not (
            payload.keys() & _KNOWN or payload.get("object") == "error" or {"text", "prompt"} <= payload.keys()
        ):
            return None
        found.append(payload)
    return found
