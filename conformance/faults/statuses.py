"""Every status that means something, with the provider's own body. The right end follows from the status and the provider's
tables (:func:`conformance.faults.cells.end_of`), so only names stand here."""

from __future__ import annotations

from typing import Final

from conformance.faults.fault import Mishap, Stage
from conformance.simulators.faults import EmptyBody, Html, Status

__all__ = ["MISHAPS"]

_STATUSES: Final = (400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 500, 502, 503, 504, 529)

MISHAPS: Final = (
    *(
        Mishap(
            name=f"status {status}",
            stage=Stage.STATUS,
            family="statuses",
            does=f"every request is answered by a {status} with the provider's own body",
            actions=(Status(status),),
            status=status,
        )
        for status in _STATUSES
    ),
    Mishap(
        name="page 502",
        stage=Stage.STATUS,
        family="pages",
        does="a gateway answers a 502 with an HTML page",
        actions=(Html(502),),
        status=502,
    ),
    Mishap(
        name="empty 503",
        stage=Stage.STATUS,
        family="pages",
        does="a 503 without a body",
        actions=(EmptyBody(503),),
        status=503,
    ),
    Mishap(
        name="empty 400",
        stage=Stage.STATUS,
        family="pages",
        does="a 400 without a body",
        actions=(EmptyBody(400),),
        status=400,
    ),
    Mishap(
        name="status 599",
        stage=Stage.STATUS,
        family="unheard-of",
        does="a status at the end of the range that nobody has registered",
        actions=(Status(599, body="nobody knows"),),
        status=599,
    ),
)
