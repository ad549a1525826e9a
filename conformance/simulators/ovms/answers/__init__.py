"""Handlers of the simulated OpenVINO Model Server."""
