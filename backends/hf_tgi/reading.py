"""Whole answers of TGI's own routes read into values.

Wire facts: keys that were not asked for are left out of ``details``; ``seed`` is null for greedy decoding. Counts and
times stand in headers (``x-prompt-tokens``, ``x-total-time`` in milliseconds, ``x-compute-time`` in seconds), which
streams do not have: their last event counts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backends.dialects.hugging_face import header_count, header_seconds, typed_error
from backends.dialects.openai_common import count, json_object
from backends.hf_tgi.values import Candidate, ChatTokens, Generation, GenerationToken, ServerInfo, TextToken, Timings
from backends.operation import Answer
from backends.types import Reply, Usage
from backends.wire.values import FormatError

__all__ = [
    "raise_inside",
    "read_chat_tokens",
    "read_generation",
    "read_info",
    "read_token",
    "read_tokens",
    "timings",
    "usage_of",
]


def read_generation(answer: Answer) -> Generation:
    """Read ``{"generated_text", "details"?}``, or a list of one as the compatible route sends it.

    Raises:
        FormatError: there is no text, or a detail has the wrong shape.
        BackendError: it is an error body in spite of its status.
    """
    data = answer.data
    if type(data) is list and len(data) == 1:
        data = data[0]
    data = json_object(data)
    raise_inside(data)
    text = _text(data["generated_text"])
    facts = answer.facts()
    if data.get("details") is None:
        return Generation(**facts, usage=usage_of(answer.headers, {}), model=answer.model, text=text, texts=(text,))
    details = json_object(data["details"])
    chosen = _candidate(text, details)
    return Generation(
        **facts,
        usage=usage_of(answer.headers, details),
        model=answer.model,
        text=text,
        texts=(text,),
        finish_reason=chosen.finish_reason,
        tokens=chosen.tokens,
        prefill=chosen.prefill,
        top_tokens=chosen.top_tokens,
        best_of_sequences=tuple(
            _candidate(_text(one["generated_text"]), one) for one in details.get("best_of_sequences") or ()
        ),
        seed=chosen.seed,
    )


def raise_inside(data: Mapping[str, Any]) -> None:
    """Raise where an answer with a good status is an error body.

    Raises:
        BackendError: it is.
    """
    if data.get("error"):
        raise typed_error(None, data)


def _text(value: Any) -> str:
    if type(value) is not str:
        raise FormatError("generated_text is not text")
    return value


def _candidate(text: str, details: Mapping[str, Any]) -> Candidate:
    finish, seed = details.get("finish_reason"), details.get("seed")
    return Candidate(
        text,
        finish if type(finish) is str else None,
        count(details.get("generated_tokens")),
        seed if type(seed) is int else None,
        tuple(map(read_token, details.get("prefill") or ())),
        tuple(map(read_token, details.get("tokens") or ())),
        tuple(tuple(map(read_token, place)) for place in details.get("top_tokens") or ()),
    )


def read_token(token: Any) -> GenerationToken:
    """Read one token.

    Raises:
        FormatError: it has no number or no text.
    """
    number, text, logprob = token["id"], token["text"], token.get("logprob")
    if type(number) is not int or type(text) is not str:
        raise FormatError("a token has no number or no text")
    return GenerationToken(
        number,
        text,
        float(logprob) if type(logprob) in (int, float) else None,
        token.get("special") is True,
    )


def usage_of(headers: Mapping[str, str], details: Mapping[str, Any]) -> Usage:
    """Return the counts of a generation: those of the headers, else those of its details."""
    given = header_count(headers, "x-prompt-tokens")
    made = header_count(headers, "x-generated-tokens")
    if given is None:
        given = count(details.get("input_length"))
    if made is None:
        made = count(details.get("generated_tokens"))
    return Usage(given, made, given + made if given is not None and made is not None else None)


def timings(reply: Reply | Mapping[str, str]) -> Timings:
    """Return where the time of a reply went, from its headers (or from headers with lower-case names)."""
    headers = reply.headers if isinstance(reply, Reply) else reply
    return Timings(
        compute=header_seconds(headers, "x-compute-time", 1.0),
        total=header_seconds(headers, "x-total-time"),
        validation=header_seconds(headers, "x-validation-time"),
        queue=header_seconds(headers, "x-queue-time"),
        inference=header_seconds(headers, "x-inference-time"),
        per_token=header_seconds(headers, "x-time-per-token"),
        input_characters=header_count(headers, "x-compute-characters"),
    )


def read_tokens(answer: Answer) -> tuple[TextToken, ...]:
    """Read the tokens of a text."""
    return _text_tokens(answer.data)


def _text_tokens(data: Any) -> tuple[TextToken, ...]:
    if type(data) is not list:
        raise FormatError("the tokens are not a list")
    tokens = []
    for one in data:
        token = TextToken(one["id"], one["text"], one["start"], one["stop"])
        if type(token.text) is not str or not all(type(n) is int for n in (token.id, token.start, token.stop)):
            raise FormatError("a token is not what the route has")
        tokens.append(token)
    return tuple(tokens)


def read_chat_tokens(answer: Answer) -> ChatTokens:
    """Read the tokens of a conversation."""
    data = json_object(answer.data)
    raise_inside(data)
    return ChatTokens(_text(data["templated_text"]), _text_tokens(data["tokenize_response"]), data)


def read_info(answer: Answer) -> ServerInfo:
    """Read a server's description."""
    data = json_object(answer.data)
    raise_inside(data)
    facts: dict[str, Any] = {name: count(data.get(name)) for name in _LIMITS}
    facts |= {name: data[name] for name in _WORDS if type(data.get(name)) is str}
    return ServerInfo(_text(data["model_id"]), **facts, raw=data)


_WORDS = ("model_sha", "model_pipeline_tag", "version", "sha", "docker_label")
_LIMITS = (
    "max_input_tokens",
    "max_total_tokens",
    "max_concurrent_requests",
    "max_best_of",
    "max_stop_sequences",
    "max_client_batch_size",
)
