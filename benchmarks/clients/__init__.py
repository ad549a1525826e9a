"""The clients that are compared: what each is called, needs and stands for.

Each module holds a class ``Client(url)`` with ``call()``, ``stream(tokens)`` and ``close()``. ``call`` returns the text
of the answer and ``stream`` appends the tokens as they come, so that nobody is timed for an answer that was not read.
Every client is set up as its documentation shows, once, and then reused; what its maker advises for speed is on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

__all__ = ["CLIENTS", "AsyncClient", "BlockingClient", "Entry", "find"]


class AsyncClient(Protocol):
    """A client under measurement, inside one event loop."""

    async def call(self) -> str:
        """Return the text of one whole answer."""
        ...

    async def stream(self, tokens: list[str]) -> None:
        """Append the tokens of one streamed answer as they come."""
        ...

    async def close(self) -> None:
        """Give back what the client holds."""
        ...


class BlockingClient(Protocol):
    """A synchronous client under measurement, used from threads."""

    def call(self) -> str:
        """Return the text of one whole answer."""
        ...

    def close(self) -> None:
        """Give back what the client holds."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One client.

    Attributes:
        name: its module in this package.
        title: its name in reports.
        packages: what must be installed, the decisive one first; their versions are printed.
        note: how it is set up, for the report.
        ours: True for this library.
        blocking: True when its calls block.
    """

    name: str
    title: str
    packages: tuple[str, ...]
    note: str
    ours: bool = False
    blocking: bool = False


CLIENTS: Final = (
    Entry("aiohttp_raw", "raw aiohttp", ("aiohttp",), "one `ClientSession`, no limit of connections; JSON by hand"),
    Entry("httpx_raw", "raw httpx", ("httpx", "httpcore"), "one `AsyncClient`, its default limits; JSON by hand"),
    Entry(
        "transport",
        "our transport alone",
        ("backends-conformance", "httpx", "aiohttp"),
        "`backends.wire.client.Client`: connections, limits, decoding; JSON by hand",
        ours=True,
    ),
    Entry(
        "whole_path",
        "our whole path",
        ("backends-conformance", "httpx", "aiohttp"),
        "`OpenAI.achat`: queue, breaker, key, retry, metrics, typed reply",
        ours=True,
    ),
    Entry("openai_sdk", "OpenAI SDK", ("openai", "httpx2", "pydantic"), "one `AsyncOpenAI`, its defaults"),
    Entry(
        "openai_sdk_aiohttp",
        "OpenAI SDK on aiohttp",
        ("openai", "aiohttp", "pydantic"),
        "one `AsyncOpenAI` with its own `DefaultAioHttpClient`",
    ),
    Entry(
        "litellm_acompletion",
        "LiteLLM acompletion",
        ("litellm", "openai", "aiohttp"),
        "telemetry, debug hints and callbacks off, local price table, its own aiohttp transport",
    ),
    Entry(
        "litellm_router",
        "LiteLLM Router",
        ("litellm", "openai", "aiohttp"),
        "one deployment, the Router's defaults, otherwise as acompletion",
    ),
    Entry("any_llm", "any-llm", ("any-llm-sdk", "openai"), "one `AnyLLM.create(...)`, reused; its defaults"),
    Entry(
        "whole_path_sync",
        "our synchronous twin",
        ("backends-conformance", "httpx", "aiohttp"),
        "`OpenAI.chat` from threads",
        ours=True,
        blocking=True,
    ),
)


def find(name: str) -> Entry:
    """Return the client of that name.

    Raises:
        KeyError: there is none.
    """
    for entry in CLIENTS:
        if entry.name == name:
            return entry
    raise KeyError(name)
