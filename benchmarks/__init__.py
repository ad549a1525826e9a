"""What the library costs, beside what one would pick instead; run it with ``python -m benchmarks``.

This package measures and writes what it measured. It never asserts a time: figures belong to machines, and a target
that is not reached is printed as not reached.
"""
