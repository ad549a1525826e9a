"""What a worker's refusals mean in the error tree, and what the loss of a worker means for the path of a call.

Codes are those of :mod:`backends.llvm_worker.problems`. Whatever a module or a function did is its author's fault: it is
raised at once and no breaker learns of it. Only a worker that is lost while it merely compiles speaks of an outage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends import errors
from backends.llvm.transport import Returned
from backends.operation import Repeat
from backends.reading import error_text
from backends.resilience.failures import AttemptFailed, Blame, error_class, failed_answer, failed_wire
from backends.wire.values import Failure, WireError

__all__ = ["CODES", "divided", "lost", "refused", "told_error"]

CODES: Final[dict[str, type[errors.BackendError]]] = {
    "invalid_frame": errors.InvalidRequestError,
    "parse": errors.InvalidRequestError,
    "verify": errors.InvalidRequestError,
    "link": errors.InvalidRequestError,
    "emit": errors.InvalidRequestError,
    "unknown_target": errors.UnsupportedError,
    "unknown_cpu": errors.UnsupportedError,
    "unknown_feature": errors.UnsupportedError,
    "missing_symbol": errors.NotFoundError,
    "signature": errors.InvalidRequestError,
    "crashed": errors.InvalidRequestError,
    "exited": errors.InvalidRequestError,
    "time_limit": errors.InvalidRequestError,
    "memory_limit": errors.InvalidRequestError,
    "no_executable_memory": errors.ConfigurationError,
    "llvmlite_missing": errors.ConfigurationError,
}
"""Code of a worker -> class; what is not here goes by its status."""
_WORDS: Final = {
    "parse": "The module cannot be parsed",
    "verify": "The module is not well formed",
    "link": "The modules cannot be linked",
    "emit": "No code can be made of the module",
    "llvmlite_missing": 'LLVM needs llvmlite: pip install "backends-conformance[llvm]"',
}
_DIED: Final = frozenset({Failure.RESET_AFTER_SENT, Failure.CUT_SHORT, Failure.READ_TIMEOUT})
_ONES_FAULT: Final = _DIED | {Failure.TOO_LARGE}
_LARGEST_BODY: Final = 65_536


def refused(returned: Returned, header: Any, wall: float) -> AttemptFailed:
    """Return what an answer means that is an error.

    Args:
        returned: as the transport gave it.
        header: what its frame says; None where it is no frame.
        wall: unix seconds, for hints that are dates.
    """
    said = header if isinstance(header, dict) else returned.frame[:_LARGEST_BODY].decode("utf-8", "replace")
    status = returned.status if returned.status >= 400 else header.get("status", 500)
    error = told_error(said, status, header)
    body: Mapping[str, Any] | str = said
    return failed_answer(error, returned.headers, body, Repeat.ALWAYS, wall)


def told_error(said: Any, status: int, header: Any) -> errors.BackendError:
    """Return the error that a worker tells.

    Args:
        said: what holds it: the header of an answer, or one result in it.
        status: 400 and up.
        header: of the answer, which names the worker.
    """
    message, code = error_text(said)
    kind = CODES.get(code or "") or error_class(status)
    words = _WORDS.get(code or "", "")
    error = kind(
        f"{words}: {message}" if words and message else message or f"Status {status}", status=status, code=code
    )
    if isinstance(header, dict) and isinstance(header.get("worker"), str):
        error.provider_request_id = header["worker"][:200]
    return error


def divided(why: str) -> AttemptFailed:
    """Return the failure of a frame that several callers share where one of their modules may be the reason: nobody is
    told of it, for the frame is sent again in halves until whoever is to blame stands alone."""
    error = errors.InvalidRequestError(f"A shared request is divided: {why}.", code="divided")
    return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind="divided")


def lost(problem: WireError, *, runs_code: bool, is_shared: bool = False) -> AttemptFailed:
    """Return what the loss of a worker means.

    Args:
        runs_code: it was running a stranger's function, which is then what ended it.
        is_shared: it had the modules of several callers.
    """
    if is_shared and problem.failure in _ONES_FAULT:
        return divided(problem.message)
    if runs_code and problem.sent and problem.failure in _DIED:
        error = errors.InvalidRequestError(f"The function took its worker down: {problem.message}.", code="crashed")
        return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind="crashed")
    return failed_wire(problem, Repeat.ALWAYS)
