"""What goes into a batch and what comes out of it: entries as data; nothing is sent here.

Wire facts: google-genai 3.6.1 (``batches.py``, ``_transformers.py``). Requests travel in the job itself
(``{"request", "metadata"}`` each) or as lines of an uploaded file (``{"key", "request"}``); results come back in the
same way. The caller's name of a request is kept in ``metadata.key`` and in ``key``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from backends.dialects.openai_common import json_object
from backends.dialects.openai_embeddings import read_vector
from backends.errors import BackendError, ContentFilterError
from backends.gemini.answers import read_reply
from backends.gemini.contents import conversation
from backends.gemini.core import text_in, unix_seconds
from backends.gemini.failures import typed_error
from backends.gemini.parameters import GenerateParameters, generation_body, taken
from backends.gemini.parts import PROVIDER_NAME
from backends.gemini.values import Batch, BatchResult, FileInfo
from backends.operation import Answer
from backends.parameters import bad_argument
from backends.wire.jsontext import loads
from backends.wire.values import FormatError

__all__ = ["batch_facts", "file_source", "generation_source", "inline_results", "line_results", "results_of"]

_OWN = frozenset({"custom_id", "messages"})
_NOT_IN_A_BATCH = frozenset({"priority", "endpoint", "deadline", "request_id", "extra_headers", "extra_body"})


def generation_source(requests: Any) -> dict[str, Any]:
    """Return ``inputConfig`` of a batch of generations.

    Args:
        requests: an uploaded JSONL file (its value or name), or mappings with ``messages``, ``custom_id`` and
            parameters of chat.

    Raises:
        InvalidRequestError: a request is malformed; the message names it.
    """
    if isinstance(requests, FileInfo | str):
        return file_source(requests)
    if not isinstance(requests, list | tuple) or not requests:
        bad_argument("requests must be a file, or a list of requests that is not empty", PROVIDER_NAME)
    return {"requests": {"requests": [_entry(entry, f"requests[{index}]") for index, entry in enumerate(requests)]}}


def file_source(file: FileInfo | str) -> dict[str, Any]:
    """Return ``inputConfig`` of an uploaded file."""
    name = file.id if isinstance(file, FileInfo) else file
    if not name.startswith("files/"):
        bad_argument("requests must name a file as files/...", PROVIDER_NAME)
    return {"fileName": name}


def _entry(entry: Any, where: str) -> dict[str, Any]:
    if not isinstance(entry, Mapping) or "messages" not in entry:
        bad_argument(f"{where} must be a mapping with messages", PROVIDER_NAME)
    strange = _NOT_IN_A_BATCH & entry.keys()
    if strange:
        bad_argument(f"{where}.{min(strange)} belongs to a call, not into a batch", PROVIDER_NAME)
    _, fields = taken({name: value for name, value in entry.items() if name not in _OWN}, GenerateParameters)
    contents, system = conversation(entry["messages"])
    made: dict[str, Any] = {"request": generation_body(contents, system, fields)}
    custom = entry.get("custom_id")
    if custom is not None:
        if not isinstance(custom, str) or not custom:
            bad_argument(f"{where}.custom_id must be text", PROVIDER_NAME)
        made["metadata"] = {"key": custom}
    return made


def batch_facts(data: Any) -> dict[str, Any]:
    """Return the fields of a batch from a long-running operation."""
    data = json_object(data)
    about = json_object(data.get("metadata") or {})
    counts = json_object(about.get("batchStats") or {})
    source = json_object(about.get("inputConfig") or {})
    name = data["name"]
    if not isinstance(name, str):
        raise FormatError("a batch has no name")
    return {
        "id": name,
        "status": text_in(about, "state") or "BATCH_STATE_UNSPECIFIED",
        "endpoint": text_in(about, "model"),
        "input_file_id": text_in(source, "fileName"),
        "output_file_id": _result_file(data),
        "total": _number(counts.get("requestCount")),
        "succeeded": _number(counts.get("successfulRequestCount")),
        "failed": _number(counts.get("failedRequestCount")),
        "problems": data.get("error"),
        "display_name": text_in(about, "displayName"),
        "created": unix_seconds(about.get("createTime")),
    }


def _number(value: Any) -> int | None:
    """Return a count, which is a number in text on the wire."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None


def _output(data: Mapping[str, Any]) -> Mapping[str, Any]:
    about = data.get("metadata")
    found = data.get("response") or (about.get("output") if isinstance(about, dict) else None)
    return found if isinstance(found, dict) else {}


def _result_file(data: Mapping[str, Any]) -> str | None:
    """Return the name of the file that holds the results, None where there is none."""
    return text_in(_output(data), "responsesFile")


def inline_results(batch: Batch) -> list[Any]:
    """Return the entries that came with the job itself."""
    output = _output(json_object(batch.raw))
    for name in ("inlinedResponses", "inlinedEmbedContentResponses"):
        holder = output.get(name)
        if holder is not None:
            entries = holder.get("inlinedResponses") or []
            if type(entries) is not list:
                raise FormatError("the results are not a list")
            return entries
    return []


def line_results(content: bytes) -> Iterable[Any]:
    """Yield the entries of a file of results."""
    for line in content.splitlines():
        if line.strip():
            yield loads(line)


def results_of(entries: Iterable[Any], answer: Answer) -> tuple[BatchResult, ...]:
    """Return the results of a batch's requests, in order.

    Args:
        entries: as they came.
        answer: the answer that brought them, whose facts their replies share.
    """
    return tuple(_result(json_object(entry), answer) for entry in entries)


def _result(entry: dict[str, Any], answer: Answer) -> BatchResult:
    about = entry.get("metadata")
    key = text_in(entry, "key") or (text_in(about, "key") if isinstance(about, dict) else None)
    problem = entry.get("error") or entry.get("status")
    if problem is not None:
        return BatchResult(custom_id=key, error=_told(typed_error(None, {"error": problem}), answer), raw=entry)
    response = json_object(entry["response"])
    if "embedding" in response:
        return BatchResult(custom_id=key, vector=read_vector(response["embedding"]["values"]), raw=entry)
    try:
        return BatchResult(custom_id=key, reply=read_reply(replace(answer, data=response)), raw=entry)
    except ContentFilterError as blocked:
        return BatchResult(custom_id=key, error=_told(blocked, answer), raw=entry)


def _told(error: BackendError, answer: Answer) -> BackendError:
    """Return an error that is not raised, with what the call path would have filled in."""
    error.provider, error.request_id, error.attempts = PROVIDER_NAME, answer.request_id, answer.attempts
    return error
