"""This library itself, judged at the wire as every other client is."""
