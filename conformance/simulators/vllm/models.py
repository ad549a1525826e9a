"""What a simulated vLLM server holds: served models, LoRA adapters, a vocabulary, kept responses, sleep. Rebuilt at reset.

Nothing here knows HTTP. Model names are real ones so that examples read well; sizes are the simulator's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from conformance.simulators.generation import tokenise
from conformance.simulators.openai.models import EPOCH, StoredResponse

__all__ = ["SPECIAL", "ServedModel", "Server", "Task", "Vocabulary"]

SPECIAL = ("<pad>", "</s>", "[CLS]", "[SEP]")
"""The first tokens of every vocabulary; embedding models put the last two around a text."""
_UNKNOWN = "\ufffd"


class Task(StrEnum):
    """What a model is for, in the words of its error messages."""

    GENERATE = "Chat Completions"
    EMBED = "Embeddings"
    CLASSIFY = "Classification"
    SCORE = "Score"
    HEAR = "Transcriptions"


@dataclass(frozen=True, slots=True)
class ServedModel:
    """One name under which a model is served.

    Attributes:
        max_model_len: its context in tokens, None for an adapter.
        dimensions: of its vectors. ``matryoshka``: they can be shortened.
        sees: it reads images and sound. ``reasons``: a reasoning parser is on.
        parent: the model that an adapter stands on.
    """

    id: str
    task: Task = Task.GENERATE
    max_model_len: int | None = 131_072
    dimensions: int = 64
    matryoshka: bool = False
    sees: bool = False
    reasons: bool = False
    root: str = ""
    parent: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The entry of the list."""
        permission = {
            "id": "modelperm-5ec0ffee5ec0ffee",
            "object": "model_permission",
            "created": EPOCH,
            "allow_create_engine": False,
            "allow_sampling": True,
            "allow_logprobs": True,
            "allow_search_indices": False,
            "allow_view": True,
            "allow_fine_tuning": False,
            "organization": "*",
            "group": None,
            "is_blocking": False,
        }
        return {
            "id": self.id,
            "object": "model",
            "created": EPOCH,
            "owned_by": "vllm",
            "root": self.root or self.id,
            "parent": self.parent,
            "max_model_len": self.max_model_len,
            "permission": [permission],
        }


MODELS = (
    ServedModel("meta-llama/Llama-3.2-3B-Instruct"),
    ServedModel("Qwen/Qwen3-8B", reasons=True, max_model_len=40_960),
    ServedModel("google/gemma-3-4b-it", sees=True),
    ServedModel("BAAI/bge-m3", Task.EMBED, 8_192),
    ServedModel("nomic-ai/nomic-embed-text-v1.5", Task.EMBED, 2_048, matryoshka=True),
    ServedModel("BAAI/bge-reranker-v2-m3", Task.SCORE, 8_192),
    ServedModel("jason9693/Qwen2.5-1.5B-apeach", Task.CLASSIFY, 4_096),
    ServedModel("openai/whisper-large-v3", Task.HEAR, 448),
)


class Vocabulary:
    """A reversible toy tokenizer: pieces get numbers in the order in which they are first seen."""

    def __init__(self) -> None:
        self._pieces = list(SPECIAL)
        self._numbers = {piece: number for number, piece in enumerate(SPECIAL)}

    def encode(self, text: str) -> list[int]:
        """Numbers of the text's pieces."""
        return [self.number(piece) for piece in tokenise(text)]

    def number(self, piece: str) -> int:
        """The piece's number, a new one if need be."""
        if piece not in self._numbers:
            self._numbers[piece] = len(self._pieces)
            self._pieces.append(piece)
        return self._numbers[piece]

    def piece(self, number: int) -> str:
        """What a number stands for; the replacement character where it stands for nothing."""
        return self._pieces[number] if number < len(self._pieces) else _UNKNOWN


@dataclass(slots=True)
class Server:
    """The state of one server. ``awake`` is what has not been put to sleep; ``served`` counts requests to models."""

    models: dict[str, ServedModel] = field(default_factory=lambda: {model.id: model for model in MODELS})
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    responses: dict[str, StoredResponse] = field(default_factory=dict)
    asleep: set[str] = field(default_factory=set)
    discarded: bool = False
    resets: int = 0
    served: int = 0
    prompt_tokens: int = 0
    generation_tokens: int = 0

    def first(self, tasks: Iterable[Task]) -> ServedModel | None:
        """The model of a request that names none: the first for one of the tasks, the first of all where none is given."""
        wanted = tuple(tasks) or tuple(Task)
        return next((model for model in self.models.values() if model.task in wanted), None)

    def count(self, asked: int, said: int) -> None:
        """Count one request for the metrics."""
        self.served += 1
        self.prompt_tokens += asked
        self.generation_tokens += said
