"""The mishaps of the catalogue (:mod:`conformance.faults`), put to a client of which only words and traffic are known.

What each must come to is told there for our own backends, to the letter; a question judges what any client can show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from conformance.blackbox.findings import Overdue, Told
from conformance.blackbox.trial import Trial
from conformance.faults.cells import MISHAPS
from conformance.judge import CheckFailed
from conformance.simulators.actions import Action

__all__ = ["PATIENCE", "answered", "during", "named", "sent", "strike", "told"]

PATIENCE: Final = 0.3
"""Seconds between two bytes, for clients that can be told how long to wait."""
_NAMED: Final = {mishap.name: mishap for mishap in MISHAPS}
_ONCE: Final = {"max_retries": 0}
_AGAIN: Final = {"max_retries": 2}


def strike(trial: Trial, name: str, nth: int | None = None, before: Action | None = None) -> str:
    """Let a mishap, and nothing else besides ``before``, fall on the chats to come; return what to call it."""
    mishap = _NAMED[name]
    trial.sim.forget_faults()
    for action in (*([before] if before else ()), *mishap.actions):
        trial.fault(action, nth=nth)
    return f"{name} ({mishap.does})"


@contextmanager
def during(about: str) -> Iterator[None]:
    """Say in whatever goes wrong with a call that must succeed, or must end, what happened to it."""
    try:
        yield
    except Overdue as error:
        raise Overdue(f"{about}: {error}") from None
    except Told as error:
        raise CheckFailed(f"{about}: a call that must succeed failed: {error}") from None


async def told(trial: Trial, name: str, *, wish: dict[str, Any] | None = None, before: Action | None = None) -> Told:
    """Return what a client without repeats tells of a mishap that strikes every time; it must have a name for it.

    Args:
        wish: settings, where the client can be given them.
        before: what happens to the same answer before the mishap does.
    """
    await trial.client(wish={**_ONCE, **(wish or {})})
    about = strike(trial, name, before=before)
    with during(about):
        error = await trial.refused(about)
    named(trial, error, about)
    return error


def named(trial: Trial, error: Told, about: str) -> None:
    """Assert that a client has a name for what happened."""
    trial.expect(error.kind != "other", f"{about}: the client has no name for it: {error.type}: {error.message[:100]}")


async def answered(trial: Trial, name: str) -> None:
    """Assert that a mishap is harmless: the call is answered by the server's words."""
    await trial.client(wish=_ONCE)
    about = strike(trial, name)
    with during(about):
        reply = await trial.call()
    trial.expect(
        trial.requests[-1].nonce in reply.text, f"{about}: the answer is not the server's: {reply.text[:80]!r}"
    )


async def sent(
    trial: Trial, name: str, *, wish: dict[str, Any] | None = None, fails: bool = False, stream: bool = False
) -> int:
    """Return how many requests a call takes whose first one meets a mishap, or each one where it fails."""
    await trial.client(wish={**_AGAIN, **(wish or {})})
    before = len(trial.requests)
    about = strike(trial, name, None if fails else 1)
    with during(about):
        if fails:
            await trial.refused(about, stream=stream)
        else:
            await trial.call(stream=stream)
    return len(trial.requests) - before
