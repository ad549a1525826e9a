"""Bodies of the simulated Groq's answers: what differs from the OpenAI dialect's own."""
