"""Calls that other providers have and GroqCloud has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "complete": "it has no text completion; use chat().",
    "stream_complete": "it has no text completion; use stream_chat().",
    "embed": "no embedding model is left on it; use an embedding backend such as OpenAI, Gemini or HFTEI.",
    "rerank": "it has no reranking endpoint; use a reranking server such as HFTEI.",
    "generate_image": "no model on it makes images; use OpenAI or Gemini.",
    "edit_image": "no model on it makes images; use OpenAI or Gemini.",
    "moderate": 'it has no moderation endpoint; ask a model of catalogue("safety") by chat().',
    "assistants": "it keeps no assistants or threads; send the whole conversation to chat() or responses().",
    "get_response": "it keeps no responses; what responses() returned is all there is.",
    "count_input_tokens": "it has no endpoint that counts; count_tokens() counts here.",
    "stream_transcribe": "transcripts come whole; use transcribe().",
    "fine_tune": "its models cannot be trained through the API.",
}


class Refusals(HTTPBackend):
    """The refused calls. Those of streams refuse when they are called, not when they are read."""

    async def acomplete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no text completion.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("complete")

    def astream_complete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no text completion.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_complete")

    def stream_complete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no text completion.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_complete")

    async def aembed(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: no embedding model is left.

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

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: no model makes images.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_image")

    async def aedit_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: no model makes images.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("edit_image")

    async def amoderate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("moderate")

    async def aassistants(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the service keeps no state.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("assistants")

    async def aget_response(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the service keeps no state.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("get_response")

    async def acount_input_tokens(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("count_input_tokens")

    def astream_transcribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: transcripts come whole.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_transcribe")

    def stream_transcribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: transcripts come whole.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_transcribe")

    async def afine_tune(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: models cannot be trained through the API.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("fine_tune")

    complete = blocking(acomplete)
    embed = blocking(aembed)
    rerank = blocking(arerank)
    generate_image = blocking(agenerate_image)
    edit_image = blocking(aedit_image)
    moderate = blocking(amoderate)
    assistants = blocking(aassistants)
    get_response = blocking(aget_response)
    count_input_tokens = blocking(acount_input_tokens)
    fine_tune = blocking(afine_tune)
