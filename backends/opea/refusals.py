"""Calls that other providers have and an OPEA deployment has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.opea.core import OPEACore
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "models": "a deployment serves the model that it was started with and lists none; replies name it.",
    "count_tokens": "it has no tokenizer service; the usage of chat has the model's own counts.",
    "moderate": "it has no moderation endpoint of OpenAI's kind; call guardrails, bias or toxicity.",
    "responses": "its text generation service has no Responses API; call chat.",
    "translate": "it transcribes sound but does not translate it; call transcribe, then translation.",
    "generate_image": "its text2image service is no part of this backend; ask that server itself.",
    "create_batch": "it has no batch endpoint; send requests one by one, they queue here.",
    "upload_file": "it keeps no files for later requests; ingest stores documents for retrieval.",
}


class Refusals(OPEACore):
    """The refused calls."""

    async def amodels(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the deployment's model is fixed.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("models")

    async def acount_tokens(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no tokenizer service.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("count_tokens")

    async def amoderate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: the guardrail services judge texts.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("moderate")

    async def aresponses(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no such endpoint.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("responses")

    async def atranslate(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: sound is only transcribed.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("translate")

    async def agenerate_image(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: it is no part of this backend.

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

    async def aupload_file(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: documents are ingested.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("upload_file")

    models = blocking(amodels)
    count_tokens = blocking(acount_tokens)
    moderate = blocking(amoderate)
    responses = blocking(aresponses)
    translate = blocking(atranslate)
    generate_image = blocking(agenerate_image)
    create_batch = blocking(acreate_batch)
    upload_file = blocking(aupload_file)
