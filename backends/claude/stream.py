"""Reader of a streamed message: server-sent events in, chunks out, the whole message at the end.

Wire facts: every event repeats its name in ``type``. ``message_start`` comes first; each block is a
``content_block_start``, pieces, a ``content_block_stop``; ``message_delta`` brings the stop reason and counts, which
are cumulative and replace earlier ones; ``message_stop`` is the end, there is no ``[DONE]``. ``ping`` may come
anywhere, ``error`` in place of whatever was to come. Events and pieces of unknown types mean nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final

from backends.claude.failures import typed_error
from backends.claude.replies import message_from, read_usage, refusal_of
from backends.claude.values import MessageReply
from backends.dialects.openai_common import arguments_text, json_object
from backends.operation import Answer, SoFar
from backends.types import Chunk, ToolCall, ToolCallDelta
from backends.wire.jsontext import loads
from backends.wire.sse import SSEDecoder
from backends.wire.values import FormatError

__all__ = ["MessageReader"]

_PIECES: Final = {
    # type of a piece: the field of it that holds text, and the field of its block which that belongs to
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("partial_json", "input"),
}


class _Block:
    """One content block as far as it has come; ``call`` is the place of a tool call among the tool calls."""

    __slots__ = ("call", "citations", "start", "texts")

    def __init__(self, start: dict[str, Any], call: int | None) -> None:
        self.start = start
        self.call = call
        self.texts: dict[str, list[str]] = {}
        self.citations: list[Any] = []

    def text(self, name: str) -> str:
        """Return the pieces of one field joined."""
        return "".join(self.texts.get(name, ()))

    def arguments(self) -> str:
        """Return the arguments of a tool call as the model wrote them, those of its start where no piece came."""
        return self.text("input") or arguments_text(self.start.get("input", {}))

    def whole(self) -> dict[str, Any]:
        """Return the block as it would have come whole; arguments that are not JSON stay text."""
        block = dict(self.start)
        for name in self.texts:
            if name != "input":
                block[name] = (block.get(name) or "") + self.text(name)
        written = self.text("input")
        if written:
            try:
                block["input"] = loads(written)
            except FormatError:
                block["input"] = written
        if self.citations:
            block["citations"] = [*(block.get("citations") or ()), *self.citations]
        return block


class MessageReader:
    """Assembles one streamed message. Its reply's ``raw`` is the message as it would have come whole.

    Args:
        model: the model asked for.
        max_event_bytes: bound of one event.
    """

    __slots__ = ("_blocks", "_calls", "_counted", "_decoder", "_message", "_model", "_said", "done")

    def __init__(self, model: str | None, max_event_bytes: int) -> None:
        self._decoder = SSEDecoder(max_event_bytes)
        self._model = model
        self._message: dict[str, Any] | None = None
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._counted = False
        self._said: list[str] = []
        self.done = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that the next bytes complete, each before a later error in the same bytes is raised.

        Raises:
            BackendError: the provider sent an error event.
            FormatError: an event is not what the API has.
        """
        for event in () if self.done else self._decoder.feed(data):
            text = event.data
            if text[:1] != "{" and (event.event not in (None, "error") or not text.strip()):
                continue  # somebody's own event
            payload = json_object(loads(text)) if event.event != "error" else _error_payload(text)
            kind = payload.get("type")
            if kind == "error":
                raise typed_error(None, payload, model=self._model)
            if kind == "content_block_delta":
                yield self._take_piece(payload)
            elif kind == "message_stop":
                self._whole()
                self.done = True
                return
            else:
                take = self._others.get(kind) if isinstance(kind, str) else None
                if take is not None:
                    yield take(self, payload)

    def finish(self) -> Iterable[Chunk]:
        """Take the end of the bytes; an event without its blank line is not an event."""
        return ()

    def partial(self) -> str | None:
        """Return the text so far, None when there is none."""
        return "".join(self._said) or None

    def so_far(self) -> SoFar:
        """Return what has come. The input is counted in ``message_start``; the output only where a ``message_delta``
        came, until then the provider has told of the first token or two."""
        message = self._message or {}
        words = [
            part
            for block in self._in_order()
            for name in ("thinking", "text", "input")
            for part in block.texts.get(name, ())
        ]
        raw = {**message, "content": [block.start for block in self._in_order()]}
        model = message.get("model")
        return SoFar(
            "".join(words),
            read_usage(message.get("usage")),
            self._counted,
            model if isinstance(model, str) else self._model,
            raw,
        )

    def reply(self, answer: Answer) -> MessageReply:
        """Return the reply of the whole stream; ``raw`` is the assembled message."""
        whole = self._whole()
        calls = [block for block in self._in_order() if block.call is not None]
        return message_from(
            whole,
            {**answer.facts(), "raw": whole},
            model=self._model,
            tool_calls=tuple(ToolCall(block.start["id"], block.start["name"], block.arguments()) for block in calls),
        )

    # -- events --------------------------------------------------------------------------------------------------------

    def _take_start(self, payload: dict[str, Any]) -> Chunk:
        self._message = dict(json_object(payload["message"]))
        return Chunk(raw=payload)

    def _take_block(self, payload: dict[str, Any]) -> Chunk:
        index, start = payload["index"], json_object(payload["content_block"])
        if type(index) is not int or index in self._blocks:
            raise FormatError("a block has no number of its own")
        calls = start.get("type") == "tool_use"
        self._blocks[index] = _Block(start, self._calls if calls else None)
        if calls:
            call_id, name = start["id"], start["name"]
            if type(call_id) is not str or type(name) is not str:
                raise FormatError("a tool call has no id or no name")
            delta = ToolCallDelta(self._calls, call_id, name, "", "function")
            self._calls += 1
            return Chunk(tool_calls=(delta,), raw=payload)
        text = start.get("text") if start.get("type") == "text" else ""
        if text:
            self._said.append(text)
        return Chunk(text or "", raw=payload)

    def _take_piece(self, payload: dict[str, Any]) -> Chunk:
        block = self._blocks.get(payload["index"])
        if block is None:
            raise FormatError("a piece belongs to no block")
        delta = payload["delta"]
        kind = delta["type"]
        if kind == "citations_delta":
            block.citations.append(delta["citation"])
            return Chunk(raw=payload)
        found = _PIECES.get(kind)
        if found is None:
            return Chunk(raw=payload)
        text = delta[found[0]]
        if type(text) is not str:
            raise FormatError(f"{kind} has no text")
        block.texts.setdefault(found[1], []).append(text)
        if kind == "text_delta":
            self._said.append(text)
            return Chunk(text, raw=payload)
        if kind == "thinking_delta":
            return Chunk("", text, raw=payload)
        if kind == "input_json_delta" and block.call is not None and text:
            return Chunk(tool_calls=(ToolCallDelta(block.call, arguments=text),), raw=payload)
        return Chunk(raw=payload)

    def _take_block_end(self, payload: dict[str, Any]) -> Chunk:
        block = self._blocks.get(payload["index"])
        if block is not None and block.call is not None and not block.text("input"):
            return Chunk(tool_calls=(ToolCallDelta(block.call, arguments=block.arguments()),), raw=payload)
        return Chunk(raw=payload)

    def _take_message_delta(self, payload: dict[str, Any]) -> Chunk:
        message = self._started()
        delta = payload["delta"]
        message.update({name: value for name, value in delta.items() if value is not None})
        counts = payload.get("usage")
        if type(counts) is dict:
            self._counted = True
            known = message.get("usage") or {}
            message["usage"] = {**known, **{name: value for name, value in counts.items() if value is not None}}
        return Chunk(
            finish_reason=delta.get("stop_reason"),
            usage=read_usage(message.get("usage")),
            raw=payload,
            refusal=refusal_of(delta) or "",
        )

    def _started(self) -> dict[str, Any]:
        if self._message is None:
            raise FormatError("the stream did not begin with message_start")
        return self._message

    def _in_order(self) -> list[_Block]:
        return [self._blocks[index] for index in sorted(self._blocks)]

    def _whole(self) -> dict[str, Any]:
        return {**self._started(), "content": [block.whole() for block in self._in_order()]}

    _others: ClassVar[Mapping[str, Callable[[MessageReader, dict[str, Any]], Chunk]]] = {
        "message_start": _take_start,
        "content_block_start": _take_block,
        "content_block_stop": _take_block_end,
        "message_delta": _take_message_delta,
    }


def _error_payload(text: str) -> dict[str, Any]:
    """Return the payload of an event named ``error``, whatever stands in it."""
    try:
        payload = loads(text)
    except FormatError:
        payload = text
    return {**payload, "type": "error"} if isinstance(payload, dict) else {"type": "error", "error": {"message": text}}
