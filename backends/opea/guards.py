"""Guardrails asked directly: what they say of a text is an answer here, not an error.

Wire facts: every one answers with status 200. A refusal has ``downstream_black_list: [".*"]`` and the sentence
``Violated policies: ..., please check your input.``; some components give a score instead. The hallucination service
hands a prompt to its model, which is to end in ``"SCORE": PASS`` or ``FAIL``.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, Unpack

from backends.dialects.openai_common import json_object
from backends.opea.core import Asked, OPEACore
from backends.opea.disguises import violated
from backends.opea.values import Judgement, PersonalData
from backends.operation import Answer, CallOptions, Operation
from backends.parameters import Between, Size, split
from backends.twins import blocking
from backends.wire.values import FormatError

__all__ = ["GuardCalls", "HallucinationParameters", "PersonalDataParameters"]

_VERDICT: Final = re.compile(r'"SCORE"\s*:\s*"?(PASS|FAIL)\b')


class PersonalDataParameters(CallOptions, total=False):
    """Arguments of ``pii``: ``replace`` what is found, by ``replace_method`` (components that can; ``random`` unless
    given)."""

    replace: bool | None
    replace_method: Literal["random", "fake", "category", "mask"] | None


class HallucinationParameters(CallOptions, total=False):
    """Arguments of ``hallucination``: ``model`` that judges, as its server names it, and its ``max_tokens``."""

    model: Annotated[str | None, Size(1, 500)]
    max_tokens: Annotated[int | None, Between(1)]


class GuardCalls(OPEACore):
    """Calls of the guardrails. ``flagged`` of the reply is the verdict, ``score`` where only that is given."""

    async def aguardrails(
        self, text: str, *, prompt: str | None = None, **parameters: Unpack[CallOptions]
    ) -> Judgement:
        """Return whether a text is safe (``POST /v1/guardrails``).

        Args:
            text: what a user asks; or what a model answered, where ``prompt`` is given.
            prompt: what the model was asked.
            **parameters: see :class:`~backends.operation.CallOptions`.
        """
        body = {"text": self._text("text", text)}
        if prompt is not None:
            body["prompt"] = self._text("prompt", prompt)
        return await self._judged("guardrails", body, parameters)

    async def abias(self, text: str, **parameters: Unpack[CallOptions]) -> Judgement:
        """Return whether a text is biased (``POST /v1/bias``)."""
        return await self._judged("bias", {"text": self._text("text", text)}, parameters)

    async def atoxicity(self, text: str, **parameters: Unpack[CallOptions]) -> Judgement:
        """Return whether, or how much, a text is toxic (``POST /v1/toxicity``)."""
        return await self._judged("toxicity", {"text": self._text("text", text)}, parameters)

    async def ainjection(self, text: str, **parameters: Unpack[CallOptions]) -> Judgement:
        """Return whether, or how likely, a text tries to take over the model (``POST /v1/injection``)."""
        return await self._judged("injection", {"text": self._text("text", text)}, parameters)

    async def afactuality(self, reference: str, text: str, **parameters: Unpack[CallOptions]) -> Judgement:
        """Return how far a text agrees with a reference, as a score from 0 to 1 (``POST /v1/factuality``)."""
        body = {"reference": self._text("reference", reference), "text": self._text("text", text)}
        return await self._judged("factuality", body, parameters)

    async def ahallucination(self, messages: Asked, **parameters: Unpack[HallucinationParameters]) -> Judgement:
        """Return a model's verdict on an answer (``POST /v1/hallucination_detection``).

        Args:
            messages: the judging model's prompt, with question, document and answer in it.
            **parameters: see :class:`HallucinationParameters`.

        Returns:
            The verdict: ``flagged`` where the model says FAIL, None where it says neither; ``text`` is its reasoning.
        """
        options, fields = split(parameters, HallucinationParameters, self.provider.name)
        body = {"messages": self._asked(messages), **fields}
        operation = Operation(
            "hallucination", _read_verdict, "/v1/hallucination_detection", body=body, model=fields.get("model")
        )
        return await self._perform(operation, self._at(options, "hallucination"))

    async def apii(self, text: str, **parameters: Unpack[PersonalDataParameters]) -> PersonalData:
        """Return the personal data in a text, or the text with it replaced (``POST /v1/pii``)."""
        options, fields = split(parameters, PersonalDataParameters, self.provider.name)
        body = {"prompt" if fields else "text": self._text("text", text), **fields}
        return await self._perform(Operation("pii", _read_personal, "/v1/pii", body=body), self._at(options, "pii"))

    guardrails = blocking(aguardrails)
    bias = blocking(abias)
    toxicity = blocking(atoxicity)
    injection = blocking(ainjection)
    factuality = blocking(afactuality)
    hallucination = blocking(ahallucination)
    pii = blocking(apii)

    async def _judged(self, service: str, body: dict[str, Any], parameters: Any) -> Judgement:
        options, _ = split(parameters, CallOptions, self.provider.name)
        operation = Operation(service, _read_judgement, f"/v1/{service}", body=body)
        return await self._perform(operation, self._at(options, service))


def _read_judgement(answer: Answer) -> Judgement:
    data = json_object(answer.data)
    if "score" in data:
        return Judgement(**answer.facts(), score=float(data["score"]))
    text = _text(data)
    policies = violated(text)
    stopped = bool(data.get("downstream_black_list"))
    return Judgement(**answer.facts(), flagged=stopped or policies is not None, policies=policies, text=text)


def _read_verdict(answer: Answer) -> Judgement:
    text = _text(json_object(answer.data))
    said = _VERDICT.findall(text)
    return Judgement(**answer.facts(), flagged=said[-1] == "FAIL" if said else None, text=text)


def _read_personal(answer: Answer) -> PersonalData:
    data = json_object(answer.data)
    if "detected_pii" not in data and "new_prompt" not in data:
        raise FormatError("the answer says nothing of personal data")
    return PersonalData(
        **answer.facts(), found=tuple(map(json_object, data.get("detected_pii") or ())), text=data.get("new_prompt")
    )


def _text(data: dict[str, Any]) -> str:
    text = data["text"]
    if not isinstance(text, str):
        raise FormatError("the answer has no text")
    return text
