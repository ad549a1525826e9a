"""What the S3 API reference says about errors, arguments and names; see :mod:`conformance.expectations`.

The representative call fetches an object, so its answer is bytes: what is unreadable about it is its framing.
"""

from __future__ import annotations

from typing import Final

from backends import errors
from backends.wire.values import Failure
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall
from conformance.faults.fault import answered, once, repeated
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

_REAL_TIME: Final = "boto3 waits in a thread and in real time, which no check spends; BAK-01 shows the read timeout"

EXPECTED: Final = Expectations(
    ends={
        "reset on accept": repeated(errors.TransportError, requests=0),  # its thread may have written by then, or not
        "status 529": repeated(errors.ServerError),  # S3 has no such status; its code is that of a 500
        "redirect to nowhere": repeated(errors.TransportError, code=Failure.PROTOCOL.value),
        "redirects": once(errors.InvalidRequestError),  # a redirect names the bucket's region and is not followed
        "1xx flood": once(errors.ResponseFormatError),  # the standard library takes a 103 for the answer
        "header without name": answered(),  # the standard library passes it over
        "length too short": once(errors.ResponseFormatError),  # the checksum tells
        "error inside 200": once(errors.ResponseFormatError),  # without an ETag it is no object
    },
    spared={
        "nobody accepts": _REAL_TIME,
        "silent before head": _REAL_TIME,
        "silent in head": _REAL_TIME,
        "stalls": _REAL_TIME,
        "chunks": "every answer of S3 with an object has a length",
        "endless 1xx": "the standard library takes the first 103 for the answer, as in a flood of them",
        "codings": "an object is stored with its coding and handed out as it is",
        "byte order mark": "an object is bytes, and a mark before them is another object: the checksum tells",
    },
    content=None,
    errors=(
        ErrorCase(404, errors.NotFoundError, "NoSuchKey"),
        ErrorCase(404, errors.NotFoundError, "NoSuchBucket"),
        ErrorCase(403, errors.PermissionDeniedError, "AccessDenied"),
        ErrorCase(403, errors.AuthenticationError, "InvalidAccessKeyId"),
        ErrorCase(403, errors.AuthenticationError, "SignatureDoesNotMatch"),
        ErrorCase(503, errors.OverloadedError, "SlowDown"),
        ErrorCase(500, errors.ServerError, "InternalError"),
        ErrorCase(412, errors.InvalidRequestError, "PreconditionFailed"),
    ),
    passing=(ErrorCase(400, errors.ServerError, "RequestTimeout"),),
    json_answers=False,
    unreadable=((Status(200, body=b"no object"), errors.ResponseFormatError, "not an object"),),
    bad_calls=(
        BadCall("key", lambda backend: backend.adownload("")),
        BadCall("key", lambda backend: backend.adownload(5)),
        BadCall("key", lambda backend: backend.adownload("a" * 1025)),
        BadCall("key", lambda backend: backend.adownload("half of a \ud83d character")),
        BadCall("bucket", lambda backend: backend.adownload("key", bucket="No_Bucket")),
        BadCall("byte_range", lambda backend: backend.adownload("key", byte_range=(5, 2))),
        BadCall("expected_sha256", lambda backend: backend.adownload("key", expected_sha256="short")),
        BadCall("expires_in", lambda backend: backend.apresign("key", expires_in=0)),
        BadCall("keys", lambda backend: backend.adelete_many([])),
        BadCall("metadata", lambda backend: backend.aupload("key", b"", metadata={"a": 5})),
    ),
    injections=(
        lambda backend, text: backend.adownload(text),
        lambda backend, text: backend.adownload("key", bucket=text),
        lambda backend, text: backend.aupload("key", b"", content_type=text),
        lambda backend, text: backend.aupload("key", b"", metadata={"note": text}),
        lambda backend, text: backend.acopy("source", text),
    ),
    named_calls=(
        NamedCall("/models/", lambda backend, name: backend.aexists(name), slashes=True),
        NamedCall("/models/", lambda backend, name: backend.adelete(name), slashes=True),
        NamedCall("/", lambda backend, name: backend.ahead_bucket(name), good="plain-name-1"),
    ),
)
