"""OPEA, the Open Platform for Enterprise AI: megaservices, the microservices behind them, and what all of them say of
themselves.

What is sent and how answers read, state of 2026-01 (GenAIComps 1.5, GenAIExamples of 2026-03). There is no official
client. No retry, queue, sleep or socket is in here. Not built: agents, fine-tuning, image and video generation, the
services of single examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.opea.documents import DocumentCalls
from backends.opea.guards import GuardCalls
from backends.opea.llm import ModelCalls
from backends.opea.media import MediaCalls
from backends.opea.megaservices import MegaserviceCalls
from backends.opea.refusals import REFUSALS
from backends.opea.retrieval import RetrievalCalls
from backends.opea.services import SERVICES
from backends.opea.status import StatusCalls
from backends.opea.stores import StoreCalls

__all__ = ["OPEA", "SERVICES"]


class OPEA(
    MegaserviceCalls,
    DocumentCalls,
    MediaCalls,
    ModelCalls,
    RetrievalCalls,
    GuardCalls,
    StoreCalls,
    StatusCalls,
):
    """The OPEA backend; its arguments are those of :class:`backends.base.Backend`, and ``services``.

    Where services are::

        OPEA(base_url="http://gateway")                             # one address serves all of them by their paths
        OPEA(services={                                             # or each has its own
            "chatqna": "http://one:8888",
            "llm": {"base_url": "https://two", "api_key": "...", "max_concurrent_requests": 2},
        })

    A service that has an address becomes an endpoint of its name, with a queue, breaker, counters and key of its own; its
    calls go there unless they name another ``endpoint``. The others go to the backend's own address: ``base_url``,
    metadata ``opea_base_url``, ``OPEA_BASE_URL``, credentials file, this machine's port 8888. A service's address comes
    from ``services``, metadata ``opea_services``, or ``OPEA_<SERVICE>_URL`` with ``OPEA_<SERVICE>_API_KEY``; the names are
    :data:`SERVICES`, the usual ports stand in :mod:`backends.opea.services`. No service asks for a key; ``OPEA_API_KEY``
    is for a gateway that does, and is never sent to another address than the backend's own.

    ``chat``, ``complete`` and ``embed`` ask the models' own services; ``chatqna`` answers from documents.

    Args:
        services: service name -> address, or the arguments of ``create_endpoint``.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
