"""``POST /completions``, the legacy text completion: whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.simulators.generation import Turn, Wish, count_tokens, generate
from conformance.simulators.openai.answers.chat import stops_of
from conformance.simulators.openai.answers.chat_parts import FINISH, logprobs_of
from conformance.simulators.openai.answers.common import model_for, too_long
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.framing import DONE, data_only, sse
from conformance.simulators.openai.models import EPOCH, ModelKind
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["answer_with", "complete", "prompts_of"]

_DEFAULT_LIMIT = 16


def prompts_of(prompt: Any) -> list[str]:
    """One text for each prompt; token numbers stand for themselves."""
    if isinstance(prompt, str):
        return [prompt]
    if isinstance(prompt[0], int):
        return [" ".join(map(str, prompt))]
    return [one if isinstance(one, str) else " ".join(map(str, one)) for one in prompt]


def complete(call: Call) -> Answer:
    """Every prompt times ``n`` gives a choice."""
    body = call.body
    model = model_for(call, ModelKind.COMPLETION)
    if isinstance(model, Answer):
        return model
    if body.get("stream_options") and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        return problem_answer(400, message, param="stream_options")
    if body.get("best_of") is not None and body["best_of"] < (body.get("n") or 1):
        return problem_answer(400, "best_of must be greater than or equal to n.", param="best_of")
    limit = body.get("max_tokens")
    limit = _DEFAULT_LIMIT if limit is None else limit
    prompts = prompts_of(body["prompt"])
    refusal = too_long(max(map(count_tokens, prompts)) + limit, model.size, "prompt")
    return refusal or answer_with(call, prompts, limit, {})


def answer_with(call: Call, prompts: list[str], limit: int | None, extra: Mapping[str, Any]) -> Answer:
    """The answer to prompts already read; ``extra`` is put beside the usual top-level fields."""
    body = call.body
    count = body.get("n") or 1
    turns = [
        (prompt, generate(Wish(prompt, call.nonce, limit=limit, stops=stops_of(body), variant=index)))
        for prompt in prompts
        for index in range(count)
    ]
    asked, said = sum(map(count_tokens, prompts)), sum(turn.count for _, turn in turns)
    usage = {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}
    base = {"id": f"cmpl-{call.nonce}", "object": "text_completion", "created": EPOCH, "model": body["model"], **extra}
    if body.get("stream"):
        return sse(Stream(list(_events(body, base, turns, usage)), data_only))
    choices = []
    for index, (prompt, turn) in enumerate(turns):
        text = prompt + turn.text if body.get("echo") else turn.text
        logprobs = _logprobs(turn, body.get("logprobs"))
        choices.append({"text": text, "index": index, "logprobs": logprobs, "finish_reason": FINISH[turn.finish]})
    return Answer(payload={**base, "choices": choices, "usage": usage})


def _logprobs(turn: Turn, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    entries = [logprobs_of(token, top) for token in turn.tokens]
    offsets = [sum(map(len, turn.tokens[:index])) for index in range(len(turn.tokens))]
    return {
        "tokens": list(turn.tokens),
        "token_logprobs": [entry["logprob"] for entry in entries],
        "top_logprobs": [{one["token"]: one["logprob"] for one in entry["top_logprobs"]} for entry in entries],
        "text_offset": offsets,
    }


def _events(
    body: Mapping[str, Any], base: Mapping[str, Any], turns: list[tuple[str, Turn]], usage: Mapping[str, int]
) -> Iterator[Event]:
    counted = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(index: int, text: str, part: Part, finish: str | None = None) -> Event:
        choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
        payload = {**base, "choices": [choice]}
        return Event({**payload, "usage": None} if counted else payload, part=part)

    for index, (prompt, turn) in enumerate(turns):
        if body.get("echo"):
            yield chunk(index, prompt, Part.CONTENT)
        for token in turn.tokens:
            yield chunk(index, token, Part.CONTENT)
        yield chunk(index, "", Part.CLOSING, FINISH[turn.finish])
    if counted:
        yield Event({**base, "choices": [], "usage": dict(usage)}, part=Part.CLOSING)
    yield DONE
