"""Calls that model providers have and a compiler has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSALS"]

REFUSALS: Final = {
    "chat": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "stream_chat": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "complete": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "embed": "it holds no embedding model; use HFTEI or Ollama, and run a kernel on their vectors.",
    "rerank": "it holds no model; run the kernel cosine on vectors of your own.",
    "count_tokens": "it has no tokens; optimize counts instructions.",
    "models": "it has none; inspect tells the functions of a module, targets what code can be made for.",
}
