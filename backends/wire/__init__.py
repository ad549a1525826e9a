"""Bytes in and out: transport, stream framings, JSON text, multipart. The only place that knows the HTTP library.

Nothing here knows a provider or decides to repeat a request.
"""
