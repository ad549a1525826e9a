"""Chapter FLT, as far as the head of an answer: connections, statuses, hints and heads.

A handful of the catalogue's mishaps each, those that BAK, ERR and KEY do not ask about. A deadline is the client's own, and
asked for only where it can be given one.
"""

from __future__ import annotations

from typing import Final

from conformance.blackbox.findings import Told
from conformance.blackbox.question import question
from conformance.blackbox.strikes import PATIENCE, answered, during, named, sent, told
from conformance.blackbox.trial import Trial
from conformance.simulators.faults import EmptyBody, Html, Status

_DEADLINE: Final = 0.4
_DAY: Final = "86400"
"""Seconds that no call waits for."""
_CLOCK: Final = 0.02
"""Seconds by which timers of two processes may disagree about the same wait."""


@question("FLT-01")
async def flt_01(trial: Trial) -> None:
    """A connection that is refused, reset, closed or silent ends in an error; silence is told apart; all are tried again."""
    await trial.client(wish={"max_retries": 0})
    trial.sim.refuse()
    refused = await trial.refused("a server at which nobody listens")
    named(trial, refused, "a server at which nobody listens")
    await trial.sim.listen()
    ended = [refused, *[await told(trial, name) for name in ("reset after request", "closed after request")]]
    if "read_timeout" not in await trial.client(wish={"read_timeout": PATIENCE}):
        silence = await told(trial, "silent before head", wish={"read_timeout": PATIENCE})
        trial.expect(_words(silence) not in map(_words, ended), f"silence is told as a lost connection: {silence}")
    if "retries" in trial.claims:
        # Who is reset before a byte was read has sent no request: the one that arrives is the second.
        trial.equal(
            await sent(trial, "reset on accept"), 1, "requests after a connection that was reset when it was made"
        )
        trial.equal(await sent(trial, "closed after request"), 2, "requests when the first is closed without a word")


def _words(error: Told) -> tuple[str | None, ...]:
    return error.kind, error.type, error.code, error.message


@question("FLT-02")
async def flt_02(trial: Trial) -> None:
    """A status is the same error with the provider's own body, with a gateway's page and without a body; so is its repetition."""
    forms = {"the provider's own body": Status, "a gateway's page": Html, "no body": EmptyBody}
    for status in (400, 503):
        kinds: dict[str, str] = {}
        for form, action in forms.items():
            await trial.client(wish={"max_retries": 0})
            trial.sim.forget_faults()
            trial.fault(action(status))
            error = await trial.refused(f"a {status} with {form}")
            named(trial, error, f"a {status} with {form}")
            kinds[form] = error.kind
        trial.equal(len(set(kinds.values())), 1, f"classes of a {status}: {kinds}")
    await told(trial, "status 599")
    if "retries" in trial.claims:
        for name in ("page 502", "empty 503"):
            trial.equal(await sent(trial, name), 2, f"requests when the first meets {name}")
        trial.equal(await sent(trial, "empty 400", fails=True), 1, "requests when the first meets empty 400")


@question("FLT-03", "retries")
async def flt_03(trial: Trial) -> None:
    """A 503 that says when to come back is obeyed; nonsense counts as not said; too long a wait ends the call at once."""
    await trial.client(wish={"max_retries": 2})
    trial.fault(Status(503, headers=(("retry-after", "1"),)), nth=1)
    with during("a 503 with retry-after: 1"):
        await trial.call()
    trial.equal(len(trial.requests), 2, "requests around a 503 with retry-after: 1")
    first, second = trial.requests
    waited = second.arrived - (first.ended or first.arrived)
    trial.expect(waited >= 1 - _CLOCK, f"waited {waited:.2f} s where a 503 asked for 1 s")
    trial.equal(await sent(trial, "hint as nonsense"), 2, "requests after a hint that is nonsense")
    before = len(trial.requests)
    await trial.client(wish={"max_retries": 2})
    trial.sim.forget_faults()
    trial.fault(Status(429, headers=(("retry-after", _DAY),)))
    about = f"a 429 with retry-after: {_DAY}"
    with during(about):
        await trial.refused(about)
    trial.equal(len(trial.requests) - before, 1, f"requests when each meets {about}")


@question("FLT-04")
async def flt_04(trial: Trial) -> None:
    """A head that is cut, malformed, silent or points elsewhere ends in an error; early answers and many fields are harmless."""
    for name in ("closed in head", "not HTTP", "status line broken", "redirect loop", "redirect to nowhere"):
        await told(trial, name)
    for name in ("early 100", "1xx flood", "80 headers"):
        await answered(trial, name)
    if "read_timeout" not in await trial.client(wish={"read_timeout": PATIENCE}):
        await told(trial, "silent in head", wish={"read_timeout": PATIENCE})
    if "deadline" not in await trial.client(wish={"deadline": _DEADLINE}):
        await told(trial, "slow loris", wish={"deadline": _DEADLINE})
