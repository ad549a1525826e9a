"""The simulated object store: moto's S3 behind the server core, so that it has the same log, faults, keys and nonces.

Each server has an account of its own. Signatures are not verified (moto does not either); an access key id that
contains ``invalid`` is refused. Every answer carries its nonce in ``x-amz-request-id`` and ``x-sim-nonce``; ``GET
/bucket/nonce/...`` answers with an object made for the request, whose content tells the nonce.
"""

from __future__ import annotations

from collections.abc import Sequence

from conformance.simulators.provider import Answer, Call, Event, Provider, Request, Route
from conformance.simulators.s3_kit import errors
from conformance.simulators.s3_kit.answers import any_request, nonce_object
from conformance.simulators.s3_kit.models import Account

__all__ = ["PROVIDER"]


def _headers(call: Call) -> tuple[tuple[str, str], ...]:
    return (
        ("x-amz-request-id", f"SIM{call.nonce.upper()}"),
        ("x-amz-id-2", f"simulated-{call.nonce}"),
        ("x-sim-nonce", call.nonce),
        ("server", "simulated-s3"),
    )


def _no_events(status: int, code: str | None, message: str | None) -> Sequence[Event]:
    return ()


def _no_frame(event: Event) -> bytes:
    return event.raw or b""


def _not_found(request: Request, nearest: str) -> Answer:
    return errors.error(405, "MethodNotAllowed", None)


_METHODS = ("GET", "PUT", "POST", "DELETE")

PROVIDER = Provider(
    name="s3_kit",
    mount="/s3_kit",
    routes=(
        Route("GET", "/{bucket}/nonce/{name:path}", nonce_object, query=None, raw=True),
        *(
            Route(method, pattern, any_request, query=None, raw=True)
            for method in _METHODS
            for pattern in ("/", "/{rest:path}")
        ),
    ),
    new_state=Account,
    discard=Account.close,
    error=errors.error,
    refuse=errors.refuse,
    error_event=_no_events,
    frame=_no_frame,
    not_found=_not_found,
    authenticate=errors.authenticate,
    find_key=errors.find_key,
    headers=_headers,
)
