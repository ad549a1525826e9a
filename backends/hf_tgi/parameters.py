"""The arguments of TGI's calls, and the rules that the server would apply to several of them at once.

Wire facts: ``router/src/validation.rs`` of text-generation-inference 3.3.7. Bounds that an operator sets (stop
sequences, ``best_of``, ``top_n_tokens``, lengths) are left to the server: :meth:`~backends.hf_tgi.HFTGI.info` tells them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from backends.errors import UnsupportedError
from backends.hf_tgi.core import BASE_MODEL
from backends.hf_tgi.grammar import Grammar, checked_grammar, response_grammar
from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, split

__all__ = [
    "ChatParameters",
    "ChatTokenizeParameters",
    "CompleteParameters",
    "GenerateParameters",
    "chat_fields",
    "checked_prompt",
    "completion_fields",
    "generation_body",
]

_PROVIDER: Final = "hf_tgi"


class GenerateParameters(CallOptions, total=False):
    """Arguments of generation.

    Attributes:
        max_new_tokens: most tokens of the answer; the server's own limit unless given.
        do_sample: True samples; without it, and without one of the next four, the likeliest token is taken.
        temperature: above 0. top_k: 1 or more. top_p, typical_p: between 0 and 1, both excluded.
        repetition_penalty: above 0; 1 is none. frequency_penalty: -2 to 2.
        seed: 0 or more; makes sampling repeatable.
        best_of: candidates of which the likeliest is returned; above 1 needs sampling and no seed, and no stream.
        stop: a text or several that end the answer.
        return_full_text: True puts the prompt before the answer.
        truncate: keep only so many tokens of the prompt, its last ones.
        watermark: True marks the text statistically.
        details: tokens, finish reason and counts; True unless given.
        decoder_input_details: the prompt's tokens as well; not in a stream.
        top_n_tokens: the likeliest tokens at each place.
        grammar: what the answer must follow; see :data:`~backends.hf_tgi.grammar.Grammar`.
        adapter_id: a LoRA adapter; the same as ``model``.
        compat: True posts to ``/`` instead, for front ends that let nothing else through; the prompt is then repeated
            or not by the model's task unless ``return_full_text`` says.
    """

    max_new_tokens: Annotated[int | None, Between(1)]
    do_sample: bool | None
    temperature: float | None
    top_k: Annotated[int | None, Between(1)]
    top_p: float | None
    typical_p: float | None
    repetition_penalty: float | None
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    seed: Annotated[int | None, Between(0, 2**64 - 1)]
    best_of: Annotated[int | None, Between(1)]
    stop: str | Annotated[Sequence[str], Size(1)] | None
    return_full_text: bool | None
    truncate: Annotated[int | None, Between(1)]
    watermark: bool | None
    details: bool | None
    decoder_input_details: bool | None
    top_n_tokens: Annotated[int | None, Between(0)]
    grammar: Grammar | None
    adapter_id: str | None
    compat: bool | None


class _OpenAISide(CallOptions, total=False):
    """What chat and completion have in common.

    Attributes:
        max_tokens: most tokens of the answer.
        temperature: 0 or more; 0 takes the likeliest token. top_p: between 0 and 1, both excluded.
        frequency_penalty: -2 to 2.
        seed: 0 or more.
        stop: a text or several that end the answer.
    """

    max_tokens: Annotated[int | None, Between(1)]
    temperature: Annotated[float | None, Between(0)]
    top_p: float | None
    frequency_penalty: Annotated[float | None, Between(-2, 2)]
    seed: Annotated[int | None, Between(0, 2**64 - 1)]
    stop: str | Annotated[Sequence[str], Size(1)] | None


class ChatParameters(_OpenAISide, total=False):
    """Arguments of chat.

    Attributes:
        max_completion_tokens: another word for ``max_tokens``.
        presence_penalty: above -2, to 2; the server adds 2 and uses it as repetition penalty, so -1 is none.
        logprobs: whether to return log probabilities. top_logprobs: alternatives per token, 0 to 5 at most servers.
        stream_options: ``include_usage`` is true unless given; only sent with streams.
        tools: ``{"type": "function", "function": {...}}`` each; the model makes one call a turn.
        tool_choice: ``auto``, ``none``, ``required``, a function's name or ``{"type": "function", ...}``.
        tool_prompt: the sentence that introduces the tools to the model.
        response_format: OpenAI's ``{"type": "json_schema", "json_schema": {...}}``, or a grammar; not with tools.
    """

    max_completion_tokens: Annotated[int | None, Between(1)]
    presence_penalty: Annotated[float | None, Between(-2, 2)]
    logprobs: bool | None
    top_logprobs: Annotated[int | None, Between(0, 20)]
    stream_options: Mapping[str, bool] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]
    tool_choice: str | Mapping[str, Any] | None
    tool_prompt: str | None
    response_format: Mapping[str, Any] | None


class ChatTokenizeParameters(CallOptions, total=False):
    """Arguments of the tokens of a conversation; tools are part of what the template writes."""

    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]
    tool_choice: str | Mapping[str, Any] | None
    tool_prompt: str | None


class CompleteParameters(_OpenAISide, total=False):
    """What completion has besides.

    Attributes:
        repetition_penalty: above 0; 1 is none.
    """

    repetition_penalty: float | None


_IGNORED: Final[dict[str, str]] = {
    "n": "it gives one answer per request; call it several times, with different seeds",
    "logit_bias": "it takes the argument and ignores it",
    "user": "it takes the argument and ignores it",
    "parallel_tool_calls": "the model makes one call a turn",
    "reasoning_effort": "it has no such control",
    "suffix": "it refuses the argument",
    "echo": "it has no such argument; use generate(..., return_full_text=True)",
    "store": "it keeps nothing",
}
"""Arguments of the OpenAI dialect that would be ignored or refused by the server."""


def _taken(parameters: Mapping[str, Any], table: type) -> tuple[CallOptions, dict[str, Any]]:
    """Check arguments of the OpenAI side against their table; those that the server ignores are refused by name."""
    for name in _IGNORED.keys() & parameters.keys():
        if parameters[name] is not None:
            raise UnsupportedError(
                f"Hugging Face TGI does not take {name}: {_IGNORED[name]}.", provider=_PROVIDER, code="unsupported"
            )
    parameters = {name: value for name, value in parameters.items() if name not in _IGNORED}
    options, fields = split(parameters, table, _PROVIDER)
    _check_ranges(fields)
    if isinstance(fields.get("stop"), str):
        fields["stop"] = [fields["stop"]]
    return options, fields


def chat_fields(parameters: Mapping[str, Any], table: type = ChatParameters) -> tuple[CallOptions, dict[str, Any]]:
    """Return the options of a chat call and the fields of its body.

    Raises:
        UnsupportedError: an argument is one that the server would ignore.
        InvalidRequestError: an argument is unknown, of the wrong type, out of range, or forbidden beside another.
    """
    options, fields = _taken(parameters, table)
    if "max_completion_tokens" in fields:
        if "max_tokens" in fields:
            bad_argument("max_completion_tokens and max_tokens are the same argument; give one", _PROVIDER)
        fields["max_tokens"] = fields.pop("max_completion_tokens")
    if fields.get("presence_penalty") == -2:
        bad_argument("presence_penalty must be above -2, because the server adds 2 and needs more than 0", _PROVIDER)
    if fields.get("top_logprobs") and not fields.get("logprobs"):
        bad_argument("top_logprobs needs logprobs=True", _PROVIDER)
    if "response_format" in fields:
        wanted = response_grammar(fields.pop("response_format"))
        if wanted is not None:
            if "tools" in fields:
                bad_argument("response_format cannot go with tools: both are grammars of the answer", _PROVIDER)
            fields["response_format"] = wanted
    return options, fields


def completion_fields(parameters: Mapping[str, Any]) -> tuple[CallOptions, dict[str, Any]]:
    """Return the options of a completion call and the fields of its body; raises as :func:`chat_fields` does."""
    return _taken(parameters, CompleteParameters)


def checked_prompt(prompt: Any, name: str = "prompt") -> str:
    """Return a prompt fit for the wire.

    Raises:
        InvalidRequestError: it is not text, or empty.
    """
    if not isinstance(prompt, str):
        bad_argument(f"{name} must be text, not {type(prompt).__name__}", _PROVIDER)
    if not prompt:
        bad_argument(f"{name} must not be empty", _PROVIDER)
    return prompt


def generation_body(
    prompt: Any, model: str, parameters: Mapping[str, Any], *, stream: bool
) -> tuple[CallOptions, dict[str, Any], bool]:
    """Return the options of a generation, its body, and whether it goes to the compatible route.

    Raises:
        InvalidRequestError: the prompt is not text or empty, or an argument is unknown, of the wrong type, out of range
            or forbidden beside another.
    """
    options, fields = split(parameters, GenerateParameters, _PROVIDER)
    compat = fields.pop("compat", False)
    _check_ranges(fields)
    _check_together(fields, stream=stream)
    if isinstance(fields.get("stop"), str):
        fields["stop"] = [fields["stop"]]
    if "grammar" in fields:
        fields["grammar"] = checked_grammar(fields["grammar"], "grammar")
    if model != BASE_MODEL and fields.setdefault("adapter_id", model) != model:
        bad_argument("adapter_id and model name different adapters; give one", _PROVIDER)
    # A request without parameters would be sampled; with them, it is greedy unless it says otherwise.
    fields.setdefault("details", True)
    body: dict[str, Any] = {"inputs": checked_prompt(prompt), "parameters": fields}
    if compat:
        body["stream"] = stream
    return options, body, compat


def _check_ranges(fields: Mapping[str, Any]) -> None:
    """Refuse what the server counts as out of range where an end of the range does not belong to it."""
    for name in ("top_p", "typical_p"):
        if name in fields and not 0 < fields[name] < 1:
            bad_argument(
                f"{name} must be between 0 and 1, both excluded, not {fields[name]!r}; leave it out for 1", _PROVIDER
            )
    if "repetition_penalty" in fields and not fields["repetition_penalty"] > 0:
        bad_argument(f"repetition_penalty must be above 0, not {fields['repetition_penalty']!r}", _PROVIDER)


def _check_together(fields: Mapping[str, Any], *, stream: bool) -> None:
    if "temperature" in fields and not fields["temperature"] > 0:
        bad_argument(
            f"temperature must be above 0, not {fields['temperature']!r}; leave it out for the likeliest tokens",
            _PROVIDER,
        )
    if fields.get("best_of", 1) > 1:
        if stream:
            bad_argument("best_of must be 1 in a stream", _PROVIDER)
        if "seed" in fields:
            bad_argument("seed cannot go with best_of above 1: the candidates would be the same", _PROVIDER)
        if not fields.get("do_sample") and not fields.keys() & {"temperature", "top_k", "top_p", "typical_p"}:
            bad_argument(
                "best_of above 1 needs sampling: do_sample=True or temperature, top_k, top_p, typical_p", _PROVIDER
            )
    if fields.get("decoder_input_details"):
        if stream:
            bad_argument("decoder_input_details cannot be had in a stream", _PROVIDER)
        if fields.get("details") is False:
            bad_argument("decoder_input_details needs details", _PROVIDER)
