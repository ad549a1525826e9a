"""How a check asserts, in any lane: every assertion is counted, and a broken one says what was looked at."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Any, Final, Self

__all__ = ["CheckFailed", "Judge", "Raised"]

_TOLERANCE: Final = 1e-6


class CheckFailed(AssertionError):  # noqa: N818 - a finding, not an error of the program
    """The subject does not do what the clause says."""


class Raised:
    """Context manager of :meth:`Trial.raises`; afterwards ``error`` is what was raised."""

    def __init__(
        self, expected: type[BaseException] | tuple[type[BaseException], ...], judge: Judge, about: str
    ) -> None:
        self._expected = expected
        self._judge = judge
        self._about = about
        self._error: BaseException | None = None

    @property
    def error(self) -> Any:
        """What was raised."""
        assert self._error is not None, "the block has not ended"
        return self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        expected = self._expected if isinstance(self._expected, tuple) else (self._expected,)
        names = " or ".join(one.__name__ for one in expected)
        if error is None:
            self._judge.expect(False, f"{self._about or 'the call'}: {names} should have been raised, nothing was")
        if isinstance(error, self._expected):
            self._judge.expect(True, "")
            self._error = error
            return True
        if isinstance(error, Exception) and not isinstance(error, CheckFailed):
            self._judge.assertions += 1
            text = f"{self._about or 'the call'}: {names} should have been raised, not {type(error).__name__}: {error}"
            raise CheckFailed(text) from error
        return False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return self.__exit__(kind, error, trace)


class Judge:
    """Counts assertions.

    Attributes:
        assertions: how many were made.
    """

    def __init__(self) -> None:
        self.assertions = 0

    def expect(self, condition: object, message: str) -> None:
        """Assert that a condition holds; ``message`` says what does not hold otherwise.

        Raises:
            CheckFailed: it does not.
        """
        self.assertions += 1
        if not condition:
            raise CheckFailed(message)

    def equal(self, actual: object, expected: object, message: str) -> None:
        """Assert that two values are equal.

        Raises:
            CheckFailed: they are not; both are shown.
        """
        self.expect(actual == expected, f"{message}: expected {_shown(expected)}, got {_shown(actual)}")

    def close_to(self, actual: float, expected: float, message: str, tolerance: float = _TOLERANCE) -> None:
        """Assert that two numbers differ by no more than ``tolerance``.

        Raises:
            CheckFailed: they differ by more.
        """
        near = math.isclose(actual, expected, rel_tol=0.0, abs_tol=tolerance)
        self.expect(near, f"{message}: expected {expected:g} within {tolerance:g}, got {actual:g}")

    def raises(self, expected: type[BaseException] | tuple[type[BaseException], ...], about: str = "") -> Raised:
        """Assert that a block raises: ``async with trial.raises(RateLimitError) as caught: ...``; then
        ``caught.error``."""
        return Raised(expected, self, about)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."
