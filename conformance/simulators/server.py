"""The simulator: real sockets, every provider under its own path, a log, scripted faults, and a gate to hold answers.

It runs in the loop that starts it and uses nothing but asyncio, so checks can run it inside a loop with virtual time.
It never draws a random number and never reads the wall clock: the same requests in the same order get the same answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import h11

from conformance.simulators.connection import BodyTooLargeError, Connection, Incoming
from conformance.simulators.control import PREFIX, control
from conformance.simulators.delivery import Close, Steps, steps
from conformance.simulators.dispatch import Mounted, make_nonce
from conformance.simulators.door import Door
from conformance.simulators.faults import Fault, Script, Shot
from conformance.simulators.gate import Gate
from conformance.simulators.provider import Answer, Provider, Request
from conformance.simulators.record import Log, Seen
from conformance.simulators.registry import load

__all__ = ["Simulator"]

_PATIENCE = 3_600.0
"""Seconds of the loop's time after which something that is waited for does not come."""


class Simulator:
    """Simulated providers on one port of this machine, as an asynchronous context manager.

    Args:
        providers: row names, or providers of your own; None means every provider there is.
        port: 0 picks a free one.
        host: address to listen on.
    """

    def __init__(
        self, providers: Iterable[str | Provider] | None = None, *, port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self._providers = load(providers)
        self._door = Door(host, port)
        self._mounted: dict[str, Mounted] = {}
        self._connections: set[Connection] = set()
        self._accepted = 0
        self._script = Script()
        self._log = Log()
        self._changed = asyncio.Event()
        self._gate = Gate(self._changed.set)
        self.in_flight = 0
        self.peak_in_flight = 0

    async def __aenter__(self) -> Simulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def start(self) -> None:
        """Listen; :attr:`port` is known afterwards."""
        await self.listen()
        for provider in self._providers:
            url = f"{self.origin}{provider.mount}{provider.suffix}"
            self._mounted[provider.mount.lstrip("/")] = Mounted(provider, url)

    async def listen(self) -> None:
        """Take connections, again after :meth:`refuse` on the same port."""
        await self._door.open(self._protocol)

    def refuse(self) -> None:
        """Stop listening: new connections are refused, those that exist go on."""
        self._door.close()

    def deafen(self) -> None:
        """Listen without taking connections: whoever makes a new one waits, and is neither let in nor refused."""
        self._door.deafen()

    async def aclose(self) -> None:
        """Stop listening and end every connection; safe to call twice."""
        self.refuse()
        for connection in tuple(self._connections):
            await connection.finish()
        self._discard()
        # One turn of the loop lets the transports close their sockets.
        await asyncio.sleep(0)

    def abandon(self) -> None:
        """Stop listening and abort every connection without waiting for anything; safe after :meth:`aclose`."""
        self.refuse()
        for connection in tuple(self._connections):
            connection.abort()
        self._discard()

    def _discard(self) -> None:
        for mounted in self._mounted.values():
            mounted.close()

    @property
    def connections(self) -> int:
        """How many connections of clients are open."""
        return len(self._connections)

    @property
    def providers(self) -> tuple[str, ...]:
        """Row names of what is served."""
        return tuple(provider.name for provider in self._providers)

    @property
    def port(self) -> int:
        """The port; 0 until it is known."""
        return self._door.port

    @property
    def origin(self) -> str:
        """``http://host:port``."""
        return f"http://{self._door.host}:{self.port}"

    def base_url(self, provider: str) -> str:
        """What that provider's official client takes as its base URL."""
        for mounted in self._mounted.values():
            if mounted.provider.name == provider:
                return mounted.base_url
        raise ValueError(f"{provider!r} is not served here; served: {', '.join(self.providers)}")

    @property
    def requests(self) -> list[Seen]:
        """What arrived, oldest first; credentials are masked."""
        return self._log.all()

    def script(self, *faults: Fault) -> None:
        """Add faults; each counts its matches from now on."""
        self._script.add(faults)

    def unfired(self) -> list[Fault]:
        """Faults that changed nothing yet: a check that relied on one proved nothing."""
        return self._script.unfired()

    def forget_faults(self) -> None:
        """Take all faults back."""
        self._script.clear()

    def reset(self) -> None:
        """Fresh state, empty log, no faults, gate open, nonces from the beginning. Requests in flight go on."""
        self._script.clear()
        self._log.clear()
        self.let_go()
        self.peak_in_flight = self.in_flight
        for mounted in self._mounted.values():
            mounted.reset()

    def hold(self, provider: str = "*", path: str = "*") -> None:
        """From now on matching requests arrive, are logged and count as in flight, but wait at the gate."""
        self._gate.close_for(provider, path)

    def let_go(self, count: int | None = None, *, skip: int = 0) -> int:
        """Answer the ``count`` requests that have waited longest, after leaving ``skip`` of them at the gate.

        None lets everybody go and opens the gate. Gives how many were let go.
        """
        return self._gate.let_go(count, skip=skip)

    @property
    def held(self) -> list[Seen]:
        """Requests waiting at the gate, oldest first."""
        return self._gate.held

    async def until(self, *, seen: int = 0, held: int = 0, in_flight: int | None = None) -> None:
        """Wait until at least so many requests were logged and are held, and exactly so many are in flight.

        Raises:
            AssertionError: an hour of the loop's time has passed.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                while self._log.count < seen or len(self._gate) < held or in_flight not in (None, self.in_flight):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            short = [
                f"{wish} {name}, there are {now}"
                for name, wish, now in (("seen", seen, self._log.count), ("held", held, len(self._gate)))
                if now < wish
            ]
            if in_flight not in (None, self.in_flight):
                short.append(f"{in_flight} in flight, there are {self.in_flight}")
            raise AssertionError(f"within an hour the server should have {' and '.join(short)}") from None

    def _protocol(self) -> Connection:
        return Connection(self._serve, self._connections)

    async def _serve(self, connection: Connection) -> None:
        number = self._accepted
        self._accepted += 1
        shots = self._script.on_accept()
        if shots:
            for shot in shots:
                shot.hit()
            connection.reset()
            return
        try:
            while await self._one(connection, await connection.next_request(), number):
                pass
        except BodyTooLargeError:
            connection.write(b"HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        except h11.RemoteProtocolError as error:
            message = f"not HTTP: {error}\n".encode()
            connection.write(
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
                % (len(message), message)
            )

    async def _one(self, connection: Connection, incoming: Incoming, number: int) -> bool:
        path, _, query = incoming.target.partition("?")
        first, _, rest = path.lstrip("/").partition("/")
        mounted = self._mounted.get(first)
        if mounted is None or path.startswith(PREFIX):
            return await self._unmounted(connection, incoming, path, query, number)
        request = Request(incoming.method, "/" + rest, query, incoming.headers)
        self._enter(1)
        started, sent, seen = False, connection.sent, None
        try:
            try:
                request = replace(request, body=await incoming.body())
            except BodyTooLargeError:
                answer = mounted.provider.error(413, None, None)
                await connection.perform(_and_close(steps(answer)), incoming)
                return False
            seen = self._record(mounted, request, number)
            _waiting_here(1)
            shots = self._script.falling_on(mounted.provider.name, request.method, request.path, seen.key_fingerprint)
            await self._gate.wait(seen)
            answer = await self._answer(mounted, request, seen, shots)
            delivery = steps(answer)
            for shot in shots:
                delivery = shot.action.deliver(delivery, shot.hit)
            started = True
            again = await connection.perform(delivery, incoming)
            seen.finished = True
        except asyncio.CancelledError:
            if seen is not None:
                seen.aborted = True
            raise
        else:
            return again
        finally:
            self._enter(-1)
            if seen is not None:
                _waiting_here(-1)
                seen.ended = asyncio.get_running_loop().time()
                seen.sent = connection.sent - sent
                seen.status = seen.status if started else 0

    async def _answer(self, mounted: Mounted, request: Request, seen: Seen, shots: list[Shot]) -> Answer:
        provider = mounted.provider
        made: Answer | None = None
        for shot in shots:
            if made is None:
                made = shot.action.instead(provider, shot.hit)
        if made is None:
            answer = await self._ask(mounted, request, seen.nonce)
            seen.problem = answer.problem
        else:
            answer = mounted.dressed(mounted.bare_call(request, seen.nonce), made)
            # Not its own words: a script may quote the credential that it was written for.
            seen.problem = None if answer.problem is None else f"scripted: a {answer.status}"
        for shot in shots:
            answer = shot.action.alter(answer, provider, shot.hit)
        seen.status = answer.status
        return answer

    async def _ask(self, mounted: Mounted, request: Request, nonce: str) -> Answer:
        try:
            return await mounted.answer(request, nonce)
        except Exception as error:  # a fault of the simulator itself must be seen by the client, the log and the loop
            where = f"{mounted.provider.name} simulator failed on {request.method} {request.path}"
            asyncio.get_running_loop().call_exception_handler({"message": where, "exception": error})
            message = f"{where}: {type(error).__name__}: {error}"
            return Answer(500, body=message.encode(), content_type="text/plain; charset=utf-8", problem=message)

    async def _unmounted(self, connection: Connection, incoming: Incoming, path: str, query: str, number: int) -> bool:
        request = Request(incoming.method, path, query, incoming.headers, await incoming.body())
        if path.startswith(PREFIX + "/"):
            answer = control(self, request)
        else:
            mounts = ", ".join("/" + mount for mount in self._mounted)
            answer = Answer(404, payload={"error": f"no provider is mounted at {path[:200]}; there are {mounts}"})
            seen = self._log.add("", request, None, "", asyncio.get_running_loop().time(), number)
            seen.problem, seen.status, seen.finished = "no provider is mounted there", 404, True
            self._changed.set()
        return await connection.perform(steps(answer), incoming)

    def _record(self, mounted: Mounted, request: Request, number: int) -> Seen:
        name = mounted.provider.name
        nonce = make_nonce(name, request.body, self._log.count)
        key = mounted.provider.find_key(request)
        seen = self._log.add(name, request, key, nonce, asyncio.get_running_loop().time(), number)
        self._changed.set()
        return seen

    def _enter(self, change: int) -> None:
        self.in_flight += change
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)
        self._changed.set()


def _and_close(delivery: Steps) -> Steps:
    yield from delivery
    yield Close()


def _waiting_here(change: int) -> None:
    """Tell a loop with virtual time how many requests wait for us: whoever sent one from a thread is not at work."""
    loop = asyncio.get_running_loop()
    if hasattr(loop, "waiting_here"):
        loop.waiting_here += change
