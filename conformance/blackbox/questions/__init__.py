"""The questions of the lane, one module a chapter: a requirement's clause asked of a subject known by words and traffic only.

They are not the checks of :mod:`conformance.checks` run from afar: those jump in time and read a backend's own counters, which
a foreign program has not. Where the two share a scene (marked calls, held answers, faults) they share its code.

- A call ends with a :class:`~conformance.blackbox.trial.Reply` or a :class:`~conformance.blackbox.findings.Told`; a class of
  error is asked for only where the clause is about it.
- Hold answers at the server and let them go one at a time; what is counted there is the proof. ``quiet()`` is only ever too
  lenient, ``outlast()`` never too short.
- What a client need not offer is asked for as a need (``@question("QUE-02", "limit", "priorities")``), as a setting (an ignored
  one means *not claimed*), or in an ``if "endpoints" in trial.claims``.
"""
