"""TGI's own generation: ``/generate``, ``/generate_stream`` and the compatible route ``/``; tokens of a text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final, Unpack

from backends.hf_tgi.core import BASE_MODEL, TGIServer
from backends.hf_tgi.parameters import GenerateParameters, checked_prompt, generation_body
from backends.hf_tgi.reading import read_generation, read_tokens
from backends.hf_tgi.stream import GenerationReader
from backends.hf_tgi.values import Generation, TextToken
from backends.operation import Cacheable, CallOptions, Operation
from backends.parameters import split
from backends.streams import AsyncStream
from backends.twins import blocking, blocking_stream

__all__ = ["GenerationCalls"]

_INPUTS: Final = Cacheable("inputs")


class GenerationCalls(TGIServer):
    """Calls of the server's own dialect."""

    async def agenerate(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> Generation:
        """Go on from a prompt (``POST /generate``).

        Args:
            prompt: the text, not empty; no chat template is applied.
            model: ``tgi``, or a LoRA adapter; the backend's when not given.
            **parameters: see :class:`backends.hf_tgi.parameters.GenerateParameters`.

        Raises:
            InvalidRequestError: an argument is wrong, before anything is sent; or the server refused the request.
            ContextLengthError: prompt and answer do not fit.
            OverloadedError: more requests than the server takes at once; it has no queue for them.
            ServerError: the engine failed (424, repeated once) or stopped short (500).
            BackendError: anything else that can happen to a call.
        """
        operation, options = self._generation(prompt, model, parameters, stream=False)
        return await self._perform(operation, options)

    def astream_generate(
        self, prompt: str, *, model: str | None = None, **parameters: Unpack[GenerateParameters]
    ) -> AsyncStream[Generation]:
        """Go on from a prompt token by token (``POST /generate_stream``); arguments and errors as for :meth:`agenerate`.

        Each chunk is one token, ``chunk.raw`` its event with id and log probability. Counts and finish reason come with
        the last chunk, unless ``details=False``.
        """
        operation, options = self._generation(prompt, model, parameters, stream=True)
        return self._stream(operation, options)

    def _generation(
        self, prompt: str, model: str | None, parameters: Mapping[str, Any], *, stream: bool
    ) -> tuple[Operation[Generation], CallOptions]:
        name = self._chosen_model(model, "completion") or BASE_MODEL
        options, body, compat = generation_body(prompt, name, parameters, stream=stream)
        return Operation(
            "stream_generate" if stream else "generate",
            read_generation,
            "/" if compat else "/generate_stream" if stream else "/generate",
            body=body,
            model=body["parameters"].get("adapter_id", name),
            stream=partial(GenerationReader, self._event_limit(options)) if stream else None,
            cacheable=_INPUTS,
        ), options

    async def atokenize(self, text: str, **parameters: Unpack[CallOptions]) -> tuple[TextToken, ...]:
        """Return the tokens of a text as the server's model sees it (``POST /tokenize``)."""
        options, _ = split(parameters, CallOptions, self.provider.name)
        body = {"inputs": checked_prompt(text, "text")}
        return await self._perform(Operation("tokenize", read_tokens, "/tokenize", body=body), options)

    generate = blocking(agenerate)
    stream_generate = blocking_stream(astream_generate)
    tokenize = blocking(atokenize)
