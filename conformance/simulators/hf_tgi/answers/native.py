"""``/generate``, ``/generate_stream``, the compatible ``/``, and ``/tokenize``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.hf_tgi.answers.engine import Run, headers_of, problem_of, run, stream_headers, token
from conformance.simulators.hf_tgi.errors import error_event, invalid
from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Answer, Call, Event, Part, Stream

__all__ = ["compat", "generate", "generate_stream", "tokenize"]


def _asked(call: Call) -> tuple[str, dict[str, Any]]:
    parameters = call.body.get("parameters")
    if parameters is None:
        return call.body["inputs"], {"do_sample": True}
    return call.body["inputs"], {name: value for name, value in parameters.items() if value is not None}


def generate(call: Call) -> Answer:
    """``POST /generate``."""
    inputs, parameters = _asked(call)
    call.state.counts["request_count"] += 1
    problem = problem_of(call.state, inputs, parameters, stream=False)
    if problem is not None:
        call.state.counts["failure validation"] += 1
        return invalid(problem)
    runs = [run(call, inputs, parameters, variant=index) for index in range(parameters.get("best_of") or 1)]
    first = runs[0]
    payload: dict[str, Any] = {"generated_text": _text(first, inputs, parameters)}
    if parameters.get("details") or parameters.get("decoder_input_details"):
        payload["details"] = _details(first, inputs, parameters)
        if len(runs) > 1:
            payload["details"]["best_of_sequences"] = [
                {"generated_text": _text(one, inputs, parameters), **_details(one, inputs, parameters)}
                for one in runs[1:]
            ]
    return Answer(payload=payload, headers=headers_of(call, inputs, first.asked, len(first.tokens)))


def _text(one: Run, inputs: str, parameters: Mapping[str, Any]) -> str:
    return inputs + one.text if parameters.get("return_full_text") else one.text


def _details(one: Run, inputs: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    prefill: list[dict[str, Any]] = []
    if parameters.get("decoder_input_details"):
        known = (token(piece) for piece in tokenise(inputs)[-one.asked :])
        prefill = [{"id": entry["id"], "text": entry["text"], "logprob": entry["logprob"]} for entry in known]
        prefill[0]["logprob"] = None
    details = {**one.details(), "prefill": prefill, "tokens": list(one.tokens)}
    if parameters.get("top_n_tokens"):
        details["top_tokens"] = [_likeliest(entry, parameters["top_n_tokens"]) for entry in one.tokens]
    return details


def _likeliest(entry: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    others = (token(f"{entry['text']}{chr(97 + index)}") for index in range(number - 1))
    return [dict(entry), *({**other, "logprob": other["logprob"] - 2} for other in others)]


def generate_stream(call: Call) -> Answer:
    """``POST /generate_stream``; the status is 200 whatever happens."""
    inputs, parameters = _asked(call)
    call.state.counts["request_count"] += 1
    problem = problem_of(call.state, inputs, parameters, stream=True)
    if problem is not None:
        call.state.counts["failure validation"] += 1
        events = list(error_event(422, "validation", f"Input validation error: {problem}"))
        return _streamed(events, inputs, problem)
    return _streamed(list(_events(run(call, inputs, parameters), inputs, parameters)), inputs)


def _streamed(events: list[Event], inputs: str, problem: str | None = None) -> Answer:
    return Answer(
        stream=Stream(events, data_only),
        content_type="text/event-stream",
        headers=stream_headers(inputs),
        problem=problem,
    )


def _events(one: Run, inputs: str, parameters: Mapping[str, Any]) -> Iterator[Event]:
    last = len(one.tokens)
    for index, entry in enumerate(one.tokens, 1):
        payload: dict[str, Any] = {"index": index, "token": entry}
        if parameters.get("top_n_tokens"):
            payload["top_tokens"] = _likeliest(entry, parameters["top_n_tokens"])
        payload |= {"generated_text": None, "details": None}
        if index == last:
            payload["generated_text"] = _text(one, inputs, parameters)
            if parameters.get("details"):
                payload["details"] = {**one.details(), "input_length": one.asked}
        yield Event(payload, part=Part.TERMINATOR if index == last else Part.CONTENT)


def compat(call: Call) -> Answer:
    """``POST /``: the same by ``stream``; a whole answer is a list of one."""
    if call.body.get("stream"):
        return generate_stream(call)
    answer = generate(call)
    if answer.status != 200:
        return answer
    return Answer(payload=[answer.payload], headers=answer.headers)


def tokenize(call: Call) -> Answer:
    """``POST /tokenize``."""
    return Answer(payload=tokens_of(call.body["inputs"]))


def tokens_of(text: str) -> list[dict[str, Any]]:
    """The tokens of a text with their places in it."""
    found, at = [], 0
    for piece in tokenise(text):
        found.append({"id": token(piece)["id"], "text": piece, "start": at, "stop": at + len(piece)})
        at += len(piece)
    return found
