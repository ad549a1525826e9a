"""Simulated model providers over real sockets, with scripted misbehaviour: any client in any language can be tried.

    async with Simulator(["openai"]) as sim:
        sim.script(Fault(Status(429, headers=(("retry-after", "1"),)), path="*/chat/completions", nth=1))
        ...                                   # drive a client at sim.base_url("openai")
        assert sim.unfired() == []            # the fault really happened
        assert sim.requests[0].key_fingerprint == ...

What a request passes through, one module each: ``connection`` reads it, ``record`` logs it with its credentials
masked, ``faults`` says what falls on it, ``dispatch`` finds the route and checks it against the field tables
(``shape``), the provider's handler answers, the modules named ``actions`` spoil the answer (what it means, its values, its events, its
head, its framing, its bytes and their time), and
``delivery`` turns it into steps which ``connection`` performs. ``control`` is the same over HTTP, ``serve`` a program.

Every answer carries a nonce, a short hash of provider, body and a counter: a client that invents answers cannot know
it. Nothing is random and no wall clock is read, so the same requests in the same order get the same bytes.

Adding a provider
-----------------
Make a package named as the row (``ollama``); it is found by that name. Every package has the same parts:

``models.py``   what an account or server holds, as a dataclass whose constructor gives the initial state. No HTTP.
``fields.py``   the request bodies as :class:`~conformance.simulators.shape.Record` tables, from the wire facts.
``answers/``    handlers, ``Call -> Answer``, plain functions (``answers.py`` while small). ``Answer(payload=...)`` is
                JSON, ``Answer(body=..., content_type=...)`` bytes, ``Answer(stream=Stream(events, frame))`` a stream
                whose events say which part they are: OPENING, CONTENT, CLOSING, TERMINATOR. Put ``call.nonce`` where
                the client can see it; let :func:`~conformance.simulators.generation.generate` do the talking.
``errors.py``   the provider's error bodies: ``error`` (by status), ``refuse`` (a :class:`Problem` in the provider's
                words), ``error_event`` (inside a stream), ``not_found``, ``find_key``, ``authenticate``.
``framing.py``  how an event becomes bytes, and the terminator.
``routes.py``   the table: ``Route(method, pattern, handler, body=..., form=..., query=...)``, tried in order.
``__init__.py`` ``PROVIDER = Provider(name, mount, routes, ..., suffix)``; base URL = origin + mount + suffix.

A handler may be ``async`` (a proxy to something else); ``Route("*", "/{path:path}", handler, raw=True, query=None)``
takes everything. ``Provider.decode`` undoes content codings. A service of the OpenAI dialect takes the pieces it shares
from ``openai.answers`` and passes its own field tables, ``Style`` and errors.
"""

from __future__ import annotations

from conformance.simulators.faults import Fault
from conformance.simulators.record import Seen
from conformance.simulators.registry import NAMES
from conformance.simulators.server import Simulator

__all__ = ["NAMES", "Fault", "Seen", "Simulator"]
