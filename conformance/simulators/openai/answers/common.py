"""What several answers share: the model a request names, token counts, stored-list paging, media from data URLs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conformance.simulators.generation import count_tokens
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import ModelKind, SimulatedModel, find_model
from conformance.simulators.provider import Answer, Call

__all__ = ["clipped", "model_for", "page", "text_of", "tokens_of_prompt", "too_long"]

_TOKENS_OF_IMAGE = 85


def model_for(call: Call, *kinds: ModelKind, default: str | None = None) -> SimulatedModel | Answer:
    """The live model the body names, or the 404 the real service gives for a wrong, retired or misused one."""
    name = call.body.get("model") or default or ""
    model = find_model(call.state, name, *kinds)
    if model is not None:
        return model
    known = call.state.models.get(name)
    if known is None:
        message = f"The model `{clipped(name)}` does not exist or you do not have access to it."
        return problem_answer(404, message, param="model", code="model_not_found")
    if known.retired:
        message = (
            f"The model `{name}` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations"
        )
        return problem_answer(404, message, param="model", code="model_not_found")
    message = f"This is not a {kinds[0].value} model and thus not supported in the {call.request.path} endpoint."
    return problem_answer(404, message, param="model")


def clipped(text: str) -> str:
    """At most two hundred characters of what a client sent."""
    return text if len(text) <= 200 else text[:200] + "…"


def too_long(tokens: int, size: int, param: str) -> Answer | None:
    """The 400 for an input that does not fit, or None."""
    if tokens <= size:
        return None
    message = (
        f"This model's maximum context length is {size} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages."
    )
    return problem_answer(400, message, param=param, code="context_length_exceeded")


def text_of(content: Any) -> str:
    """The text in a message's content, whatever its shape."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    return ""


def tokens_of_prompt(messages: Iterable[Any]) -> int:
    """Prompt tokens: the text, four for each message, and a fixed number for each image, sound or file."""
    total = 3
    for message in messages:
        content = message.get("content")
        total += 4 + count_tokens(text_of(content))
        if isinstance(content, list):
            total += _TOKENS_OF_IMAGE * sum(
                part.get("type") not in ("text", "input_text", "output_text") for part in content
            )
    return total


def page(call: Call, items: Sequence[dict[str, Any]], *, limit: int = 20) -> Answer:
    """One page of a list, newest first unless ``order=asc``: ``after`` is exclusive, ``has_more`` always present."""
    query = call.request.parameters
    ordered = list(items) if query.get("order") == "asc" else list(reversed(items))
    if "after" in query:
        ids = [item["id"] for item in ordered]
        if query["after"] not in ids:
            message = f"No such item: '{clipped(query['after'])}'."
            return problem_answer(400, message, param="after", code="invalid_value")
        ordered = ordered[ids.index(query["after"]) + 1 :]
    shown = ordered[: int(query.get("limit", limit))]
    return Answer(
        payload={
            "object": "list",
            "data": shown,
            "first_id": shown[0]["id"] if shown else None,
            "last_id": shown[-1]["id"] if shown else None,
            "has_more": len(ordered) > len(shown),
        }
    )
