"""Text completion in the OpenAI dialect: ``POST /completions``, whole and streamed. ``texts`` keeps the order of the
prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from backends.batch_plan import BatchPlan, byte_length, counted_rows, in_field, listed
from backends.dialects.openai_chat import streaming_body
from backends.dialects.openai_common import json_object, named_body, read_usage, text_of
from backends.dialects.openai_errors import raise_inside
from backends.dialects.openai_events import MAX_EVENT_BYTES, EventReader
from backends.operation import PROMPT, Answer, Operation, SoFar
from backends.parameters import bad_argument
from backends.types import Chunk, CompletionReply, Usage
from backends.wire.values import FormatError

__all__ = [
    "PATH",
    "CompletionStreamReader",
    "Prompt",
    "checked_prompt",
    "completion_operation",
    "completion_stream_operation",
]

PATH: Final = "/completions"
Prompt = str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]]
"""A text, several, one list of token ids, or several."""


def checked_prompt(prompt: Prompt, provider: str | None = None, *, name: str = "prompt", empty: bool = True) -> int:
    """Check a prompt and return how many it is.

    Args:
        prompt: see :data:`Prompt`.
        provider, name: for the error.
        empty: whether an empty text is allowed.

    Raises:
        InvalidRequestError: it is empty, mixed or of another type.
    """
    if isinstance(prompt, str):
        if not prompt and not empty:
            bad_argument(f"{name} must not be empty", provider)
        return 1
    if not isinstance(prompt, list | tuple):
        bad_argument(f"{name} must be text, a list of texts, or token ids, not {type(prompt).__name__}", provider)
    if not prompt:
        bad_argument(f"{name} must not be empty", provider)
    if type(prompt[0]) is int:
        _check_tokens(prompt, name, provider)
        return 1
    of_text = isinstance(prompt[0], str)
    for index, item in enumerate(prompt):
        if of_text:
            if not isinstance(item, str):
                bad_argument(f"{name}[{index}] must be text, not {type(item).__name__}", provider)
            if not item and not empty:
                bad_argument(f"{name}[{index}] must not be empty", provider)
        elif not isinstance(item, list | tuple) or not item:
            bad_argument(f"{name}[{index}] must be a text or a list of token ids", provider)
        else:
            _check_tokens(item, f"{name}[{index}]", provider)
    return len(prompt)


def _check_tokens(tokens: Sequence[Any], name: str, provider: str | None) -> None:
    for index, token in enumerate(tokens):
        if type(token) is not int or token < 0:
            bad_argument(f"{name}[{index}] must be a token id", provider)


def completion_operation(
    model: str | None,
    prompt: Prompt,
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
    several: bool = False,
) -> Operation[CompletionReply]:
    """Return the operation of a whole completion; without a model the server takes its own.

    Args:
        model, prompt, fields: what to send.
        provider, path: of the server.
        several: the server takes a list of prompts, so that callers may share a request.
    """
    checked_prompt(prompt, provider)
    body = named_body(model, {"prompt": prompt, **fields})
    body.pop("stream_options", None)
    plan: BatchPlan[CompletionReply] | None = None
    if several:
        plan = in_field("prompt", listed(prompt), cut_choices, written=_written)
    return Operation("complete", read_completion, path, body=body, model=model, cacheable=PROMPT, batch=plan)


def cut_choices(data: Any, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Cut an answer to several prompts into answers to so many of them each; every prompt has as many choices.

    Raises:
        FormatError: there are not as many choices for each prompt.
    """
    answer = json_object(data)
    raise_inside(answer)
    choices = sorted(map(json_object, answer["choices"]), key=lambda choice: choice.get("index") or 0)
    each = max(1, len(choices) // sum(counts))
    parts = counted_rows(choices, [count * each for count in counts])
    return [{**answer, "choices": [{**choice, "index": place} for place, choice in enumerate(part)]} for part in parts]


def _written(reply: CompletionReply) -> int:
    return sum(map(byte_length, reply.texts))


def completion_stream_operation(
    model: str | None,
    prompt: Prompt,
    fields: Mapping[str, Any],
    *,
    provider: str | None = None,
    path: str = PATH,
    usage: bool = True,
    max_event_bytes: int = MAX_EVENT_BYTES,
) -> Operation[CompletionReply]:
    """Return the operation of a streamed completion."""
    checked_prompt(prompt, provider)
    body = streaming_body(named_body(model, {"prompt": prompt, **fields}), usage=usage)
    return Operation(
        "stream_complete",
        read_completion,
        path,
        body=body,
        model=model,
        stream=lambda: CompletionStreamReader(max_event_bytes),
        cacheable=PROMPT,
    )


def read_completion(answer: Answer) -> CompletionReply:
    """Read a whole ``text_completion``.

    Raises:
        FormatError: it has no choices, or one has no text.
        BackendError: it is an error body in spite of its status.
    """
    data = json_object(answer.data)
    raise_inside(data)
    choices = data["choices"]
    if type(choices) is not list or not choices:
        raise FormatError("the answer has no choices")
    choices = sorted(choices, key=lambda choice: choice.get("index") or 0)
    first = choices[0]
    texts = tuple(text_of(choice["text"]) for choice in choices)
    model = data.get("model")
    return CompletionReply(
        **answer.facts(),
        usage=read_usage(data.get("usage")),
        model=model if isinstance(model, str) else answer.model,
        text=texts[0],
        finish_reason=first.get("finish_reason"),
        reasoning=first.get("reasoning") or None,
        logprobs=first.get("logprobs"),
        texts=texts,
    )


class _Choice:
    __slots__ = ("finish", "logprobs", "text")

    def __init__(self) -> None:
        self.text: list[str] = []
        self.finish: str | None = None
        self.logprobs: dict[str, list[Any]] = {}


class CompletionStreamReader(EventReader):
    """Assembles one streamed completion. Its reply's ``raw`` is the answer as it would have come whole."""

    __slots__ = ("_choices", "_head", "_usage", "_usage_raw")

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        super().__init__(max_event_bytes)
        self._choices: dict[int, _Choice] = {}
        self._head: dict[str, Any] = {}
        self._usage = Usage()
        self._usage_raw: Any = None

    def take(self, payload: dict[str, Any]) -> Iterable[Chunk]:
        """Read one piece; what is not one is passed over."""
        choices, counts = payload.get("choices"), payload.get("usage")
        usage = None
        if counts:
            usage = self._usage = read_usage(counts)
            self._usage_raw = counts
        if not choices:
            if usage is not None:
                return (Chunk(usage=usage, raw=payload),)
            return (Chunk(raw=payload),) if choices is not None else ()
        if not self._head:
            self._head = payload
        return [self._take_choice(choice, payload, usage) for choice in choices]

    def _take_choice(self, choice: Any, payload: dict[str, Any], usage: Usage | None) -> Chunk:
        index = choice.get("index", 0)
        if type(index) is not int:
            raise FormatError("a choice has no number")
        state = self._choices.get(index)
        if state is None:
            state = self._choices[index] = _Choice()
        text = text_of(choice.get("text"))
        if text:
            state.text.append(text)
        finish = choice.get("finish_reason") or None
        if finish:
            state.finish = finish
        for name, entries in (choice.get("logprobs") or {}).items():
            if type(entries) is list:
                state.logprobs.setdefault(name, []).extend(entries)
        return Chunk(text, "", (), finish, usage, index, payload)

    def partial(self) -> str | None:
        """Return the first choice's text so far, None when there is none."""
        state = self._choices.get(0)
        return "".join(state.text) or None if state is not None else None

    def so_far(self) -> SoFar:
        """Return what has come: every choice's words, and the counts where they came already."""
        words = "".join(part for state in self._choices.values() for part in state.text)
        model = self._head.get("model")
        told = self._usage_raw is not None
        return SoFar(words, self._usage, told, model if isinstance(model, str) else None, self._head)

    def ended(self) -> None:
        """Refuse a stream that ends without a single choice."""
        if not self._choices:
            raise FormatError("the stream ended without any content")

    def reply(self, answer: Answer) -> CompletionReply:
        """Return the reply of the whole stream."""
        self.ended()
        states = {index: self._choices[index] for index in sorted(self._choices)}
        texts = tuple("".join(state.text) for state in states.values())
        first = next(iter(states.values()))
        facts, model = answer.facts(), self._head.get("model")
        choices = [
            {"index": index, "text": text, "logprobs": state.logprobs or None, "finish_reason": state.finish}
            for (index, state), text in zip(states.items(), texts, strict=True)
        ]
        facts["raw"] = {**self._head, "choices": choices, "usage": self._usage_raw}
        return CompletionReply(
            **facts,
            usage=self._usage,
            model=model if isinstance(model, str) else answer.model,
            text=texts[0],
            finish_reason=first.finish,
            logprobs=first.logprobs or None,
            texts=texts,
        )
