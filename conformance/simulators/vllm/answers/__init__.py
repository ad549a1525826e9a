"""Bodies of the simulated vLLM's answers, one module for each group of routes."""
