"""Whole answers of megaservices read into replies.

Wire facts: JSON in the shape of a chat completion whose usage is always zero, or the document of a microservice
(``text``, ``prompt``). DocSum, CodeTrans and Translation always stream, so their answer to ``stream: false`` is a stream
all the same.
"""

from __future__ import annotations

from typing import Any

from backends.dialects.openai_common import json_object, text_of
from backends.dialects.openai_errors import raise_inside, stream_error
from backends.opea.disguises import raise_excuse, raise_refusal
from backends.opea.events import AnswerReader, counted
from backends.operation import Answer
from backends.types import ChatReply
from backends.wire.jsontext import loads
from backends.wire.values import FormatError

__all__ = ["read_answer"]


def read_answer(answer: Answer) -> ChatReply:
    """Read the text of an answer, JSON or stream; ``raw`` is its JSON.

    Raises:
        ContentFilterError: a guardrail refused.
        BackendError: it is an error in spite of its status.
        FormatError: it is neither, or holds no text.
    """
    body: str = answer.data
    if body[:1] != "{" and "data:" in body[:4096]:
        return _read_streamed(body, answer)
    data = json_object(loads(body))
    raise_inside(data)
    if data.get("detail"):
        raise stream_error(data)
    finish, text = _said(data)
    raise_refusal(text)
    raise_excuse(text)
    model = data.get("model")
    return ChatReply(
        **{**answer.facts(), "raw": data},
        usage=counted(data.get("usage")),
        model=model if isinstance(model, str) else answer.model,
        text=text,
        texts=(text,),
        finish_reason=finish,
    )


def _said(data: dict[str, Any]) -> tuple[str | None, str]:
    if "choices" in data:
        choice = data["choices"][0]
        message = choice.get("message")
        return choice.get("finish_reason"), text_of(message["content"] if message is not None else choice["text"])
    if not isinstance(data.get("text"), str):
        raise FormatError("the answer has no text")
    return None, data["text"]


def _read_streamed(body: str, answer: Answer) -> ChatReply:
    content = body.encode()
    reader = AnswerReader(answer.model or "", len(content) + 1)
    for _ in reader.feed(content):
        pass
    if not reader.done:
        raise FormatError("the stream ended before its end was announced")
    return reader.reply(answer)
