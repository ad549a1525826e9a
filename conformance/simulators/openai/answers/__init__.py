"""Bodies of the simulated OpenAI's answers, one module for each group of endpoints."""
