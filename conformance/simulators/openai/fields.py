"""Field tables of every OpenAI endpoint but chat and responses, as the official SDK 3.52.0 declares them."""

from __future__ import annotations

from conformance.simulators.openai.fields_chat import EFFORT, METADATA, PENALTY, STREAM_OPTIONS, TEXT, VOICE
from conformance.simulators.shape import Choice, File, Flag, Integer, ListOf, MapOf, Number, OneOf, Record, Tagged, Text

__all__ = [
    "BATCH",
    "COMPLETION",
    "EMBEDDING",
    "FILE",
    "FILE_PAGE",
    "IMAGE",
    "IMAGE_EDIT",
    "MODERATION",
    "PAGE",
    "SPEECH",
    "TRANSCRIPTION",
    "TRANSLATION",
]

TOKENS = ListOf(Integer(0), 1)
_EXPIRES = Record({"anchor": Choice("created_at"), "seconds": Integer(3600, 2_592_000)})
_ORDER = {"order": Choice("asc", "desc")}
PAGE = Record({}, {"after": TEXT, "limit": Integer(1, 100)})
FILE_PAGE = Record({}, {"after": TEXT, "limit": Integer(1, 10_000), "purpose": TEXT, **_ORDER})

COMPLETION = Record(
    {"model": Text(1), "prompt": OneOf(TEXT, ListOf(TEXT, 1), TOKENS, ListOf(TOKENS, 1))},
    {
        "best_of": Integer(0, 20),
        "echo": Flag(),
        "frequency_penalty": PENALTY,
        "presence_penalty": PENALTY,
        "logit_bias": MapOf(Number(-100, 100), key=Text(pattern=r"\d+")),
        "logprobs": Integer(0, 5),
        "max_tokens": Integer(0),
        "n": Integer(1, 128),
        "seed": Integer(-(2**63), 2**63 - 1),
        "stop": OneOf(TEXT, ListOf(TEXT, 1, 4)),
        "stream": Flag(),
        "stream_options": STREAM_OPTIONS,
        "suffix": TEXT,
        "temperature": Number(0, 2),
        "top_p": Number(0, 1),
        "user": TEXT,
    },
)

EMBEDDING = Record(
    {"model": Text(1), "input": OneOf(Text(1), ListOf(Text(1), 1, 2048), TOKENS, ListOf(TOKENS, 1, 2048))},
    {"dimensions": Integer(1), "encoding_format": Choice("float", "base64"), "user": TEXT},
)

MODERATION = Record(
    {
        "input": OneOf(
            TEXT,
            ListOf(TEXT, 1),
            ListOf(
                Tagged(
                    {
                        "text": Record({"type": TEXT, "text": TEXT}),
                        "image_url": Record({"type": TEXT, "image_url": Record({"url": Text(1)})}),
                    }
                ),
                1,
            ),
        )
    },
    {"model": Text(1)},
)

_SIZE = Text(pattern=r"auto|\d{2,4}x\d{2,4}")
_IMAGE_OPTIONS = {
    "background": Choice("transparent", "opaque", "auto"),
    "complexity": Choice("low", "medium", "high"),
    "frame_count": Integer(1),
    "frame_duration_ms": Integer(1),
    "model": Text(1),
    "n": Integer(1, 10),
    "output_compression": Integer(0, 100),
    "output_format": Choice("png", "webp", "jpeg", "gif", "svg"),
    "partial_images": Integer(0, 3),
    "quality": Choice("low", "medium", "high", "xhigh", "max", "auto"),
    "safety_identifier": Text(maximum=128),
    "size": _SIZE,
    "stream": Flag(),
    "svg": Record({"model": TEXT}, {"reasoning": Record({}, {"effort": EFFORT})}),
    "user": TEXT,
}
IMAGE = Record({"prompt": Text(1, 32_000)}, {**_IMAGE_OPTIONS, "moderation": Choice("low", "auto")})
IMAGE_EDIT = Record(
    {"image": OneOf(File(), ListOf(File(), 1, 16)), "prompt": Text(1, 32_000)},
    {**_IMAGE_OPTIONS, "input_fidelity": Choice("high", "low"), "mask": File(), "markup": File()},
)

SPEECH = Record(
    {"model": Text(1), "input": Text(1, 4096), "voice": VOICE},
    {
        "instructions": TEXT,
        "response_format": Choice("mp3", "opus", "aac", "flac", "wav", "pcm"),
        "speed": Number(0.25, 4),
        "stream_format": Choice("sse", "audio"),
    },
)

_WORDS = ListOf(TEXT, 1)
TRANSCRIPTION = Record(
    {"file": File(), "model": Text(1)},
    {
        "chunking_strategy": OneOf(
            Choice("auto"),
            Record(
                {"type": Choice("server_vad")},
                {"prefix_padding_ms": Integer(0), "silence_duration_ms": Integer(0), "threshold": Number(0, 1)},
            ),
        ),
        "include": ListOf(Choice("logprobs"), 1),
        "keywords": _WORDS,
        "known_speaker_names": ListOf(TEXT, 1, 4),
        "known_speaker_references": ListOf(TEXT, 1, 4),
        "language": TEXT,
        "languages": _WORDS,
        "prompt": TEXT,
        "response_format": Choice("json", "text", "srt", "verbose_json", "vtt", "diarized_json"),
        "stream": Flag(),
        "temperature": Number(0, 1),
        "timestamp_granularities": ListOf(Choice("word", "segment"), 1),
    },
)
TRANSLATION = Record(
    {"file": File(), "model": Text(1)},
    {
        "prompt": TEXT,
        "response_format": Choice("json", "text", "srt", "verbose_json", "vtt"),
        "temperature": Number(0, 1),
    },
)

FILE = Record(
    {"file": File(), "purpose": Choice("assistants", "batch", "fine-tune", "vision", "user_data", "evals")},
    {"expires_after": _EXPIRES},
)

BATCH = Record(
    {
        "input_file_id": Text(1),
        "endpoint": Choice(
            "/v1/responses",
            "/v1/chat/completions",
            "/v1/embeddings",
            "/v1/completions",
            "/v1/moderations",
            "/v1/images/generations",
            "/v1/images/edits",
            "/v1/videos",
        ),
        "completion_window": Choice("24h"),
    },
    {"metadata": METADATA, "output_expires_after": _EXPIRES},
)
