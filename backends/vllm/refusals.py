"""Calls that users of OpenAI's class look for and a vLLM server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "assistants": "it has no assistants; use responses with previous_response_id, or send the conversation with chat.",
    "create_batch": "it has no batch endpoint; send requests one by one, or conversations together with chat_batch.",
    "delete_response": "what it keeps is gone when it ends; responses(..., store=False) keeps nothing.",
    "edit_image": "it makes no images; models that read images take them in chat.",
    "generate_image": "it makes no images; models that read images take them in chat.",
    "get_model": "it has no route for one model; models() lists every one with its length and parent.",
    "moderate": "it has no moderation endpoint; serve a guard model and ask it by chat or classify.",
    "speech": "it has no speech endpoint; it hears, with transcribe and translate.",
    "upload_file": "it keeps no files; messages carry images and sound themselves.",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def aassistants(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("assistants")

    async def acreate_batch(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("create_batch")

    async def adelete_response(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("delete_response")

    async def aedit_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("edit_image")

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("generate_image")

    async def aget_model(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("get_model")

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

    async def aupload_file(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("upload_file")

    assistants = blocking(aassistants)
    create_batch = blocking(acreate_batch)
    delete_response = blocking(adelete_response)
    edit_image = blocking(aedit_image)
    generate_image = blocking(agenerate_image)
    get_model = blocking(aget_model)
    moderate = blocking(amoderate)
    speech = blocking(aspeech)
    upload_file = blocking(aupload_file)
