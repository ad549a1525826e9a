"""The command ``subjects``: which foreign clients come with the contract, and making what they need."""

from __future__ import annotations

import argparse

from conformance.blackbox import roster
from conformance.command_line import UsageError, one_of
from conformance.console import say

__all__ = ["command_subjects"]


def command_subjects(asked: argparse.Namespace) -> int:
    """List the subjects and whether they can be started, or make the environments that were asked for."""
    chosen = [one_of("subject", name, roster.names()) for name in asked.prepare]
    try:
        for listed in map(roster.find, dict.fromkeys(chosen)):
            say(f"making the environment of {listed.name} in {listed.environment}")
            roster.prepare(listed)
    except (roster.DescriptionError, roster.PreparationError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(
            f"environments cannot be written to {roster.cache()} ({error.strerror}); set CONFORMANCE_ENVIRONMENTS"
        ) from None
    for listed in map(roster.find, roster.names()):
        state = "ready" if listed.ready else "not made"
        hint = "" if listed.ready else f"  conformance subjects --prepare {listed.name}"
        say(f"{listed.name:<18} {state:<9} {listed.title} ({', '.join(listed.providers)}){hint}")
    return 0
