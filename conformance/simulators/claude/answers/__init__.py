"""What the simulated Claude answers, one module a resource."""
