"""What vLLM's own calls return. Every value is frozen and keeps the server's payload in ``raw``."""

from __future__ import annotations

from dataclasses import dataclass

from backends.types import Model, Reply

__all__ = [
    "Detokenized",
    "Labelled",
    "Notice",
    "Pooled",
    "Scores",
    "ServedModel",
    "Tokens",
    "Verdict",
]

Numbers = tuple[float, ...] | tuple[tuple[float, ...], ...]
"""One vector of the whole input, or one for each of its tokens: the model's pooling decides."""


@dataclass(frozen=True, slots=True)
class ServedModel(Model):
    """A model of the list. ``parent`` is set for LoRA adapters: the model they stand on.

    Attributes:
        parent: see above.
        max_model_len: longest context in tokens, None where the server does not say (adapters).
        root: where the weights came from.
    """

    parent: str | None = None
    max_model_len: int | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled(Reply):
    """What the model makes of each input before any head; ``outputs`` in the order of the inputs."""

    outputs: tuple[Numbers, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The classes of one input: the likeliest label (None where the model names none) and every class's number."""

    label: str | None
    probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled(Reply):
    """A classification; ``verdicts`` in the order of the inputs."""

    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores(Reply):
    """How well each pair fits, in the order of the pairs; the range is the model's."""

    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Reply):
    """A text or conversation as tokens.

    Attributes:
        ids: of the tokens. ``texts`` are the tokens as the tokenizer writes them, where asked for.
        max_model_len: longest context of the model.
    """

    ids: tuple[int, ...] = ()
    texts: tuple[str, ...] | None = None
    max_model_len: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Detokenized(Reply):
    """The text of tokens."""

    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Reply):
    """What the server says of something it has done, in words."""

    message: str = ""
