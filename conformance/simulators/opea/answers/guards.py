"""Guardrails asked directly: every verdict is a 200."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.simulators.opea.answers.common import document_id, prompt_of, refusal_for
from conformance.simulators.opea.models import embedded, similarity
from conformance.simulators.provider import Answer, Call

__all__ = ["factuality", "guardrails", "hallucination", "judged", "pii", "scored"]

_DIGITS = re.compile(r"\+?\d[\d ()-]{5,}\d")


def guardrails(call: Call) -> Answer:
    """``POST /v1/guardrails``: of what a user asks, or of what a model answered."""
    body = call.body
    text = body.get("text") or body.get("query") or ""
    return _verdict(call, text, refusal_for(f"{body.get('prompt') or ''} {text}"))


def judged(policy: str) -> Callable[[Call], Answer]:
    """A guard that says yes or no."""

    def handle(call: Call) -> Answer:
        text = call.body["text"]
        found = refusal_for(text) is not None
        return _verdict(call, text, f"Violated policies: {policy}, please check your input." if found else None)

    return handle


def _verdict(call: Call, text: str, refusal: str | None) -> Answer:
    stopped = [".*"] if refusal else []
    return Answer(payload={"id": document_id(call), "text": refusal or text, "downstream_black_list": stopped})


def scored(call: Call) -> Answer:
    """A guard that gives a score."""
    return Answer(payload={"id": document_id(call), "score": 0.97 if refusal_for(call.body["text"]) else 0.02})


def factuality(call: Call) -> Answer:
    """``POST /v1/factuality``."""
    score = similarity(embedded(call.body["reference"]), embedded(call.body["text"]))
    return Answer(payload={"id": document_id(call), "score": score})


def hallucination(call: Call) -> Answer:
    """``POST /v1/hallucination_detection``: what the judging model writes."""
    verdict = "FAIL" if refusal_for(prompt_of(call.body["messages"])) else "PASS"
    text = f'{{"REASONING": [\'{call.nonce} was looked at.\'], "SCORE": {verdict}}}'
    return Answer(payload={"id": document_id(call), "text": text, "prompt": "", "output_guardrail_params": None})


def pii(call: Call) -> Answer:
    """``POST /v1/pii``: telephone numbers, found or masked."""
    body = call.body
    text = body["text"] if "text" in body else body["prompt"]
    if body.get("replace"):
        return Answer(payload={"id": document_id(call), "detected_pii": None, "new_prompt": _DIGITS.sub("*", text)})
    found = [
        {"entity_type": "PHONE_NUMBER", "start": one.start(), "end": one.end(), "score": 0.99}
        for one in _DIGITS.finditer(text)
    ]
    return Answer(payload={"id": document_id(call), "detected_pii": found, "new_prompt": None})
