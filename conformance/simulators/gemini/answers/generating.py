"""``:generateContent`` and ``:streamGenerateContent``: text, thoughts, tool calls, pictures, sound, blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from conformance.simulators.gemini.answers.common import given, model_for, prompt_details, texts_of
from conformance.simulators.gemini.answers.turns import MARK, Candidate, made_candidate
from conformance.simulators.gemini.errors import problem_answer
from conformance.simulators.gemini.framing import sse
from conformance.simulators.gemini.models import SimulatedModel
from conformance.simulators.gemini.reading import decoded
from conformance.simulators.generation import count_tokens, tokenise
from conformance.simulators.provider import Answer, Call, Event, Part

__all__ = ["generate_content", "stream_generate_content"]

_RATINGS = [
    {"category": "HARM_CATEGORY_HARASSMENT", "probability": "NEGLIGIBLE"},
    {"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": True},
]


def generate_content(call: Call) -> Answer:
    """One whole answer."""
    made = _made(call)
    if isinstance(made, Answer):
        return made
    candidates, usage = made
    payload: dict[str, Any] = {
        "candidates": [_whole(call, candidate, index) for index, candidate in enumerate(candidates)],
        "usageMetadata": usage,
        **_names(call),
    }
    if not candidates:
        payload = _blocked(call, usage)
    return given(payload)


def stream_generate_content(call: Call) -> Answer:
    """The same in events; without ``alt=sse`` as one array."""
    made = _made(call)
    if isinstance(made, Answer):
        return made
    candidates, usage = made
    events = (
        list(_events(call, candidates, usage)) if candidates else [Event(_blocked(call, usage), part=Part.TERMINATOR)]
    )
    if call.request.parameters.get("alt") == "sse":
        return sse(events)
    return given([event.payload for event in events])


def _names(call: Call) -> dict[str, Any]:
    return {"modelVersion": call.params["model"], "responseId": f"r{call.nonce}"}


def _blocked(call: Call, usage: Mapping[str, Any]) -> dict[str, Any]:
    """A 200 without candidates."""
    counts = {name: usage[name] for name in ("promptTokenCount", "promptTokensDetails")}
    counts["totalTokenCount"] = usage["promptTokenCount"]
    feedback = {"blockReason": "PROHIBITED_CONTENT", "safetyRatings": _RATINGS}
    return {"promptFeedback": feedback, "usageMetadata": counts, **_names(call)}


def _made(call: Call) -> tuple[list[Candidate], dict[str, Any]] | Answer:
    model = model_for(call, "generateContent")
    if isinstance(model, Answer):
        return model
    body = call.body
    config = body.get("generationConfig") or {}
    refusal = _refusal(call, model, config)
    if refusal is not None:
        return refusal
    cached = call.state.caches.get(body.get("cachedContent"), {})
    contents = [*cached.get("contents", ()), *body["contents"]]
    said = ["", *texts_of([content for content in contents if content.get("role") != "model"])][-1]
    thoughts = tokenise(f"{call.nonce} wants some thought.") if _thinks(model, config) else []
    count = 0 if "sim:block_prompt" in said else int(config.get("candidateCount", 1))
    candidates = [made_candidate(call, model, contents, said, thoughts, variant) for variant in range(count)]
    details = prompt_details([*contents, *([body["systemInstruction"]] if "systemInstruction" in body else ())])
    asked = sum(entry["tokenCount"] for entry in details)
    if asked > model.context:
        message = f"The input token count ({asked}) exceeds the maximum number of tokens allowed ({model.context})."
        return problem_answer(400, message)
    return candidates, _usage(asked, details, sum(one.turn.count for one in candidates), len(thoughts), cached)


def _usage(asked: int, details: Sequence[Any], said: int, thought: int, cached: Mapping[str, Any]) -> dict[str, Any]:
    """Counts; thoughts are counted apart, what is zero is left out."""
    counts = {
        "promptTokenCount": asked,
        "candidatesTokenCount": said,
        "totalTokenCount": asked + said + thought,
        "cachedContentTokenCount": cached.get("usageMetadata", {}).get("totalTokenCount", 0),
        "thoughtsTokenCount": thought,
    }
    return {**{name: value for name, value in counts.items() if value}, "promptTokensDetails": list(details)}


def _thinks(model: SimulatedModel, config: Mapping[str, Any]) -> bool:
    wanted = config.get("thinkingConfig") or {}
    if "thinkingBudget" in wanted:
        return int(wanted["thinkingBudget"]) != 0
    return model.thinks or "thinkingLevel" in wanted or bool(wanted.get("includeThoughts"))


def _refusal(call: Call, model: SimulatedModel, config: Mapping[str, Any]) -> Answer | None:
    body, thinking = call.body, config.get("thinkingConfig") or {}
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        return problem_answer(400, "You can only set only one of thinking budget and thinking level.")
    if model.lowest and thinking.get("thinkingLevel") == "MINIMAL":
        return problem_answer(400, "Thinking level MINIMAL is not supported for this model.")
    if "responseSchema" in config and "responseJsonSchema" in config:
        return problem_answer(400, "response_schema and response_json_schema cannot both be set.")
    if "IMAGE" in config.get("responseModalities", ()) and not model.draws:
        return problem_answer(400, "Model does not support the requested response modalities: image,text")
    if "cachedContent" in body:
        if body["cachedContent"] not in call.state.caches:
            return problem_answer(404, "CachedContent not found (or permission denied)")
        if body.keys() & {"systemInstruction", "tools", "toolConfig"}:
            return problem_answer(
                400,
                "CachedContent can not be used with GenerateContent request setting system_instruction, tools or "
                "tool_config.",
            )
    return _unsigned(model, body["contents"]) or _unanswered(body["contents"])


def _unsigned(model: SimulatedModel, contents: Sequence[Any]) -> Answer | None:
    """Models of the third generation want the first call of a turn back with its signature."""
    if not model.id.startswith("gemini-3"):
        return None
    for place, content in enumerate(contents):
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and not decoded(calls[0].get("thoughtSignature", "")).startswith(MARK):
            name = calls[0]["functionCall"]["name"]
            message = f"Function call is missing a thought_signature in functionCall parts. `{name}`, position {place}."
            return problem_answer(400, message)
    return None


def _unanswered(contents: Sequence[Any]) -> Answer | None:
    """A turn of calls is followed by as many results."""
    for content, following in pairwise(contents):
        calls = sum("functionCall" in part for part in content["parts"])
        results = sum("functionResponse" in part for part in following["parts"])
        if calls != results and (calls or results):
            return problem_answer(
                400,
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn.",
            )
    return None


def _ending(call: Call, candidate: Candidate, index: int) -> dict[str, Any]:
    ending: dict[str, Any] = {"finishReason": candidate.finish}
    if candidate.message is not None:
        ending["finishMessage"] = candidate.message
    ending["index"] = index
    if candidate.finish == "SAFETY":
        ending["safetyRatings"] = _RATINGS
    config = call.body.get("generationConfig") or {}
    if config.get("responseLogprobs"):
        ending |= _logprobs(candidate.turn.tokens, int(config.get("logprobs", 0)))
    return ending


def _logprobs(tokens: Sequence[str], top: int) -> dict[str, Any]:
    values = [-round(0.05 + (len(token) % 7) / 10, 2) for token in tokens]
    chosen = [
        {"token": token, "tokenId": len(token), "logProbability": value}
        for token, value in zip(tokens, values, strict=True)
    ]
    best = [
        {"candidates": [{**entry, "token": f"{entry['token']}{'~' * place}"} for place in range(top)]}
        for entry in chosen
    ]
    average = sum(values) / len(values) if values else 0
    return {"avgLogprobs": average, "logprobsResult": {"topCandidates": best, "chosenCandidates": chosen}}


def _whole(call: Call, candidate: Candidate, index: int) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    for part in candidate.parts:
        before = parts[-1] if parts else {}
        if "text" in part and "text" in before and part.get("thought") == before.get("thought"):
            before["text"] += part["text"]
        else:
            parts.append(dict(part))
    content = {"content": {"parts": parts, "role": "model"}} if parts else {}
    return {**content, **_ending(call, candidate, index)}


def _events(call: Call, candidates: Sequence[Candidate], usage: Mapping[str, Any]) -> Iterator[Event]:
    """One part an event; the last of a candidate ends it, the last of all ends the stream."""
    asked, thought = usage["promptTokenCount"], usage.get("thoughtsTokenCount", 0)
    said = 0
    for index, candidate in enumerate(candidates):
        pieces: Sequence[dict[str, Any] | None] = candidate.parts or (None,)
        for place, part in enumerate(pieces):
            content = {"content": {"parts": [part], "role": "model"}} if part is not None else {}
            said += count_tokens(str(part)) if part is not None and "text" not in part else 1
            counts = {
                "promptTokenCount": asked,
                "totalTokenCount": asked + said + thought,
                "thoughtsTokenCount": thought,
            }
            last = place == len(pieces) - 1
            final = last and index == len(candidates) - 1
            ending = _ending(call, candidate, index) if last else {"index": index}
            payload = {
                "candidates": [{**content, **ending}],
                "usageMetadata": usage if final else {name: value for name, value in counts.items() if value},
                **_names(call),
            }
            yield Event(payload, part=Part.TERMINATOR if final else Part.CONTENT)
