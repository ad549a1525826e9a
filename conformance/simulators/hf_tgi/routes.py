"""The simulated TGI's table of routes. What the key does not guard is open to all."""

from __future__ import annotations

from conformance.simulators.hf_tgi import fields
from conformance.simulators.hf_tgi.answers import about, chat, completions, native
from conformance.simulators.provider import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    Route("POST", "/generate", native.generate, body=fields.GENERATE),
    Route("POST", "/generate_stream", native.generate_stream, body=fields.GENERATE),
    Route("POST", "/", native.compat, body=fields.COMPAT),
    Route("POST", "/tokenize", native.tokenize, body=fields.GENERATE),
    Route("POST", "/v1/chat/completions", chat.chat, body=fields.CHAT),
    Route("POST", "/v1/completions", completions.complete, body=fields.COMPLETION),
    Route("POST", "/chat_tokenize", chat.chat_tokenize, body=fields.CHAT, open_to_all=True),
    Route("GET", "/v1/models", about.models, open_to_all=True),
    Route("GET", "/info", about.info, open_to_all=True),
    Route("GET", "/health", about.health, open_to_all=True),
    Route("GET", "/ping", about.health, open_to_all=True),
    Route("GET", "/", about.health, open_to_all=True),
    Route("GET", "/metrics", about.metrics, open_to_all=True),
)
