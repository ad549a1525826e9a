"""Handlers of the simulated TEI server."""
