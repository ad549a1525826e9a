"""REAL: the answers are the server's, every call reaches it, and the source shows no pretence."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from backends import errors
from conformance.check import check
from conformance.checks.common import shows
from conformance.live import LiveTrial
from conformance.reality import Analysis, analyse_modules
from conformance.simulators.faults import Status
from conformance.simulators.record import Seen
from conformance.subject import Subject
from conformance.trial import Trial


def _answering(subject: Subject) -> Iterator[str]:
    """The representative call, its stream, and every declared call whose simulated answer carries a nonce."""
    yield "call"
    if subject.stream is not None:
        yield "stream"
    yield from (f"declared {name}" for name, case in sorted(subject.declared.items()) if case.nonce)


@check("REAL-01", cases=_answering)
async def real_01(trial: Trial) -> None:
    """The answer carries the nonce that the server put into it for this request."""
    backend = await trial.backend()
    for text in ("hello", "hello again"):
        before = len(trial.requests)
        reply = await _made(trial, backend, text)
        seen = trial.requests[before:]
        trial.expect(seen, "an answer came back, but the server has seen no request")
        trial.expect(
            any(_carries(reply, one) for one in seen), "the reply does not carry the nonce of the server's answer"
        )
        if trial.case in ("call", "stream"):
            where = "the reply's content is not the server's: its nonce is missing"
            trial.expect(any(shows(one.nonce, _content(reply)) for one in seen), where)


async def _made(trial: Trial, backend: Any, text: str) -> Any:
    if trial.case == "stream":
        stream = trial.stream(backend, text)
        chunks = [chunk async for chunk in stream]
        joined = "".join(chunk.text for chunk in chunks)
        trial.equal(_content(stream.reply), joined, "the stream's reply and its chunks")
        return stream.reply
    if trial.case == "call":
        return await trial.call(backend, text)
    return await trial.subject.declared[trial.case.removeprefix("declared ")].run(backend)


def _content(reply: Any) -> str:
    """What the caller reads: text where there is any, else everything but the headers and ids."""
    text = getattr(reply, "text", None)
    return text if isinstance(text, str) else repr(getattr(reply, "raw", reply))


def _carries(reply: Any, seen: Seen) -> bool:
    if isinstance(reply, bytes):
        return seen.nonce.encode() in reply
    images = (image.data for image in getattr(reply, "images", ()))
    pieces = (getattr(reply, "raw", None), getattr(reply, "data", None), *images)
    inside = any(isinstance(piece, bytes) and seen.nonce.encode() in piece for piece in pieces)
    return inside or shows(seen.nonce, repr(reply))


@check("REAL-02", cases=lambda subject: sorted(subject.declared))
async def real_02(trial: Trial) -> None:
    """Every declared call, made once, is seen at the server on its declared route."""
    backend = await trial.backend()
    case = trial.subject.declared[trial.case]
    await case.run(backend)
    routes = [f"{one.method} {one.path}" for one in trial.requests]
    there = any(one.method == case.method and fnmatchcase(one.path, case.path) for one in trial.requests)
    trial.expect(there, f"{trial.case} came back, but the server saw {routes or 'nothing'} instead of {case.route}")


@check("REAL-03")
async def real_03(trial: Trial) -> None:
    """Static analysis of the source finds every public call reaching the wire, with no pretence on the way."""
    backend = await trial.backend()
    trial.expect(trial.subject.sources, "the subject names no source")
    _judge(trial, analyse_modules(trial.subject.sources))
    for kind in type(backend).__mro__:
        if not _is_known(kind.__module__, trial.subject):
            _judge(trial, analyse_modules([kind.__module__], frozenset({kind.__name__})), may_be_empty=True)


def _is_known(module: str, subject: Subject) -> bool:
    """The subject's own source is analysed whole; what all backends share is judged by every other requirement."""
    return module.partition(".")[0] in ("backends", "builtins", "abc", "typing") or module in subject.sources


def _judge(trial: Trial, analysis: Analysis, *, may_be_empty: bool = False) -> None:
    if may_be_empty and analysis.kind == "absent":
        return
    trial.equal(analysis.kind, "real", f"static analysis ({'; '.join(analysis.reasons[:5]) or 'no call found'})")


def _changing(subject: Subject) -> Iterator[str]:
    yield "answer"
    yield "error"
    if "usage" in subject.tags:
        yield "usage"


@check("REAL-04", cases=_changing)
async def real_04(trial: Trial) -> None:
    """When the provider's answer, usage or error changes, ours changes with it."""
    backend = await trial.backend(max_retries=0)
    if trial.case == "answer":
        first, second = await trial.call(backend, "one"), await trial.call(backend, "two")
        trial.expect(_content(first) != _content(second), "two different answers of the server gave the same reply")
    elif trial.case == "usage":
        short, long = await trial.call(backend, "one"), await trial.call(backend, "one " * 400)
        counts = f"({short.usage.input_tokens} and {long.usage.input_tokens})"
        trial.expect(
            short.usage.input_tokens != long.usage.input_tokens, f"the usage does not change with the answer's {counts}"
        )
    else:
        for number, message in enumerate(("the first complaint", "another complaint"), 1):
            trial.fault(Status(400, message=message), nth=number)
        for message in ("the first complaint", "another complaint"):
            async with trial.raises(errors.InvalidRequestError) as caught:
                await trial.call(backend)
            trial.expect(message in str(caught.error), f"the provider's message {message!r} is not in the error")


@check("REAL-01", lanes=("live",))
async def real_01_live(trial: LiveTrial) -> None:
    """The vendor's answer carries a word that nobody can know before it is asked."""
    backend = await trial.backend()
    word = f"{trial.random.getrandbits(40):010x}"
    reply = await trial.call(backend, f"Answer with exactly this word and nothing else: {word}")
    trial.expect(word in _content(reply).lower(), "the answer does not hold the word that was asked for")
    trial.expect(reply.provider_request_id, "the vendor's request id is missing")
    trial.expect(reply.usage.output_tokens, "the vendor's token count is missing")
