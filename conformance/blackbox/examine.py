"""Puts the questions to one subject, one after another, and turns what comes of each into evidence records.

A question that goes wrong costs its own verdict and a fresh start of the subject, never another question. Only a subject that
cannot even say who it is ends its own examination.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from conformance import catalogue
from conformance.blackbox.conversation import Channel, Conversation, Patience
from conformance.blackbox.diary import Diary
from conformance.blackbox.findings import Misconduct, NotClaimed, Overdue, Told
from conformance.blackbox.places import Place
from conformance.blackbox.question import Question
from conformance.blackbox.trial import Trial
from conformance.conduct import scrubbed
from conformance.judge import CheckFailed
from conformance.simulators.server import Simulator

__all__ = ["Ended", "Examination", "Start", "examine"]

Record: TypeAlias = dict[str, Any]
Start: TypeAlias = Callable[[], Awaitable[Channel]]
Ended: TypeAlias = Callable[[Record], None]
_LONGEST_QUESTION: Final = 180.0
"""Seconds after which a question ends whatever it waits for: the sum of many short waits has an end, too."""


@dataclass(slots=True)
class Examination:
    """What is known of a subject.

    Attributes:
        who: its answer to ``hello``; None until it has given one.
        notes: what is wrong with it besides the verdicts: it cannot be started, it does not end.
        cases: one record a question and provider.
    """

    who: Record | None = None
    notes: list[str] = field(default_factory=list)
    cases: list[Record] = field(default_factory=list)


async def examine(
    name: str,
    start: Start,
    places: Sequence[Place],
    questions: Iterable[Question],
    *,
    patience: Patience | None = None,
    ended: Ended | None = None,
) -> Examination:
    """Ask a subject every question about every provider.

    Args:
        name: of the subject, for the records.
        start: starts it and gives a channel to it; raises :class:`Misconduct` when it cannot.
        places: providers; one that the subject does not claim is passed over.
        ended: told of every record as it is made.
    """
    found = Examination()
    session = _Session(start, patience or Patience())
    asked = list(questions)
    try:
        found.who = (await session.conversation()).who
        for place in places:
            for question in asked if place.provider in found.who["claims"] else ():
                record = await _ask(name, session, found.who, place, question)
                found.cases.append(record)
                if ended is not None:
                    ended(record)
    except Misconduct as error:
        found.notes.append(scrubbed(str(error)))
    wrong = await session.end()
    if wrong:
        found.notes.append(scrubbed(wrong))
    return found


@dataclass(slots=True)
class _Live:
    conversation: Conversation
    who: Record


class _Session:
    """One living subject at a time; a fresh one after each that was discarded."""

    def __init__(self, start: Start, patience: Patience) -> None:
        self._start = start
        self._patience = patience
        self._live: _Live | None = None

    async def conversation(self) -> _Live:
        """Return the living subject, started if there is none.

        Raises:
            Misconduct: it does not come up.
        """
        if self._live is None:
            conversation = Conversation(await self._start(), self._patience)
            try:
                self._live = _Live(conversation, await conversation.hello())
            except (Misconduct, Overdue, Told) as error:
                await conversation.kill()
                raise Misconduct(str(error)) from None
        return self._live

    async def discard(self) -> None:
        """End the living subject at once."""
        if self._live is not None:
            await self._live.conversation.kill()
            self._live = None

    async def end(self) -> str:
        """Close the living subject in good order and return what it did wrong."""
        if self._live is None:
            return ""
        live, self._live = self._live, None
        return await live.conversation.close()


async def _ask(name: str, session: _Session, who: Record, place: Place, question: Question) -> Record:
    record: Record = {
        "kind": "case",
        "subject": name,
        "requirement": question.requirement,
        "lane": "blackbox",
        "case": place.provider,
        "assertions": 0,
        "requests": 0,
    }
    claims = frozenset(who["claims"][place.provider])
    excuse = _excuse(question, who, place, claims)
    if excuse:
        return {**record, "verdict": "not_claimed", "failure": "", "detail": excuse}
    try:
        live = await session.conversation()
    except Misconduct as error:
        return {**record, "verdict": "fail", "failure": "subject", "detail": scrubbed(str(error))}
    return {**record, **await _tried(session, live.conversation, place, question, claims)}


def _excuse(question: Question, who: Record, place: Place, claims: frozenset[str]) -> str:
    disclaimed: Mapping[str, str] = who.get("disclaims", {})
    if question.requirement in disclaimed:
        return scrubbed(disclaimed[question.requirement])
    missing = [need for need in question.needs if need not in claims]
    if missing:
        return f"does not claim {', '.join(missing)}"
    if question.requirement == "BAT-03" and len(place.embedding_models) < 2:
        return "the simulated provider has one embedding model"
    return ""


async def _tried(
    session: _Session, conversation: Conversation, place: Place, question: Question, claims: frozenset[str]
) -> Record:
    loop = asyncio.get_running_loop()
    known = loop.get_exception_handler()
    troubles: list[str] = []
    loop.set_exception_handler(lambda _, context: troubles.append(_trouble(context)))
    conversation.diary = Diary()
    sim = Simulator([place.provider])
    await sim.start()
    trial = Trial(catalogue.find(question.requirement), place, claims, conversation, sim)
    try:
        verdict, kind, detail = await _judged(trial, question, troubles)
        log = trial.log()
        detail = scrubbed(conversation.diary.masked(detail))
        if verdict != "pass" or conversation.busy:
            # Whatever is left of this question - calls that hang, a client in a strange state - must not meet the next one.
            await session.discard()
    finally:
        await trial.wind_up()
        loop.set_exception_handler(known)
    told: Record = {"verdict": verdict, "failure": kind, "detail": detail}
    told |= {"assertions": trial.assertions, "requests": trial.traffic}
    return told | {"wire": [scrubbed(line) for line in log]} if verdict in ("fail", "vacuous") else told


async def _judged(trial: Trial, question: Question, troubles: list[str]) -> tuple[str, str, str]:
    """Return verdict, kind of failure and detail."""
    try:
        async with asyncio.timeout(_LONGEST_QUESTION):
            await question.body(trial)
    except NotClaimed as lack:
        return "not_claimed", "", str(lack)
    except Misconduct as error:
        return "fail", "subject", str(error)
    except Overdue as error:
        return "fail", "stuck", str(error)
    except Told as error:
        return "fail", "error", f"a call that must succeed failed: {error}"
    except CheckFailed as error:
        return "fail", "assertion", str(error)
    except TimeoutError:
        return "fail", "stuck", f"the question did not end within {_LONGEST_QUESTION:g} s"
    except Exception as error:  # a fault of the harness is one question's, and is told as such
        return "fail", "crash", f"{type(error).__name__}: {error}"
    broken = next((text for text in troubles if " simulator failed on " in text), None)
    if broken is not None:
        return "fail", "crash", broken
    vacuous = trial.vacuity()
    return ("vacuous", "", vacuous) if vacuous else ("pass", "", "")


def _trouble(context: dict[str, Any]) -> str:
    error = context.get("exception")
    text = str(context.get("message", ""))
    return f"{text}: {type(error).__name__}: {error}" if error is not None else text
