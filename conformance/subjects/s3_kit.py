"""S3 Kit under the contract; the calls it declares stand in :mod:`conformance.subjects.s3_kit_calls`.

The representative call downloads an object that the simulator makes for the request. Checks pass a key as one text; here
it becomes the access key id of a pair, so that the fingerprints at both ends agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from backends.s3_kit import CredentialPair, S3Kit
from backends.secret import Key
from conformance.simulators.s3_kit.models import BUCKET
from conformance.subject import Live, Site, Subject, standard_arguments
from conformance.subjects.s3_kit_calls import DECLARED

__all__ = ["SUBJECT"]


class _Contracted(S3Kit):
    """Takes a key that is one text for an access key id, with a secret made from it."""

    @staticmethod
    def read_pair(key: str | Key) -> CredentialPair:
        if isinstance(key, CredentialPair):
            return key
        text = key.reveal() if isinstance(key, Key) else Key(key).reveal()
        return CredentialPair(text, f"secret-of-{text}", name=key.name if isinstance(key, Key) else None)


def _make(site: Site, **settings: Any) -> S3Kit:
    return _Contracted(**standard_arguments(site, settings, bucket=BUCKET))


def _live(environ: Mapping[str, str]) -> S3Kit:
    return S3Kit(environ=environ, bucket=environ.get("S3_TEST_BUCKET"), max_retries=1)


def _key(text: str) -> str:
    """An object's key for a text: what cannot stand in a key is escaped."""
    return f"nonce/{quote(text, safe=' +')[:900]}"


SUBJECT: Final = Subject(
    name="s3_kit",
    title="S3 Kit",
    tags=frozenset({"keys", "key_required", "sync", "s3"}),
    make=_make,
    call=lambda backend, text, **options: backend.adownload(_key(text), **options),
    call_name="download",
    call_arguments=lambda text: (_key(text),),
    call_path="*/nonce/*",
    provider="s3_kit",
    declared=DECLARED,
    not_applicable={
        "KEY-11": "an object store has no prompt cache that a credential could keep warm",
        "BAK-08": "S3 knows no credit or daily quota; a full store (507) and Ceph's QuotaExceeded are not repeated: ERR-01",
    },
    refusals=tuple(S3Kit.refusals),
    sources=("backends.s3_kit",),
    live=Live(variables=("AWS_ACCESS_KEY_ID",), make=_live),
)
