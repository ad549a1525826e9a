"""The simulated TGI server (router 3.3.7): its own dialect at ``/generate`` and at ``/``, and the OpenAI-compatible ``/v1``.

It has one model and one LoRA adapter, takes any key that does not contain ``invalid``, and needs none. Deliberately
absent: queueing (overload comes from a scripted fault), KServe, ``/invocations`` and ``/vertex``, and the refusal of
grammars that a real engine cannot build. A status 429 that names no kind is the vendor's front end, which counts by key;
the server's own has the kind ``overloaded``.
"""

from __future__ import annotations

from conformance.simulators.hf_tgi import errors
from conformance.simulators.hf_tgi.models import Server
from conformance.simulators.hf_tgi.routes import ROUTES
from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Event, Part, Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="hf_tgi",
    mount="/hf_tgi",
    routes=ROUTES,
    new_state=Server,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=data_only,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    pings=(Event(raw=b":\n\n", part=Part.EXTRA),),
)
