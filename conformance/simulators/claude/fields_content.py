"""Field tables of content blocks, as the official SDK 2.14.0 declares them (``types/*_block_param.py``)."""

from __future__ import annotations

from conformance.simulators.shape import (
    Anything,
    Choice,
    Flag,
    Integer,
    ListOf,
    MapOf,
    OneOf,
    Record,
    Tagged,
    Text,
)

__all__ = ["CACHE", "MESSAGE", "SYSTEM", "TEXT"]

TEXT = Text()
CACHE = Record({"type": Choice("ephemeral")}, {"ttl": Choice("5m", "1h")})
_TYPE = {"type": TEXT}
_CACHED = {"cache_control": CACHE}
_BASE64 = Text(1, pattern=r"[A-Za-z0-9+/]+={0,2}")
_URL = Record({**_TYPE, "url": Text(1, pattern=r"(?s)https?://.+")})
_FILE = Record({**_TYPE, "file_id": Text(1)})
_OBJECT = MapOf(Anything())

_CITED = {"cited_text": TEXT}
_TITLE = {"document_index": Integer(0), "document_title": OneOf(TEXT, Anything())}
_IDS = {"file_id": TEXT}
_CITATION = Tagged(
    {
        "char_location": Record(
            {**_TYPE, **_CITED, **_TITLE, "start_char_index": Integer(0), "end_char_index": Integer(0)}, _IDS
        ),
        "page_location": Record(
            {**_TYPE, **_CITED, **_TITLE, "start_page_number": Integer(1), "end_page_number": Integer(1)}, _IDS
        ),
        "content_block_location": Record(
            {**_TYPE, **_CITED, **_TITLE, "start_block_index": Integer(0), "end_block_index": Integer(0)}, _IDS
        ),
        "search_result_location": Record({**_TYPE, **_CITED}, open=True),
        "web_search_result_location": Record({**_TYPE, **_CITED}, open=True),
    }
)
_TEXT_BLOCK = Record({**_TYPE, "text": Text(1)}, {**_CACHED, "citations": ListOf(_CITATION)})
_IMAGE = Record(
    {
        **_TYPE,
        "source": Tagged(
            {
                "base64": Record(
                    {
                        **_TYPE,
                        "media_type": Choice("image/jpeg", "image/png", "image/gif", "image/webp"),
                        "data": _BASE64,
                    }
                ),
                "url": _URL,
                "file": _FILE,
            }
        ),
    },
    {**_CACHED, "transformations": Record({}, {"oversized_image": Choice("downsize", "error")})},
)
_DOCUMENT = Record(
    {
        **_TYPE,
        "source": Tagged(
            {
                "base64": Record({**_TYPE, "media_type": Choice("application/pdf"), "data": _BASE64}),
                "text": Record({**_TYPE, "media_type": Choice("text/plain"), "data": TEXT}),
                "content": Record(
                    {**_TYPE, "content": OneOf(TEXT, ListOf(Tagged({"text": _TEXT_BLOCK, "image": _IMAGE}), 1))}
                ),
                "url": _URL,
                "file": _FILE,
            }
        ),
    },
    {**_CACHED, "citations": Record({}, {"enabled": Flag()}), "context": Text(1), "title": Text(1, 500)},
)
_SEARCH_RESULT = Record(
    {**_TYPE, "source": TEXT, "title": TEXT, "content": ListOf(Tagged({"text": _TEXT_BLOCK}), 1)},
    {**_CACHED, "citations": Record({}, {"enabled": Flag()})},
)
_TOOL_ID = Text(1, pattern=r"[a-zA-Z0-9_-]+")
_TOOL_RESULT = Record(
    {**_TYPE, "tool_use_id": _TOOL_ID},
    {
        **_CACHED,
        "content": OneOf(
            TEXT,
            ListOf(
                Tagged(
                    {
                        "text": _TEXT_BLOCK,
                        "image": _IMAGE,
                        "document": _DOCUMENT,
                        "search_result": _SEARCH_RESULT,
                        "tool_reference": Record(_TYPE, open=True),
                    }
                )
            ),
        ),
        "is_error": Flag(),
        "toolset_name": TEXT,
    },
)
_TOOL_USE = Record(
    {**_TYPE, "id": _TOOL_ID, "name": Text(1, 200), "input": _OBJECT},
    {**_CACHED, "caller": _OBJECT, "toolset_name": TEXT},
)
_OPEN = Record(_TYPE, open=True)
_SERVER_BLOCKS = dict.fromkeys(
    (
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "container_upload",
    ),
    _OPEN,
)
"""What the server's own tools leave in an answer and get back unchanged."""

SYSTEM = OneOf(TEXT, ListOf(Tagged({"text": _TEXT_BLOCK}), 1))
_ROLE = {"role": TEXT}
MESSAGE = Tagged(
    {
        "system": Record({**_ROLE, "content": SYSTEM}),
        "user": Record(
            {
                **_ROLE,
                "content": OneOf(
                    Text(1),
                    ListOf(
                        Tagged(
                            {
                                "text": _TEXT_BLOCK,
                                "image": _IMAGE,
                                "document": _DOCUMENT,
                                "search_result": _SEARCH_RESULT,
                                "tool_result": _TOOL_RESULT,
                                **_SERVER_BLOCKS,
                            }
                        ),
                        1,
                    ),
                ),
            }
        ),
        "assistant": Record(
            {
                **_ROLE,
                "content": OneOf(
                    TEXT,
                    ListOf(
                        Tagged(
                            {
                                "text": _TEXT_BLOCK,
                                "document": _DOCUMENT,
                                "thinking": Record({**_TYPE, "thinking": TEXT, "signature": TEXT}),
                                "redacted_thinking": Record({**_TYPE, "data": TEXT}),
                                "tool_use": _TOOL_USE,
                                **_SERVER_BLOCKS,
                            }
                        )
                    ),
                ),
            }
        ),
    },
    tag="role",
)
