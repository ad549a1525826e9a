"""The checks, a module or a few for each chapter; each judges one requirement on any subject, with or without pytest.

**A check** is a coroutine function that takes a :class:`conformance.trial.Trial`. It makes backends, scripts the
server, calls, and asserts; its docstring is the clause it judges::

    @check("BRK-02")
    async def brk_02(trial: Trial) -> None:
        \"\"\"While the breaker is open a call fails at once, sends nothing and says when to come back.\"\"\"
        backend = await trial.backend(failure_threshold=1, max_retries=0, reset_timeout=30.0)
        trial.fault(Status(503), nth=1)
        async with trial.raises(errors.ServerError):
            await trial.call(backend)
        async with trial.raises(errors.ServiceUnavailableError, "a call while open") as caught:
            await trial.call(backend)
        trial.equal(len(trial.requests), 1, "requests at the server")
        trial.close_to(caught.error.retry_after, 30.0, "retry_after")

- Time is virtual: ``trial.sleep(30)`` costs a millisecond, ``trial.now`` tells the time, ``trial.settle()`` lets
  everything happen that needs no time. Real waiting is never right. A check that hangs is stuck, which is a failure.
- Everything asserted goes through ``expect``, ``equal``, ``close_to`` or ``raises``: they are counted. A trial that
  asserts nothing, sends nothing (unless its requirement says ``traffic=False``) or scripts a fault that never fires is
  *vacuous*, so it may be asked of every answer whether it proved something. Messages say what was looked at; no ports, no ids.
- ``trial.fault(action, nth=...)`` scripts an action on the representative call; ``trial.script(Fault(...))`` anything
  else. ``trial.sim.hold()``, ``await trial.sim.until(held=2)`` and ``trial.sim.let_go(1)`` freeze the server for questions
  of order.
- ``trial.spawn(...)`` runs in the background and is cancelled at the end; ``await trial.outcomes([...])`` runs
together, and so does ``trial.results``, which raises the first error. Both, and ``trial.sim.until``, fail by assertion when
  virtual hours have passed: what may wait for ever belongs into them, so that the verdict says what was waited for. No bound
  of real time decides anything but where another process or thread is at work.
- After the check the trial closes its backends and fails when a slot, a key, a request or a task is left.
- ``@check("CAP-01", cases=lambda subject: sorted(subject.declared))`` runs once per case with ``trial.case`` set.
- A case of many parts judges each with ``with trial.part(name): ...`` and ends with ``trial.conclude()``: a part that fails
  keeps no other from being judged, and evidence names all. ``trial.spared`` says which do not concern the subject.
- Synchronous twins live in real threads: ``async with trial.threads() as side`` gives ``side.backend(...)``, a
simulator in a
  thread (``side.sim``), ``await side.run(function, ...)`` in a worker thread, and a clock that jumps (``side.clock``).
- What no list of stories can cover is walked at random: see :mod:`conformance.machines.walk` and QUE-15. ``trial.factory`` makes
  the backend at another site, ``trial.profile`` says how long, ``trial.machines`` takes what was driven for the evidence.
- Judge only what any backend must do: reach inside the subject only where the clause is not black-box.
- A backend that needs an argument this trial would set can be given it: ``trial.backend(api_keys=[...],
base_url=...)``.

- The lane live has checks of its own, ``@check("REAL-01", lanes=("live",))``: they get a
  :class:`conformance.live.LiveTrial`, run against the vendor and cost money, so they are few and cheap.
- The lane real is for subjects with ``real``, whose server is started on this machine: its checks get a
  :class:`conformance.trial.Trial` as in the lane simulated, and drive the real server in ``trial.threads()``.
- A module belongs to the chapter that its name begins with (``brk``, ``brk_timing``); helpers have names of no chapter.

**A saboteur** breaks exactly that clause, in :mod:`conformance.saboteurs`, one module a chapter::

    @saboteur("BRK-02", "sends although the breaker is open")
    def ignores_the_breaker(backend: Any) -> None:
        backend.endpoint().check = lambda: None
        backend.endpoint().breaker.acquire = lambda now, wall: Lease(0, False)

It gets a freshly made good backend and spoils it in place (or returns another object). ``maker=True`` wraps the factory
instead: ``def name(make)`` returns a function ``(site, **settings) -> backend``. ``subjects=("ollama",)`` makes it from
another subject, ``subjects=EVERY_ROW`` from every one that the requirement concerns; ``case="chat async"`` shows it to that
case only. What is one provider's own sin stands in a module ``own_<provider>``, whatever its chapter. It must be caught by
an assertion, by an error of the backend, by a hang or by a leak; an exception raised inside the harness itself, or by a
saboteur that does not fit its backend, is a crash and proves nothing. Try it: ``conformance run --requirement BRK-02``.

**A subject** is a module of :mod:`conformance.subjects` with a ``SUBJECT``; see :class:`conformance.subject.Subject`.
"""
