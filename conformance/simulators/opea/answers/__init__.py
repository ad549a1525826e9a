"""Handlers of the simulated OPEA, one module for each kind of service."""
