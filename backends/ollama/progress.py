"""Progress of pull, push and create: the lines of a stream as chunks, and the reply at its end.

Wire facts: ``{status, digest?, total?, completed?}`` lines; the last is ``{"status": "success"}``. A pull of an
unknown name begins like any other, with ``pulling manifest``, and fails in the next line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from backends.errors import ServerError
from backends.ollama.lines import Fail, LineReader
from backends.operation import Answer
from backends.types import Chunk, Reply
from backends.wire.values import FormatError

__all__ = ["ModelChange", "ProgressReader"]

_SUCCESS: Final = "success"
_MOST_LAYERS: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChange(Reply):
    """A finished pull, push or create.

    Attributes:
        status: the last word of the server, ``success``.
        layers: digest -> size in bytes of what was transferred, in order.
    """

    status: str = _SUCCESS
    layers: Mapping[str, int] = field(default_factory=dict)


class ProgressReader(LineReader):
    """Reads one transfer. Each chunk has the line's status as ``text`` and the line itself as ``raw``.

    The first line is held back until the second has come: what fails right there fails as itself, not as a stream
    that was interrupted, and may be tried again.

    Args:
        fail, max_event_bytes: as for every reader.
        quiet: yield nothing before the end, for callers that want the reply alone. The whole transfer may then be tried
            again (the server goes on where it was), while a wait without any line still ends at the idle timeout.
    """

    __slots__ = ("_held", "_last", "_layers", "_quiet")

    def __init__(self, fail: Fail, max_event_bytes: int, *, quiet: bool) -> None:
        super().__init__(fail, max_event_bytes)
        self._quiet = quiet
        self._held: Chunk | None = None
        self._last: dict[str, Any] | None = None
        self._layers: dict[str, int] = {}

    def take(self, event: dict[str, Any]) -> Iterable[Chunk]:
        """Read one line."""
        status = event.get("status")
        if type(status) is not str:
            raise FormatError("a line of progress has no status")
        first, self._last = self._last is None, event
        digest, total = event.get("digest"), event.get("total")
        if type(digest) is str and type(total) is int and len(self._layers) < _MOST_LAYERS:
            self._layers[digest] = total
        chunk = Chunk(status, raw=event)
        if status == _SUCCESS:
            self.done = True
        elif self._quiet:
            return ()
        elif first:
            self._held = chunk
            return ()
        held, self._held = self._held, None
        return (chunk,) if held is None else (held, chunk)

    def finish(self) -> Any:
        """Take the end of the bytes.

        Raises:
            ServerError: the last status was not ``success``.
        """
        yield from super().finish()
        if not self.done and self._last is not None:
            raise ServerError(
                f"The server stopped at {self._last['status'][:200]!r} without success.", code="cut_short"
            )

    def partial(self) -> Any:
        """Return the last line, None when there was none."""
        return self._last

    def reply(self, answer: Answer) -> ModelChange:
        """Return the reply of a finished transfer."""
        facts = answer.facts()
        facts["raw"] = self._last
        return ModelChange(**facts, model=answer.model, layers=dict(self._layers))
