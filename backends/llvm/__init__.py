"""LLVM on this machine: modules verified, optimised, linked and turned into machine code, and functions of theirs run.

All of it happens in worker processes (:mod:`backends.llvm_worker`) under the same runtime as every backend. llvmlite is
imported there, never here (``pip install "backends-conformance[llvm]"``).

    with LLVM() as llvm:
        print(llvm.optimize(source, level="O3", cpu="host").text)
        reply = llvm.run(kernel("dot"), "dot_f64", [x, y, len(x)])      # x, y: array.array("d", ...) or numpy
        print(reply.value, reply.seconds["run"])
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.llvm.compiling import CompileCalls
from backends.llvm.kernels import KERNELS, kernel
from backends.llvm.options import PASSES
from backends.llvm.refusals import REFUSALS
from backends.llvm.replies import (
    Batch,
    Counts,
    Emitted,
    FunctionInfo,
    GlobalInfo,
    Host,
    Inspected,
    Optimized,
    Ran,
    Section,
    Target,
    Targets,
    Verified,
)
from backends.llvm.running import RunCalls
from backends.llvm.transport import Request, Returned, Transport
from backends.llvm_worker.frames import ON_ONE_MODULE

__all__ = [
    "KERNELS",
    "LLVM",
    "PASSES",
    "Batch",
    "Counts",
    "Emitted",
    "FunctionInfo",
    "GlobalInfo",
    "Host",
    "Inspected",
    "Optimized",
    "Ran",
    "Request",
    "Returned",
    "Section",
    "Target",
    "Targets",
    "Transport",
    "Verified",
    "kernel",
]


class LLVM(CompileCalls, RunCalls):
    """A compiler and a place to run what it makes. ``report()`` counts operations where others count models.

    Args:
        resources, metadata: as for every backend; not used, for there are no credentials.
        transport: brings frames to workers somewhere else; processes of this machine when not given.
        base_url: for that transport.
        worker_memory: bytes of address space that a worker process may have (256 MiB or more), 4 GiB unless given.
        cache: how many replies of compile calls are kept by the content of their request, at most 256 MiB together; 0,
            the default, keeps none. A hit is flagged ``cached``, has no attempts and takes no slot.
        **settings: those of :class:`backends.settings.Settings`. ``max_concurrent_requests`` is also how many worker
            processes there are at most, ``read_timeout`` how long one may be silent, ``max_response_bytes`` how large
            an answer may be. With ``max_batch_size`` callers of verify, inspect, optimize and emit share frames of up to
            64 modules and 1 MiB: one worker takes them one by one, and each has a result of its own.

    Raises:
        ConfigurationError: an argument is wrong. That llvmlite is missing is reported by the first call.
    """

    refusals: ClassVar[Mapping[str, str]] = REFUSALS
    batches: ClassVar[frozenset[str]] = ON_ONE_MODULE

    kernel = staticmethod(kernel)
