"""LLVM under the contract; the calls it declares stand in :mod:`conformance.subjects.llvm_calls`.

Its wire is a pipe. Here the frames that would go through it are posted to simulated workers; what only real processes
can show is asked of real ones: SEC-05, and the lane ``real``.
"""

from __future__ import annotations

from typing import Any, Final

from backends.llvm import LLVM
from conformance.subject import Site, Subject, standard_arguments
from conformance.subjects.llvm_bridge import Bridge
from conformance.subjects.llvm_calls import DECLARED, module_about
from conformance.subjects.shared_calls import BATCHED

__all__ = ["SUBJECT"]

_NO_KEYS: Final = "a compiler on this machine takes no key"
_NO_HTTP: Final = "its wire is a pipe to a process of this machine: "


class _Contracted(LLVM):
    """Owns its bridge, and lets a check give an endpoint the key that there is nobody to show to."""

    async def _close_wire(self) -> None:
        if self._workers is not None:
            await self._workers.aclose()

    def _holds_wire(self) -> bool:
        return self._workers is not None

    def create_endpoint(self, name: str, base_url: str | None = None, *_: Any, **settings: Any) -> None:
        settings.pop("api_key", None)
        super().create_endpoint(name, base_url, **settings)


def _make(site: Site, **settings: Any) -> LLVM:
    arguments = standard_arguments(site, settings)
    arguments.pop("api_key", None)
    if "transport" in settings:
        return LLVM(**{name: value for name, value in arguments.items() if name != "base_url"})
    return _Contracted(transport=Bridge(), **arguments)


def _real(site: Site, **settings: Any) -> LLVM:
    return _make(site, transport=None, **settings)


_OWN_CACHE: Final = "compiled modules are kept by a cache of its own, by their exact text; code has no paraphrase"
SUBJECT: Final = Subject(
    name="llvm",
    title="LLVM",
    tags=frozenset({"sync", "runs_code", "batch"}),
    make=_make,
    call=lambda backend, text, **options: backend.aoptimize(module_about(text), **options),
    call_name="optimize",
    call_arguments=lambda text: (module_about(text),),
    call_path="*/optimize",
    provider="llvm",
    declared=DECLARED,
    batched=BATCHED["llvm"],
    not_applicable={
        **{f"KEY-{number:02}": _NO_KEYS for number in range(1, 13)},
        **{f"CAC-{number:02}": _OWN_CACHE for number in range(1, 10)},
        "BAK-08": "a process of this machine costs nothing, so there is no credit to use up",
        "ERR-03": f"{_NO_HTTP}nothing is decompressed, and a frame whose announced length is too large is not read at all",
        "FLT-03": f"{_NO_HTTP}a worker says nothing about when to come back",
        "FLT-04": f"{_NO_HTTP}frames have no heads",
        "FLT-08": f"{_NO_HTTP}a worker says nothing between two calls; one that has died is seen in the lane real",
        "SEC-01": f"{_NO_HTTP}there is no certificate, and no key that could travel in clear text",
        "SEC-02": f"{_NO_HTTP}it has no headers; control characters in names are refused: ERR-04",
        "SEC-03": f"{_NO_HTTP}it has no paths",
    },
    refusals=tuple(LLVM.refusals),
    sources=("backends.llvm", "backends.llvm_worker"),
    real=_real,
)
