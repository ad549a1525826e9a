"""Calls that other providers have and Claude has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "complete": "its Text Completions API has been retired; use chat with one user message.",
    "stream_complete": "its Text Completions API has been retired; use stream_chat with one user message.",
    "embed": "it has no embedding endpoint; use an embedding model of another provider.",
    "rerank": "it has no reranking endpoint; use a reranking server, or ask for an order by chat.",
    "moderate": "it has no moderation endpoint; ask for a verdict by chat with a JSON schema.",
    "generate_image": "its models take images but make none.",
    "speech": "its models make no sound.",
    "transcribe": "its models take no sound.",
    "responses": "that is OpenAI's interface; use chat, which has thinking, tools and structured output.",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def acomplete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the API was retired.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("complete")

    async def astream_complete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the API was retired.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_complete")

    async def aembed(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("embed")

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

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_image")

    async def aspeech(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("speech")

    async def atranscribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("transcribe")

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: it is another provider's interface.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("responses")

    complete = blocking(acomplete)
    stream_complete = blocking(astream_complete)
    embed = blocking(aembed)
    rerank = blocking(arerank)
    moderate = blocking(amoderate)
    generate_image = blocking(agenerate_image)
    speech = blocking(aspeech)
    transcribe = blocking(atranscribe)
    responses = blocking(aresponses)
