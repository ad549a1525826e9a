"""``POST /v1/chat/completions``, whole and streamed, and ``/batch``; the talking is done by OpenAI's pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.simulators.generation import Finish, Turn, tokenise
from conformance.simulators.openai.answers.chat import turns_of
from conformance.simulators.openai.answers.chat_parts import FINISH, logprobs_of
from conformance.simulators.openai.models import EPOCH
from conformance.simulators.provider import Answer, Call, Stream
from conformance.simulators.vllm.answers.chat_stream import events
from conformance.simulators.vllm.answers.common import (
    FINGERPRINT,
    identifier,
    model_for,
    prompt_ids,
    rendered,
    same_tokens,
    unfit,
    usage,
)
from conformance.simulators.vllm.answers.parts import Said, calls_of
from conformance.simulators.vllm.errors import problem_answer
from conformance.simulators.vllm.framing import frame, sse
from conformance.simulators.vllm.models import ServedModel, Task

__all__ = ["chat", "chat_batch"]


def chat(call: Call) -> Answer:
    """One conversation."""
    body = call.body
    model = model_for(call, Task.GENERATE)
    refusal = model if isinstance(model, Answer) else _unfit(call, model)
    if refusal is not None:
        return refusal
    assert isinstance(model, ServedModel)
    prompt = prompt_ids(call, rendered(body), model)
    said = _said(call, body, model)
    call.state.count(len(prompt), sum(one.count for one in said))
    base = {"id": identifier(call, "chatcmpl-"), "created": EPOCH, "model": model.id}
    if body.get("stream"):
        return sse(Stream(list(events(call, base, said, prompt, rendered(body))), frame))
    return Answer(payload=_whole(call, base, said, prompt))


def chat_batch(call: Call) -> Answer:
    """Several conversations; a choice for each, counted together."""
    model = model_for(call, Task.GENERATE)
    if isinstance(model, Answer):
        return model
    said: list[Said] = []
    prompt: list[int] = []
    for index, messages in enumerate(call.body["messages"]):
        body = {**call.body, "messages": messages}
        prompt += prompt_ids(call, rendered(body), model)
        said += _said(call, body, model, first=index)
    call.state.count(len(prompt), sum(one.count for one in said))
    base = {"id": identifier(call, "chatcmpl-"), "created": EPOCH, "model": model.id}
    return Answer(payload=_whole(call, base, said, prompt))


def _unfit(call: Call, model: ServedModel) -> Answer | None:
    """What the field table cannot say."""
    body = call.body
    for needing, needed in (("top_logprobs", "logprobs"), ("stream_options", "stream")):
        if body.get(needing) and not body.get(needed):
            return problem_answer(400, f"when using `{needing}`, `{needed}` must be set to true.", param=needing)
    if body.get("tool_choice") not in (None, "none") and not body.get("tools"):
        return problem_answer(400, "When using `tool_choice`, `tools` must be set.", param="tool_choice")
    if body.get("prompt_logprobs") is not None and body.get("stream"):
        message = "`prompt_logprobs` are not available when `stream=True`."
        return problem_answer(400, message, param="prompt_logprobs")
    contents = [message.get("content") for message in body["messages"]]
    media = any(part["type"] != "text" for content in contents if isinstance(content, list) for part in content)
    if media and not model.sees:
        return problem_answer(400, f"{model.id} is not a multimodal model")
    prompt = rendered(body)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return unfit(call, model, prompt, prompt_ids(call, prompt, model), limit)


def _said(call: Call, body: dict[str, Any], model: ServedModel, first: int = 0) -> list[Said]:
    """What the model says, one for each of ``n``."""
    constraint = body.get("structured_outputs") or {}
    if constraint.get("json") is not None or constraint.get("json_object"):
        schema = constraint.get("json") if isinstance(constraint.get("json"), dict) else {}
        wanted = {"type": "json_schema", "json_schema": {"name": "constraint", "schema": schema}}
        body = {**body, "response_format": wanted}
    turns = turns_of(body, call.nonce)
    if constraint.get("choice"):
        chosen = tuple(tokenise(constraint["choice"][0]))
        turns = [Turn(chosen, Finish.END) for _ in turns]
    off = (body.get("chat_template_kwargs") or {}).get("enable_thinking") is False
    thinks = model.reasons and not off and body.get("reasoning_effort") != "none"
    thought = tuple(tokenise(f"{call.nonce} wants thinking.")) if thinks else ()
    shown = body.get("include_reasoning") is not False
    named = isinstance(body.get("tool_choice"), dict)
    return [
        Said(first + index, turn, thought if shown else (), len(thought), _finish(turn, named=named))
        for index, turn in enumerate(turns)
    ]


def _finish(turn: Turn, *, named: bool) -> str:
    """A tool that was named ends with ``stop``; there is no filter here."""
    if turn.finish is Finish.FILTER or (named and turn.tool_uses):
        return "stop"
    return FINISH[turn.finish]


def _whole(call: Call, base: dict[str, Any], said: Sequence[Said], prompt: Sequence[int]) -> dict[str, Any]:
    body = call.body
    wanted = bool(body.get("return_token_ids"))
    choices = []
    for one in said:
        message: dict[str, Any] = {
            "role": "assistant",
            "content": one.turn.text,
            "refusal": None,
            "annotations": None,
            "audio": None,
            "function_call": None,
            **({"tool_calls": calls_of(call, one.turn)} if one.turn.tool_uses else {}),
            "reasoning": "".join(one.thought) or None,
        }
        entries = [logprobs_of(token, body.get("top_logprobs") or 0) for token in one.turn.tokens]
        choices.append(
            {
                "index": one.index,
                "message": message,
                "logprobs": {"content": entries} if body.get("logprobs") else None,
                "finish_reason": one.finish,
                "stop_reason": one.turn.stop_sequence,
                "token_ids": same_tokens(call, one.turn.tokens) if wanted else None,
                "routed_experts": None,
            }
        )
    return {
        **base,
        "object": "chat.completion",
        "choices": choices,
        "service_tier": None,
        "system_fingerprint": FINGERPRINT,
        "usage": usage(len(prompt), sum(one.count for one in said)),
        "prompt_logprobs": prompt_logprobs(call, prompt),
        "prompt_token_ids": list(prompt) if wanted else None,
        "prompt_text": None,
        "kv_transfer_params": body.get("kv_transfer_params"),
        "ec_transfer_params": None,
        "metrics": None,
    }


def prompt_logprobs(call: Call, prompt: Sequence[int]) -> list[Any] | None:
    """Nothing for the first token, then each token's own entry, if asked for."""
    if call.body.get("prompt_logprobs") is None:
        return None
    entries = [
        {str(number): {"logprob": -0.5, "rank": 1, "decoded_token": call.state.vocabulary.piece(number)}}
        for number in prompt[1:]
    ]
    return [None, *entries]
