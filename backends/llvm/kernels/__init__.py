"""Kernels in LLVM IR that come with the library: plain loops that LLVM turns into vector code.

Each file holds a version for double (``_f64``) and one for float (``_f32``):

- ``dot``: ``dot_f64(ptr x, ptr y, i64 n) -> double``
- ``cosine``: ``cosine_f64(ptr x, ptr y, i64 n) -> double``; 0 where a vector is all zeros.
- ``softmax``: ``softmax_f64(ptr x, ptr out, i64 n) -> void``.

For example, with ``x`` and ``y`` two vectors of numpy or ``array.array("d", ...)`` of the same length:

    llvm.run(kernel("cosine"), "cosine_f64", [x, y, len(x)]).value
    _, shares = llvm.run(kernel("softmax"), "softmax_f64", [x, bytearray(8 * len(x)), len(x)]).buffers
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from backends.errors import InvalidRequestError
from backends.settings import nearest

__all__ = ["KERNELS", "kernel"]

KERNELS: Final = ("cosine", "dot", "softmax")
"""Their names."""


def kernel(name: str) -> str:
    """Return the IR of a kernel.

    Raises:
        InvalidRequestError: there is none of this name.
    """
    if name not in KERNELS:
        raise InvalidRequestError(
            f"There is no kernel {str(name)[:60]!r}; there are {', '.join(KERNELS)}.",
            provider="llvm",
            code="invalid_argument",
            suggestions=nearest(str(name), KERNELS),
        )
    return files(__name__).joinpath(f"{name}.ll").read_text(encoding="utf-8")
