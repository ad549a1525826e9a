"""What a simulated Groq organisation holds: models, files, batches. Rebuilt from nothing at reset.

Nothing here knows HTTP. Model names, limits and prices are the real ones (state: 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.simulators.openai.models import EPOCH, Account, ModelKind, SimulatedModel

__all__ = ["MODELS", "GroqModel", "Organisation"]


@dataclass(frozen=True, slots=True)
class GroqModel(SimulatedModel):
    """One model; prices are decimal texts per token, as the API has them; ``lately`` says that it was retired not long
    ago, which is told with a 400 of its own."""

    output: int | None = None
    sees: bool = False
    thinks: bool = False
    efforts: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    prices: tuple[str, str, str] | None = None
    lately: bool = False

    def as_json(self) -> dict[str, Any]:
        """The catalogue's entry."""
        heard = self.kind is ModelKind.TRANSCRIPTION
        inputs = ["audio"] if heard else ["text", "image"] if self.sees else ["text"]
        entry: dict[str, Any] = {
            "id": self.id,
            "object": "model",
            "created": EPOCH,
            "owned_by": self.owned_by,
            "active": True,
            "context_window": self.size,
            "public_apps": None,
            "max_completion_tokens": self.output or self.size,
            "context_length": self.size,
            "max_output_length": self.output or self.size,
            "input_modalities": inputs,
            "output_modalities": ["audio"] if self.kind is ModelKind.SPEECH else ["text"],
        }
        if self.prices is not None:
            entry["pricing"] = dict(zip(("prompt", "completion", "input_cache_read"), self.prices, strict=True))
        return entry


_CHAT = ModelKind.CHAT
_OSS: dict[str, Any] = {"output": 65_536, "thinks": True, "efforts": ("low", "medium", "high"), "owned_by": "OpenAI"}
_QWEN: dict[str, Any] = {"owned_by": "Alibaba Cloud", "thinks": True}
_ENGLISH = ("autumn", "diana", "hannah", "austin", "daniel", "troy")
_ARABIC = ("abdullah", "fahad", "sultan", "lulwa", "noura", "aisha")
_GONE = (
    "mixtral-8x7b-32768 qwen-2.5-32b qwen-qwq-32b mistral-saba-24b llama3-8b-8192 llama3-70b-8192 gemma2-9b-it "
    "deepseek-r1-distill-llama-70b moonshotai/kimi-k2-instruct llama-3.3-70b-versatile llama-3.1-8b-instant"
)

_MODELS = [
    GroqModel("openai/gpt-oss-120b", _CHAT, 131_072, prices=("0.00000015", "0.0000006", "0.000000075"), **_OSS),
    GroqModel("openai/gpt-oss-20b", _CHAT, 131_072, prices=("0.000000075", "0.0000003", "0.0000000375"), **_OSS),
    GroqModel(
        "qwen/qwen3.6-27b",
        _CHAT,
        131_072,
        output=16_384,
        sees=True,
        efforts=("none", "default"),
        prices=("0.0000006", "0.000003", "0.0000003"),
        **_QWEN,
    ),
    GroqModel(
        "qwen/qwen3.8-27b", _CHAT, 131_072, sees=True, efforts=("none", "default", "low", "medium", "high"), **_QWEN
    ),
    GroqModel("groq/compound", _CHAT, 131_072, output=8_192, owned_by="Groq"),
    GroqModel("groq/compound-mini", _CHAT, 131_072, output=8_192, owned_by="Groq"),
    GroqModel("allam-2-7b", _CHAT, 4_096, owned_by="SDAIA"),
    GroqModel("whisper-large-v3", ModelKind.TRANSCRIPTION, 448, owned_by="OpenAI"),
    GroqModel("whisper-large-v3-turbo", ModelKind.TRANSCRIPTION, 448, owned_by="OpenAI"),
    GroqModel("canopylabs/orpheus-v1-english", ModelKind.SPEECH, 4_096, voices=_ENGLISH, owned_by="Canopy Labs"),
    GroqModel("canopylabs/orpheus-arabic-saudi", ModelKind.SPEECH, 4_096, voices=_ARABIC, owned_by="Canopy Labs"),
    *(GroqModel(name, _CHAT, retired=True) for name in _GONE.split()),
    GroqModel("qwen/qwen3-32b", _CHAT, retired=True, lately=True),
    GroqModel("meta-llama/llama-4-scout-17b-16e-instruct", _CHAT, retired=True, lately=True),
    GroqModel("playai-tts", ModelKind.SPEECH, retired=True, lately=True),
]
MODELS = {model.id: model for model in _MODELS}


@dataclass(slots=True)
class Organisation(Account):
    """The state behind one server's Groq."""

    models: dict[str, SimulatedModel] = field(default_factory=lambda: dict(MODELS))
