"""What a simulated Ollama server holds: installed, pullable and loaded models, and blobs. Rebuilt at reset.

Nothing here knows HTTP. Names resemble real ones so that examples read well; sizes and digests are the simulator's own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = ["MODIFIED_AT", "Layer", "Server", "StoredModel", "digest", "full_name", "is_name", "short_name"]

MODIFIED_AT = "2026-05-01T10:00:00.123456789+02:00"
"""When every model was last changed: nine digits and an offset, as the real server writes them."""

_PART = r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}"
_NAME = re.compile(
    rf"(?:https?://)?(?:(?:[A-Za-z0-9_][A-Za-z0-9_.:\-]{{0,349}}/)?[A-Za-z0-9_][A-Za-z0-9_\-]{{0,79}}/)?{_PART}(?::{_PART})?"
)
_LIBRARY = "registry.ollama.ai/library/"


def digest(text: str) -> str:
    """A digest made from a name."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_name(name: str) -> bool:
    """Whether a model can be called that."""
    return _NAME.fullmatch(name) is not None


def short_name(name: str) -> str:
    """The name without the registry that is understood anyway."""
    return name.removeprefix("https://").removeprefix("http://").removeprefix(_LIBRARY).removeprefix("library/")


def full_name(name: str) -> str:
    """The name with its tag."""
    name = short_name(name)
    return name if name.rfind(":") > name.rfind("/") else name + ":latest"


@dataclass(frozen=True, slots=True)
class Layer:
    """A part of a model as it travels."""

    digest: str
    total: int


@dataclass(frozen=True, slots=True)
class StoredModel:
    """One model.

    Attributes:
        name: with its tag.
        capabilities: what it can do, in the server's words.
        context: tokens it takes. ``dimensions``: of its embeddings, 0 for none.
        remote: it runs in the cloud, which wants a key.
    """

    name: str
    capabilities: tuple[str, ...] = ("completion",)
    family: str = "llama"
    parameter_size: str = "3.2B"
    quantization: str = "Q4_K_M"
    size: int = 2_019_393_189
    context: int = 131_072
    dimensions: int = 0
    parent: str = ""
    template: str = "{{ .Prompt }}"
    system: str = ""
    license: str = "A licence."
    parameters: Mapping[str, Any] = field(default_factory=dict)
    messages: tuple[Mapping[str, Any], ...] = ()
    remote: bool = False

    @property
    def digest(self) -> str:
        """Of the manifest, without ``sha256:``."""
        return digest(self.name).removeprefix("sha256:")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The weights, then small things."""
        return (Layer(digest(self.name + "/weights"), self.size), Layer(digest(self.name + "/config"), 487))

    def details(self) -> dict[str, Any]:
        """The ``details`` object."""
        return {
            "parent_model": self.parent,
            "format": "" if self.remote else "gguf",
            "family": self.family,
            "families": [self.family],
            "parameter_size": self.parameter_size,
            "quantization_level": self.quantization,
        }

    def info(self, *, verbose: bool) -> dict[str, Any]:
        """The ``model_info`` object; long arrays only when asked for."""
        return {
            "general.architecture": self.family,
            "general.file_type": 15,
            "general.parameter_count": 3_212_749_888,
            f"{self.family}.context_length": self.context,
            f"{self.family}.embedding_length": self.dimensions or 3072,
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.tokens": ["!", '"', "#"] if verbose else [],
        }


def _named(*models: StoredModel) -> dict[str, StoredModel]:
    return {model.name: model for model in models}


INSTALLED = _named(
    StoredModel("tiny:latest", ("completion", "tools", "insert"), size=637_700_138, parameter_size="1.1B"),
    StoredModel("llama3.2:latest", ("completion", "tools"), parameters={"stop": "<|eot_id|>"}),
    StoredModel("qwen3:8b", ("completion", "tools", "thinking"), "qwen3", "8.2B", size=5_225_388_164, context=40_960),
    StoredModel("gemma3:4b", ("completion", "vision"), "gemma3", "4.3B", size=3_338_801_804),
    StoredModel(
        "nomic-embed-text:latest", ("embedding",), "nomic-bert", "137M", "F16", 274_302_450, 2_048, dimensions=768
    ),
    StoredModel("whisper:latest", ("audio",), "whisper", "1.5B", size=1_600_000_000),
    StoredModel("gpt-oss:120b-cloud", ("completion", "tools", "thinking"), "gptoss", "117B", size=384, remote=True),
)
PULLABLE = _named(
    StoredModel("mistral:latest", ("completion", "tools"), "mistral", "7.2B", size=4_372_824_384, context=32_768),
    StoredModel("all-minilm:latest", ("embedding",), "bert", "23M", "F16", 45_960_996, 512, dimensions=384),
    *INSTALLED.values(),
)


@dataclass(slots=True)
class Server:
    """The state behind one server. ``loaded`` maps names to the seconds each stays in memory, negative for ever."""

    models: dict[str, StoredModel] = field(default_factory=lambda: dict(INSTALLED))
    pullable: dict[str, StoredModel] = field(default_factory=lambda: dict(PULLABLE))
    loaded: dict[str, float] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)

    def find(self, name: str, *, registry: bool = False) -> StoredModel | None:
        """The installed (or pullable) model of this name, whatever its case."""
        wanted = full_name(name).lower()
        known = self.pullable if registry else self.models
        return next((model for stored, model in known.items() if stored.lower() == wanted), None)

    def add(self, model: StoredModel, name: str, **changes: Any) -> StoredModel:
        """Install a model under a name."""
        made = replace(model, name=full_name(name), **changes)
        self.models[made.name] = made
        return made

    def keep(self, model: StoredModel, seconds: float) -> bool:
        """Note that a model was used and stays so long; True when it had to be loaded first."""
        cold = model.name not in self.loaded
        if seconds == 0:
            self.loaded.pop(model.name, None)
        else:
            self.loaded[model.name] = seconds
        return cold
