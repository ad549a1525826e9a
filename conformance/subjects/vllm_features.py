"""What of vLLM's chat CAP-04 asks: each feature is sent and judged once."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from conformance.simulators.openai.answers.media import picture
from conformance.simulators.record import Seen
from conformance.subject import CallCase
from conformance.subjects.stories import once
from conformance.trial import Trial

__all__ = ["FEATURES"]

Judge = Callable[[Trial, Any, Seen], None]
_HELLO: Final = [{"role": "user", "content": "hello"}]
_PICTURE: Final = picture("c0ffee00")
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
_SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def _called(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal([call.name for call in reply.tool_calls], ["weather"], "names of the tools called")
    trial.equal(reply.tool_calls[0].arguments, f'{{"city": "{seen.nonce}"}}', "arguments of the tool called")
    trial.equal(reply.finish_reason, "tool_calls", "finish reason of a tool turn")


def _named_call(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.tool_calls), 1, "tools called")
    trial.equal(reply.finish_reason, "stop", "finish reason where the tool was named")


def _followed(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, f'{{"city": "{seen.nonce}"}}', "an answer that follows the schema")


def _chose(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(reply.text, "yes", "an answer that is one of the choices")


def _reasoned(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.expect(reply.reasoning and seen.nonce in reply.reasoning, "the reasoning is not in the reply")


def _logprobs_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.logprobs["content"]), reply.usage.output_tokens, "log probabilities of the reply")


def _ids_came(trial: Trial, reply: Any, seen: Seen) -> None:
    trial.equal(len(reply.raw["choices"][0]["token_ids"]), reply.usage.output_tokens, "token ids of the answer")
    trial.equal(len(reply.raw["prompt_token_ids"]), reply.usage.input_tokens, "token ids of the prompt")


def _feature(
    messages: Any = _HELLO, judge: Judge | None = None, sends: Mapping[str, Any] | None = None, **options: Any
) -> CallCase:
    return once(
        "POST */chat/completions",
        "chat",
        messages,
        options=options,
        sends={"messages": messages, **(sends or options)},
        judge=judge,
    )


_IMAGE_PART: Final = {
    "type": "image_url",
    "image_url": {"url": "data:image/png;base64," + base64.b64encode(_PICTURE).decode()},
}
_SEEN: Final = [{"role": "user", "content": [{"type": "text", "text": "What is it?"}, _IMAGE_PART]}]
_WORDS: Final = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": _SCHEMA}}
_NAMED: Final = {"type": "function", "function": {"name": "weather"}}

FEATURES: Final[Mapping[str, CallCase]] = {
    "system prompt": _feature([{"role": "system", "content": "Be brief."}, *_HELLO]),
    "image": _feature(_SEEN, model="google/gemma-3-4b-it"),
    "tools": _feature(tools=[_TOOL], tool_choice="required", parallel_tool_calls=False, judge=_called),
    "a named tool": _feature(tools=[_TOOL], tool_choice=_NAMED, judge=_named_call),
    "JSON schema": _feature(response_format=_WORDS, judge=_followed),
    "structured outputs: schema": _feature(structured_outputs={"json": _SCHEMA}, judge=_followed),
    "structured outputs: choice": _feature(structured_outputs={"choice": ["yes", "no"]}, judge=_chose),
    "structured outputs: pattern": _feature(structured_outputs={"regex": r"\d+"}),
    "seed": _feature(seed=-7),
    "stop": _feature(stop=["END", "FIN", "a", "b", "c"], stop_token_ids=[2], include_stop_str_in_output=True),
    "penalties": _feature(presence_penalty=0.5, frequency_penalty=-0.5, repetition_penalty=1.1),
    "logit bias": _feature(logit_bias={"50256": -100}, bad_words=["zork"], allowed_token_ids=[5, 6]),
    "logprobs": _feature(logprobs=True, top_logprobs=2, prompt_logprobs=0, judge=_logprobs_came),
    "sampling": _feature(temperature=2.5, top_p=0.9, top_k=40, min_p=0.1, max_completion_tokens=16, n=2),
    "length": _feature(min_tokens=2, max_tokens=8, ignore_eos=True, truncate_prompt_tokens=-1, truncation_side="left"),
    "reasoning": _feature(model="Qwen/Qwen3-8B", reasoning_effort="low", thinking_token_budget=64, judge=_reasoned),
    "template": _feature(
        chat_template="{{ messages }}",
        chat_template_kwargs={"enable_thinking": False},
        add_generation_prompt=False,
        documents=[{"title": "a", "text": "b"}],
    ),
    "continuation": _feature(
        [*_HELLO, {"role": "assistant", "content": "Well,"}],
        continue_final_message=True,
        add_generation_prompt=False,
        echo=True,
    ),
    "token ids": _feature(return_token_ids=True, judge=_ids_came),
    "cache": _feature(cache_salt="salt", kv_transfer_params={"do_remote_decode": True}, vllm_xargs={"a": 1}),
    "the server's queue": _feature(server_priority=-3, sends={"priority": -3}),
}
