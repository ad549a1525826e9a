"""Handlers of the simulated TGI server."""
