"""Handlers of the simulated Gemini, one module a resource."""
