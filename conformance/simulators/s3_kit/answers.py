"""From a request at the server core to moto and back, and the object that proves a request was really made."""

from __future__ import annotations

import hashlib
import io
from typing import Any
from urllib.parse import unquote_to_bytes

from conformance.simulators.provider import Answer, Call, Request, encode
from conformance.simulators.s3_kit.errors import error

__all__ = ["any_request", "nonce_object"]

_WRITTEN_BY_THE_CORE = frozenset(
    {
        "connection",
        "content-length",
        "content-type",
        "date",
        "server",
        "transfer-encoding",
        "x-amz-id-2",
        "x-amz-request-id",
        "x-amzn-requestid",
    }
)
_EPOCH = "Sun, 01 Nov 2026 00:00:00 GMT"


def any_request(call: Call) -> Answer:
    """moto's answer."""
    try:
        status, headers, body = call.state.serve(_environ(call.request))
    except KeyError:
        # moto looks an unknown upload up without asking whether it is there.
        if "uploadId=" not in call.request.query:
            raise
        return error(404, "NoSuchUpload", "The specified multipart upload does not exist.")
    kind = next((value for name, value in headers if name.lower() == "content-type"), None)
    if call.request.method == "HEAD":
        # The core counts the body to announce its length, and does not send it.
        body = bytes(next((int(value) for name, value in headers if name.lower() == "content-length"), 0))
    kept = tuple((name.lower(), value) for name, value in headers if name.lower() not in _WRITTEN_BY_THE_CORE)
    if status == 200 and not body:
        # boto3 takes a 200 with an unreadable body for a failure; an empty one has no type.
        kind = None
    return Answer(status, body=body, content_type=kind, headers=kept)


def nonce_object(call: Call) -> Answer:
    """An object made for this request: its content is the nonce and the name that was asked for."""
    payload = {"nonce": call.nonce, "name": call.params["name"], "bucket": call.params["bucket"]}
    content = encode(payload)
    etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    if call.request.header("if-match") not in (None, etag):
        return error(412)
    # As if our own upload had recorded the digest: what damages the bytes on their way is noticed.
    digest = ("x-amz-meta-backends-sha256", hashlib.sha256(content).hexdigest())
    headers = (("etag", etag), ("last-modified", _EPOCH), ("accept-ranges", "bytes"), digest)
    return Answer(payload=payload, headers=headers)


def _environ(request: Request) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333), with what moto wants besides."""
    from moto.core.request import (
        PRESERVED_HEADER_NAMES_ENVIRON_KEY,
        environ_key_for_header,
        should_preserve_original_header_name,
    )

    host, _, port = (request.header("host") or "127.0.0.1:80").partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "RAW_URI": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    names: dict[str, str] = {}
    for name, value in request.headers:
        if name in ("content-length", "transfer-encoding", "expect"):
            continue
        key = environ_key_for_header(name)
        if should_preserve_original_header_name(name):
            names.setdefault(key, name)
        environ[key] = f"{environ[key]},{value}" if key in environ and key != "CONTENT_TYPE" else value
    environ[PRESERVED_HEADER_NAMES_ENVIRON_KEY] = names
    return environ
