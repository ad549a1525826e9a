"""What adapters of clients that speak the OpenAI dialect share: the body of a call and the fields of a reply.

Shapes only. It must never complete, repair or count anything: what the client did not hand out is absent.
"""

from __future__ import annotations

import json
from typing import Any, Final

__all__ = ["LITELLM", "STAINLESS", "asked", "explained", "told", "usage"]

STAINLESS: Final = {
    "APIConnectionError": "transport",
    "APIError": "server",  # itself and no child of it: an error event in a stream
    "APIResponseValidationError": "response_format",
    "APIStatusError": "other",
    "APITimeoutError": "timeout",
    "AuthenticationError": "authentication",
    "BadRequestError": "invalid_request",
    "InternalServerError": "server",
    "NotFoundError": "not_found",
    "PermissionDeniedError": "permission",
    "RateLimitError": "rate_limit",
    "UnprocessableEntityError": "invalid_request",
}
"""The classes of the clients that are generated with Stainless (OpenAI, Anthropic, Groq), by name."""


LITELLM: Final = STAINLESS | {
    "BadGatewayError": "server",
    "ContextWindowExceededError": "context_length",
    "MidStreamFallbackError": "interrupted",
    "PaymentRequiredError": "quota",
    "RouterRateLimitError": "unavailable",
    "ServiceUnavailableError": "server",
    "UnsupportedParamsError": "unsupported",
}
"""The classes of LiteLLM; most are children of OpenAI's."""


def explained(
    error: Exception, classes: dict[str, str], *, status: str = "status_code", code: str = "code"
) -> dict[str, Any]:
    """Return what an error tells.

    Args:
        classes: the protocol's class of the client's types, by name; the nearest type of the error that has one decides,
            and ``other`` is what has none.
        status, code: attributes that hold the status of the answer and the provider's code.
    """
    nearest = (classes[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in classes)
    fields = {"status": (getattr(error, status, None), int), "code": (getattr(error, code, None), str)}
    told = {name: value for name, (value, kind) in fields.items() if isinstance(value, kind)}
    return {"class": next(nearest, "other"), **told}


def asked(call: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``chat.completions.create`` for a call; the model only where the call has one."""
    options = dict(call.get("options", {}))
    if "max_tokens" in options:
        options["max_completion_tokens"] = options.pop("max_tokens")
    if "tools" in options:
        options["tools"] = [{"type": "function", "function": tool} for tool in options["tools"]]
    if "json_schema" in options:
        schema = {"name": "answer", "schema": options.pop("json_schema")}
        options["response_format"] = {"type": "json_schema", "json_schema": schema}
    model = {"model": call["model"]} if "model" in call else {}
    return {"messages": call["messages"], **model, **options}


def told(completion: Any) -> dict[str, Any]:
    """Return the fields of a reply from a chat completion as the client hands it out."""
    choice = completion.choices[0]
    made = [call.function for call in choice.message.tool_calls or ()]
    return {
        "text": choice.message.content or "",
        "model": completion.model,
        "finish_reason": choice.finish_reason,
        "usage": usage(completion.usage),
        "tool_calls": [{"name": call.name, "arguments": json.loads(call.arguments)} for call in made],
    }


def usage(counted: Any) -> dict[str, Any] | None:
    """Return the counts of a reply; those of embeddings have no output."""
    if counted is None:
        return None
    return {
        "input_tokens": counted.prompt_tokens,
        "output_tokens": getattr(counted, "completion_tokens", 0),
    }
