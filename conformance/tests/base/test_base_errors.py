"""The tree of errors: whole, documented, picklable, and close to what Python already has."""

from __future__ import annotations

import copy
import pickle
import re

import pytest

from backends import errors
from backends.errors import BackendError
from backends.types import Usage

EVERY = tuple(getattr(errors, name) for name in errors.__all__)
BUILT_IN = {
    "ConfigurationError": ValueError,
    "InvalidRequestError": ValueError,
    "ContextLengthError": ValueError,
    "ContentFilterError": ValueError,
    "UnsupportedError": ValueError,
    "UnknownModelError": ValueError,
    "NotFoundError": LookupError,
    "TransportError": ConnectionError,
    "DeadlineExceededError": TimeoutError,
}
FAULTS = {
    "caller": {
        "ConfigurationError",
        "InvalidRequestError",
        "ContextLengthError",
        "ContentFilterError",
        "UnsupportedError",
        "UnknownModelError",
        "NotFoundError",
        "ClosedError",
    },
    "key": {"AuthenticationError", "PermissionDeniedError", "RateLimitError", "QuotaExceededError"},
    "network": {"TransportError"},
    "limits": {"BudgetExceededError", "DeadlineExceededError", "QueueFullError"},
}
FACTS = {
    "status": 503,
    "code": "overloaded",
    "provider": "openai",
    "request_id": "0d9a6a52-6b1c-4f0e-9c57-3a6a1b6f4a55",
    "provider_request_id": "req_1",
    "attempts": 3,
    "retry_after": 1.5,
    "partial": "half a sen",
    "suggestions": ("gpt-5.5", "gpt-5.4"),
    "usage": Usage(12, 3, 15, estimated=True),
    "cost": 0.25,
}


def drawn() -> dict[str, str]:
    """The tree of the module's documentation as child -> parent."""
    parents: dict[str, str] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"\s{4}((?:(?:│| )   )*)(?:[├└]── )?(\w+Error)\b", line)
        if found is None or ("──" not in line and above):
            continue
        depth = len(found.group(1)) // 4 + (1 if "──" in line else 0)
        del above[depth:]
        if above:
            parents[found.group(2)] = above[-1]
        above.append(found.group(2))
    return parents


def test_every_class_of_the_module_is_exported() -> None:
    """Nothing is raised that cannot be caught by name."""
    here = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, BaseException) and value.__module__ == errors.__name__
    }
    assert here == set(errors.__all__)
    assert errors.__all__ == sorted(errors.__all__)


def test_the_drawn_tree_is_the_tree() -> None:
    """The documentation shows each class under its own parent, and every class once."""
    actual = {kind.__name__: kind.__bases__[0].__name__ for kind in EVERY if kind is not BackendError}
    assert drawn() == actual


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_class_stands_beside_the_closest_built_in(kind: type[BackendError]) -> None:
    """Whoever catches the language's own error catches ours; none claims a kinship it does not have."""
    expected = BUILT_IN.get(kind.__name__)
    for built_in in (ValueError, LookupError, ConnectionError, TimeoutError):
        assert issubclass(kind, built_in) is (built_in is expected), built_in


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_a_class_says_what_it_means_and_whose_fault_it_is(kind: type[BackendError]) -> None:
    """One documented sentence of its own, and one of the five faults."""
    assert kind.__doc__
    assert sum(other.__doc__ == kind.__doc__ for other in EVERY) == 1
    expected = next((fault for fault, names in FAULTS.items() if kind.__name__ in names), "provider")
    assert kind("x").fault == expected


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_a_pickle_with_its_cause(kind: type[BackendError], protocol: int) -> None:
    """Class, message, every fact and the whole chain of causes come back."""
    root = errors.TransportError("reset", code="reset_after_sent")
    root.__cause__ = OSError(104, "reset by peer")
    error = kind("It failed.", **FACTS)
    error.__cause__ = root
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is kind
    assert (back.message, back.args, str(back)) == ("It failed.", ("It failed.",), str(error))
    assert {name: getattr(back, name) for name in FACTS} == FACTS
    assert type(back.__cause__) is errors.TransportError
    assert back.__cause__.code == "reset_after_sent"
    assert isinstance(back.__cause__.__cause__, ConnectionResetError)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_an_error_is_copied_like_any_value(kind: type[BackendError]) -> None:
    """Libraries that re-raise a copy in another thread lose nothing."""
    error = kind("It failed.", **FACTS)
    for back in (copy.copy(error), copy.deepcopy(error)):
        assert type(back) is kind
        assert {name: getattr(back, name) for name in FACTS} == FACTS


def test_the_text_says_what_is_known_and_nothing_else() -> None:
    """Facts that are missing are not shown; zero attempts are not a fact."""
    assert str(BackendError("Plain.")) == "Plain."
    text = str(BackendError("Told.", **FACTS))
    assert text.startswith("Told. Did you mean: gpt-5.5, gpt-5.4? (provider openai, status 503, code overloaded, ")
    assert "attempts 3" in text
    assert "half a sen" not in text
    assert "attempts" not in str(BackendError("x", provider="openai"))


def test_cancellation_is_not_in_the_tree() -> None:
    """``except BackendError`` never swallows a cancellation."""
    import asyncio

    assert not issubclass(asyncio.CancelledError, BackendError)
    assert not issubclass(BackendError, asyncio.CancelledError)
    assert all(issubclass(kind, Exception) for kind in EVERY)
