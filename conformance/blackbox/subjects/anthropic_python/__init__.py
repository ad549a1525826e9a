"""The adapter of a foreign client: data of the lane blackbox, run as a program and imported by nothing."""
