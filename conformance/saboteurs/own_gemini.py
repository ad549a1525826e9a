"""Sins of a Gemini backend: OpenAI's shapes on a wire of another kind, and answers that only look like some."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends import errors
from conformance.saboteurs import saboteur
from conformance.saboteurs.common import receiving, replying, sending, telling

_sin: Final = partial(saboteur, subjects=("gemini",), alone=True)


@_sin("CAP-04", "sends the role assistant", case="roles")
def keeps_the_role(backend: Any) -> None:
    """Everybody knows who that is."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        body["contents"] = [
            {**content, "role": "assistant" if content["role"] == "model" else content["role"]}
            for content in body["contents"]
        ]
        return body

    sending(backend, change)


@_sin("CAP-04", "sends the system prompt as the user's first words", case="system prompt")
def system_by_the_user(backend: Any) -> None:
    """There is no role for it."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        system = body.pop("systemInstruction", None)
        if system is not None:
            body["contents"] = [{"role": "user", **system}, *body["contents"]]
        return body

    sending(backend, change)


@_sin("CAP-02", "drops thought signatures", case="chat with signatures async")
def drops_signatures(backend: Any) -> None:
    """OpenAI's tool calls have none, and the second turn is refused."""

    def change(body: dict[str, Any]) -> dict[str, Any]:
        for content in body.get("contents", ()):
            content["parts"] = [
                {name: value for name, value in part.items() if name != "thoughtSignature"} for part in content["parts"]
            ]
        return body

    sending(backend, change)


@_sin("CAP-04", "leaves the thoughts out of the output tokens", case="thinking")
def thinks_for_nothing(backend: Any) -> None:
    """candidatesTokenCount is the field of that name."""

    def change(reply: Any) -> Any:
        usage = reply.usage
        return replace(reply, usage=replace(usage, output_tokens=usage.output_tokens - (usage.reasoning_tokens or 0)))

    replying(backend, change)


@_sin("BAK-04", "looks for hints in headers only")
def overlooks_retry_info(backend: Any) -> None:
    """This service puts them into the body."""
    refused = backend._refused

    async def spoilt(work: Any, response: Any, key: Any) -> Any:
        failure = await refused(work, response, key)
        if not any("retry" in name or "reset" in name for name in response.headers):
            failure.hint = None
        return failure

    backend._refused = spoilt


@_sin("ERR-01", "takes a bad key for a bad request")
def blames_the_request(backend: Any) -> None:
    """It is a 400, after all."""

    def change(error: errors.BackendError) -> errors.BackendError:
        if error.status == 400 and isinstance(error, errors.AuthenticationError):
            return errors.InvalidRequestError(error.message, status=400, code=error.code)
        return error

    telling(backend, change)


@_sin("BAK-01", "waits for a spend limit to pass")
def hopes_for_credit(backend: Any) -> None:
    """A limit of the month is a 429 like one of the minute."""

    def change(error: errors.BackendError) -> errors.BackendError:
        if error.status == 429 and isinstance(error, errors.QuotaExceededError):
            return errors.RateLimitError(error.message, status=429, code=error.code)
        return error

    telling(backend, change)


@_sin("ERR-02", "returns a blocked answer as an empty text")
def takes_a_block_for_silence(backend: Any) -> None:
    """Nothing came, so nothing was said."""

    def change(data: Any) -> Any:
        if isinstance(data, dict) and "promptFeedback" in data:
            return {"candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}]}
        return data

    receiving(backend, change)
