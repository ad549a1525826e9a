"""What the S3 API reference says about errors, arguments and names; see :mod:`conformance.expectations`.

The representative call fetches an object, so its answer is bytes: what is unreadable about it is its framing.
"""

from __future__ import annotations

from typing import Final

from backends import errors
from conformance.expectations import BadCall, ErrorCase, Expectations, NamedCall
from conformance.simulators.faults import Status

__all__ = ["EXPECTED"]

EXPECTED: Final = Expectations(
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
