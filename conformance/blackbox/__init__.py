"""The lane blackbox: clients in any language, judged by their traffic with the simulated providers and by nothing else.

A client is reached through a small program that speaks the protocol of ``PROTOCOL.md``. What such a program does wrong - it
crashes, is silent, floods, lies - is a finding about it and stops nothing. Importing this package does nothing.
"""
