"""The simulated Ollama server (v0.33): its own API with NDJSON streams and a model store, and the compatible ``/v1``.

Deliberately absent: the check of the Host header, web search, image generation, and a clock (loaded models stay until
they are unloaded). No key is needed, except by models of the cloud. Answers without text carry the nonce in a field of
their own, which the real server does not have.
"""

from __future__ import annotations

from conformance.simulators.ollama import errors
from conformance.simulators.ollama.framing import line
from conformance.simulators.ollama.models import Server
from conformance.simulators.ollama.routes import ROUTES, not_found
from conformance.simulators.provider import Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="ollama",
    mount="/ollama",
    routes=ROUTES,
    new_state=Server,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=line,
    not_found=not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
)
