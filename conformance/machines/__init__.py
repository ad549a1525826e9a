"""Property-based checks of the pure machines: each is driven at random beside a plain model, and must agree with it; and of the
whole path of a call that they are parts of (:mod:`conformance.machines.walk`).

One module a machine; how long it is driven, :mod:`conformance.machines.profiles` says. Its ``run(settings, machine_class)``
raises :class:`conformance.machines.bench.Disagreement` when the class under test and the model part ways, with the shortest
list of steps that shows it. Such lists are kept as data and replayed by name: :mod:`conformance.machines.counterexamples`.
"""
