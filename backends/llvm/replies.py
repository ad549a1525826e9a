"""What LLVM's calls give back. Frozen values; ``raw`` is the header of the worker's answer, untouched.

``provider_request_id`` names the worker process and which of its answers this is; ``model`` is the compiler.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.errors import BackendError
from backends.types import Reply

__all__ = [
    "Batch",
    "Counts",
    "Emitted",
    "FunctionInfo",
    "GlobalInfo",
    "Host",
    "Inspected",
    "Optimized",
    "Ran",
    "Section",
    "Target",
    "Targets",
    "Verified",
]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many functions with a body, blocks and instructions a module has."""

    functions: int
    blocks: int
    instructions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _ModuleReply(Reply):
    """Attributes of every reply about a module.

    Attributes:
        name: what the module calls itself.
        seconds: phase (``parse``, ``verify``, ``optimize``, ``emit``, ``link``, ``run``) -> how long it took.
    """

    name: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified(_ModuleReply):
    """A module that is well formed."""

    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimized(_ModuleReply):
    """A module after optimising or linking.

    Attributes:
        text: as IR; empty where bitcode was asked for.
        data: as bitcode; empty where IR was asked for.
        size: bytes of either.
        before, after: what it was made of and is made of.
        triple: what it was optimised for.
    """

    text: str = ""
    data: bytes = field(default=b"", repr=False)
    size: int
    before: Counts
    after: Counts
    triple: str


@dataclass(frozen=True, slots=True)
class Section:
    """A section of an object file."""

    name: str
    size: int
    code: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted(_ModuleReply):
    """Machine code.

    Attributes:
        text: as assembly; empty where an object file was asked for.
        data: as an object file; empty where assembly was asked for.
        size: bytes of either.
        sections: of an ELF object file.
        before, after: what the module was made of before optimising and after it.
        triple: what the code is for.
    """

    text: str = ""
    data: bytes = field(default=b"", repr=False)
    size: int
    sections: tuple[Section, ...] = ()
    before: Counts
    after: Counts
    triple: str


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """One function of a module; types are LLVM's text."""

    name: str
    type: str
    returns: str
    parameters: tuple[str, ...]
    variadic: bool
    declaration: bool
    linkage: str
    attributes: tuple[str, ...]
    blocks: int
    instructions: int


@dataclass(frozen=True, slots=True)
class GlobalInfo:
    """One global variable or constant of a module."""

    name: str
    type: str
    declaration: bool
    linkage: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected(_ModuleReply):
    """What a module is made of. ``structs`` are its named types: name -> LLVM's text."""

    counts: Counts
    source_file: str
    triple: str
    data_layout: str
    functions: tuple[FunctionInfo, ...]
    globals: tuple[GlobalInfo, ...]
    structs: Mapping[str, str]

    def function(self, name: str) -> FunctionInfo | None:
        """Return a function by its name, None when there is none."""
        return next((one for one in self.functions if one.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran(_ModuleReply):
    """A function that was run.

    Attributes:
        value: what it returned; None for a function that returns nothing.
        buffers: the buffers of the call as the function left them, in order, each of the kind that was passed.
        compiled: False when the worker still had the code of an earlier run.
        size: bytes of its object file.
        processor_seconds: processor time of the run, linking included.
        peak_memory: most real memory of its process in bytes; some 60 MiB of it are the compiler's own.
        confined: its system calls were limited to computing (Linux on x86-64 and arm64); else it could have opened
            files and sockets with the rights of the user.
    """

    value: int | float | None
    buffers: tuple[Any, ...] = ()
    compiled: bool
    size: int
    processor_seconds: float
    peak_memory: int
    confined: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Reply):
    """A target that code can be made for."""

    name: str
    description: str
    triple: str
    data_layout: str
    object_format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets(Reply):
    """The targets of this LLVM; ``targets`` are their architectures, sorted."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Host(Reply):
    """This machine, as LLVM sees it."""

    triple: str
    process_triple: str
    cpu: str
    features: tuple[str, ...]
    object_format: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Many modules, each with its reply or its error, in order. Iterating gives the replies of those that went well."""

    outcomes: tuple[Reply | BackendError, ...]

    def __iter__(self) -> Iterator[Reply]:
        return (one for one in self.outcomes if isinstance(one, Reply))

    @property
    def failed(self) -> Mapping[int, BackendError]:
        """Position -> error of those that did not."""
        return {index: one for index, one in enumerate(self.outcomes) if isinstance(one, BackendError)}
