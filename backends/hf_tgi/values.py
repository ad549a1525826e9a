"""What TGI's own calls give: generations with their tokens, a server's description, where the time went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from backends.types import CompletionReply

__all__ = ["Candidate", "ChatTokens", "Generation", "GenerationToken", "ServerInfo", "TextToken", "Timings"]


@dataclass(frozen=True, slots=True)
class GenerationToken:
    """One token of an answer or, in ``prefill``, of the prompt.

    Attributes:
        id: number in the vocabulary.
        text: what it stands for; the text of special tokens is in no reply's ``text``.
        logprob: natural logarithm of its likelihood; None for the first token of a prompt.
        special: it marks something (the end, a turn) and says nothing.
    """

    id: int
    text: str
    logprob: float | None = None
    special: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """Another candidate of ``best_of``."""

    text: str
    finish_reason: str | None = None
    generated_tokens: int | None = None
    seed: int | None = None
    prefill: tuple[GenerationToken, ...] = ()
    tokens: tuple[GenerationToken, ...] = ()
    top_tokens: tuple[tuple[GenerationToken, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation(CompletionReply):
    """A generation; what follows is there as far as ``details`` were asked for.

    ``finish_reason`` is the server's ``eos_token``, ``length`` or ``stop_sequence``, None without details.

    Attributes:
        tokens: every token of the answer, special ones included.
        prefill: the prompt's tokens, for ``decoder_input_details``.
        top_tokens: for each token the likeliest, for ``top_n_tokens``.
        best_of_sequences: the candidates that were not chosen, for ``best_of``.
        seed: what the sampling began with; None for greedy decoding.
    """

    tokens: tuple[GenerationToken, ...] = ()
    prefill: tuple[GenerationToken, ...] = ()
    top_tokens: tuple[tuple[GenerationToken, ...], ...] = ()
    best_of_sequences: tuple[Candidate, ...] = ()
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class TextToken:
    """A token of a text: characters ``start`` to ``stop`` of it."""

    id: int
    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class ChatTokens:
    """A conversation as the model gets it: the text that the chat template makes of it, and its tokens."""

    text: str
    tokens: tuple[TextToken, ...]
    raw: Any = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What a server says of itself (``GET /info``); None where it does not say.

    Attributes:
        model_id, model_sha, model_pipeline_tag: the model and its task.
        max_input_tokens, max_total_tokens: tokens of a prompt, and of prompt and answer together.
        max_concurrent_requests: more are refused as overload.
        max_best_of, max_stop_sequences, max_client_batch_size: bounds of one request.
        version, sha, docker_label: of the server's software.
        raw: the whole answer, untouched.
    """

    model_id: str
    model_sha: str | None = None
    model_pipeline_tag: str | None = None
    max_input_tokens: int | None = None
    max_total_tokens: int | None = None
    max_concurrent_requests: int | None = None
    max_best_of: int | None = None
    max_stop_sequences: int | None = None
    max_client_batch_size: int | None = None
    version: str | None = None
    sha: str | None = None
    docker_label: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one answer went, in seconds as the server measured them; None where it does not say (streams).

    Attributes:
        compute: the whole request, finer than ``total``.
        total: the whole request, to the millisecond.
        validation: checking the request and counting its tokens.
        queue: waiting for a place in a batch.
        inference: prefill and decoding.
        per_token: inference per token of the answer.
        input_characters: length of the prompt.
    """

    compute: float | None = None
    total: float | None = None
    validation: float | None = None
    queue: float | None = None
    inference: float | None = None
    per_token: float | None = None
    input_characters: int | None = None
