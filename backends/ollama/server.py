"""What every call to an Ollama server shares: its address, its errors, the checks of a model's name.

Wire facts: no key is needed locally; ``https://ollama.com`` takes one as a bearer token. The server's own header
rules do not matter here; nothing is sent that the official client would not send.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from backends import errors
from backends.http import HTTPBackend
from backends.ollama.failures import raise_inside, typed_error
from backends.ollama.host import DEFAULT_HOST, host_url
from backends.ollama.lines import Fail
from backends.ollama.names import checked_name
from backends.operation import Answer, CallOptions, Operation
from backends.provider import Provider
from backends.secret import Key

__all__ = ["PROVIDER", "OllamaServer"]

PROVIDER: Final = Provider(
    name="ollama",
    title="Ollama",
    base_url=DEFAULT_HOST,
    key_required=False,
    key_variables=("OLLAMA_API_KEY",),
    base_url_variables=("OLLAMA_HOST",),
)


class OllamaServer(HTTPBackend):
    """One Ollama server, or several as endpoints.

    Args:
        base_url: its address in any of the forms of ``OLLAMA_HOST`` (see :func:`backends.ollama.host.host_url`),
            without ``/api``; a port that is not named is 11434 unless a scheme is.
        **options: see :class:`backends.base.Backend`.
    """

    provider: ClassVar[Provider] = PROVIDER

    def __init__(self, *arguments: Any, base_url: str | None = None, **options: Any) -> None:
        if base_url is not None:
            base_url = host_url(base_url)
        super().__init__(*arguments, base_url=base_url, **options)
        self._known_models: tuple[str, ...] = ()

    @property
    def base_url(self) -> str:
        """Address of the default endpoint: argument, metadata, ``OLLAMA_HOST``, credentials file, this machine."""
        if self._base_url is not None:
            return self._base_url
        found = self.credentials.value("base_url", variables=self.provider.base_url_variables)
        return self.provider.base_url if found is None else host_url(found, "OLLAMA_HOST or ollama.base_url")

    @property
    def openai_base_url(self) -> str:
        """Address of the server's OpenAI-compatible side.

        ``OpenAI(base_url=ollama.openai_base_url, api_key="ollama")`` chats, embeds and lists models there; the key
        can be any text.
        """
        return self.base_url + "/v1"

    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        **settings: Any,
    ) -> None:
        """Add another server; as in :class:`backends.base.Backend`, with ``base_url`` in a form of ``OLLAMA_HOST``."""
        super().create_endpoint(name, None if base_url is None else host_url(base_url), api_key, api_keys, **settings)

    def read_error(
        self, status: int, headers: Mapping[str, str], data: Any, operation: Operation[Any]
    ) -> errors.BackendError:
        """Return the typed error of an error answer; an unknown model brings names from the last ``models()``."""
        del headers
        return typed_error(status, data, model=operation.model, known=self._known_models)

    def _model(self, model: str | None) -> str:
        """Return the model of a call, its name checked."""
        return checked_name(model if model is not None else self.model)

    def _inspect(self, answer: Answer) -> None:
        """Refuse an error body with a good status."""
        raise_inside(answer.data, model=answer.model, known=self._known_models)

    def _fail(self, model: str) -> Fail:
        """Return what makes the typed error of an error line."""
        return partial(typed_error, None, model=model, known=self._known_models)

    def _longest_line(self, options: CallOptions) -> int:
        return self._prepared_endpoint(options).settings.max_event_bytes
