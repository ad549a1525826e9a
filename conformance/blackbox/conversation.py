"""The judge's end of the protocol: commands out, answers in, each matched, checked and awaited no longer than is reasonable."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol

from conformance.blackbox.diary import Diary
from conformance.blackbox.findings import Misconduct, Overdue, Told

__all__ = ["Channel", "Conversation", "Exchange", "Patience"]

_MOST_PIECES: Final = 100_000
_SHAPES: Final = {
    "hello": "hello_ok",
    "configure": "configure_ok",
    "chat": "reply_ok",
    "stream": "reply_ok",
    "embed": "reply_ok",
}


class Channel(Protocol):
    """Lines to and from a subject: a program, or an adapter of this process."""

    printed: bytes

    def write(self, line: bytes) -> None:
        """Send one line."""

    async def read(self) -> bytes:
        """Return the next line; raises :class:`Misconduct` when there will be none."""

    async def finish(self, seconds: float) -> str:
        """Wait for the end after ``close``; return what went wrong, ``""`` when nothing did."""

    async def kill(self) -> None:
        """End it at once."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a subject is waited for, in seconds: its first line, any answer, a sign of life, its end."""

    hello: float = 60.0
    answer: float = 20.0
    pulse: float = 5.0
    end: float = 10.0


class Exchange:
    """One command under way.

    Attributes:
        number, do: its id and command.
        pieces: the texts of a stream so far.
    """

    def __init__(self, number: int, do: str) -> None:
        self.number = number
        self.do = do
        self.pieces: list[str] = []
        self.ended: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._changed = asyncio.Event()

    def heard(self, answer: dict[str, Any]) -> None:
        """Take an answer with this id."""
        if "event" in answer:
            self.pieces.append(answer["event"].get("text", ""))
        elif not self.ended.done():
            if "ok" in answer:
                self.ended.set_result(answer["ok"])
            else:
                self.ended.set_exception(Told(answer["error"]))
        self._changed.set()

    def fail(self, error: Exception) -> None:
        """There will be no answer."""
        if not self.ended.done():
            self.ended.set_exception(error)
        self._changed.set()

    async def until(self, pieces: int) -> None:
        """Wait for so many pieces of the stream, or for its end."""
        while len(self.pieces) < pieces and not self.ended.done():
            self._changed.clear()
            await self._changed.wait()


class Conversation:
    """One subject, spoken to from its start to its end.

    Attributes:
        diary: where everything said is noted; a new one for each question.
    """

    def __init__(self, channel: Channel, patience: Patience) -> None:
        self.diary = Diary()
        self.patience = patience
        self._channel = channel
        self._open: dict[int, Exchange] = {}
        self._number = 0
        self._broken: Misconduct | None = None
        self._reading = asyncio.get_running_loop().create_task(self._read())

    @property
    def printed(self) -> str:
        """The tail of the subject's standard error."""
        return self._channel.printed.decode("utf-8", "replace")

    @property
    def busy(self) -> bool:
        """True while a command is under way."""
        return bool(self._open)

    def begin(self, do: str, **fields: Any) -> Exchange:
        """Send a command.

        Raises:
            Misconduct: the subject has gone, or broke the protocol before.
        """
        if self._broken is not None:
            raise self._broken
        self._number += 1
        command = {"id": self._number, "do": do, **fields}
        exchange = self._open[self._number] = Exchange(self._number, do)
        self.diary.note(">", self._number, {"do": do, **fields})
        self._channel.write(json.dumps(command).encode())
        return exchange

    async def result(self, exchange: Exchange, within: float | None = None) -> dict[str, Any]:
        """Wait for the end of a command.

        Raises:
            Told: the client failed.
            Overdue: it did not end in time, but the subject lives.
            Misconduct: the subject does not.
        """
        seconds = self.patience.answer if within is None else within
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(exchange.ended)
        except TimeoutError:
            if exchange.do == "hello":
                raise Misconduct(f"subject is silent: no line within {seconds:g} s") from None
        await self.result(self.begin("hello", protocol=1), self.patience.pulse)
        raise Overdue(f"{exchange.do} did not end within {seconds:g} s")

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a command and wait for its end; raises what :meth:`result` raises."""
        return await self.result(self.begin(do, **fields))

    async def hello(self) -> dict[str, Any]:
        """Ask who speaks; the first line may take longer than others, because programs load slowly."""
        return await self.result(self.begin("hello", protocol=1), self.patience.hello)

    async def close(self) -> str:
        """End the conversation in good order; return what the subject did wrong at its end, ``""`` when nothing."""
        try:
            await self.ask("close")
            wrong = await self._channel.finish(self.patience.end)
        except (Misconduct, Overdue, Told) as error:
            wrong = str(error)
        await self.kill()
        return wrong

    async def kill(self) -> None:
        """End the subject at once."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._channel.kill()

    async def _read(self) -> None:
        try:
            while True:
                self._hear(await self._channel.read())
        except Misconduct as error:
            self._broken = error
            for exchange in self._open.values():
                exchange.fail(error)

    def _hear(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise Misconduct(f"subject babbles: a line on standard output is not JSON: {line[:80]!r}") from None
        wrong = next(_problems("answer", answer), None)
        if wrong is not None:
            raise Misconduct(f"subject breaks the protocol: {wrong} in {line[:80]!r}")
        exchange = self._open.get(answer["id"])
        if exchange is None:
            raise Misconduct(f"subject answers what was not asked: {line[:80]!r}")
        if "ok" in answer:
            shape = _SHAPES.get(exchange.do)
            wrong = None if shape is None else next(_problems(shape, answer["ok"]), _no_vectors(answer["ok"]))
            if wrong is not None:
                raise Misconduct(f"subject breaks the protocol: {wrong} in the answer to {exchange.do}")
        elif "event" in answer and (exchange.do != "stream" or len(exchange.pieces) >= _MOST_PIECES):
            raise Misconduct(f"subject babbles: an event too many for {exchange.do}")
        self.diary.note("<", answer["id"], {name: value for name, value in answer.items() if name != "id"})
        if "event" not in answer:
            del self._open[answer["id"]]
        exchange.heard(answer)


def _problems(shape: str, value: Any) -> Iterator[str]:
    for error in _validator(shape).iter_errors(value):
        where = "".join(f".{part}" for part in error.absolute_path)
        yield f"{where or 'the line'}: {error.message[:120]}"


def _no_vectors(told: dict[str, Any]) -> str | None:
    numbers = (number for vector in told.get("vectors") or () for number in vector)
    return next((f"a vector holds {number!r}"[:80] for number in numbers if not isinstance(number, int | float)), None)


@cache
def _validator(shape: str) -> Any:
    from jsonschema import Draft202012Validator

    text = files("conformance").joinpath("schemas/subject_protocol.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": json.loads(text)["$defs"]})
