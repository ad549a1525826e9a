"""Calls that other providers have and a TGI server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "embed": "it only generates; embeddings come from a TEI server (hf_tei).",
    "rerank": "it only generates; rankings come from a TEI server (hf_tei).",
    "responses": "it has no such endpoint; use chat.",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "transcribe": "it has no speech models.",
    "speech": "it has no speech models.",
    "generate_image": "it has no image models; it reads images in chat.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here and are batched at the server.",
    "load_adapter": "adapters are named when the server starts (LORA_ADAPTERS); use one with model=.",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def aembed(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: embeddings are another server's.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("embed")

    async def arerank(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: rankings are another server's.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("rerank")

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("responses")

    async def amoderate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("moderate")

    async def atranscribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there are no speech models.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("transcribe")

    async def aspeech(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there are no speech models.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("speech")

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there are no image models.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_image")

    async def acreate_batch(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("create_batch")

    async def aload_adapter(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: adapters are named when the server starts.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("load_adapter")

    embed = blocking(aembed)
    rerank = blocking(arerank)
    responses = blocking(aresponses)
    moderate = blocking(amoderate)
    transcribe = blocking(atranscribe)
    speech = blocking(aspeech)
    generate_image = blocking(agenerate_image)
    create_batch = blocking(acreate_batch)
    load_adapter = blocking(aload_adapter)
