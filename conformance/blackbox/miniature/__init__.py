"""A small honest client of the OpenAI dialect, and its sins: what the lane itself is tested with.

It shares nothing with :mod:`backends`. It is written to be spoilt: each rule is a method or a class of its own, so that a sin
replaces one. It is no example of a good client, only of an honest one: no jitter, no budget, no second dialect.
"""
