"""The simulated vLLM server (0.32.0), started with every switch: LoRA at run time, sleep, kept responses, request ids.

A real server serves one kind of model; this one serves several, so that every route can be tried at one address. What it
sends has the keys of the recorded exchanges (``fixtures/recordings/vllm-0.32.0*.jsonl``), which a test compares.
Deliberately absent: the Anthropic and Cohere sides, ``/invocations``, render and token-level routes, and regular
expressions and grammars as constraints (accepted, not followed). A real server accepts unknown fields in silence; here they
are refused, because a client that sends one has mistaken something. The nonce is in the answer's text, else in the
``X-Request-Id`` of the answer.
"""

from __future__ import annotations

from conformance.simulators.provider import Call, Provider
from conformance.simulators.vllm import errors
from conformance.simulators.vllm.framing import NOISE, frame
from conformance.simulators.vllm.models import Server
from conformance.simulators.vllm.routes import ROUTES, not_found

__all__ = ["PROVIDER"]


def _headers(call: Call) -> tuple[tuple[str, str], ...]:
    """``--enable-request-id-headers``: the caller's id comes back, or a fresh one."""
    return (("x-request-id", call.request.header("x-request-id") or call.nonce),)


PROVIDER = Provider(
    name="vllm",
    mount="/vllm",
    suffix="/v1",
    routes=ROUTES,
    new_state=Server,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=frame,
    not_found=not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    headers=_headers,
    pings=NOISE,
)
