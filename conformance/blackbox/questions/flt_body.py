"""Chapter FLT, behind the head of an answer: framing, content, the events of a stream, and connections that are kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from conformance.blackbox.question import question
from conformance.blackbox.strikes import answered, during, sent, strike, told
from conformance.blackbox.trial import Trial
from conformance.simulators.actions import Action, Hit
from conformance.simulators.delivery import Body, End, Head, Raw, Steps
from conformance.simulators.faults import DropIdle, Prefixed, Reset, SlowChunks, Unsolicited
from conformance.simulators.record import Seen
from conformance.simulators.server import Simulator

_BOUND: Final = 128 << 10
_SOON: Final = 0.1
"""Seconds after which a server ends a connection that it kept, or says what nobody asked for."""


@question("FLT-05")
async def flt_05(trial: Trial) -> None:
    """A body whose length, chunks or coding lie ends in an error; an honest one in a coding that was offered is read."""
    for name in ("closed in body", "closed in chunk", "length twice", "gzip that is none"):
        await told(trial, name)
    # With the head in the same bytes a client would not have begun to wait for the body.
    await told(trial, "chunk size broken", before=SlowChunks(0.05, after=0))
    offered = trial.requests[-1].header("accept-encoding") or ""
    for coding in ("gzip", "deflate"):
        if coding in offered:
            await answered(trial, coding)
    wish = {"max_response_bytes": _BOUND}
    if "max_response_bytes" not in await trial.client(wish=wish):
        await told(trial, "oversized", wish=wish)


@question("FLT-06")
async def flt_06(trial: Trial) -> None:
    """An answer that is none is not repeated and ends in an error; one that is merely odd is read.

    Counts are not judged here: a client that hands on what its provider says has not said it itself.
    """
    await trial.client(wish={"max_retries": 0})
    trial.fault(Prefixed(b" \r\n\t"))
    with during("blank space before the JSON"):
        reply = await trial.call()
    trial.expect(trial.requests[-1].nonce in reply.text, f"the answer is not the server's: {reply.text[:80]!r}")
    for name in ("page 200", "not an object", "empty object"):
        if "retries" in trial.claims:
            trial.equal(await sent(trial, name, fails=True), 1, f"requests when each meets {name}")
        await told(trial, name)


@question("FLT-07", "retries", "stream")
async def flt_07(trial: Trial) -> None:
    """A stream that dies before its first content is begun again; one that dies behind it is not, and what came is not lost."""
    await trial.client(wish={"max_retries": 0})
    await trial.call(stream=True)
    middle = Reset("body", after=trial.requests[-1].sent // 2)
    for action in (middle, None):
        await trial.client(wish={"max_retries": 2})
        trial.sim.forget_faults()
        if action is None:
            about = strike(trial, "error event behind content")
        else:
            about = "a connection that is reset in the middle of a stream"
            trial.fault(action)
        before = len(trial.requests)
        stream = trial.start(stream=True)
        async with trial.failing(about) as failed:
            await trial.end(stream)
        trial.equal(len(trial.requests) - before, 1, f"requests of {about}")
        trial.expect("".join(stream.pieces) or failed.error.partial, f"{about}: the content before it was lost")
    # Deaths that nobody can overlook: who takes a clean end for the end breaks another clause.
    for name in ("closed before body", "closed at first byte"):
        trial.equal(await sent(trial, name, stream=True), 2, f"requests of a stream that meets {name}")


@question("FLT-08")
async def flt_08(trial: Trial) -> None:
    """Whatever happens to a kept connection between two calls, the second gets its own answer."""
    await trial.client(wish={"max_retries": 2})
    await trial.call("an answer to nobody")
    poison = await _answer_to(trial, trial.requests[-1])
    mishaps = {
        "the kept connection is closed": DropIdle(_SOON),
        "the kept connection is reset": DropIdle(_SOON, reset=True),
        "an answer that nobody asked for came with the first one": _Twofold(poison),
        "an answer that nobody asked for came a little later": Unsolicited(poison, _SOON),
    }
    for about, action in mishaps.items():
        await trial.client(wish={"max_retries": 2})
        trial.sim.forget_faults()
        trial.fault(action, nth=1)
        await _own(trial, "first of two", "the first call")
        await trial.outlast(2 * _SOON)
        await _own(trial, "second of two", f"{about}: the second call")


async def _own(trial: Trial, text: str, about: str) -> None:
    sent_so_far = len(trial.requests)
    with during(about):
        reply = await trial.call(text)
    arrived = trial.requests[sent_so_far:]
    trial.expect(arrived, f"{about} came back before the server had its request: {reply.text[:80]!r}")
    trial.expect(arrived[-1].nonce in reply.text, f"{about} was given another call's answer: {reply.text[:80]!r}")


async def _answer_to(trial: Trial, seen: Seen) -> bytes:
    """Return a whole answer to a request like one that was seen, made for a connection that is kept.

    Another server gives it, so that the wire log holds the client's own requests only.
    """
    async with Simulator([trial.place.provider]) as apart:
        reader, writer = await asyncio.open_connection("127.0.0.1", apart.port)
        mount = apart.base_url(trial.place.provider).removeprefix(apart.origin).split("/")[1]
        left_out = ("connection", "accept-encoding", "content-length", "transfer-encoding")
        fields = [(name, value) for name, value in seen.headers if name not in left_out]
        fields += [("connection", "close"), ("content-length", str(len(seen.body)))]
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        query = f"?{seen.query}" if seen.query else ""
        writer.write(f"{seen.method} /{mount}{seen.path}{query} HTTP/1.1\r\n{head}\r\n".encode() + seen.body)
        whole = await reader.read()
        writer.close()
    body = whole.partition(b"\r\n\r\n")[2]
    trial.expect(b" 200 " in whole[:20] and body.startswith(b"{"), "the server gave no answer to be repeated")
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


@dataclass(frozen=True, slots=True)
class _Twofold(Action):
    """A second answer in the very bytes that end the first: it is in the client's hands before anybody can look."""

    data: bytes

    def deliver(self, steps: Steps, hit: Hit) -> Steps:
        """The first answer becomes a chunked one, so that its end can be written with what follows."""
        whole = b""
        for step in steps:
            if isinstance(step, Head):
                step.length = None
                yield step
            elif isinstance(step, Body):
                whole += step.data
            elif isinstance(step, End):
                hit()
                yield Raw(b"%x\r\n%b\r\n0\r\n\r\n%b" % (len(whole), whole, self.data))
            else:
                yield step
