"""Where the services of a deployment are: their names, and addresses by our own convention. Pure; reads no environment.

Every service of an OPEA deployment may live on a host and port of its own, and nothing is standardised for clients. Here
each service has a name, which is also the name of its endpoint. Usual ports of the vendor's compose files::

    chatqna, docsum, most megaservices 8888    codegen 7778    codetrans 7777
    llm 9000    embedding 6000    retriever 7000    reranker 8000    dataprep 6007    lvm 9399    asr 9099    tts 9088
    guardrails 9090    bias 9092    factuality 9075    chathistory 6012    feedback 6016    prompt 6018
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from backends.errors import ConfigurationError
from backends.settings import nearest

__all__ = ["SERVICES", "key_variable", "places", "url_variable"]

SERVICES: Final = (
    "chatqna", "docsum", "faqgen", "codegen", "codetrans", "translation", "searchqna", "graphrag", "hybridrag",
    "audioqna", "avatarchatbot", "visualqna", "videoqna", "multimodalqna", "retrievaltool",
    "llm", "embedding", "retriever", "reranker", "dataprep", "lvm", "asr", "tts",
    "guardrails", "bias", "toxicity", "injection", "pii", "factuality", "hallucination",
    "chathistory", "prompt", "feedback",
)  # fmt: skip
"""Megaservices first, then microservices."""


def url_variable(service: str) -> str:
    """Return the environment variable that holds a service's address (``OPEA_CHATQNA_URL``)."""
    return f"OPEA_{service.upper()}_URL"


def key_variable(service: str) -> str:
    """Return the environment variable that holds the key for that address (``OPEA_CHATQNA_API_KEY``)."""
    return f"OPEA_{service.upper()}_API_KEY"


def places(services: Any, argument: str) -> dict[str, dict[str, Any]]:
    """Return the endpoint arguments of each named service.

    Args:
        services: service name -> address, or the arguments of ``create_endpoint``.
        argument: where it came from, for the error.

    Raises:
        ConfigurationError: it is not a mapping, or names a service that there is not.
    """
    if not isinstance(services, Mapping):
        raise ConfigurationError(f"{argument} must be a mapping of service names to addresses.", provider="opea")
    found: dict[str, dict[str, Any]] = {}
    for name, place in services.items():
        if name not in SERVICES:
            raise ConfigurationError(
                f"{argument}: there is no service {str(name)[:100]!r}.",
                provider="opea",
                suggestions=nearest(str(name), SERVICES),
            )
        if not isinstance(place, str | Mapping):
            raise ConfigurationError(
                f"{argument}[{name!r}] must be an address or a mapping of endpoint arguments.", provider="opea"
            )
        found[name] = {"base_url": place} if isinstance(place, str) else dict(place)
    return found
