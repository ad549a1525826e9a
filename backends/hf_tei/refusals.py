"""Calls that other providers have and a TEI server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "chat": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "stream_chat": "it embeds and scores; no call of it streams.",
    "complete": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "stream_complete": "it embeds and scores; no call of it streams.",
    "responses": "it embeds and scores; text comes from a TGI server (hf_tgi).",
    "moderate": "it has no such endpoint; a classifier for it answers predict.",
    "transcribe": "it has no speech models.",
    "speech": "it has no speech models.",
    "generate_image": "it has no image models.",
    "create_batch": "it has no batch endpoint; embed splits long lists itself.",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def achat(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: text is another server's.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("chat")

    async def astream_chat(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: nothing streams here.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_chat")

    async def acomplete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: text is another server's.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("complete")

    async def astream_complete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: nothing streams here.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_complete")

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: text is another server's.

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

    chat = blocking(achat)
    stream_chat = blocking(astream_chat)
    complete = blocking(acomplete)
    stream_complete = blocking(astream_complete)
    responses = blocking(aresponses)
    moderate = blocking(amoderate)
    transcribe = blocking(atranscribe)
    speech = blocking(aspeech)
    generate_image = blocking(agenerate_image)
    create_batch = blocking(acreate_batch)
