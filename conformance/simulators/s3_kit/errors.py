"""Errors as S3 sends them (S3 API reference, "Error responses"), and who may ask."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.sax.saxutils import escape

from conformance.simulators.provider import Answer, Request
from conformance.simulators.shape import Problem

__all__ = ["authenticate", "error", "find_key", "refuse"]

_CODES = {
    301: (
        "PermanentRedirect",
        "The bucket you are attempting to access must be addressed using the specified endpoint.",
    ),
    307: ("TemporaryRedirect", "Please re-send this request to the specified temporary endpoint."),
    400: ("InvalidRequest", "The request is not valid."),
    401: ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    402: ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    # S3 refuses a credential with 403, too; a missing permission has the code AccessDenied.
    403: ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    404: ("NoSuchKey", "The specified key does not exist."),
    405: ("MethodNotAllowed", "The specified method is not allowed against this resource."),
    408: ("RequestTimeout", "Your socket connection to the server was not read from or written to in time."),
    409: ("OperationAborted", "A conflicting conditional operation is currently in progress against this resource."),
    411: ("MissingContentLength", "You must provide the Content-Length HTTP header."),
    412: ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold"),
    413: ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."),
    416: ("InvalidRange", "The requested range is not satisfiable"),
    429: ("TooManyRequests", "Please reduce your request rate."),
    500: ("InternalError", "We encountered an internal error. Please try again."),
    501: ("NotImplemented", "A header you provided implies functionality that is not implemented"),
    503: ("SlowDown", "Please reduce your request rate."),
    507: ("XMinioStorageFull", "Storage backend has reached its minimum free drive threshold."),
}
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/")
_PRESIGNED = re.compile(r"(?:^|&)(?:X-Amz-Credential=([^&]+?)(?:%2F|/)|AWSAccessKeyId=([^&]+))", re.IGNORECASE)


def error(status: int, code: str | None = None, message: str | None = None) -> Answer:
    """An XML error body; code and message are the usual ones of the status unless given."""
    usual = _CODES.get(status) or (("InternalError", "") if status >= 500 else ("InvalidRequest", ""))
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code or usual[0])}</Code><Message>{escape(message or usual[1])}</Message>"
        "<Resource>/</Resource><RequestId>SIMULATED</RequestId><HostId>simulated</HostId></Error>"
    )
    return Answer(status, body=body.encode(), content_type="application/xml")


def refuse(problem: Problem) -> Answer:
    """The server core checks no schema here; moto does."""
    return error(400, "MalformedXML", str(problem))


def find_key(request: Request) -> str | None:
    """The access key id: of the Authorization header, or of a presigned URL."""
    header = request.header("authorization")
    found = _CREDENTIAL.search(header) if header is not None else None
    if found is not None:
        return found.group(1)
    presigned = _PRESIGNED.search(request.query)
    return unquote(presigned.group(1) or presigned.group(2)) if presigned is not None else None


def authenticate(request: Request, key: str | None) -> Answer | None:
    """Any id is good unless it contains ``invalid``; nobody may ask without one, for no bucket here is public."""
    if key is None:
        return error(403, "AccessDenied", "Access Denied")
    return error(403, "InvalidAccessKeyId") if "invalid" in key else None
