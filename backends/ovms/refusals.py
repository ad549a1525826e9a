"""Calls that other servers have and OpenVINO Model Server has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.http import HTTPBackend
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "repository_index": "it has no repository calls; config() lists every model with the status of its versions.",
    "load_model": "models are added in its configuration file and are loaded by reload(), or by its polling.",
    "unload_model": "models are taken out of its configuration file and unloaded by reload(), or by its polling.",
    "trace_settings": "it has no trace calls; metrics() and statistics() tell times.",
    "shared_memory": "it has no shared-memory calls over HTTP; tensors travel in binary (binary=True).",
    "moderate": "it has no moderation endpoint; ask a guard model by chat.",
    "image_variations": "it has no variations; use edit_image with a strength near 1.",
    "stream_speech": "it does not stream sound; speech() returns the whole file.",
    "get_response": "it stores no responses; keep the reply and send its items again.",
    "create_batch": "it has no batch jobs; infer_batch stacks requests, everything else queues here and at the server.",
}


class Refusals(HTTPBackend):
    """The refused calls."""

    async def arepository_index(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("repository_index")

    async def aload_model(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the configuration file decides what is loaded.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("load_model")

    async def aunload_model(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the configuration file decides what is loaded.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("unload_model")

    async def atrace_settings(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("trace_settings")

    async def ashared_memory(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("shared_memory")

    async def amoderate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("moderate")

    async def aimage_variations(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("image_variations")

    async def astream_speech(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the endpoint does not stream.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_speech")

    async def aget_response(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: nothing is stored.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("get_response")

    async def acreate_batch(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("create_batch")

    repository_index = blocking(arepository_index)
    load_model = blocking(aload_model)
    unload_model = blocking(aunload_model)
    trace_settings = blocking(atrace_settings)
    shared_memory = blocking(ashared_memory)
    moderate = blocking(amoderate)
    image_variations = blocking(aimage_variations)
    stream_speech = blocking(astream_speech)
    get_response = blocking(aget_response)
    create_batch = blocking(acreate_batch)
