"""``/v1/files``: upload, list in pages, get, content, delete."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import parse_qsl

from conformance.simulators.claude.errors import clipped, refused
from conformance.simulators.claude.models import EXPIRES, Account, StoredFile
from conformance.simulators.multipart import Upload
from conformance.simulators.provider import Answer, Call

__all__ = ["content", "create", "delete", "get", "list_files"]

_MOST_BYTES = 500 << 20


def create(call: Call) -> Answer:
    """Keep the upload under the last part of its name."""
    upload = call.body["file"]
    assert isinstance(upload, Upload)
    if not upload.content:
        return refused(call, 400, "file: the file is empty")
    if len(upload.content) > _MOST_BYTES:
        return refused(call, 413, "The file is larger than 500 MB")
    expires = EXPIRES if call.body.get("expires_in_seconds") else None
    name = PurePosixPath(upload.filename).name or "unnamed"
    stored = StoredFile(f"file_{call.nonce}", name, upload.content_type, upload.content, expires=expires)
    call.state.files[stored.id] = stored
    return Answer(payload=stored.as_json())


def list_files(call: Call) -> Answer:
    """Newest first; ``page`` is the cursor of the page before."""
    account: Account = call.state
    query = call.request.parameters
    items = [file.as_json() for file in reversed(account.files.values())]
    wanted = [value for name, value in parse_qsl(call.request.query) if name == "ids[]"]
    if wanted:
        return Answer(payload={"data": [item for item in items if item["id"] in wanted], "next_page": None})
    start = query.get("page", "page_0").removeprefix("page_")
    if not start.isdigit():
        return refused(call, 400, "page: not a cursor of this list")
    end = int(start) + int(query.get("limit", 20))
    return Answer(payload={"data": items[int(start) : end], "next_page": f"page_{end}" if end < len(items) else None})


def _absent(call: Call) -> Answer:
    return refused(call, 404, f"File not found: {clipped(call.params['file_id'])}")


def get(call: Call) -> Answer:
    """The file object."""
    stored = call.state.files.get(call.params["file_id"])
    return _absent(call) if stored is None else Answer(payload=stored.as_json())


def content(call: Call) -> Answer:
    """The bytes of what a tool has made; uploads cannot be fetched back."""
    stored: StoredFile | None = call.state.files.get(call.params["file_id"])
    if stored is None:
        return _absent(call)
    if not stored.downloadable:
        return refused(call, 400, "This file is not downloadable.", "file_not_downloadable")
    return Answer(body=stored.content, content_type=stored.media_type)


def delete(call: Call) -> Answer:
    """Gone at once."""
    stored = call.state.files.pop(call.params["file_id"], None)
    return _absent(call) if stored is None else Answer(payload={"id": stored.id, "type": "file_deleted"})
