"""The simulated Gemini Developer API (wire state 2026-11): generation, embeddings, counts, files, caches, batches, models.

It serves ``v1``, ``v1beta`` and ``v1alpha`` alike, takes a key in the header or as ``?key=``, and reads bodies as
protobuf JSON. Words of a prompt ask for more: ``sim:block_prompt`` and ``sim:block_answer`` are blocked with nothing
let through, ``sim:filter`` half-way. Deliberately absent: the Interactions API, Live, video, tuning, search stores, a
clock (nothing expires), and pairs of ``CONTINUATION`` and its token, which the official client would act upon.
"""

from __future__ import annotations

from conformance.simulators.gemini import errors
from conformance.simulators.gemini.framing import PINGS, frame
from conformance.simulators.gemini.models import Project
from conformance.simulators.gemini.routes import ROUTES
from conformance.simulators.provider import Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="gemini",
    mount="/gemini",
    routes=ROUTES,
    new_state=Project,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=frame,
    not_found=errors.not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    pings=PINGS,
)
