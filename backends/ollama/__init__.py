"""Ollama: local and remote servers, their models and their OpenAI-compatible side."""

from __future__ import annotations

from backends.ollama.backend import Ollama
from backends.ollama.blobs import Blob
from backends.ollama.catalogue import LoadedModel, ModelCard
from backends.ollama.durations import Timings, timings
from backends.ollama.progress import ModelChange

__all__ = ["Blob", "LoadedModel", "ModelCard", "ModelChange", "Ollama", "Timings", "timings"]
