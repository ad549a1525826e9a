"""The control endpoint beside the simulated providers: script faults, look at what arrived, start afresh.

``POST /_sim/faults`` takes a JSON list, ``GET /_sim/faults`` gives the unfired ones, ``DELETE /_sim/faults`` forgets
them all; ``GET /_sim/requests`` gives the log, ``POST /_sim/reset`` forgets everything. These requests are neither
logged nor held nor faulted, and need no key.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.simulators.faults import from_json, to_json
from conformance.simulators.provider import Answer, Request

if TYPE_CHECKING:
    from conformance.simulators.server import Simulator

__all__ = ["PREFIX", "control"]

PREFIX = "/_sim"


def control(simulator: Simulator, request: Request) -> Answer:
    """Answer one control request; ``request.path`` begins with :data:`PREFIX`."""
    match request.method, request.path.removeprefix(PREFIX):
        case "POST", "/faults":
            return _script(simulator, request)
        case "GET", "/faults":
            return Answer(payload={"unfired": [to_json(fault) for fault in simulator.unfired()]})
        case "DELETE", "/faults":
            simulator.forget_faults()
            return Answer(payload={"unfired": []})
        case "GET", "/requests":
            return Answer(
                payload={
                    "requests": [seen.as_json() for seen in simulator.requests],
                    "in_flight": simulator.in_flight,
                    "peak_in_flight": simulator.peak_in_flight,
                }
            )
        case "POST", "/reset":
            simulator.reset()
            return Answer(payload={"reset": True})
        case _:
            return Answer(404, payload={"error": f"{request.method} {request.path} is no control request"})


def _script(simulator: Simulator, request: Request) -> Answer:
    try:
        listed = json.loads(request.body)
        if not isinstance(listed, list):
            raise TypeError("a list of faults is expected")  # noqa: TRY301 - one place words the refusal
        faults = [from_json(item) for item in listed]
        unknown = {fault.provider for fault in faults} - {"*", *simulator.providers}
        if unknown:
            raise ValueError(f"no provider {', '.join(sorted(unknown))} here")  # noqa: TRY301
    except (ValueError, TypeError) as error:
        return Answer(400, payload={"error": str(error)})
    simulator.script(*faults)
    return Answer(payload={"scripted": [to_json(fault) for fault in faults]})
