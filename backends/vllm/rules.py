"""What the argument tables cannot say: names that this server does not take, fields that exclude each other, and the
constraint on the output in the words of older servers. Pure.

Wire facts: the validators of ``chat_completion/protocol.py`` and ``completion/protocol.py``. The server accepts unknown
fields in silence, so a name that it does not know must be refused here or nobody notices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.errors import UnsupportedError
from backends.parameters import bad_argument

__all__ = ["checked_body", "guided", "unrefused"]

_PROVIDER: Final = "vllm"
_CONSTRAINTS: Final = ("json", "regex", "choice", "grammar", "json_object", "structural_tag")
_OLD_NAMES: Final = {name: f"guided_{name}" for name in ("json", "regex", "choice", "grammar")}
_REPLACED: Final = "use structured_outputs={{{!r}: ...}}; guided_fields=True of the backend speaks to older servers"
_REFUSED: Final[dict[str, str]] = {
    **{old: _REPLACED.format(name) for name, old in _OLD_NAMES.items()},
    "guided_decoding_backend": "the server chooses it when it starts",
    "best_of": "it makes n answers and returns them all; use n",
    "suffix": "it cannot insert before a text",
    "functions": "use tools",
    "function_call": "use tool_choice",
    "modalities": "it answers in text",
    "audio": "it answers in text",
    "prediction": "speculation is a matter of how the server was started",
    "service_tier": "use server_priority, or priority_scheduling=True of the backend",
    "web_search_options": "it searches nothing",
    "normalize": "use use_activation",
}
"""Arguments that other providers or other versions have, and what to do instead."""


def unrefused(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the arguments.

    Raises:
        UnsupportedError: one is known elsewhere and not here; the message says what to use.
    """
    for name in parameters.keys() & _REFUSED.keys():
        if parameters[name] is not None:
            raise UnsupportedError(
                f"vLLM does not take {name}: {_REFUSED[name]}.", provider=_PROVIDER, code="unsupported"
            )
    return {name: value for name, value in parameters.items() if name not in _REFUSED}


def checked_body(body: Mapping[str, Any]) -> None:
    """Refuse fields that exclude or need each other, as the server would.

    Raises:
        InvalidRequestError: the message names them.
    """
    constraint = body.get("structured_outputs")
    if constraint is not None:
        given = [name for name in _CONSTRAINTS if constraint.get(name) is not None]
        if len(given) != 1:
            bad_argument(f"structured_outputs must hold exactly one of {', '.join(_CONSTRAINTS)}", _PROVIDER)
        if (body.get("response_format") or {}).get("type", "text") != "text":
            bad_argument("structured_outputs and response_format exclude each other", _PROVIDER)
    if "top_logprobs" in body and "messages" in body and not body.get("logprobs"):
        bad_argument("top_logprobs needs logprobs=True", _PROVIDER)
    if body.get("continue_final_message") and body.get("add_generation_prompt"):
        bad_argument("continue_final_message and add_generation_prompt exclude each other", _PROVIDER)
    if body.get("stream") and "prompt_logprobs" in body:
        bad_argument("prompt_logprobs cannot be streamed", _PROVIDER)
    if "messages" in body and body.get("tool_choice", "none") != "none" and not body.get("tools"):
        bad_argument("tool_choice needs tools", _PROVIDER)
    if body.get("background") and body.get("store") is False:
        bad_argument("background needs store", _PROVIDER)


def guided(body: dict[str, Any]) -> None:
    """Put the constraint of a body into the words of older servers.

    Raises:
        InvalidRequestError: they have no word for it.
    """
    constraint = body.pop("structured_outputs", None)
    for name, value in (constraint or {}).items():
        if value is None:
            continue
        if name not in _OLD_NAMES:
            bad_argument(f"structured_outputs[{name!r}] cannot be said with guided_fields", _PROVIDER)
        body[_OLD_NAMES[name]] = value
