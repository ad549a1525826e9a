"""What talks to a server, by its name: libraries, vendors' clients, and objects that are handed in.

Names are all there is to go by; the libraries themselves are not read. To teach the analyser a library, add it here.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final

from conformance.reality.tree import words

__all__ = [
    "Role",
    "asks_again",
    "is_client_type",
    "is_exchange_method",
    "is_likely_name",
    "is_likely_type",
    "is_wire_module",
    "looks_like_client",
    "looks_pretended",
    "role",
]


class Role(Enum):
    """What a name of another library stands for."""

    EXCHANGE = "calling it asks a server"
    CLIENT = "calling it makes something that can ask a server"
    CONNECT = "calling it connects to a server"
    VALUE = "data, errors, settings"
    PRETENCE = "a test double, or a transport that stays in the process"
    RANDOM = "random numbers"
    HASH = "digests"
    FILE = "reads a file"
    PURE = "computes from its arguments"
    UNKNOWN = "another library"


_PLAIN_CALLS: Final = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"})
_LIBRARIES: Final[dict[str, dict[Role, frozenset[str]]]] = {
    "requests": {Role.EXCHANGE: _PLAIN_CALLS, Role.CLIENT: frozenset({"Session", "session"})},
    "httpx": {
        Role.EXCHANGE: _PLAIN_CALLS,
        Role.CLIENT: frozenset({"Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport", "BaseTransport"}),
        Role.PRETENCE: frozenset({"MockTransport", "ASGITransport", "WSGITransport"}),
    },
    "aiohttp": {Role.EXCHANGE: frozenset({"request"}), Role.CLIENT: frozenset({"ClientSession"})},
    "urllib": {
        Role.EXCHANGE: frozenset({"urlopen", "urlretrieve"}),
        Role.CLIENT: frozenset({"build_opener", "OpenerDirector"}),
    },
    "urllib3": {
        Role.EXCHANGE: frozenset({"request"}),
        Role.CLIENT: frozenset({"PoolManager", "ProxyManager", "HTTPConnectionPool", "HTTPSConnectionPool"}),
    },
    "http": {Role.CLIENT: frozenset({"HTTPConnection", "HTTPSConnection"})},
    "httpcore": {Role.CLIENT: frozenset({"ConnectionPool", "AsyncConnectionPool"})},
    "pycurl": {Role.CLIENT: frozenset({"Curl"})},
    "socket": {Role.CLIENT: frozenset({"socket"}), Role.CONNECT: frozenset({"create_connection", "socketpair"})},
    "asyncio": {
        Role.CONNECT: frozenset(
            {"open_connection", "open_unix_connection", "create_subprocess_exec", "create_subprocess_shell"}
        )
    },
    "subprocess": {
        Role.EXCHANGE: frozenset({"run", "check_output", "check_call", "call", "getoutput", "getstatusoutput"}),
        Role.CONNECT: frozenset({"Popen"}),
    },
    "multiprocessing": {Role.CONNECT: frozenset({"Client"})},
    "websockets": {Role.CONNECT: frozenset({"connect", "unix_connect"})},
    "websocket": {
        Role.CONNECT: frozenset({"create_connection", "WebSocket", "WebSocketApp"}),
    },
    "grpc": {Role.CLIENT: frozenset({"insecure_channel", "secure_channel"})},
}
_LIBRARIES["httpx2"] = _LIBRARIES["httpx"]
_LIBRARIES["niquests"] = _LIBRARIES["requests"]
_VENDORS: Final = words(
    "ai21 aioboto3 aiobotocore aleph_alpha_client anthropic assemblyai azure boto3 botocore cohere dashscope deepgram "
    "elevenlabs fireworks google groq huggingface_hub litellm minio mistralai ollama openai pinecone qdrant_client "
    "replicate text_generation together tritonclient vertexai voyageai weaviate zhipuai"
)
"""Libraries that exist to talk to one service: a class makes a client and a function asks, unless its name says otherwise."""
_VENDOR_VALUES: Final = re.compile(
    r"(^|\.)(types|errors|exceptions|config|resources|_?exceptions|version|__version__)(\.|$)"
    r"|(Error|Exception|Config|Options|Params?|Settings|Message|Part|Content|Timeout|Limits|Input|InferRequestedOutput)$"
    r"|\.(configure|init|login|set_\w+|get_default_\w+|BaseModel|NOT_GIVEN|Credentials?|\w*Credential)$"
)
_VENDOR_MAKERS: Final = frozenset({"client", "resource", "session", "async_client", "from_pretrained", "get_session"})
_VENDOR_UMBRELLAS: Final = {
    "google": ("genai", "generativeai", "cloud", "ai"),
    "azure": ("ai", "storage", "cognitiveservices"),
}
_DOUBLES: Final = words(
    "aioresponses betamax faker fakeredis httmock httpretty mock moto pook pytest_httpx requests_mock respx responses "
    "vcr"
)
_RANDOM: Final = frozenset({"random", "secrets"})
_HASH: Final = frozenset({"hashlib", "zlib", "hmac", "xxhash", "mmh3"})
_PURE: Final = words(
    "abc array asyncio base64 bisect collections contextlib copy csv dataclasses datetime decimal enum fractions functools "
    "heapq html inspect io itertools json logging math mimetypes numbers numpy operator orjson os re shlex statistics string "
    "struct sys textwrap threading time tomllib types typing typing_extensions unicodedata uuid warnings weakref queue "
    "concurrent urllib http httpx requests aiohttp socket ssl subprocess traceback "
    "pickle tempfile shutil glob platform argparse"
)
_DATABASES: Final = frozenset({"sqlite3", "sqlite_utils", "duckdb", "shelve", "dbm"})
"""Files of this machine, too."""
_FILES: Final = frozenset(
    {"open", "io.open", "pathlib.Path", "os.fdopen", "importlib.resources.files", "pkgutil.get_data"}
)
_CLIENT_TYPES: Final = re.compile(
    r"(Client\w*|Session|Transport|Connection|Channel|Socket|socket|Stub|Pool(Manager)?)$"
)

_LIKELY: Final = re.compile(
    r"(^|_)(a?client|session|http|https|transport|connection|conn|channel|stub|wire|s3|bucket|api|pool|sock|socket|opener"
    r"|requester|sender|sdk|llm|engine|backend|provider|gateway|upstream|delegate|remote|worker|proc|process|openai|anthropic"
    r"|ollama|groq|gemini)$",
    re.IGNORECASE,
)
_VERBS: Final = words(
    "get post put patch delete head request send fetch open urlopen create generate stream execute call invoke perform run "
    "chat complete completions embed embeddings upload upload_file download download_file put_object get_object head_object "
    "delete_object list_objects_v2 upload_fileobj download_fileobj sendall recv connect infer predict rerank score classify "
    "transcribe translate converse invoke_model query ask submit attempt exchange handle_request handle_async_request "
    "round_trip write post_json get_json acall arun achat astream agenerate aembed aget apost asend arequest"
)
_ONLY_ASKS: Final = words(
    "send send_message request fetch generate generate_content complete completions embed invoke infer predict rerank converse "
    "ask query sendall recv exchange"
)
"""Verbs that nobody uses of an answer: what has such a method is a client, even if a server made it."""
_HARMLESS: Final = words(
    "close aclose shutdown disconnect mount update setdefault add with_options copy build_request prepare_request settimeout "
    "setsockopt setblocking fileno is_closed poll terminate kill wait keys items values set_debuglevel set_tunnel set_model "
    "addheaders add_handler register configure wait_closed is_closing is_connected get_extra_info getpeername getsockname "
    "raise_for_status detach gettimeout generate_presigned_url generate_presigned_post meta exceptions can_paginate "
    "with_raw_response with_streaming_response startswith endswith strip split lower upper format join encode decode "
    "get_paginator get_waiter Bucket Object Table start_new_session is_alive client resource"
)
_PRETENCE: Final = re.compile(r"mock|fake|dummy|placeholder|simulat|canned|hard_?coded|stubbed", re.IGNORECASE)


def is_wire_module(name: str) -> bool:
    """Say whether a dotted name belongs to a library that talks to servers."""
    first, _, rest = name.partition(".")
    if first in _VENDOR_UMBRELLAS:
        return not rest or rest.partition(".")[0] in _VENDOR_UMBRELLAS[first]
    return (first in _LIBRARIES and first != "asyncio") or first in _VENDORS


@lru_cache(maxsize=4096)
def role(name: str) -> Role:
    """Return what a dotted name of another library stands for."""
    first, _, rest = name.partition(".")
    last = name.rpartition(".")[2]
    if first in _DOUBLES or name.startswith("unittest.mock") or "mock" in last.lower():
        return Role.PRETENCE
    if first in _LIBRARIES:
        for found, names in _LIBRARIES[first].items():
            if last in names:
                return found
        return Role.PURE if first == "asyncio" else Role.VALUE
    if first in _VENDORS and is_wire_module(name):
        return _vendor_role(rest, last)
    if first in _RANDOM or ".random" in name:
        return Role.RANDOM
    if first in _HASH:
        return Role.HASH
    if name in _FILES or first in _DATABASES:
        return Role.FILE
    return Role.PURE if first in _PURE else Role.UNKNOWN


def _vendor_role(rest: str, last: str) -> Role:
    if not rest or _VENDOR_VALUES.search(rest):
        return Role.VALUE
    if last in _VENDOR_MAKERS or last[:1].isupper():
        return Role.CLIENT
    return Role.EXCHANGE


def is_client_type(name: str) -> bool:
    """Say whether a dotted name is a type of things that talk to a server."""
    return role(name) in (Role.CLIENT, Role.CONNECT) or (
        is_wire_module(name) and _CLIENT_TYPES.search(name) is not None and not _VENDOR_VALUES.search(name)
    )


def looks_like_client(name: str) -> bool:
    """Say whether a class of an unknown library talks to a server by its own name: ``AsyncVendorClient``."""
    return name[:1].isupper() and name.endswith("Client") and not looks_pretended(name)


def is_likely_name(name: str) -> bool:
    """Say whether something handed in under this name probably talks to a server: ``client``, ``http_session``."""
    return _LIKELY.search(name.rstrip("_")) is not None and not looks_pretended(name)


def is_likely_type(name: str) -> bool:
    """The same of a class's name: ``Transport``, ``HttpClient``."""
    return is_likely_name(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))


def is_exchange_method(name: str, *, known: bool) -> bool:
    """Say whether calling this method of a client asks the server.

    Args:
        known: the client is known to be one; otherwise only verbs count.
    """
    return (known and name not in _HARMLESS) or name.lstrip("_") in _VERBS


def asks_again(name: str) -> bool:
    """Say whether calling this method of what a server made asks the server again: a session, a chat, a cursor."""
    return name in _ONLY_ASKS


def looks_pretended(name: str) -> bool:
    """Say whether a name admits to be a pretence: ``mock_reply``, ``FakeClient``."""
    return _PRETENCE.search(name) is not None
