"""What went wrong in a thread, as the error tree and the call path know it: codes of S3, exceptions of botocore.

Sources: S3 API reference, "Error responses"; codes of MinIO and Ceph as their servers send them. Codes decide before
the status, for S3 puts a refused credential, an expired one and a missing permission under 400 and 403 alike.

An ``AccessDenied`` speaks of one object or bucket, not of the credential: the pair stays in service. Refused
credentials (``InvalidAccessKeyId``, ``SignatureDoesNotMatch``, ``ExpiredToken``) retire their pair.
"""

from __future__ import annotations

from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from typing import Any, Final

from backends import errors
from backends.operation import Repeat
from backends.reading import error_text
from backends.resilience import hints
from backends.resilience.failures import AttemptFailed, Blame, error_class, failed_answer, failed_format, failed_wire
from backends.s3_kit.exchange import TooLargeError
from backends.secret import Key
from backends.wire import jsontext
from backends.wire.values import Failure, FormatError, WireError

__all__ = ["CODES", "classify", "client_error", "code_of"]

_LARGEST_MESSAGE: Final = 2_000

CODES: Final[dict[str, type[errors.BackendError]]] = {
    "AccessDenied": errors.PermissionDeniedError,
    "AccountProblem": errors.PermissionDeniedError,
    "AllAccessDisabled": errors.PermissionDeniedError,
    "AuthorizationHeaderMalformed": errors.InvalidRequestError,
    "BadDigest": errors.InvalidRequestError,
    "BucketAlreadyExists": errors.InvalidRequestError,
    "BucketAlreadyOwnedByYou": errors.InvalidRequestError,
    "BucketNotEmpty": errors.InvalidRequestError,
    "ConditionalRequestConflict": errors.ServerError,
    "EntityTooLarge": errors.InvalidRequestError,
    "EntityTooSmall": errors.InvalidRequestError,
    "ExpiredToken": errors.AuthenticationError,
    "InternalError": errors.ServerError,
    "InvalidAccessKeyId": errors.AuthenticationError,
    "InvalidArgument": errors.InvalidRequestError,
    "InvalidBucketName": errors.InvalidRequestError,
    "InvalidDigest": errors.InvalidRequestError,
    "InvalidObjectState": errors.InvalidRequestError,
    "InvalidPart": errors.InvalidRequestError,
    "InvalidPartOrder": errors.InvalidRequestError,
    "InvalidRange": errors.InvalidRequestError,
    "InvalidRequest": errors.InvalidRequestError,
    "InvalidSecurity": errors.AuthenticationError,
    "InvalidToken": errors.AuthenticationError,
    "KeyTooLongError": errors.InvalidRequestError,
    "MalformedXML": errors.InvalidRequestError,
    "MethodNotAllowed": errors.UnsupportedError,
    "MissingContentLength": errors.InvalidRequestError,
    "MissingContentMD5": errors.InvalidRequestError,
    "NoSuchBucket": errors.NotFoundError,
    "NoSuchKey": errors.NotFoundError,
    "NoSuchUpload": errors.NotFoundError,
    "NoSuchVersion": errors.NotFoundError,
    "NotImplemented": errors.UnsupportedError,
    "NotSignedUp": errors.PermissionDeniedError,
    "OperationAborted": errors.ServerError,
    "PermanentRedirect": errors.InvalidRequestError,
    "PreconditionFailed": errors.InvalidRequestError,
    "QuotaExceeded": errors.QuotaExceededError,
    "RequestTimeTooSkewed": errors.AuthenticationError,
    "RequestTimeout": errors.ServerError,
    "ServiceUnavailable": errors.OverloadedError,
    "SignatureDoesNotMatch": errors.AuthenticationError,
    "SlowDown": errors.OverloadedError,
    "TemporaryRedirect": errors.InvalidRequestError,
    "TokenRefreshRequired": errors.AuthenticationError,
    "TooManyRequests": errors.RateLimitError,
    "XAmzContentSHA256Mismatch": errors.InvalidRequestError,
    "XMinioServerNotInitialized": errors.OverloadedError,
    "XMinioStorageFull": errors.ServerError,
}
"""Error code of S3 or a compatible store -> class."""

_REPEAT_LATER: Final = frozenset({"RequestTimeout", "OperationAborted", "ConditionalRequestConflict"})
_FINAL: Final = frozenset({"XMinioStorageFull", "RequestTimeTooSkewed"})
_ADVICE: Final = {
    "RequestTimeTooSkewed": "The clock of this machine is off.",
    "PermanentRedirect": "The bucket lives in another region: set region.",
    "AuthorizationHeaderMalformed": "The region may be wrong: set region.",
}


def code_of(problem: Any) -> str:
    """Return the code of a ClientError; for an answer without a body it is the status as text."""
    error = problem.response.get("Error", {})
    return str(error.get("Code", ""))[:200]


def client_error(problem: Any, key: Key | None, body: bytes = b"") -> errors.BackendError:
    """Return the typed error of a ClientError, without anything secret in it.

    Args:
        problem: the ClientError.
        key: the pair that was used.
        body: the answer, for errors that are not S3's own: a gateway's page, or JSON.
    """
    about = problem.response.get("ResponseMetadata", {})
    code = code_of(problem)
    status = about.get("HTTPStatusCode")
    status = status if isinstance(status, int) else None
    said = str(problem.response.get("Error", {}).get("Message") or "")
    if body and code in ("", str(status)):
        said, found = error_text(_decoded(body))
        said, code = said or f"HTTP {status}", found or code
    message = _clean(said[:_LARGEST_MESSAGE], key)
    advice = _ADVICE.get(code)
    region = about.get("HTTPHeaders", {}).get("x-amz-bucket-region")
    if status in (301, 307, 400) and isinstance(region, str) and region.replace("-", "").isalnum():
        advice = f"The bucket lives in another region: set region={region[:63]!r}."
    if advice is not None:
        message = f"{message} {advice}".strip()
    kind = CODES.get(code) or error_class(status or 500)
    return kind(
        message or f"HTTP {status}",
        status=status,
        code=_clean(code, key) or None,
        provider_request_id=str(about.get("RequestId") or "")[:200] or None,
    )


def _decoded(body: bytes) -> Any:
    """Return an error body that is not XML of S3: JSON where it is that, else text."""
    try:
        return jsontext.loads(body, max_depth=64)
    except FormatError:
        return body.decode("utf-8", "replace")


def classify(
    problem: Exception, key: Key | None, repeat: Repeat, wall: float, *, sent: bool, body: bytes = b""
) -> AttemptFailed:
    """Return what a failed job means for the path of the call; see :mod:`backends.resilience.failures`.

    Args:
        problem: what botocore or our own reading of an answer raised.
        key: the pair that was used, to take it out of messages.
        repeat: what the operation allows.
        wall: unix seconds, for hints that are dates.
        sent: whether the request may have reached the server.
        body: the beginning of an error answer.
    """
    from botocore import exceptions
    from botocore.parsers import ResponseParserError

    if isinstance(problem, errors.BackendError):
        return AttemptFailed(problem, Blame.REQUEST, repeatable=False, kind=problem.code or "local")
    if isinstance(problem, exceptions.ClientError):
        return _refused(problem, key, repeat, wall, body)
    if isinstance(problem, exceptions.ChecksumError | exceptions.FlexibleChecksumError):
        return failed_format("The bytes do not match the checksum that came with them.", code="checksum_mismatch")
    if isinstance(problem, ResponseParserError):
        return failed_format(f"The answer is not what S3 sends: {_clean(str(problem)[:300], key)}")
    failure = _failure(problem, exceptions, sent=sent)
    if failure is not None:
        return failed_wire(WireError(failure, _clean(_brief(problem), key), sent=sent), repeat)
    if isinstance(problem, exceptions.ParamValidationError):
        return _local(errors.InvalidRequestError(_clean(str(problem)[:500], key), code="invalid_argument"))
    if isinstance(problem, exceptions.BotoCoreError):
        return _local(errors.ConfigurationError(_clean(f"boto3: {str(problem)[:500]}", key)))
    return failed_format(f"The answer cannot be read: {type(problem).__name__}: {_clean(str(problem)[:200], key)}")


def _refused(problem: Any, key: Key | None, repeat: Repeat, wall: float, body: bytes) -> AttemptFailed:
    error = client_error(problem, key, body)
    code = code_of(problem)
    headers = {
        str(name).lower(): str(value)
        for name, value in problem.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).items()
    }
    if (error.status or 0) < 300:
        # An error inside a 200 (CopyObject, CompleteMultipartUpload): its code alone speaks.
        error.status = 503 if isinstance(error, errors.OverloadedError) else 500
    failure = failed_answer(error, headers, _decoded(body) if body else None, repeat, wall)
    if hints.should_retry(headers) is not None:
        return failure
    if code in _FINAL or isinstance(error, errors.UnsupportedError):
        return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind=code)
    if code in _REPEAT_LATER:
        failure.blame = Blame.CONTENTION
        failure.repeatable = repeat is not Repeat.NEVER
    elif isinstance(error, errors.InvalidRequestError) or type(error) is errors.PermissionDeniedError:
        return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind=code)
    return failure


def _local(error: errors.BackendError) -> AttemptFailed:
    return AttemptFailed(error, Blame.REQUEST, repeatable=False, kind="local")


_BY_NAME: Final = (
    ("SSLError", Failure.TLS),
    ("ConnectTimeoutError", Failure.CONNECT_TIMEOUT),
    ("ProxyConnectionError", Failure.CONNECT),
    ("EndpointConnectionError", Failure.CONNECT),
    ("ReadTimeoutError", Failure.READ_TIMEOUT),
    ("IncompleteReadError", Failure.CUT_SHORT),
    ("ResponseStreamingError", Failure.CUT_SHORT),
)


def _failure(problem: Exception, exceptions: Any, *, sent: bool) -> Failure | None:
    for name, failure in _BY_NAME:
        if isinstance(problem, getattr(exceptions, name)):
            return failure
    if isinstance(problem, exceptions.ConnectionClosedError):
        return _closed(problem, sent=sent)
    if isinstance(problem, exceptions.HTTPClientError):
        cause = problem.kwargs.get("error")
        if isinstance(cause, TooLargeError):
            return Failure.TOO_LARGE
        if isinstance(cause, TimeoutError):
            return Failure.WRITE_TIMEOUT if sent else Failure.CONNECT_TIMEOUT
        return _closed(problem, sent=sent) if isinstance(cause, OSError | HTTPException) else Failure.PROTOCOL
    return Failure.RESET_AFTER_SENT if isinstance(problem, ConnectionError | TimeoutError) else None


def _closed(problem: Any, *, sent: bool) -> Failure:
    seen = _causes(problem.kwargs.get("error"))
    if any(type(cause).__name__ == "IncompleteRead" for cause in seen):
        return Failure.CUT_SHORT
    lost = any(isinstance(cause, RemoteDisconnected | OSError) for cause in seen)
    if not lost and any(isinstance(cause, BadStatusLine | HTTPException) for cause in seen):
        return Failure.PROTOCOL
    return Failure.RESET_AFTER_SENT if sent else Failure.RESET_BEFORE_SENT


def _causes(error: Any) -> list[Any]:
    """Return an exception of urllib3 and what it wraps, which stands among its arguments."""
    found = [error]
    for argument in getattr(error, "args", ()):
        if isinstance(argument, BaseException):
            found.append(argument)
    return found


def _brief(problem: Exception) -> str:
    cause = getattr(problem, "kwargs", {}).get("error")
    return f"{type(cause or problem).__name__}: {str(cause or problem)[:200]}"


def _clean(text: str, key: Key | None) -> str:
    """Servers quote credentials in their errors; ours never do."""
    return text if key is None else key.hide(text)
