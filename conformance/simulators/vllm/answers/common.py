"""What several answers share: the model of a request, the prompt that messages make, token counts, ids."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from conformance.simulators.openai.answers.common import text_of
from conformance.simulators.provider import Answer, Call
from conformance.simulators.vllm.errors import missing_model, problem_answer, too_long
from conformance.simulators.vllm.models import SPECIAL, ServedModel, Task

__all__ = ["FINGERPRINT", "identifier", "model_for", "prompt_ids", "rendered", "same_tokens", "unfit", "usage"]

FINGERPRINT = "vllm-0.32.0-51a7ed00"
_TOKENS_OF_MEDIUM = 256
_MEDIUM = "<medium>"


def model_for(call: Call, *tasks: Task) -> ServedModel | Answer:
    """The model that the body names, or the first that can do the task; else the 404, or 400 for a model of another kind."""
    name = call.body.get("model")
    if not name:
        first: ServedModel | None = call.state.first(tasks)
        return first or problem_answer(404, "Not Found")
    model: ServedModel | None = call.state.models.get(name)
    if model is None:
        return missing_model(name, list(call.state.models))
    if tasks and model.task not in tasks:
        return problem_answer(400, f"The model does not support {tasks[0].value} API")
    return model


def identifier(call: Call, prefix: str) -> str:
    """``chatcmpl-`` and the id of the caller's own, else a fresh one; the header goes before the field."""
    return prefix + (call.request.header("x-request-id") or call.body.get("request_id") or call.nonce)


def rendered(body: dict[str, Any], messages: Sequence[Any] | None = None) -> str:
    """The prompt that the chat template makes of messages and tools; media stand for a word each."""
    lines = [f"<tools>{json.dumps(body['tools'], ensure_ascii=False)}\n"] if body.get("tools") else []
    for message in body["messages"] if messages is None else messages:
        content = message.get("content")
        media = sum(part.get("type") != "text" for part in content) if isinstance(content, list) else 0
        lines.append(f"{message['role']} : {text_of(content)}{_MEDIUM * media}\n")
    if body.get("add_generation_prompt") is not False and not body.get("continue_final_message"):
        lines.append("assistant : ")
    return "".join(lines)


def prompt_ids(call: Call, prompt: Any, model: ServedModel) -> list[int]:
    """Token numbers of a prompt: those given, or those of its text; embedding models put special ones around it."""
    if isinstance(prompt, list):
        return list(prompt)
    ids: list[int] = call.state.vocabulary.encode(prompt)
    if model.task is not Task.GENERATE and call.body.get("add_special_tokens") is not False:
        ids = [SPECIAL.index("[CLS]"), *ids, SPECIAL.index("[SEP]")]
    return ids + [0] * (_TOKENS_OF_MEDIUM * prompt.count(_MEDIUM))


def same_tokens(call: Call, tokens: Sequence[str]) -> list[int]:
    """Numbers of an answer's tokens."""
    return [call.state.vocabulary.number(token) for token in tokens]


def unfit(call: Call, model: ServedModel, prompt: Any, ids: Sequence[int], limit: int | None = None) -> Answer | None:
    """The 400 of a prompt or a limit beyond the model's length, or None."""
    size = model.max_model_len or 131_072
    if limit is not None and limit > size:
        message = (
            f"max_tokens={limit} cannot be greater than max_model_len={size}. Please request fewer output tokens. "
            f"(parameter=max_tokens, value={limit})"
        )
        return problem_answer(400, message, param="max_tokens")
    if call.body.get("truncate_prompt_tokens") is not None:
        return None
    if isinstance(prompt, str) and len(prompt) > 6 * size:
        return too_long(len(prompt), size)
    if len(ids) > size:
        message = (
            f"This model's maximum context length is {size} tokens. However, your request has {len(ids)} input tokens. "
            f"Please reduce the length of the input messages. (parameter=input_tokens, value={len(ids)})"
        )
        return problem_answer(400, message, param="input_tokens")
    return None


def usage(asked: int, said: int = 0) -> dict[str, Any]:
    """Counts, with details that are only there with a switch of the server."""
    return {
        "prompt_tokens": asked,
        "total_tokens": asked + said,
        "completion_tokens": said,
        "prompt_tokens_details": None,
        "completion_tokens_details": None,
    }
