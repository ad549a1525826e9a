"""LLVM's calls that compile: verify, inspect, optimize, link, emit, and many of them at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Final, Literal, Unpack

from backends import errors
from backends.llvm.core import LLVMCore
from backends.llvm.job import Job
from backends.llvm.modules import module_job, told_modules
from backends.llvm.options import (
    EmitOptions,
    InspectOptions,
    LinkOptions,
    Module,
    OptimizeOptions,
    module_options,
)
from backends.llvm.reading import read_emitted, read_inspected, read_optimized, read_verified
from backends.llvm.replies import Batch, Emitted, Inspected, Optimized, Verified
from backends.parameters import bad_argument
from backends.twins import blocking
from backends.types import Reply

__all__ = ["CompileCalls"]

_MOST_LINKED: Final = 256


class CompileCalls(LLVMCore):
    """See the module docstring. A module is LLVM IR as text, or bitcode as bytes."""

    async def averify(self, module: Module, **options: Unpack[InspectOptions]) -> Verified:
        """Parse a module and check that it is well formed.

        Raises:
            InvalidRequestError: it is not; the code is ``parse`` (the message tells line and column) or ``verify``.
        """
        called, _, header = module_options(dict(options), InspectOptions)
        return await self._perform(module_job("verify", module, header, read_verified), called)

    async def ainspect(self, module: Module, **options: Unpack[InspectOptions]) -> Inspected:
        """Return the functions, globals and named types of a module.

        Raises:
            InvalidRequestError: it is not well formed.
        """
        called, _, header = module_options(dict(options), InspectOptions)
        return await self._perform(module_job("inspect", module, header, read_inspected), called)

    async def aoptimize(self, module: Module, **options: Unpack[OptimizeOptions]) -> Optimized:
        """Optimise a module at a level (O2 unless given), or by passes, for a target.

        Raises:
            InvalidRequestError: the module is not well formed.
            UnsupportedError: there is no such target, processor or feature.
        """
        called, fields, header = module_options(dict(options), OptimizeOptions)
        job = module_job("optimize", module, {"level": "O2", **header, **fields}, read_optimized)
        return await self._perform(job, called)

    async def alink(self, modules: Sequence[Module], **options: Unpack[LinkOptions]) -> Optimized:
        """Link modules into one, and optimise it if a ``level`` is given.

        Raises:
            InvalidRequestError: one is not well formed, or they do not fit together (code ``link``).
        """
        called, fields, header = module_options(dict(options), LinkOptions)
        if isinstance(modules, str | bytes) or not isinstance(modules, Sequence) or not modules:
            bad_argument("modules must be a list of one module or more", "llvm")
        if len(modules) > _MOST_LINKED:
            bad_argument(f"modules must be no more than {_MOST_LINKED}", "llvm")
        told, blobs = told_modules(modules)
        job = Job("link", {"level": None, **header, **fields, "modules": told}, read_optimized, blobs)
        return await self._perform(job, called)

    async def aemit(self, module: Module, **options: Unpack[EmitOptions]) -> Emitted:
        """Make an object file or assembly of a module, optimised before at a level (O2 unless given).

        Raises:
            InvalidRequestError: the module is not well formed, or no code can be made of it (code ``emit``).
            UnsupportedError: there is no such target, processor or feature.
        """
        called, fields, header = module_options(dict(options), EmitOptions)
        header = {"level": "O2", **header, "kind": fields.get("kind", "object")}
        return await self._perform(module_job("emit", module, header, read_emitted), called)

    async def abatch(
        self,
        /,
        modules: Sequence[Module],
        *,
        call: Literal["verify", "inspect", "optimize", "emit"] = "optimize",
        **options: Any,
    ) -> Batch:
        """Make the same call on many modules; each goes through the queue by itself, so a bad one fails alone.

        No more are under way at once than the endpoint's ``max_concurrent_requests``, so a batch never fills the queue;
        with ``max_batch_size``, as many times more as share a request, as long as half of the queue would hold them.

        Args:
            modules: any number.
            call: what to do with each.
            **options: those of that call; a ``deadline`` is each module's own.

        Raises:
            InvalidRequestError: ``call`` or an option is wrong; what is wrong with a module stands in the outcome.
        """
        calls: dict[str, Callable[..., Coroutine[Any, Any, Reply]]] = {
            "verify": self.averify,
            "inspect": self.ainspect,
            "optimize": self.aoptimize,
            "emit": self.aemit,
        }
        if call not in calls:
            bad_argument(f"call must be one of {', '.join(calls)}, not {str(call)[:60]!r}", "llvm")
        if isinstance(modules, str | bytes) or not isinstance(modules, Sequence):
            bad_argument("modules must be a list of modules", "llvm")
        if options.get("request_id") is not None:
            bad_argument("request_id cannot be given to a batch: each of its requests has its own", "llvm")
        tables: dict[str, type] = {"optimize": OptimizeOptions, "emit": EmitOptions}
        module_options(dict(options), tables.get(call, InspectOptions))
        one = partial(calls[call], **options)
        outcomes: list[Reply | errors.BackendError] = [_NEVER] * len(modules)
        left = iter(enumerate(modules))

        async def lane() -> None:
            for index, module in left:
                try:
                    outcomes[index] = await one(module)
                except errors.BackendError as error:
                    outcomes[index] = error

        endpoint = self.endpoint(options.get("endpoint"))
        limit, settings = endpoint.admission.limit, endpoint.settings
        width = min(len(modules), limit * settings.max_batch_size, limit + settings.queue_size // 2)
        async with asyncio.TaskGroup() as group:
            for _ in range(width):
                group.create_task(lane())
        return Batch(tuple(outcomes))

    verify = blocking(averify)
    inspect = blocking(ainspect)
    optimize = blocking(aoptimize)
    link = blocking(alink)
    emit = blocking(aemit)
    batch = blocking(abatch)


_NEVER: Final = errors.BackendError("Nobody has looked at this module.")
