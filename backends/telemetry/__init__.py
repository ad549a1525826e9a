"""Telemetry: what was done, how long it took and what it cost, in bounded memory.

Nothing here changes how a call is made, and nothing here may hold a credential.
"""
