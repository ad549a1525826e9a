"""``/files``: upload, list in pages, get, content, delete."""

from __future__ import annotations

import mimetypes

from conformance.simulators.multipart import Upload
from conformance.simulators.openai.answers.common import clipped, page
from conformance.simulators.openai.errors import problem_answer
from conformance.simulators.openai.models import EPOCH, StoredFile
from conformance.simulators.provider import Answer, Call

__all__ = ["content", "create", "delete", "get", "list_files"]

_MOST_BYTES = 512 << 20


def create(call: Call) -> Answer:
    """Keep the upload; a batch file must be JSON lines by name."""
    upload = call.body["file"]
    assert isinstance(upload, Upload)
    purpose = call.body["purpose"]
    if len(upload.content) > _MOST_BYTES:
        return problem_answer(413, "The file is larger than 512 MB.", param="file")
    if not upload.content:
        return problem_answer(400, "The file is empty.", param="file", code="empty_file")
    if purpose in ("batch", "fine-tune", "evals") and not upload.filename.endswith(".jsonl"):
        message = f"Invalid file format for {purpose}: a .jsonl file is needed."
        return problem_answer(400, message, param="file", code="invalid_file_format")
    expires = call.body.get("expires_after")
    stored = StoredFile(
        f"file-{call.nonce}",
        upload.filename,
        purpose,
        upload.content,
        EPOCH + expires["seconds"] if expires else None,
    )
    call.state.files[stored.id] = stored
    return Answer(payload=stored.as_json())


def list_files(call: Call) -> Answer:
    """Newest first; ``purpose`` narrows it."""
    purpose = call.request.parameters.get("purpose")
    kept = [one.as_json() for one in call.state.files.values() if purpose in (None, one.purpose)]
    return page(call, kept, limit=10_000)


def _absent(call: Call) -> Answer:
    return problem_answer(404, f"No such File object: {clipped(call.params['file_id'])}", param="id")


def get(call: Call) -> Answer:
    """The file object."""
    stored = call.state.files.get(call.params["file_id"])
    return _absent(call) if stored is None else Answer(payload=stored.as_json())


def content(call: Call) -> Answer:
    """The bytes as uploaded."""
    stored = call.state.files.get(call.params["file_id"])
    if stored is None:
        return _absent(call)
    kind = mimetypes.guess_type(stored.filename)[0] or "application/octet-stream"
    return Answer(body=stored.content, content_type=kind)


def delete(call: Call) -> Answer:
    """Gone at once."""
    stored = call.state.files.pop(call.params["file_id"], None)
    return _absent(call) if stored is None else Answer(payload={"id": stored.id, "object": "file", "deleted": True})
