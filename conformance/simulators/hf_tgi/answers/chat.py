"""``/v1/chat/completions`` with the oddities of TGI, and ``/chat_tokenize``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.simulators.generation import Tool, Wish, tokenise
from conformance.simulators.hf_tgi.answers.engine import Run, headers_of, problem_of, run, schema_of, stream_headers
from conformance.simulators.hf_tgi.answers.native import tokens_of
from conformance.simulators.hf_tgi.errors import chat_error_event, failure, invalid
from conformance.simulators.hf_tgi.models import EPOCH
from conformance.simulators.openai.answers.chat_parts import logprobs_of
from conformance.simulators.openai.answers.common import text_of
from conformance.simulators.openai.framing import DONE, data_only
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["FINISH", "base_of", "chat", "chat_tokenize", "usage_of"]

FINISH = {"eos_token": "stop", "length": "length", "stop_sequence": "stop_sequence"}


def _templated(body: Mapping[str, Any]) -> str:
    """What the chat template makes of a conversation."""
    lines = []
    if body.get("tools"):
        lines.append(f"<tools>{json.dumps(body['tools'])}</tools>")
    for message in body["messages"]:
        content = message.get("content")
        said = text_of(content) or json.dumps(message.get("tool_calls") or "")
        images = sum(part["type"] == "image_url" for part in content) if isinstance(content, list) else 0
        lines.append(f"<|{message['role']}|>{'<image>' * images}{said}</s>")
    return "\n".join([*lines, "<|assistant|>"])


def _parameters(body: Mapping[str, Any]) -> dict[str, Any]:
    """The request in the words of the engine."""
    presence, temperature = body.get("presence_penalty"), body.get("temperature")
    parameters = {
        "max_new_tokens": body.get("max_completion_tokens") or body.get("max_tokens"),
        "repetition_penalty": None if presence is None else presence + 2,
        "frequency_penalty": body.get("frequency_penalty"),
        "temperature": temperature or None,
        "top_p": body.get("top_p"),
        "seed": body.get("seed"),
        "stop": body.get("stop"),
        "top_n_tokens": body.get("top_logprobs"),
        "grammar": body.get("response_format"),
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _tools(body: Mapping[str, Any]) -> tuple[list[Tool], str | None] | Answer:
    """The tools that may be used and which one must be, or the refusal of a choice that is not among them."""
    tools = [
        Tool(one["function"]["name"], one["function"].get("parameters") or one["function"].get("arguments") or {})
        for one in body.get("tools") or ()
    ]
    choice = body.get("tool_choice") or "auto"
    if not tools or choice == "none":
        return [], None
    if choice in ("auto", "required"):
        return tools, None if choice == "auto" else ""
    name = choice if isinstance(choice, str) else choice["function"]["name"]
    if name not in [tool.name for tool in tools]:
        return failure(422, "tool_error", f"Tool error: Tool choice not found: {name}")
    return tools, name


def chat(call: Call) -> Answer:
    """``POST /v1/chat/completions``."""
    body = call.body
    if body.get("tools") and body.get("response_format"):
        return failure(422, "tool_error", "Tool error: Grammar and tools are mutually exclusive")
    chosen = _tools(body)
    if isinstance(chosen, Answer):
        return chosen
    parameters, prompt, stream = _parameters(body), _templated(body), bool(body.get("stream"))
    call.state.counts["request_count"] += 1
    problem = problem_of(call.state, prompt, parameters, stream=stream)
    if problem is not None:
        call.state.counts["failure validation"] += 1
        if not stream:
            return invalid(problem)
        return _streamed(list(chat_error_event(422, None, f"Input validation error: {problem}")), prompt, problem)
    messages = body["messages"]
    wish = Wish(
        next((text_of(one.get("content")) for one in reversed(messages) if one["role"] == "user"), ""),
        call.nonce,
        limit=parameters.get("max_new_tokens"),
        stops=parameters.get("stop") or (),
        tools=chosen[0],
        force=chosen[1],
        parallel=False,
        answered=messages[-1]["role"] == "tool",
        schema=schema_of(parameters.get("grammar")),
    )
    made = run(call, prompt, parameters, wish=wish)
    if stream:
        return _streamed(list(_events(call, made)), prompt)
    choice = {"index": 0, "message": _message(made), "logprobs": _logprobs(call, made), "finish_reason": _finish(made)}
    payload = {**base_of(call, "chat.completion"), "choices": [choice], "usage": usage_of([made])}
    return Answer(payload=payload, headers=headers_of(call, prompt, made.asked, len(made.tokens)))


def base_of(call: Call, kind: str) -> dict[str, Any]:
    """The fields of every answer and chunk of the OpenAI side."""
    return {
        "object": kind,
        "id": "",
        "created": EPOCH,
        "model": call.state.model_id,
        "system_fingerprint": call.state.fingerprint,
    }


def usage_of(runs: list[Run]) -> dict[str, int]:
    """Token counts."""
    asked, made = sum(one.asked for one in runs), sum(len(one.tokens) for one in runs)
    return {"prompt_tokens": asked, "completion_tokens": made, "total_tokens": asked + made}


def _finish(made: Run) -> str:
    return FINISH[made.finish]


def _message(made: Run) -> dict[str, Any]:
    if not made.turn.tool_uses:
        return {"role": "assistant", "content": made.text}
    use = made.turn.tool_uses[0]
    function = {"description": None, "name": use.name, "arguments": use.arguments}
    return {"role": "assistant", "tool_calls": [{"id": "0", "type": "function", "function": function}]}


def _logprobs(call: Call, made: Run) -> dict[str, Any] | None:
    if not call.body.get("logprobs"):
        return None
    return {"content": [_entry(call, one["text"]) for one in made.tokens]}


def _entry(call: Call, text: str) -> dict[str, Any]:
    entry = logprobs_of(text, call.body.get("top_logprobs") or 0)
    others = [{"token": one["token"], "logprob": one["logprob"]} for one in entry["top_logprobs"]]
    return {"token": entry["token"], "logprob": entry["logprob"], "top_logprobs": others}


def _streamed(events: list[Event], prompt: str, problem: str | None = None) -> Answer:
    return Answer(
        stream=Stream(events, data_only, error=chat_error_event),
        content_type="text/event-stream",
        headers=stream_headers(prompt),
        problem=problem,
    )


def _events(call: Call, made: Run) -> Iterator[Event]:
    base = base_of(call, "chat.completion.chunk")

    def chunk(delta: Mapping[str, Any], part: Part, finish: str | None = None, logprobs: Any = None) -> Event:
        choice = {
            "index": 0,
            "delta": {"role": "assistant", **delta},
            "logprobs": logprobs,
            "finish_reason": finish,
        }
        return Event({**base, "choices": [choice], "usage": None}, part=part)

    if made.turn.tool_uses:
        use = made.turn.tool_uses[0]
        # The opening brace goes out with the name; the rest follows token by token.
        yield chunk(_call_delta(use.name, use.arguments[:1]), Part.CONTENT)
        yield from (chunk(_call_delta(None, piece), Part.CONTENT) for piece in tokenise(use.arguments[1:]))
    else:
        for one in made.tokens:
            if not one["special"]:
                wanted = call.body.get("logprobs")
                logprobs = {"content": [_entry(call, one["text"])]} if wanted else None
                yield chunk({"content": one["text"]}, Part.CONTENT, logprobs=logprobs)
    yield chunk({"content": ""}, Part.CLOSING, _finish(made))
    if (call.body.get("stream_options") or {}).get("include_usage"):
        yield Event({**base, "choices": [], "usage": usage_of([made])}, part=Part.CLOSING)
    yield DONE


def _call_delta(name: str | None, arguments: str) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"tool_calls": [{"index": 0, "id": "0", "type": "function", "function": function}]}


def chat_tokenize(call: Call) -> Answer:
    """``POST /chat_tokenize``."""
    text = _templated(call.body)
    return Answer(payload={"tokenize_response": tokens_of(text), "templated_text": text})
