"""Calls that model providers have and a compiler has not: each is refused by name, before the wire."""

from __future__ import annotations

from typing import Final, NoReturn

from backends.llvm.core import LLVMCore
from backends.twins import blocking

__all__ = ["REFUSALS", "Refusals"]

REFUSALS: Final = {
    "chat": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "stream_chat": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "complete": "it compiles and runs code and holds no language model; use Ollama or VLLM for a local one.",
    "embed": "it holds no embedding model; use HFTEI or Ollama, and run a kernel on their vectors.",
    "rerank": "it holds no model; run the kernel cosine on vectors of your own.",
    "count_tokens": "it has no tokens; optimize counts instructions.",
    "models": "it has none; inspect tells the functions of a module, targets what code can be made for.",
}


class Refusals(LLVMCore):
    """The refused calls."""

    async def achat(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("chat")

    async def astream_chat(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("stream_chat")

    async def acomplete(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("complete")

    async def aembed(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("embed")

    async def arerank(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there is no model.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("rerank")

    async def acount_tokens(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there are no tokens.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("count_tokens")

    async def amodels(self, /, *arguments: object, **options: object) -> NoReturn:
        """Refuse: there are no models.

        Raises:
            UnsupportedError: always.
        """
        del arguments, options
        raise self.refuse("models")

    chat = blocking(achat)
    stream_chat = blocking(astream_chat)
    complete = blocking(acomplete)
    embed = blocking(aembed)
    rerank = blocking(arerank)
    count_tokens = blocking(acount_tokens)
    models = blocking(amodels)
