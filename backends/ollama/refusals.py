"""Calls that other providers have and an Ollama server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "rerank": "it has no reranking endpoint; embed query and texts and compare, or use a reranking server.",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "speech": "it has no speech endpoint.",
    "count_tokens": "it has no tokenizer endpoint; every reply's usage has the server's counts.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here and at the server.",
    "generate_image": "image models are an experiment of single releases without a stable API.",
    "transcribe": "its own API has none; its OpenAI side has: OpenAI(base_url=ollama.openai_base_url).transcribe(...).",
    "responses": "its own API has none; its OpenAI side has: OpenAI(base_url=ollama.openai_base_url).responses(...).",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def arerank(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("rerank")

    async def amoderate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("moderate")

    async def aspeech(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("speech")

    async def acount_tokens(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("count_tokens")

    async def acreate_batch(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("create_batch")

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no stable endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_image")

    async def atranscribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the OpenAI-compatible side has it, see ``openai_base_url``.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("transcribe")

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the OpenAI-compatible side has it, see ``openai_base_url``.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("responses")

    rerank = blocking(arerank)
    moderate = blocking(amoderate)
    speech = blocking(aspeech)
    count_tokens = blocking(acount_tokens)
    create_batch = blocking(acreate_batch)
    generate_image = blocking(agenerate_image)
    transcribe = blocking(atranscribe)
    responses = blocking(aresponses)
