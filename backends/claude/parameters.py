"""Arguments of Claude's calls, as tables that are types and checks at once (see :mod:`backends.parameters`).

Names and ranges: ``types/message_create_params.py`` and its neighbours of the official SDK 2.14.0. ``temperature``,
``top_p`` and ``top_k`` went with version 2026-10-21, which refuses them even at their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from backends.errors import UnsupportedError
from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, check_argument, split

__all__ = ["ClaudeOptions", "CountParameters", "ListParameters", "MessageParameters", "taken"]

_SAMPLING: Final = frozenset({"temperature", "top_p", "top_k"})
_ELSEWHERE: Final[Mapping[str, str]] = {
    "frequency_penalty": "it has no penalties",
    "functions": "tools has them here",
    "logit_bias": "it has no logit bias",
    "logprobs": "it returns no log probabilities",
    "max_completion_tokens": "it is max_tokens here",
    "n": "a request has one answer here",
    "output_format": "it is output_config={'format': ...} here",
    "parallel_tool_calls": "it is tool_choice={'type': 'auto', 'disable_parallel_tool_use': True} here",
    "presence_penalty": "it has no penalties",
    "reasoning_effort": "it is output_config={'effort': ...} here",
    "response_format": "it is output_config={'format': {'type': 'json_schema', 'schema': ...}} here",
    "seed": "it has no seed",
    "stop": "it is stop_sequences here",
    "stream_options": "usage always comes with a stream here",
    "top_logprobs": "it returns no log probabilities",
    "user": "it is metadata={'user_id': ...} here",
}
"""Arguments of other providers: ``None`` passes, anything else is refused with what to do instead."""
_LEAST_BUDGET: Final = 1024
_THINKING: Final = ("adaptive", "enabled", "disabled", "between_tools")
_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")
_CHOICES: Final = ("auto", "any", "none", "tool")

Betas = Sequence[str] | None


class ClaudeOptions(CallOptions, total=False):
    """Arguments of every call.

    Attributes:
        betas: beta features of this call, besides those of the backend.
    """

    betas: Betas


class ListParameters(ClaudeOptions, total=False):
    """Arguments of lists: ``limit`` is the page size, 1 to 1000; the walk goes over all pages whatever it is."""

    limit: Annotated[int | None, Between(1, 1000)]


class CountParameters(ClaudeOptions, total=False):
    """What decides how many input tokens a message takes; arguments of ``count_tokens``.

    Attributes:
        cache_control: ``{"type": "ephemeral", "ttl": "5m" or "1h"}`` marks the last block that can be cached; blocks,
            tools and the system prompt take it one by one as well.
        output_config: ``{"effort": low to max, "format": {"type": "json_schema", "schema": {...}}}``.
        speed: ``fast`` may need a beta feature.
        system: the system prompt: text, or text blocks.
        thinking: ``{"type": "adaptive"}``, ``{"type": "enabled", "budget_tokens": 1024 or more}``,
            ``{"type": "disabled"}`` or ``{"type": "between_tools"}``; which of them depends on the model.
        tool_choice: ``{"type": "auto"}``, ``"any"``, ``"none"``, or ``{"type": "tool", "name": ...}``.
        tools: ``{"name": ..., "description": ..., "input_schema": {...}}`` each, or a server's tool with its type.
    """

    cache_control: Mapping[str, Any] | None
    output_config: Mapping[str, Any] | None
    speed: Literal["standard", "fast"] | None
    system: str | Sequence[Mapping[str, Any]] | None
    thinking: Mapping[str, Any] | None
    tool_choice: Mapping[str, Any] | None
    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]


class MessageParameters(CountParameters, total=False):
    """Arguments of ``chat`` and ``stream_chat``.

    Attributes:
        container: of code execution, an id or ``{"id": ..., "skills": [...]}``.
        diagnostics: ``{"previous_message_id": ...}`` asks why the prompt cache was missed.
        inference_geo: where inference may run.
        max_tokens: most tokens of the answer, thinking included; 4096 unless given. 0 only warms the prompt cache.
        metadata: ``{"user_id": ...}``, an opaque id of the caller's user.
        service_tier: ``auto`` or ``standard_only``.
        stop_sequences: texts that end the answer.
        temperature, top_p: 0 to 1; ``top_k``: 0 or more. Only with ``anthropic_version="2023-06-01"``.
    """

    container: str | Mapping[str, Any] | None
    diagnostics: Mapping[str, Any] | None
    inference_geo: str | None
    max_tokens: Annotated[int | None, Between(0)]
    metadata: Mapping[str, str | None] | None
    service_tier: Literal["auto", "standard_only"] | None
    stop_sequences: Sequence[str] | None
    temperature: Annotated[float | None, Between(0, 1)]
    top_k: Annotated[int | None, Between(0)]
    top_p: Annotated[float | None, Between(0, 1)]


def taken(
    parameters: Mapping[str, Any], table: type, *, body: bool = True, sampling: bool, version: str
) -> tuple[CallOptions, dict[str, Any]]:
    """Check keyword arguments and part them into options of the call and fields of the body.

    Args:
        parameters: as the caller gave them.
        table: the ``TypedDict`` that lists them.
        body: False for a call without a body.
        sampling: whether the version of the API has sampling parameters.
        version: its name, for the error.

    Raises:
        UnsupportedError: an argument that other providers have, or that this version no longer has.
        InvalidRequestError: an argument is unknown, of the wrong type or out of range.
    """
    if not parameters:
        return {}, {}
    strange = _ELSEWHERE.keys() & parameters.keys()
    for name in sorted(strange):
        if parameters[name] is not None:
            raise UnsupportedError(
                f"Claude does not take {name}: {_ELSEWHERE[name]}.", provider="claude", code="unsupported"
            )
    options, fields = split(
        {name: value for name, value in parameters.items() if name not in strange} if strange else parameters,
        table,
        "claude",
        body=body,
    )
    gone = () if sampling else sorted(_SAMPLING & fields.keys())
    if gone:
        raise UnsupportedError(
            f"{gone[0]} is not part of version {version} of the API; Claude(anthropic_version='2023-06-01') takes it.",
            provider="claude",
            code="unsupported",
        )
    for name in _INSIDE.keys() & fields.keys():
        _INSIDE[name](fields[name])
    return options, fields


def _check_thinking(thinking: Mapping[str, Any]) -> None:
    kind = thinking.get("type")
    _check_one_of("thinking['type']", kind, _THINKING)
    if kind == "enabled":
        check_argument(
            "thinking['budget_tokens']",
            thinking.get("budget_tokens"),
            Annotated[int, Between(_LEAST_BUDGET)],
            "claude",
        )


def _check_output(config: Mapping[str, Any]) -> None:
    if config.get("effort") is not None:
        _check_one_of("output_config['effort']", config["effort"], _EFFORTS)
    wanted = config.get("format")
    if wanted is None:
        return
    if not isinstance(wanted, Mapping) or wanted.get("type") != "json_schema":
        bad_argument("output_config['format'] must be {'type': 'json_schema', 'schema': ...}", "claude")
    check_argument("output_config['format']['schema']", wanted.get("schema"), Mapping[str, Any], "claude")


def _check_choice(choice: Mapping[str, Any]) -> None:
    _check_one_of("tool_choice['type']", choice.get("type"), _CHOICES)
    if choice["type"] == "tool":
        check_argument("tool_choice['name']", choice.get("name"), Annotated[str, Size(1)], "claude")


def _check_tools(tools: Sequence[Mapping[str, Any]]) -> None:
    for index, tool in enumerate(tools):
        kind = tool.get("type")
        if kind == "function":
            bad_argument(f"tools[{index}] must be {{'name': ..., 'input_schema': ...}}, without 'function'", "claude")
        if kind not in (None, "custom"):
            continue  # a server's own tool: each type has its own fields
        check_argument(f"tools[{index}]['name']", tool.get("name"), Annotated[str, Size(1)], "claude")
        check_argument(f"tools[{index}]['input_schema']", tool.get("input_schema"), Mapping[str, Any], "claude")


def _check_cache(control: Mapping[str, Any]) -> None:
    if control.get("type") != "ephemeral" or control.get("ttl") not in (None, "5m", "1h"):
        bad_argument("cache_control must be {'type': 'ephemeral', 'ttl': '5m' or '1h'}", "claude")


def _check_one_of(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        bad_argument(f"{name} must be one of {', '.join(choices)}", "claude")


_INSIDE: Final[Mapping[str, Callable[[Any], None]]] = {
    "cache_control": _check_cache,
    "output_config": _check_output,
    "thinking": _check_thinking,
    "tool_choice": _check_choice,
    "tools": _check_tools,
}
"""What a type cannot say of an argument."""
