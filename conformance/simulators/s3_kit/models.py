"""The state of one simulated store: moto's, kept apart from every other server's.

moto holds its buckets in a variable of its modules. While a request is served, that variable is ours; a lock keeps
servers in other threads out. moto is imported with the first request, not before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

__all__ = ["BUCKET", "Account"]

T = TypeVar("T")

BUCKET = "models"
"""The bucket that is there from the start."""

_serving = threading.Lock()
_application: list[Any] = []


class Account:
    """Buckets and objects of one server; lost at reset."""

    def __init__(self) -> None:
        self._buckets: Any = None

    def serve(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """Let moto answer one WSGI request; gives status, headers and body."""
        return self._with_moto(lambda: _run(environ))

    def close(self) -> None:
        """Give back the files in which moto keeps large objects; idempotent."""
        buckets, self._buckets = self._buckets, None
        if buckets is not None:
            with _serving:
                _dispose(buckets)

    def _with_moto(self, work: Callable[[], T]) -> T:
        # Variables that these modules do not declare as their own, hence by name.
        models: Any = import_module("moto.s3.models")
        account = import_module("moto.core").DEFAULT_ACCOUNT_ID
        responses: Any = import_module("moto.s3.responses")
        with _serving:
            kept = models.s3_backends
            fresh = self._buckets is None
            if fresh:
                self._buckets = models.S3BackendDict(
                    models.S3Backend, "s3", use_boto3_regions=False, additional_regions=models.PARTITION_NAMES
                )
            models.s3_backends = responses.s3_backends = self._buckets
            try:
                if fresh:
                    self._buckets[account]["aws"].create_bucket(BUCKET, "us-east-1")
                return work()
            finally:
                models.s3_backends = responses.s3_backends = kept


def _dispose(buckets: Any) -> None:
    """Close what one server has stored, and take it out of moto's lists, which otherwise keep it for good."""
    models: Any = import_module("moto.s3.models")
    for backend in (backend for account in buckets.values() for backend in account.values()):
        for bucket in backend.buckets.values():
            for _, versions in bucket.keys.lists():
                for version in versions:
                    if isinstance(version, models.FakeKey):  # the others mark deletions
                        version.dispose()
            for upload in bucket.multiparts.values():
                upload.dispose()
    keys, uploads = models.FakeKey, models.FakeMultipart
    keys.instances_tracked = [key for key in keys.instances_tracked if not key.disposed]
    uploads.instances_tracked = [
        upload for upload in uploads.instances_tracked if not all(part.disposed for part in upload.parts.values())
    ]
    used = buckets._instances  # moto has no way to end one of several
    used[:] = [each for each in used if each is not buckets]


def _run(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    from moto.moto_server.werkzeug_app import create_backend_app
    from werkzeug.test import run_wsgi_app

    if not _application:
        _application.append(create_backend_app("s3"))
    pieces, status, headers = run_wsgi_app(_application[0], environ)
    return int(status.partition(" ")[0]), list(headers.items()), b"".join(pieces)
