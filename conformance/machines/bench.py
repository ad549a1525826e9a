"""What all machine checks share: a bench that holds the class under test beside its model, and the way to drive it.

A bench takes steps, each a name and JSON-ready arguments, so that a failing run *is* data and can be replayed without
Hypothesis. It never draws anything itself; the rules (:class:`Rules`) do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeAlias

import hypothesis
from hypothesis import Verbosity, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from conformance.machines.profiles import DEEP, Tally

__all__ = ["Bench", "Disagreement", "Rules", "Step", "counterexample", "default_settings", "run_rules"]

Step: TypeAlias = dict[str, Any]
"""One step: ``{"do": name, **arguments}``, all of it JSON."""


class Disagreement(AssertionError):  # noqa: N818 - it names a finding, not a fault of the check
    """The class under test did not do what its model does.

    Attributes:
        machine: name of the machine.
        steps: everything done from the beginning, the last step being the one that failed.
        message: what was expected and what happened.
    """

    def __init__(self, machine: str, steps: Iterable[Step], message: str) -> None:
        self.machine = machine
        self.steps = tuple(steps)
        self.message = message
        lines = "\n".join(f"  {number}. {step}" for number, step in enumerate(self.steps, 1))
        super().__init__(f"{machine}: {message}\nafter these steps:\n{lines}")


class Bench:
    """One object under test beside its model.

    A subclass has a method ``do_<name>`` for each step it knows, the first to be taken being ``new``; and ``check``,
    which compares whatever can be compared after every step.
    """

    machine: ClassVar[str]

    def __init__(self, subject: Callable[..., Any]) -> None:
        self.subject = subject
        self.steps: list[Step] = []

    def do(self, step: str, **arguments: Any) -> None:
        """Take one step and compare.

        Raises:
            Disagreement: expectation and behaviour differ, or the class under test raised something.
            LookupError: there is no such step.
        """
        method = getattr(self, f"do_{step}", None)
        if method is None:
            raise LookupError(f"the {self.machine} bench knows no step {step!r}")
        self.steps.append({"do": step, **arguments})
        try:
            method(**arguments)
            self.check()
        except Disagreement:
            raise
        except Exception as error:
            message = f"{type(error).__name__} was raised: {error}"
            raise Disagreement(self.machine, self.steps, message) from error

    def replay(self, steps: Iterable[Mapping[str, Any]]) -> None:
        """Take recorded steps in order and end; raises as :meth:`do` does."""
        try:
            for step in steps:
                arguments = dict(step)
                self.do(arguments.pop("do"), **arguments)
        finally:
            self.end()

    def end(self) -> None:
        """Give back what the bench holds; no step is taken afterwards. Safe to call twice."""

    def check(self) -> None:
        """Compare what can be compared at any time."""

    def agree(self, what: str, expected: object, actual: object) -> None:
        """Raise Disagreement unless both are equal."""
        if expected != actual:
            raise Disagreement(self.machine, self.steps, f"{what} should be {expected!r} but is {actual!r}")

    def require(self, condition: bool, message: str) -> None:
        """Raise Disagreement unless the condition holds."""
        if not condition:
            raise Disagreement(self.machine, self.steps, message)


class Rules(RuleBasedStateMachine):
    """Rules that draw steps for a bench; ``subject`` is replaced by the class under test."""

    bench_class: ClassVar[type[Bench]]
    subject: ClassVar[Callable[..., Any]]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.bench: Any = self.bench_class(type(self).subject)
        self.tally.examples += 1

    def do(self, step: str, **arguments: Any) -> None:
        """Take one step on the bench, and count it."""
        self.tally.steps += 1
        self.bench.do(step, **arguments)


def default_settings(max_examples: int = 200, steps: int = 40) -> settings:
    """Return settings that give the same run every time, leave nothing on disk and shorten what they find."""
    return settings(DEEP.settings(), max_examples=max_examples, stateful_step_count=steps)


def run_rules(
    rules: type[Rules],
    subject: Callable[..., Any],
    chosen: settings | None,
    *,
    seed: int = 0,
    tally: Tally | None = None,
    **attributes: object,
) -> None:
    """Drive ``subject`` with ``rules``, whose other class attributes may be set for this run.

    Args:
        seed: another one than 0 draws other steps, given settings that are not derandomized.
        tally: counts what was run.

    Raises:
        Disagreement: it is wrong; carries the shortest steps that were found to show it.
    """
    # staticmethod keeps a plain function under test from turning into a method.
    own = {"subject": staticmethod(subject), "tally": tally or Tally(), "__doc__": rules.__doc__, **attributes}
    driven = type(rules.__name__, (rules,), own)
    if seed:
        driven = hypothesis.seed(seed)(driven)
    run_state_machine_as_test(driven, settings=chosen or default_settings())


def counterexample(
    run: Callable[[settings | None, Any], None], subject: Callable[..., Any], chosen: settings | None = None
) -> Disagreement | None:
    """Return how ``subject`` was found wrong by a module's ``run``, None when it was not; prints nothing."""
    quiet = settings(chosen or default_settings(), verbosity=Verbosity.quiet, print_blob=False)
    try:
        run(quiet, subject)
    except Disagreement as found:
        return found
    return None
