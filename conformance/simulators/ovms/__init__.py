"""The simulated OpenVINO Model Server (August 2026): KServe v2 with binary tensors, ``/v3`` in the OpenAI dialect,
configuration and metrics.

One thing no single release has: ``/v1/models/...`` is the TensorFlow Serving API of v2026.2.1, which v2026.3 replaced by
an alias of ``/v3``. Deliberately absent: gRPC, that alias, a clock, polling of the configuration file, calls of graphs
of one's own. A key is asked for by nobody; one that contains ``invalid`` is refused as the server refuses it. Answers
without text carry the nonce in a field or parameter that the real server does not have.
"""

from __future__ import annotations

from conformance.simulators.openai.framing import data_only
from conformance.simulators.ovms import errors
from conformance.simulators.ovms.models import Server
from conformance.simulators.ovms.routes import ROUTES, not_found
from conformance.simulators.provider import Event, Part, Provider

__all__ = ["PROVIDER"]

PROVIDER = Provider(
    name="ovms",
    mount="/ovms",
    routes=ROUTES,
    new_state=Server,
    error=errors.error,
    refuse=errors.refuse,
    error_event=errors.error_event,
    frame=data_only,
    not_found=not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    pings=(Event(raw=b": keep-alive\n\n", part=Part.EXTRA),),
)
