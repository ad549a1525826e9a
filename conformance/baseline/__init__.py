"""What is known to fail, with its reason and issue, and the gate that lets nothing get worse."""
