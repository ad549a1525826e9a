"""Resilience: pure machines that decide, and the path of a call that asks them.

The machines (backoff, hints, breaker, line, admission, keys, budget) take time and randomness as arguments; they do no
I/O, start nothing, lock nothing and never read a clock. Whoever shares one between threads holds a lock around it.
"""
