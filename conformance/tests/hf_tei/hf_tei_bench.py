"""What the tests of TEI share: a backend that waits for nothing, and a transport that answers by hand."""

from __future__ import annotations

import json
from typing import Any

import httpx
from clocks import Hurried

from backends.hf_tei import HFTEI
from conformance.simulators import Simulator


def backend_at(sim: Simulator, kind: str = "", **settings: Any) -> HFTEI:
    """A backend at the server of one kind of model, or at the one that answers everything."""
    address = sim.base_url("hf_tei") + (f"/{kind}" if kind else "")
    return HFTEI(base_url=address, **{"clock": Hurried(), "environ": {}, **settings})


def mocked(*answers: tuple[Any, ...], seen: list[httpx.Request] | None = None, **settings: Any) -> HFTEI:
    """A backend whose server gives these answers in turn: a status, a body (bytes as they are, else JSON), headers."""
    left = list(answers)

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        status, body, *headers = left.pop(0) if len(left) > 1 else left[0]
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, headers=headers[0] if headers else {})

    defaults = {"clock": Hurried(), "environ": {}, "max_retries": 0}
    return HFTEI(transport=httpx.MockTransport(handle), **{**defaults, **settings})
