"""``/files`` and the resumable upload: a session is opened, pieces follow in order, the last one makes the file."""

from __future__ import annotations

import json
from dataclasses import replace

from conformance.simulators.gemini.answers.common import absent, given, page
from conformance.simulators.gemini.errors import problem_answer, refuse
from conformance.simulators.gemini.fields import FILE
from conformance.simulators.gemini.models import StoredFile, Upload
from conformance.simulators.gemini.reading import normal
from conformance.simulators.provider import Answer, Call

__all__ = ["content", "delete", "get", "list_files", "upload"]

_GRANULARITY = 256 * 1024
_MOST_BYTES = 2 << 30


def upload(call: Call) -> Answer:
    """Opens a session (which wants a key), or takes a piece for one (whose address is the credential)."""
    session = call.request.parameters.get("upload_id")
    return _opened(call) if session is None else _piece(call, session)


def _opened(call: Call) -> Answer:
    refusal = call.provider.authenticate(call.request, call.key)
    if refusal is not None:
        return refusal
    header = call.request.header
    if header("x-goog-upload-protocol") != "resumable" or header("x-goog-upload-command") != "start":
        return problem_answer(400, "An upload starts with the protocol resumable and the command start.")
    size = header("x-goog-upload-header-content-length") or ""
    if not size.isdigit() or int(size) > _MOST_BYTES:
        return problem_answer(400, "The header X-Goog-Upload-Header-Content-Length is missing or out of range.")
    try:
        about = json.loads(call.request.body or b"{}")
    except ValueError:
        return problem_answer(400, "Invalid JSON payload received.")
    problem = FILE.check(about, "")
    if problem is not None:
        return refuse(problem)
    described = normal(FILE, about).get("file", {})
    if described.get("name") in call.state.files:
        return problem_answer(409, f"Requested entity {described['name']} already exists", word="ALREADY_EXISTS")
    kind = header("x-goog-upload-header-content-type") or described.get("mimeType") or "application/octet-stream"
    call.state.uploads[call.nonce] = Upload(described, int(size), kind)
    url = f"{call.base_url}{call.request.path}?upload_id={call.nonce}&upload_protocol=resumable"
    return Answer(
        content_type=None,
        headers=(("x-goog-upload-status", "active"), ("x-goog-upload-url", url), ("x-goog-upload-control-url", url)),
    )


def _piece(call: Call, session: str) -> Answer:
    found: Upload | None = call.state.uploads.get(session)
    if found is None:
        return problem_answer(404, "There is no such upload.")
    commands = {word.strip() for word in (call.request.header("x-goog-upload-command") or "").split(",")}
    offset = call.request.header("x-goog-upload-offset") or ""
    if "upload" not in commands or commands - {"upload", "finalize"} or not offset.isdigit():
        return problem_answer(400, "A piece wants the command upload and an offset.")
    if found.finished is not None:
        return _status("final", given(found.finished))
    if int(offset) == found.last and len(found.content) > found.last:
        del found.content[found.last :]  # the same piece once more
    if int(offset) != len(found.content):
        return _status("active", problem_answer(400, f"The offset must be {len(found.content)}, not {offset}."))
    found.last = len(found.content)
    found.content += call.request.body
    if "finalize" not in commands:
        if len(call.request.body) % _GRANULARITY:
            return problem_answer(400, f"Pieces but the last are multiples of {_GRANULARITY} bytes.")
        return _status("active", Answer(content_type=None))
    if len(found.content) != found.size:
        return problem_answer(400, f"{found.size} bytes were announced, {len(found.content)} came.")
    name = found.about.get("name", f"files/{call.nonce}")
    stored = StoredFile(name, bytes(found.content), found.mime_type, found.about.get("displayName", ""))
    call.state.files[name] = stored
    found.finished = {"file": stored.as_json(call.base_url)}
    return _status("final", given(found.finished))


def _status(word: str, answer: Answer) -> Answer:
    return replace(answer, headers=(*answer.headers, ("x-goog-upload-status", word)))


def list_files(call: Call) -> Answer:
    """Files in pages of ten."""
    return page(call, "files", [file.as_json(call.base_url) for file in call.state.files.values()], 10)


def get(call: Call) -> Answer:
    """The file object."""
    stored = call.state.files.get(f"files/{call.params['file']}")
    return absent("File", call.params["file"]) if stored is None else given(stored.as_json(call.base_url))


def content(call: Call) -> Answer:
    """The bytes of a file that was made here; an uploaded one cannot be had back."""
    stored = call.state.files.get(f"files/{call.params['file']}")
    if stored is None:
        return absent("File", call.params["file"])
    if not stored.generated:
        return problem_answer(400, "Only generated files can be downloaded.", word="FAILED_PRECONDITION")
    return Answer(body=stored.content, content_type=stored.mime_type)


def delete(call: Call) -> Answer:
    """Gone at once; the answer is empty."""
    stored = call.state.files.pop(f"files/{call.params['file']}", None)
    return absent("File", call.params["file"]) if stored is None else given({})
