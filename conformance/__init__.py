"""The contract: requirements, the checks that judge them, simulated providers, saboteurs, evidence and reports.

Importing this package does nothing. What runs is reached through :mod:`conformance.command_line` (``conformance``) or
:mod:`conformance.plugin` (``pytest -m conformance``).
"""
