"""The rows of every report: the backends that the project names, built or not. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ROWS", "Row", "row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One backend of the project.

    Attributes:
        name: row name; also the name under which ``backends.create`` makes it.
        title: name for people.
        priority: how urgent a complete backend is: high, medium, low.
        notes: what a reader of the implementation matrix should know.
    """

    name: str
    title: str
    priority: str
    notes: str


ROWS: Final = (
    Row("claude", "Claude", "high", "Anthropic Messages API"),
    Row("gemini", "Gemini", "medium", "Google Gemini API"),
    Row("groq", "Groq", "high", "OpenAI dialect, own rate-limit headers"),
    Row("hf_tei", "Hugging Face TEI", "medium", "embeddings and reranking, batched by the server"),
    Row("hf_tgi", "Hugging Face TGI", "medium", "text generation server, OpenAI dialect beside its own"),
    Row("llvm", "LLVM", "low", "local compiler; runs code in a separate process"),
    Row("ollama", "Ollama", "high", "local server, newline-delimited JSON"),
    Row("openai", "OpenAI", "high", "reference implementation"),
    Row("opea", "OPEA", "low", "microservices and megaservices"),
    Row("ovms", "OVMS", "medium", "OpenVINO Model Server, KServe and OpenAI dialects"),
    Row("s3_kit", "S3 Kit", "high", "S3-compatible object storage"),
    Row("vllm", "vLLM", "medium", "OpenAI dialect with extensions"),
)


def row(name: str) -> Row:
    """Return a row by its name.

    Raises:
        LookupError: there is none.
    """
    for entry in ROWS:
        if entry.name == name:
            return entry
    raise LookupError(f"no backend is called {name!r}")
