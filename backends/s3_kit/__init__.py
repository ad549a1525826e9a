"""S3 Kit: model storage on S3 and compatible stores (MinIO, Ceph), through boto3, under the same runtime as every
backend.

boto3 is imported at the first call (``pip install 'backends-conformance[s3]'``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from backends.s3_kit.buckets import BucketCalls
from backends.s3_kit.credentials import CredentialPair
from backends.s3_kit.models import ModelCalls
from backends.s3_kit.presign import PresignCalls
from backends.s3_kit.replies import (
    Buckets,
    Deleted,
    Done,
    Downloaded,
    Listing,
    ModelTransfer,
    ObjectEntry,
    ObjectInfo,
    PartInfo,
    Presigned,
    Progress,
    Uploaded,
    UploadInfo,
    Uploads,
)

__all__ = [
    "Buckets",
    "CredentialPair",
    "Deleted",
    "Done",
    "Downloaded",
    "Listing",
    "ModelTransfer",
    "ObjectEntry",
    "ObjectInfo",
    "PartInfo",
    "Presigned",
    "Progress",
    "S3Kit",
    "UploadInfo",
    "Uploaded",
    "Uploads",
]


class S3Kit(ModelCalls, PresignCalls, BucketCalls):
    """Objects, buckets and whole model folders on S3.

    Args:
        resources, metadata: as for every backend; ``metadata`` may hold ``s3_kit_access_key_id``,
            ``s3_kit_secret_access_key``, ``s3_kit_session_token``, ``s3_kit_region``, ``s3_kit_endpoint_url``.
        access_key_id, secret_access_key, session_token: one pair. api_key, api_keys: one or several pairs, as
            :class:`CredentialPair` or ``"ID:SECRET"``.
        base_url: address of the store; AWS in the region when neither it, ``AWS_ENDPOINT_URL_S3`` nor
            ``AWS_ENDPOINT_URL`` is given.
        failover: names of endpoints that reads may fall back to, in order.
        **settings: those of :class:`backends.settings.Settings` and :class:`backends.s3_kit.stores.Store`
            (``style``, ``region``, ``bucket``, ``addressing``, ``checksums``, ``multipart_threshold``, ``part_size``,
            ...).

    A key is a pair wherever keys are changed as well (:meth:`add_key`, :meth:`rotate_key`), and its fingerprint is that of
    the id alone: a new secret for the same id is a rotation, too.

    A deadline ends a call at once and wakes its thread by shutting its socket; only the making of a connection cannot
    be interrupted, and lasts ``connect_timeout`` at most. Composite calls (parts of an upload, files of a model, pages
    of a listing) share one deadline; each of their requests goes through the queue on its own.

    Raises:
        ConfigurationError: an argument is wrong. Missing credentials are reported by the first call.
    """

    refusals: ClassVar[Mapping[str, str]] = {
        "append": "an object is stored whole; upload it anew, or use the multipart calls.",
        "rename": "an object has no name of its own to change; copy it, then delete the original.",
        "select": "S3 Select was closed to new customers on 2024-07-25; download the object, or a byte_range of it.",
    }
