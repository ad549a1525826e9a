"""``POST /v1/completions``, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.simulators.generation import Finish, Turn, Wish, generate
from conformance.simulators.openai.answers.chat import stops_of
from conformance.simulators.openai.answers.chat_parts import FINISH, logprobs_of
from conformance.simulators.openai.answers.completions import prompts_of
from conformance.simulators.openai.models import EPOCH
from conformance.simulators.provider import Answer, Call, Event, Part, Stream
from conformance.simulators.vllm.answers.chat import prompt_logprobs
from conformance.simulators.vllm.answers.chat_stream import Counter
from conformance.simulators.vllm.answers.common import (
    FINGERPRINT,
    identifier,
    model_for,
    prompt_ids,
    same_tokens,
    unfit,
    usage,
)
from conformance.simulators.vllm.framing import DONE, frame, sse
from conformance.simulators.vllm.models import Task

__all__ = ["complete"]

_DEFAULT_LIMIT = 16


@dataclass(frozen=True, slots=True)
class _Choice:
    prompt: str
    ids: list[int]
    turn: Turn

    @property
    def finish(self) -> str:
        return "stop" if self.turn.finish is Finish.FILTER else FINISH[self.turn.finish]


def complete(call: Call) -> Answer:
    """Every prompt times ``n`` gives a choice."""
    body = call.body
    model = model_for(call, Task.GENERATE)
    if isinstance(model, Answer):
        return model
    given = body["prompt"]
    single = isinstance(given, str) or isinstance(given[0], int)
    limit = body.get("max_tokens")
    limit = _DEFAULT_LIMIT if limit is None else limit
    texts = [_text(call, one) for one in ([given] if single else given)]
    choices = []
    for text, raw in zip(texts, [given] if single else given, strict=True):
        ids = prompt_ids(call, raw, model)
        refusal = unfit(call, model, raw, ids, limit)
        if refusal is not None:
            return refusal
        for index in range(body.get("n") or 1):
            wish = Wish(text, call.nonce, limit=limit, stops=stops_of(body), variant=index)
            choices.append(_Choice(text, ids, generate(wish)))
    asked = sum(len(one.ids) for one in choices[:: body.get("n") or 1])
    said = sum(one.turn.count for one in choices)
    call.state.count(asked, said)
    base = {"id": identifier(call, "cmpl-"), "object": "text_completion", "created": EPOCH, "model": model.id}
    if body.get("stream"):
        return sse(Stream(list(_events(call, base, choices, asked)), frame))
    return Answer(
        payload={
            **base,
            "choices": [_choice(call, index, one) for index, one in enumerate(choices)],
            "service_tier": None,
            "system_fingerprint": FINGERPRINT,
            "usage": usage(asked, said),
            "kv_transfer_params": body.get("kv_transfer_params"),
            "ec_transfer_params": None,
            "metrics": None,
        }
    )


def _text(call: Call, prompt: Any) -> str:
    return prompts_of(prompt)[0] if isinstance(prompt, str) else "".join(map(call.state.vocabulary.piece, prompt))


def _choice(call: Call, index: int, one: _Choice) -> dict[str, Any]:
    body = call.body
    wanted = bool(body.get("return_token_ids"))
    return {
        "index": index,
        "text": one.prompt + one.turn.text if body.get("echo") else one.turn.text,
        "logprobs": _logprobs(one.turn, body.get("logprobs")),
        "finish_reason": one.finish,
        "stop_reason": one.turn.stop_sequence,
        "token_ids": same_tokens(call, one.turn.tokens) if wanted else None,
        "prompt_logprobs": prompt_logprobs(call, one.ids),
        "prompt_token_ids": list(one.ids) if wanted else None,
        "routed_experts": None,
    }


def _logprobs(turn: Turn, top: int | None) -> dict[str, Any] | None:
    if top is None:
        return None
    entries = [logprobs_of(token, max(top, 0)) for token in turn.tokens]
    return {
        "text_offset": [sum(map(len, turn.tokens[:index])) for index in range(len(turn.tokens))],
        "token_logprobs": [entry["logprob"] for entry in entries],
        "tokens": list(turn.tokens),
        "top_logprobs": [{one["token"]: one["logprob"] for one in entry["top_logprobs"]} for entry in entries],
    }


def _events(call: Call, base: dict[str, Any], choices: list[_Choice], asked: int) -> Iterator[Event]:
    """The first chunk of a choice has the prompt's tokens and, with ``echo``, its text; the last one its end."""
    body = call.body
    wanted = bool(body.get("return_token_ids"))
    counter = Counter(call, asked)
    for index, one in enumerate(choices):
        tokens = one.turn.tokens or ("",)
        for place, token in enumerate(tokens):
            counter.add(1 if one.turn.tokens else 0)
            first, last = place == 0, place == len(tokens) - 1
            echoed = one.prompt if first and body.get("echo") else ""
            choice = {
                "index": index,
                "text": echoed + token,
                "logprobs": _logprobs(Turn((token,), Finish.END), body.get("logprobs")),
                "finish_reason": one.finish if last else None,
                "stop_reason": one.turn.stop_sequence if last else None,
                "prompt_token_ids": list(one.ids) if first and (wanted or body.get("echo")) else None,
                "token_ids": same_tokens(call, (token,)) if wanted else None,
            }
            payload = {**base, "choices": [choice], **counter.running()}
            if last and not counter.wanted:
                payload["system_fingerprint"] = FINGERPRINT
            yield Event(payload, part=Part.CONTENT)
    yield from counter.last(base)
    yield DONE
