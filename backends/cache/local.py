"""Embeddings made in this process, without a provider: static models by model2vec, which average one vector a token.

They take microseconds and no GPU, and know less than an encoder: measure before a threshold is chosen
(``python -m benchmarks.semantic_cache``). A model that is named is fetched from its hub once, when the embedder is made;
nothing is fetched while calls are made.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from backends.errors import ConfigurationError

__all__ = ["LocalEmbedder"]

_INSTALL = 'pip install "backends-conformance[local-embeddings]"'
_LONGEST_CAUSE = 300


class LocalEmbedder:
    """An embedder for :class:`~backends.cache.Cache`: ``text -> vector``. Safe from every thread.

    Args:
        model: a folder with a static model, the name of one on the hub (``minishlab/potion-base-8M``), or a loaded model
            with ``encode`` (a ``model2vec.StaticModel``, a ``SentenceTransformer``).

    Raises:
        ConfigurationError: the package is missing (the message is the line that installs it), or the model cannot be
            read or fetched (the message names it and why).
    """

    def __init__(self, model: str | Path | Any) -> None:
        self._model = _loaded(model) if isinstance(model, str | Path) else model
        if not callable(getattr(self._model, "encode", None)):
            raise ConfigurationError(
                f"LocalEmbedder: model must be a folder, a name or a model with encode(), not {type(model).__name__}."
            )

    def __call__(self, text: str) -> Sequence[float]:
        """Return the embedding of a text; all zeros, which the cache takes for none, where it knows no word of it."""
        vector: Sequence[float] = self._model.encode(text)
        return vector


def _loaded(model: str | Path) -> Any:
    try:
        package = importlib.import_module("model2vec")
    except ImportError:
        raise ConfigurationError(f"LocalEmbedder needs model2vec: {_INSTALL}") from None
    place = Path(model).expanduser()
    try:
        return package.StaticModel.from_pretrained(place if place.exists() else str(model))
    except Exception as problem:  # of a hub, a file system or three parsers: all mean that there is no model
        cause = f"{type(problem).__name__}: {problem}"[:_LONGEST_CAUSE]
        where = "read from that folder" if place.exists() else "fetched, and is no folder here"
        raise ConfigurationError(f"LocalEmbedder: the model {str(model)!r} cannot be {where}: {cause}") from problem
