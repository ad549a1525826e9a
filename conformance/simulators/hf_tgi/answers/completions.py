"""``/v1/completions``: one prompt or a few, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.simulators.hf_tgi.answers.chat import FINISH, base_of, usage_of
from conformance.simulators.hf_tgi.answers.engine import Run, headers_of, problem_of, run, stream_headers
from conformance.simulators.hf_tgi.errors import chat_error_event, invalid
from conformance.simulators.openai.framing import DONE, data_only
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["complete"]


def complete(call: Call) -> Answer:
    """``POST /v1/completions``."""
    body = call.body
    prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
    if body.get("suffix") is not None:
        return invalid("suffix not supported")
    if len(prompts) > call.state.max_client_batch_size:
        return invalid(f"batch size exceeded: {len(prompts)} > {call.state.max_client_batch_size}")
    call.state.counts["request_count"] += 1
    parameters = _parameters(body)
    stream = bool(body.get("stream"))
    problems = (problem_of(call.state, prompt, parameters, stream=stream) for prompt in prompts)
    problem = next((one for one in problems if one), None)
    if problem is not None and not stream:
        return invalid(problem)
    if problem is not None:
        return _streamed(
            list(chat_error_event(422, None, f"Input validation error: {problem}")), " ".join(prompts), problem
        )
    runs = [run(call, prompt, parameters, variant=index) for index, prompt in enumerate(prompts)]
    if stream:
        return _streamed(list(_events(call, runs)), " ".join(prompts))
    choices = [
        {"index": index, "text": made.text, "logprobs": None, "finish_reason": FINISH[made.finish]}
        for index, made in enumerate(runs)
    ]
    usage = usage_of(runs)
    headers = headers_of(call, " ".join(prompts), usage["prompt_tokens"], usage["completion_tokens"])
    return Answer(payload={**base_of(call, "text_completion"), "choices": choices, "usage": usage}, headers=headers)


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("repetition_penalty", "frequency_penalty", "top_p", "seed", "stop")
    parameters = {name: body[name] for name in kept if body.get(name) is not None}
    if body.get("max_tokens") is not None:
        parameters["max_new_tokens"] = body["max_tokens"]
    return {**parameters, "temperature": body["temperature"]} if body.get("temperature") else parameters


def _streamed(events: list[Event], prompt: str, problem: str | None = None) -> Answer:
    return Answer(
        stream=Stream(events, data_only, error=chat_error_event),
        content_type="text/event-stream",
        headers=stream_headers(prompt),
        problem=problem,
    )


def _events(call: Call, runs: list[Run]) -> Iterator[Event]:
    """Pieces whose finish reason is empty; the last of each prompt has the engine's own word and the counts."""
    base = base_of(call, "text_completion")
    for index, made in enumerate(runs):
        for place, one in enumerate(made.tokens, 1):
            last = place == len(made.tokens)
            text = "" if one["special"] else one["text"]
            choice = {"index": index, "text": text, "logprobs": None, "finish_reason": made.finish if last else ""}
            payload = {**base, "choices": [choice]}
            yield Event(
                {**payload, "usage": usage_of([made])} if last else payload, part=Part.CLOSING if last else Part.CONTENT
            )
    yield DONE
