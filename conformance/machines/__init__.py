"""Property-based checks of the pure machines: each is driven at random beside a plain model, and must agree with it.

One module a machine. Its ``run(settings, machine_class)`` raises :class:`conformance.machines.bench.Disagreement` when
the class under test and the model part ways, with the shortest list of steps that shows it. Such lists are kept as data
and replayed by name: :mod:`conformance.machines.counterexamples`.
"""
