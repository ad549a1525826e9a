"""Server hints, from the other side: waits are written down in every dialect, and must be read back as they were meant.

A step says what a server means; the bench writes the headers and body, and knows which of several statements counts.
A second kind of step sends nonsense, which may be ignored but never believed halfway and never raises.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from backends.resilience.hints import retry_after
from conformance.machines import strategies as own
from conformance.machines.bench import Bench, Rules, run_rules

__all__ = ["HintsBench", "HintsRules", "run"]

_RESETS = {
    "requests": ("x-ratelimit-reset-requests", "x-ratelimit-remaining-requests"),
    "tokens": ("x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens"),
    "claude-requests": ("anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining"),
    "claude-input": ("anthropic-ratelimit-input-tokens-reset", "anthropic-ratelimit-input-tokens-remaining"),
}
_PHRASES = [
    "Please try again in {}. Visit the console.",
    "Quota exceeded, limit: 20\nPlease retry in {}.",
    "Please retry after {}",
    "Rate limit reached: 3 of 3 used. Try again in {}!",
]


def _go_duration(seconds: float) -> str:
    """Write a duration as Go programs do: ``1h2m3.5s``, ``350ms``."""
    if 0 < seconds < 1:
        return f"{round(seconds * 1000)}ms"
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{int(hours)}h" if hours else ""
    text += f"{int(minutes)}m" if hours or minutes else ""
    return f"{text}{rest:.10g}s"


def _written(form: str, seconds: float, wall: float) -> str:
    if form == "date":
        return formatdate(wall + seconds, usegmt=True)
    if form == "rfc3339":
        return datetime.fromtimestamp(wall + seconds, UTC).isoformat().replace("+00:00", "Z")
    if form == "duration":
        return _go_duration(seconds)
    if form == "words":
        return f"{seconds:g} seconds"
    return f"{seconds:.10g}"


class HintsBench(Bench):
    """Steps: new, said, nonsense."""

    machine = "hints"

    def do_new(self) -> None:
        """There is no state to make."""

    def do_said(
        self,
        wall: float,
        status: int | None,
        milliseconds: float | None,
        header: list[Any] | None,
        details: float | None,
        message: list[Any] | None,
        resets: list[list[Any]],
    ) -> None:
        """Let a server say one or several things.

        ``header`` and ``message`` are a form and seconds; ``message`` has the number of a phrase before them; each of
        ``resets`` is a kind, seconds, and what remains or None.
        """
        headers: dict[str, str] = {}
        error: dict[str, Any] = {"code": 429, "message": "Too many requests."}
        said: list[float] = []
        if milliseconds is not None:
            headers["retry-after-ms"] = f"{milliseconds * 1000:.10g}"
            said.append(milliseconds)
        if header is not None:
            headers["retry-after"] = _written(header[0], header[1], wall)
            said.append(max(0.0, header[1]))
        if details is not None:
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.Help"}, {"retryDelay": f"{details:.10g}s"}]
            said.append(details)
        if message is not None:
            error["message"] = _PHRASES[message[0]].format(_written(message[1], message[2], wall))
            said.append(message[2])
        for kind, seconds, remaining in resets:
            name, left = _RESETS[kind]
            headers[name] = _written("rfc3339" if kind.startswith("claude") else "duration", seconds, wall)
            if remaining is not None:
                headers[left] = str(remaining)
        spent = [seconds for _, seconds, remaining in resets if remaining == 0]
        general = spent or ([seconds for _, seconds, _ in resets] if status in (None, 429) else [])
        if general:
            said.append(max(general))
        answer = self.subject(headers, {"error": error}, wall=wall, status=status)
        expected = said[0] if said else None
        right = answer is None if expected is None else answer is not None and abs(answer - expected) < 1e-3
        self.require(right, f"{headers} and {error} mean {expected}, but were read as {answer}")

    def do_nonsense(self, headers: dict[str, str], body: Any, wall: float) -> None:
        """Let a server say something broken."""
        answer = self.subject(headers, body, wall=wall)
        sane = answer is None or (isinstance(answer, float) and math.isfinite(answer) and answer >= 0)
        self.require(sane, f"{headers} and {body!r} were read as {answer!r}")


def _bodies() -> st.SearchStrategy[Any]:
    texts = own.hostile_text()
    details = st.lists(st.fixed_dictionaries({"retryDelay": texts | st.integers() | st.none()}) | texts, max_size=3)
    error = st.fixed_dictionaries({}, optional={"message": texts | own.json_values(3), "details": details | texts})
    wrapped = st.fixed_dictionaries({"error": error | texts})
    return st.none() | texts | wrapped | wrapped.map(lambda body: [body]) | own.json_values(6)


class HintsRules(Rules):
    """Random statements in all dialects, and random nonsense in the same places."""

    bench_class = HintsBench
    subject = staticmethod(retry_after)
    bench: HintsBench

    @initialize()
    def new(self) -> None:
        """Begin."""
        self.do("new")

    @rule(
        wall=own.walls(),
        status=st.sampled_from([None, 429, 500, 503]),
        milliseconds=st.none() | own.durations(),
        header=st.none()
        | st.tuples(st.sampled_from(["seconds", "duration"]), own.durations(7300)).map(list)
        | st.tuples(st.just("date"), st.integers(-100, 100_000).map(float)).map(list),
        details=st.none() | own.durations(200),
        message=st.none()
        | st.tuples(st.integers(0, len(_PHRASES) - 1), st.sampled_from(["duration", "words"]), own.durations(7300)).map(
            list
        ),
        resets=st.lists(
            st.tuples(
                st.sampled_from(sorted(_RESETS)), own.durations(7300), st.none() | st.sampled_from([0, 1, 500])
            ).map(list),
            max_size=3,
            unique_by=lambda reset: reset[0],
        ),
    )
    def said(self, **meaning: Any) -> None:
        """Say something."""
        self.do("said", **meaning)

    @rule(resets=st.lists(st.sampled_from(sorted(_RESETS)), min_size=1, max_size=3, unique=True), data=st.data())
    def general(self, resets: list[str], data: st.DataObject) -> None:
        """Say nothing of this request, only how the quota stands."""
        drawn = [
            [kind, data.draw(own.durations(7300)), data.draw(st.none() | st.sampled_from([0, 500]))] for kind in resets
        ]
        nothing = {"milliseconds": None, "header": None, "details": None, "message": None}
        status = data.draw(st.sampled_from([None, 429, 500]))
        self.do("said", wall=1_700_000_000.0, status=status, resets=drawn, **nothing)

    @rule(
        headers=st.dictionaries(
            st.sampled_from(["retry-after-ms", "retry-after", *(name for pair in _RESETS.values() for name in pair)]),
            own.hostile_text(),
            max_size=3,
        ),
        body=_bodies(),
        wall=own.walls(),
    )
    def nonsense(self, headers: dict[str, str], body: Any, wall: float) -> None:
        """Say something broken."""
        self.do("nonsense", headers=headers, body=body, wall=wall)


def run(settings: hypothesis.settings | None = None, machine_class: Callable[..., Any] = retry_after) -> None:
    """Check a reader of hints, a function or any callable; raises Disagreement when it is wrong (BAK-04)."""
    run_rules(HintsRules, machine_class, settings)
