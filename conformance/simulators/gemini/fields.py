"""Request bodies and queries of Gemini as field tables.

Source: ``google-genai`` 3.6.1 (``types.py`` and the ``_to_mldev`` converters) and the vendor's reference, 2026-11.
"""

from __future__ import annotations

from conformance.simulators.gemini.reading import Base64, Message, Whole
from conformance.simulators.shape import Anything, Choice, Flag, ListOf, MapOf, Number, OneOf, Record, Shape, Text

__all__ = [
    "BATCH",
    "BATCH_EMBED",
    "CACHE",
    "CACHE_PATCH",
    "COUNT",
    "DOWNLOAD",
    "EMBED",
    "EMBED_BATCH",
    "FILE",
    "GENERATE",
    "NOTHING",
    "PAGE",
    "PLAIN",
    "STREAM",
]

TEXT = Text()
OBJECT = MapOf(Anything())
_EMPTY = Record(open=True)
_TYPES = ("STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL", "TYPE_UNSPECIFIED")

_schema_fields: dict[str, Shape] = {
    "type": Choice(*_TYPES, *(name.lower() for name in _TYPES)),
    **dict.fromkeys(("format", "title", "description", "pattern", "ref"), TEXT),
    "nullable": Flag(),
    "enum": ListOf(TEXT),
    **dict.fromkeys(("minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength"), Whole(0)),
    **dict.fromkeys(("minimum", "maximum"), Number()),
    **dict.fromkeys(("required", "propertyOrdering"), ListOf(TEXT)),
    **dict.fromkeys(("default", "example", "additionalProperties"), Anything()),
    "$ref": TEXT,
}
SCHEMA = Message({}, _schema_fields)
_schema_fields |= {
    "items": SCHEMA,
    "properties": MapOf(SCHEMA),
    "anyOf": ListOf(SCHEMA),
    "$defs": MapOf(SCHEMA),
    "defs": MapOf(SCHEMA),
}

_BLOB = Message({"mimeType": TEXT, "data": Base64()}, {"displayName": TEXT})
_FILE_DATA = Message({"fileUri": Text(1)}, {"mimeType": TEXT, "displayName": TEXT})
PART = Message(
    {},
    {
        "text": TEXT,
        "inlineData": _BLOB,
        "fileData": _FILE_DATA,
        "functionCall": Message({"name": Text(1)}, {"id": TEXT, "args": OBJECT}),
        "functionResponse": Message(
            {"name": Text(1), "response": OBJECT},
            {"id": TEXT, "parts": ListOf(Anything()), "willContinue": Flag(), "scheduling": TEXT},
        ),
        "executableCode": Message({"code": TEXT}, {"language": Choice("PYTHON", "LANGUAGE_UNSPECIFIED"), "id": TEXT}),
        "codeExecutionResult": Message(
            {"outcome": Choice("OUTCOME_OK", "OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED")},
            {"output": TEXT, "id": TEXT},
        ),
        "thought": Flag(),
        "thoughtSignature": Base64(),
        "videoMetadata": Message({}, {"startOffset": TEXT, "endOffset": TEXT, "fps": Number()}),
        "mediaResolution": Anything(),
    },
)
CONTENT = Message({"parts": ListOf(PART, 1)}, {"role": Choice("user", "model", "function")})
SYSTEM = Message({"parts": ListOf(PART, 1)}, {"role": TEXT})
_DECLARATION = Message(
    {"name": Text(1, 128, r"[A-Za-z_][A-Za-z0-9_.:\-]*")},
    {
        "description": TEXT,
        "parameters": SCHEMA,
        "parametersJsonSchema": Anything(),
        "response": SCHEMA,
        "responseJsonSchema": Anything(),
        "behavior": TEXT,
    },
)
TOOL = Message(
    {},
    {
        "functionDeclarations": ListOf(_DECLARATION),
        "mcpServers": ListOf(Anything()),
        **dict.fromkeys(
            ("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "googleMaps", "fileSearch"), _EMPTY
        ),
        "computerUse": _EMPTY,
    },
)
TOOL_CONFIG = Message(
    {},
    {
        "functionCallingConfig": Message(
            {},
            {
                "mode": Choice("MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"),
                "allowedFunctionNames": ListOf(TEXT),
            },
        ),
        "retrievalConfig": _EMPTY,
        "includeServerSideToolInvocations": Flag(),
    },
)
_SAFETY = Message(
    {
        "category": Text(pattern=r"HARM_CATEGORY_[A-Z_]+"),
        "threshold": Choice(
            "HARM_BLOCK_THRESHOLD_UNSPECIFIED",
            "BLOCK_LOW_AND_ABOVE",
            "BLOCK_MEDIUM_AND_ABOVE",
            "BLOCK_ONLY_HIGH",
            "BLOCK_NONE",
            "OFF",
        ),
    }
)
CONFIG = Message(
    {},
    {
        "temperature": Number(0, 2),
        "topP": Number(0, 1),
        "topK": Whole(1),
        "candidateCount": Whole(1, 8),
        "maxOutputTokens": Whole(1),
        "stopSequences": ListOf(TEXT, 0, 5),
        "presencePenalty": Number(),
        "frequencyPenalty": Number(),
        "seed": Whole(),
        "responseLogprobs": Flag(),
        "logprobs": Whole(0, 20),
        "responseMimeType": Choice("text/plain", "application/json", "text/x.enum"),
        "responseSchema": SCHEMA,
        "responseJsonSchema": Anything(),
        "responseModalities": ListOf(Choice("TEXT", "IMAGE", "AUDIO", "VIDEO")),
        "mediaResolution": Text(pattern=r"MEDIA_RESOLUTION_[A-Z_]+"),
        "speechConfig": _EMPTY,
        "imageConfig": _EMPTY,
        "audioTranscriptionConfig": _EMPTY,
        "enableEnhancedCivicAnswers": Flag(),
        "thinkingConfig": Message(
            {},
            {
                "includeThoughts": Flag(),
                "thinkingBudget": Whole(-1),
                "thinkingLevel": Choice("THINKING_LEVEL_UNSPECIFIED", "MINIMAL", "LOW", "MEDIUM", "HIGH", "XHIGH"),
            },
        ),
    },
)
_CONVERSATION: dict[str, Shape] = {
    "contents": ListOf(CONTENT, 1),
    "systemInstruction": SYSTEM,
    "tools": ListOf(TOOL),
    "toolConfig": TOOL_CONFIG,
}
_GENERATE: dict[str, Shape] = {
    "safetySettings": ListOf(_SAFETY),
    "generationConfig": CONFIG,
    "cachedContent": Text(pattern=r"cachedContents/[^/]+"),
    "serviceTier": Choice("flex", "standard", "priority"),
    "store": Flag(),
    "labels": MapOf(TEXT),
    "continuationToken": Base64(),
    "model": TEXT,
}
GENERATE = Message(
    {"contents": _CONVERSATION["contents"]},
    {**{name: shape for name, shape in _CONVERSATION.items() if name != "contents"}, **_GENERATE},
)
COUNT = Message({}, {"contents": ListOf(CONTENT, 1), "generateContentRequest": GENERATE})
EMBED = Message(
    {"content": SYSTEM},
    {"model": TEXT, "taskType": Text(pattern=r"[A-Z_]+"), "title": TEXT, "outputDimensionality": Whole(1)},
)
BATCH_EMBED = Message({"requests": ListOf(EMBED, 1)})


def _job(request: Message) -> Message:
    entry = Message({"request": request}, {"metadata": OBJECT})
    source = Message({}, {"requests": Message({"requests": ListOf(entry, 1)}), "fileName": Text(pattern="files/.+")})
    return Message({"batch": Message({"inputConfig": source}, {"displayName": TEXT, "priority": Whole()})})


BATCH = _job(GENERATE)
EMBED_BATCH = _job(EMBED)
_TTL = {"ttl": Text(pattern=r"\d+(\.\d{1,9})?s"), "expireTime": TEXT}
CACHE = Message({"model": Text(1)}, {**_CONVERSATION, **_TTL, "displayName": Text(1, 128)})
CACHE_PATCH = Message({}, _TTL)
FILE = Message(
    {},
    {
        "file": Message(
            {},
            {
                "name": Text(pattern=r"files/[a-z0-9]([a-z0-9\-]{0,38}[a-z0-9])?"),
                "displayName": Text(0, 512),
                "mimeType": TEXT,
                "sizeBytes": OneOf(Whole(0), TEXT),
            },
        )
    },
)
NOTHING = Message()

_KEY = {"key": TEXT, "alt": Choice("json")}
PLAIN = Record({}, _KEY)
STREAM = Record({}, {**_KEY, "alt": Choice("sse", "json")})
PAGE = Record({}, {**_KEY, "pageSize": Whole(0), "pageToken": TEXT})
DOWNLOAD = Record({}, {**_KEY, "alt": Choice("media")})
