"""What the simulated Ollama answers, one file for each kind of call."""
