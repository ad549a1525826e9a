"""Calls that other providers have, or that the vendor offers by other means: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "complete": "it has no text completion; use chat(messages), or generate(text).",
    "rerank": "it has no reranking endpoint; embed query and texts and compare, or use a reranking server.",
    "moderate": "it has no moderation endpoint; safety_settings bound what is said, and ratings stand in raw.",
    "responses": "its Interactions API is another interface that is not built; chat does the same without stored state.",
    "transcribe": "it has no transcription endpoint; ask chat, with the sound as a part of the message.",
    "translate": "it has no translation endpoint; ask chat.",
    "speech": "it has no speech endpoint; chat with response_modalities=['AUDIO'] and speech_config, the sound stands in media.",
    "edit_image": "it has no endpoint for that; generate_image takes pictures as parts of its prompt.",
    "generate_video": "video is made by long-running predictions, which are not built.",
    "live": "live sessions are WebSockets, which are not built; stream_chat streams.",
    "tune": "tuning is not built; a tuned model is used by its name tunedModels/...",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def acomplete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("complete")

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

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: another interface.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("responses")

    async def atranscribe(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: chat takes sound.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("transcribe")

    async def atranslate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("translate")

    async def aspeech(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: chat gives sound.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("speech")

    async def aedit_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: generate_image takes pictures.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("edit_image")

    async def agenerate_video(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: long-running predictions are not built.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_video")

    async def alive(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: WebSockets are not built.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("live")

    async def atune(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: not built.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("tune")

    complete = blocking(acomplete)
    rerank = blocking(arerank)
    moderate = blocking(amoderate)
    responses = blocking(aresponses)
    transcribe = blocking(atranscribe)
    translate = blocking(atranslate)
    speech = blocking(aspeech)
    edit_image = blocking(aedit_image)
    generate_video = blocking(agenerate_video)
    live = blocking(alive)
    tune = blocking(atune)
