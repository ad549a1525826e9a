"""What a question gets: one client, configured as it wishes, one simulator, and a count of what was asserted and exchanged.

Time is real where the client is a program, so a question decides by what the server saw and by who was answered, never by a
stopwatch alone: waits are lower bounds, and every wait for an event has an end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from conformance.blackbox.conversation import Conversation, Exchange
from conformance.blackbox.findings import NotClaimed, Told
from conformance.blackbox.places import Place
from conformance.judge import CheckFailed, Judge
from conformance.requirement import Requirement
from conformance.simulators.actions import Action
from conformance.simulators.faults import Fault
from conformance.simulators.record import Seen
from conformance.simulators.server import Simulator
from conformance.subject import PLANTED_KEY

__all__ = ["Failed", "Reply", "Trial"]

_HASTY: Final = {"initial_retry_delay": 0.01, "max_retry_delay": 0.02, "failure_threshold": 1000}
"""Wishes of every question: short waits, and a breaker that does not meddle. A client that cannot be told is only slower."""
_QUIET: Final = 0.05
"""Seconds in which a request that must not come would have come: more are only needed to be sterner."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client made of an answer; None where it does not tell."""

    text: str
    pieces: tuple[str, ...]
    input_tokens: int | None
    output_tokens: int | None
    estimated: bool | None
    cached: bool | None
    attempts: int | None
    tool_calls: tuple[dict[str, Any], ...]
    vectors: tuple[tuple[float, ...], ...]


def _reply(told: dict[str, Any], pieces: Sequence[str]) -> Reply:
    usage = told.get("usage") or {}
    return Reply(
        text=told.get("text", ""),
        pieces=tuple(pieces),
        input_tokens=usage.get("input_tokens"),
        output_tokens=usage.get("output_tokens"),
        estimated=usage.get("estimated"),
        cached=told.get("cached"),
        attempts=told.get("attempts"),
        tool_calls=tuple(told.get("tool_calls") or ()),
        vectors=tuple(map(tuple, told.get("vectors") or ())),
    )


class Failed:
    """What came of :meth:`Trial.failing`."""

    told: Told | None = None

    @property
    def error(self) -> Told:
        """The error; only after the block has ended."""
        assert self.told is not None
        return self.told


class Trial(Judge):
    """One question put to one subject about one provider.

    Attributes:
        sim: the simulator.
        place: the provider as a scene.
        claims: the features that the client claims there.
    """

    def __init__(
        self,
        requirement: Requirement,
        place: Place,
        claims: frozenset[str],
        conversation: Conversation,
        sim: Simulator,
    ) -> None:
        super().__init__()
        self.requirement = requirement
        self.place = place
        self.claims = claims
        self.sim = sim
        self._conversation = conversation
        self._sims = [sim]

    # -- the client ----------------------------------------------------------------------------------------------------

    async def client(
        self,
        *,
        keys: Sequence[str] = (PLANTED_KEY,),
        wish: dict[str, Any] | None = None,
        base_url: str | None = None,
        **needed: Any,
    ) -> frozenset[str]:
        """Make a new client in place of the one before; return which wishes it cannot be granted.

        Args:
            keys: its API keys; what is shown of them is masked.
            wish: settings that make the question kinder or quicker.
            **needed: settings without which there is no question.

        Raises:
            NotClaimed: it cannot be given one that is needed.
            Told: it refuses to be made.
        """
        self._conversation.diary.guard(keys)
        settings = {"model": self.place.model, **_HASTY, **(wish or {}), **needed}
        told = await self._conversation.ask(
            "configure",
            provider=self.place.provider,
            base_url=base_url or self.base_url,
            api_keys=list(keys),
            **settings,
        )
        ignored = frozenset(told.get("ignored", ()))
        missing = sorted(ignored & set(needed))
        if missing:
            raise NotClaimed(f"cannot be set: {', '.join(missing)}")
        return ignored

    def start(self, text: str = "hello", *, stream: bool = False, **fields: Any) -> Exchange:
        """Begin a chat; ``fields`` are those of the protocol (``priority``, ``endpoint``, ``options``, ``messages``)."""
        fields.setdefault("messages", [{"role": "user", "content": text}])
        return self._conversation.begin("stream" if stream else "chat", **fields)

    async def end(self, exchange: Exchange) -> Reply:
        """Wait for the end of a call.

        Raises:
            Told: the client failed; Overdue, Misconduct: see :class:`Conversation`.
        """
        return _reply(await self._conversation.result(exchange), exchange.pieces)

    async def call(self, text: str = "hello", **fields: Any) -> Reply:
        """Make one chat, or one stream with ``stream=True``, and wait for its end."""
        return await self.end(self.start(text, **fields))

    async def embed(self, texts: Sequence[str], model: str = "") -> Reply:
        """Embed texts."""
        model = model or self.place.embedding_models[0]
        return _reply(await self._conversation.ask("embed", texts=list(texts), model=model), ())

    async def other(self, operation: str) -> None:
        """Ask for an operation that is neither chat nor embedding."""
        await self._conversation.ask("other", operation=operation)

    async def ends(self, exchanges: Sequence[Exchange]) -> list[Reply | Told]:
        """Wait for several calls; return each reply, or what the client told instead."""
        found = await asyncio.gather(*map(self.end, exchanges), return_exceptions=True)
        for end in found:
            if isinstance(end, BaseException) and not isinstance(end, Told):
                raise end
        return [end for end in found if isinstance(end, Reply | Told)]

    async def give_up(self, exchange: Exchange) -> None:
        """Cancel a call and see it end."""
        await self._conversation.ask("cancel", target=exchange.number)
        (end,) = await self.ends([exchange])
        self.expect(isinstance(end, Told), "a call that its caller gave up came back with an answer")

    async def refused(self, about: str, text: str = "hello", **fields: Any) -> Told:
        """Make a call that must fail and return the error."""
        async with self.failing(about) as failed:
            await self.call(text, **fields)
        return failed.error

    @asynccontextmanager
    async def failing(self, about: str) -> AsyncIterator[Failed]:
        """Assert that a block ends in an error that the client tells; afterwards it is there as ``error``."""
        failed = Failed()
        try:
            yield failed
        except Told as told:
            failed.told = told
        self.expect(failed.told, f"{about} came back as if all were well")

    @property
    def printed(self) -> str:
        """The tail of the subject's standard error."""
        return self._conversation.printed

    # -- the server ----------------------------------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """The simulator's address for this provider."""
        return self.sim.base_url(self.place.provider)

    @property
    def requests(self) -> list[Seen]:
        """The calls that arrived, oldest first."""
        return self.at(self.sim)

    def at(self, sim: Simulator) -> list[Seen]:
        """Return the calls that arrived at a server."""
        return [seen for seen in sim.requests if fnmatchcase(seen.path, self.place.path) or "embed" in seen.path]

    def fault(self, action: Action, nth: int | tuple[int, ...] | None = None, key: str = "*") -> None:
        """Script an action on chats and streams; ``nth`` counts them from 1, None means every one."""
        self.sim.script(Fault(action, path=self.place.path, nth=nth, key=key))

    async def another_simulator(self) -> Simulator:
        """Return a second server on another port; it is closed at the end."""
        sim = Simulator([self.place.provider])
        await sim.start()
        self._sims.append(sim)
        return sim

    async def until(self, sim: Simulator | None = None, **state: int) -> None:
        """Wait for arrivals at a server: see :meth:`Simulator.until`.

        Raises:
            CheckFailed: they did not come in time.
        """
        try:
            async with asyncio.timeout(self._conversation.patience.answer):
                await (sim or self.sim).until(**state)
        except TimeoutError:
            waited = " and ".join(f"{count} {name.replace('_', ' ')}" for name, count in state.items())
            raise CheckFailed(f"the server waited for {waited}: {len(self.requests)} requests came") from None

    # -- time ----------------------------------------------------------------------------------------------------------

    async def arrived(self) -> None:
        """Let the subject hear everything that was said so far: it answers something said later."""
        for _ in range(3):
            await self._conversation.ask("hello", protocol=1)

    async def quiet(self) -> None:
        """Give what must not come the time to come."""
        await self.arrived()
        await asyncio.sleep(_QUIET)

    async def settle(self) -> None:
        """Let everything happen in this process that needs no time."""
        await asyncio.sleep(0)

    async def outlast(self, seconds: float) -> None:
        """Let a time pass that the clause names (a rest, a timeout of the client's own): a lower bound, so never too short."""
        await asyncio.sleep(seconds)

    # -- the end -------------------------------------------------------------------------------------------------------

    def vacuity(self) -> str | None:
        """Return why this trial proves nothing, None when it proves something."""
        if not self.assertions:
            return "the question asserted nothing"
        if self.requirement.traffic and not self.traffic:
            return "no request reached the server"
        unfired = [fault for sim in self._sims for fault in sim.unfired()]
        return f"a scripted fault never fired: {unfired[0]}" if unfired else None

    @property
    def traffic(self) -> int:
        """How many requests arrived at any server of this trial."""
        return sum(len(sim.requests) for sim in self._sims)

    def log(self) -> list[str]:
        """Return the wire log."""
        return self._conversation.diary.lines(seen for sim in self._sims for seen in sim.requests)

    async def wind_up(self) -> None:
        """Close every server, whatever still hangs there."""
        for sim in self._sims:
            sim.let_go()
            sim.abandon()
        await asyncio.sleep(0)
