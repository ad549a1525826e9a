"""What the tests of ``backends/resilience`` and ``backends/wire`` notice; run it with ``tox -e mutation``.

mutmut changes the code, one small change at a time, and runs the tests that reach the change. This package takes its
verdicts over (``python -m benchmarks.mutation --take``) and writes ``reports/MUTATION.md`` from them. It changes no code, runs no
test and rounds no score up.
"""
