"""OVMS: OpenVINO Model Server, inference over KServe v2 and generation in the OpenAI dialect.

What is sent and how answers read, state of August 2026 (after tag v2026.3). No retry, queue, sleep or socket is in here.
Not built: gRPC, the ``/v3/v1`` and ``/v1`` aliases of the OpenAI side, calls of graphs of one's own under ``/v3``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.ovms.generation import GenerationCalls
from backends.ovms.inference import InferCalls
from backends.ovms.management import ServerCalls
from backends.ovms.media import MediaCalls
from backends.ovms.refusals import REFUSALS
from backends.ovms.serving import ServingCalls
from backends.ovms.tensors import Tensor, TensorSpec, tensor
from backends.ovms.text import TextCalls

__all__ = ["OVMS", "Tensor", "TensorSpec", "tensor"]


class OVMS(InferCalls, GenerationCalls, TextCalls, MediaCalls, ServingCalls, ServerCalls):
    """OpenVINO Model Servers behind queue, retries, breaker, keys and counters.

    ``base_url`` is the server's root (``OVMS_BASE_URL``; port 8000 of this machine where nothing is set). A key
    (``OVMS_API_KEY``) is needed only where the server was started with one. ``model`` of the backend is used by calls that
    name none, whether a model of ``infer`` or a graph of ``chat``. See :class:`backends.ovms.server.OVMSServer` for older
    servers and :class:`backends.base.Backend` for the rest.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
