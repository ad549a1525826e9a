"""The arguments of Ollama's calls, and which of them are options of the model.

Wire facts: ``api/types.go`` of the server. The server only logs an option that it does not know, so a misspelt one
would be ignored in silence: here it is refused. ``extra_body={"options": {...}}`` passes anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypedDict, get_type_hints

from backends.errors import InvalidRequestError, UnsupportedError
from backends.ollama.durations import checked_keep_alive
from backends.operation import CallOptions
from backends.parameters import Between, Size, bad_argument, check_argument, split
from backends.settings import nearest
from backends.types import Message

__all__ = [
    "ChatParameters",
    "CompleteParameters",
    "CreateParameters",
    "EmbedParameters",
    "LoadParameters",
    "Options",
    "ShowParameters",
    "TransferParameters",
    "checked_options",
    "taken",
]


class Options(TypedDict, total=False):
    """Options of a model; what is not given comes from the model's own parameters, then from the server.

    Attributes:
        num_predict: most tokens of the answer; -1 is no limit (the default).
        num_keep: tokens of the prompt kept when the context is shifted.
        num_ctx: size of the context in tokens.
        num_batch, num_gpu, main_gpu, num_thread, use_mmap: how the model is run.
        seed: same seed, same answer.
        stop: texts that end the answer.
        temperature, top_k, top_p, min_p, typical_p: how words are chosen.
        repeat_last_n, repeat_penalty, presence_penalty, frequency_penalty: how repetition is discouraged.
    """

    num_predict: int | None
    num_keep: int | None
    num_ctx: int | None
    num_batch: int | None
    num_gpu: int | None
    main_gpu: int | None
    num_thread: int | None
    use_mmap: bool | None
    seed: int | None
    stop: Sequence[str] | str | None
    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    typical_p: float | None
    repeat_last_n: int | None
    repeat_penalty: float | None
    presence_penalty: float | None
    frequency_penalty: float | None


class _Common(CallOptions, Options, total=False):
    """What chat and completion have in common; options may be given by themselves or in ``options``.

    Attributes:
        options: options of the model by name.
        max_tokens: the same as the option ``num_predict``, in the word of other providers.
        format: ``"json"``, or the JSON Schema that the answer must follow.
        keep_alive: how long the model stays loaded: seconds, or a Go duration (``"5m"``); negative for ever, 0
            unloads at once.
        think: whether, or how much, to reason before answering.
        truncate: False refuses a prompt that does not fit instead of shortening it.
        shift: False ends the answer at the end of the context instead of shifting it.
        logprobs: whether to return log probabilities.
        top_logprobs: alternatives per token, 0 to 20; needs ``logprobs``.
    """

    options: Options | None
    max_tokens: int | None
    format: Literal["json"] | Mapping[str, Any] | None
    keep_alive: float | str | None
    think: bool | Literal["low", "medium", "high", "max"] | None
    truncate: bool | None
    shift: bool | None
    logprobs: bool | None
    top_logprobs: Annotated[int | None, Between(0, 20)]


class ChatParameters(_Common, total=False):
    """What chat has besides.

    Attributes:
        tools: ``{"type": "function", "function": {"name", "description", "parameters"}}`` each. The model decides
            whether to call one: there is no ``tool_choice``.
    """

    tools: Annotated[Sequence[Mapping[str, Any]] | None, Size(1)]


class CompleteParameters(_Common, total=False):
    """What completion has besides.

    Attributes:
        suffix: text that follows the answer, for models that can insert.
        system: a system prompt instead of the model's own.
        template: a prompt template instead of the model's own.
        raw: True sends the prompt as it is; cannot go with system, template or context.
        context: tokens of an earlier answer (its ``raw["context"]``) to go on from.
        images: bytes, ``pathlib.Path``, base64 text or a data URL each.
    """

    suffix: str | None
    system: str | None
    template: str | None
    raw: bool | None
    context: Sequence[int] | None
    images: Annotated[Sequence[Any] | None, Size(1)]


class EmbedParameters(CallOptions, Options, total=False):
    """Arguments of embedding.

    Attributes:
        options, keep_alive: as for chat.
        truncate: False refuses a text that does not fit instead of shortening it.
        dimensions: length to which vectors are cut (and normalised again).
    """

    options: Options | None
    keep_alive: float | str | None
    truncate: bool | None
    dimensions: Annotated[int | None, Between(1)]


class LoadParameters(CallOptions, Options, total=False):
    """Arguments of loading a model.

    Attributes:
        options, keep_alive: as for chat.
    """

    options: Options | None
    keep_alive: float | str | None


class ShowParameters(CallOptions, total=False):
    """Arguments of show.

    Attributes:
        verbose: True returns the long arrays of ``model_info``, too.
    """

    verbose: bool | None


class TransferParameters(CallOptions, total=False):
    """Arguments of pull and push.

    Attributes:
        insecure: True lets the server talk to the registry without TLS.
    """

    insecure: bool | None


class CreateParameters(CallOptions, total=False):
    """Arguments of create.

    Attributes:
        from_: the model to start from.
        files: file name -> digest of an uploaded blob, of a GGUF or safetensors model.
        adapters: file name -> digest of LoRA adapters.
        template, system, license: what the new model carries.
        parameters: options that become the model's own.
        messages: a conversation that the model starts with.
        quantize: quantization of a float model (``"q4_K_M"``).
    """

    from_: str | None
    files: Mapping[str, str] | None
    adapters: Mapping[str, str] | None
    template: str | None
    system: str | None
    license: str | Sequence[str] | None
    parameters: Options | None
    messages: Annotated[Sequence[Message] | None, Size(1)]
    quantize: str | None


_HINTS: Final[dict[str, Any]] = get_type_hints(Options, include_extras=True)
_OPTION_NAMES: Final = frozenset(_HINTS) | {"max_tokens"}
_FORGOTTEN: Final = frozenset(
    {"mirostat", "mirostat_tau", "mirostat_eta", "tfs_z", "numa", "low_vram", "f16_kv", "logits_all", "vocab_only"}
    | {"use_mlock", "embedding_only", "penalize_newline"}
)
"""Options that the official client still lists and the server no longer knows."""

_REFUSED: Final[dict[str, str]] = {
    "tool_choice": "the model decides by itself whether to call a tool; offer only the tools that it may use",
    "parallel_tool_calls": "the model decides by itself how many tools it calls",
    "logit_bias": "it has no logit bias",
    "n": "it gives one answer per request; call it several times, with different seeds",
    "best_of": "it gives one answer per request",
    "response_format": "use format='json' or format=<JSON Schema>",
    "max_completion_tokens": "use max_tokens or the option num_predict",
    "reasoning_effort": "use think='low', 'medium' or 'high'",
    "stream_options": "usage comes with the last chunk always",
    "encoding_format": "vectors come as numbers",
}
"""Arguments that other providers have."""


def taken(parameters: Mapping[str, Any], table: type, *, body: bool = True) -> tuple[CallOptions, dict[str, Any]]:
    """Check keyword arguments against their table and bring options and ``keep_alive`` into the shape of the wire.

    Raises:
        UnsupportedError: an argument is one that other providers have and Ollama has not.
        InvalidRequestError: an argument or option is unknown, of the wrong type, out of range or given twice.
    """
    if not parameters:
        return {}, {}
    strange = _REFUSED.keys() & parameters.keys()
    if strange:
        for name in sorted(strange):
            if parameters[name] is not None:
                raise UnsupportedError(
                    f"Ollama does not take {name}: {_REFUSED[name]}.", provider="ollama", code="unsupported"
                )
        parameters = {name: value for name, value in parameters.items() if name not in strange}
    call, fields = split(parameters, table, "ollama", body=body)
    direct = fields.keys() & _OPTION_NAMES
    if direct or "options" in fields:
        _gather(fields, direct)
    if "keep_alive" in fields:
        fields["keep_alive"] = checked_keep_alive(fields["keep_alive"])
    if "top_logprobs" in fields and not fields.get("logprobs"):
        bad_argument("top_logprobs needs logprobs=True", "ollama")
    extra = call.get("extra_body")
    if extra and isinstance(extra.get("options"), Mapping) and "options" in fields:
        call["extra_body"] = {**extra, "options": {**fields["options"], **extra["options"]}}
    return call, fields


def _gather(fields: dict[str, Any], direct: set[str]) -> None:
    """Move options given by themselves beside those given in ``options``."""
    options = checked_options(fields.pop("options", None) or {}, "options")
    for name in sorted(direct):
        value = fields.pop(name)
        name = "num_predict" if name == "max_tokens" else name
        if name in options:
            bad_argument(f"{name} is given twice", "ollama")
        options[name] = [value] if name == "stop" and isinstance(value, str) else value
    if options:
        fields["options"] = options


def checked_options(options: Mapping[str, Any], argument: str) -> dict[str, Any]:
    """Return options of a model fit for the wire; those that are None are left out.

    Raises:
        InvalidRequestError: one is unknown or of the wrong type.
    """
    result: dict[str, Any] = {}
    for name, value in options.items():
        hint = _HINTS.get(name)
        if hint is None:
            if name in _FORGOTTEN:
                bad_argument(f"{argument}.{name} is no longer known to the server, which would ignore it", "ollama")
            raise InvalidRequestError(
                f"Unknown option {argument}.{name[:100]}; extra_body={{'options': ...}} passes anything.",
                provider="ollama",
                code="unknown_argument",
                suggestions=nearest(name, _HINTS),
            )
        if value is None:
            continue
        check_argument(f"{argument}.{name}", value, hint, "ollama")
        result[name] = [value] if name == "stop" and isinstance(value, str) else value
    return result
