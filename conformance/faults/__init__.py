"""The catalogue of faults: what a server, a gateway or a network can do to one exchange, and the one end that is right for each.

One module a stage, in the order of an exchange: ``connection``, ``statuses``, ``hints``, ``head``, ``framing``, ``content``,
``events``, ``reuse``. Each is data: a :class:`~conformance.faults.fault.Mishap` has a name, one sentence, the simulator's
actions, and its :class:`~conformance.faults.fault.End` for a plain call and for a stream. ``cells`` multiplies them with a
subject: what its declaration says of a mishap (another right end, or that its wire cannot have it) goes before the catalogue.
Nothing here runs anything; chapter FLT does (:mod:`conformance.checks.flt`), and ``reports/FAULTS.md`` shows the product.
"""
