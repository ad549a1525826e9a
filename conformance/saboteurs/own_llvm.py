"""Sins of an LLVM backend, what it does with strangers' code apart (``sec_native``): compilers that do something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from backends import errors
from backends.resilience.failures import AttemptFailed, Blame
from conformance.saboteurs import saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.common import replying

_sin: Final = partial(saboteur, subjects=("llvm",), alone=True)


def _asking(backend: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Let ``change`` rewrite what every worker is asked."""
    perform = backend._perform
    backend._perform = lambda job, options: perform(replace(job, header=change(dict(job.header))), options)


@_sin("CAP-01", "optimises as it likes", case="optimize by passes async")
def ignores_passes(backend: Any) -> None:
    """O2 is good for everything."""

    def change(header: dict[str, Any]) -> dict[str, Any]:
        header.pop("passes", None)
        return {**header, "level": "O2"}

    _asking(backend, change)


@_sin("CAP-02", "optimises what was to be left alone", case="optimize not at all async")
def ignores_the_level(backend: Any) -> None:
    """O0 reads like a typing error."""
    _asking(backend, lambda header: {**header, "level": "O2"})


@_sin("CAP-02", "compiles for another machine than was asked for", case="emit assembly async")
def mistakes_the_target(backend: Any) -> None:
    """One triple looks like another."""
    _asking(backend, lambda header: {**header, "target": {"triple": "wasm32-unknown-unknown"}})


@_sin("CAP-02", "returns the buffers that it was given", case="run and change a buffer async")
def ignores_changes(backend: Any) -> None:
    """What the function wrote is gone with its process."""

    def change(reply: Any) -> Any:
        return replace(reply, buffers=(reply.buffers[0],) * len(reply.buffers))

    replying(backend, change)


@_sin("ERR-01", "takes a bad module for a failure of the compiler")
def blames_the_compiler(backend: Any) -> None:
    """It did not compile."""

    def change(failure: AttemptFailed) -> None:
        if failure.error.status == 422:
            failure.error = errors.ServerError(failure.error.message, status=422, code=failure.error.code)

    judging(backend, change)


@_sin("BRK-05", "feeds bad modules to the breaker")
def bad_modules_are_outages(backend: Any) -> None:
    """One author stops everybody's compiler."""

    def change(failure: AttemptFailed) -> None:
        if failure.blame is Blame.REQUEST:
            failure.blame = Blame.OUTAGE

    judging(backend, change)


@_sin("SEC-05", "feeds the crash of a stranger's code to the breaker", case="a bad address")
def crashes_are_outages(backend: Any) -> None:
    """The worker is gone, so it was the worker."""
    bad_modules_are_outages(backend)
