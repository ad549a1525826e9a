"""The simulated OPEA deployment (GenAIComps 1.5): one port serves every service by its path, as a gateway would.

A word of a prompt asks for something special: ``sim:unsafe`` (a guardrail refuses), ``sim:unsafe_quote`` (it refuses with
a quote in its sentence), ``sim:swallow`` (the model behind ChatQnA failed, which nobody says), besides those of
:mod:`conformance.simulators.generation`. Deliberately absent: agents, fine-tuning, image and video generation.
"""

from __future__ import annotations

from conformance.simulators.opea import errors
from conformance.simulators.opea.models import Deployment
from conformance.simulators.opea.routes import ROUTES
from conformance.simulators.openai.framing import data_only
from conformance.simulators.provider import Event, Part, Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="opea",
    mount="/opea",
    routes=ROUTES,
    new_state=Deployment,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=data_only,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    pings=(
        Event(raw=b": a proxy keeps the line open\n\n", part=Part.EXTRA),
        Event({"object": "chat.completion.chunk", "choices": []}, part=Part.EXTRA),
    ),
)
