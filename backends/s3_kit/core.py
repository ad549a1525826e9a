"""The S3 backend without its calls: construction, endpoints, credentials, and the way of one request into a thread and
back.

Queue, retries, breaker and keys are those of every backend (:mod:`backends.resilience.call`); boto3's own retries are
off. An attempt is one boto3 call in a thread of the endpoint's pool. Building a backend imports no boto3, starts no
thread and reads no credential.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, TypedDict, TypeVar

from backends import errors
from backends.base import Backend
from backends.endpoints import DEFAULT
from backends.operation import CallOptions, Repeat
from backends.parameters import bad_argument, split
from backends.provider import Provider
from backends.resilience.call import Call
from backends.resilience.failures import AttemptFailed, Blame
from backends.resilience.keys import KeyPool
from backends.resilience.supply import KeySource
from backends.s3_kit.clients import Clients, Site
from backends.s3_kit.credentials import CredentialPair, PairCredentials, PairSource, as_pair, given_pairs
from backends.s3_kit.exchange import Aborted, Exchange
from backends.s3_kit.failures import classify
from backends.s3_kit.names import check_bucket
from backends.s3_kit.replies import Progress
from backends.s3_kit.stores import Store, split_settings
from backends.s3_kit.threads import Threads
from backends.secret import Key
from backends.types import Priority

__all__ = ["Job", "Options", "ProgressCallback", "S3Core"]

T = TypeVar("T")
Job = Callable[[Any, Exchange], T]
"""One boto3 call: takes the client and the exchange, blocks, returns the reply."""
ProgressCallback = Callable[[Progress], object]

_VENDOR: Final = "https://s3.amazonaws.com"
_REGION_VARIABLES: Final = ("AWS_DEFAULT_REGION",)


class Options(TypedDict, total=False):
    """Arguments that every S3 call takes besides its own; see :class:`backends.operation.CallOptions`."""

    priority: Priority
    endpoint: str | None
    deadline: float | None
    request_id: str | None
    patience: float | None
    use_key: str | None
    tenant: str | None


class S3Core(Backend):
    """See :class:`backends.s3_kit.S3Kit`."""

    credentials: PairCredentials

    provider: ClassVar[Provider] = Provider(
        name="s3_kit",
        title="S3 Kit",
        base_url=_VENDOR,
        key_required=True,
        key_variables=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        base_url_variables=("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
        request_id_headers=("x-amz-request-id",),
    )

    def __init__(
        self,
        resources: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        failover: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        credentials_path: str | Path | None = None,
        key_source: KeySource | None = None,
        **settings: Any,
    ) -> None:
        pairs = self._pairs(api_key, api_keys, access_key_id, secret_access_key, session_token)
        store, rest = split_settings(settings)
        if rest.pop("transport", None) is not None:
            raise errors.ConfigurationError(
                "S3 goes through boto3, which takes no transport; use moto, or base_url of a simulator.",
                provider="s3_kit",
            )
        if key_source is not None and pairs:
            raise errors.ConfigurationError("Pass credentials or key_source, not both.", provider="s3_kit")
        super().__init__(
            resources,
            metadata,
            environ=environ,
            credentials_path=credentials_path,
            key_source=PairSource(key_source, self.read_pair) if key_source is not None else None,
            **rest,
        )
        self.credentials = PairCredentials(
            self.provider,
            pairs,
            metadata=metadata,
            environ=environ,
            path=Path(credentials_path) if credentials_path is not None else None,
            anonymous=store.anonymous,
            read=self.read_pair,
        )
        self._stores: dict[str, Store] = {DEFAULT: store}
        self._failover = _checked_failover(failover)
        self._clients = Clients()
        self._threads = Threads()
        self._left_behind: list[Any] = []

    # -- endpoints and keys --------------------------------------------------------------------------------------------

    def create_endpoint(
        self,
        name: str,
        base_url: str | None = None,
        api_key: str | Key | None = None,
        api_keys: Sequence[str | Key] | None = None,
        *,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        session_token: str | None = None,
        **settings: Any,
    ) -> None:
        """Add a store with its own queue, breaker, counters and credentials; use it with ``endpoint=name`` on a call.

        Args:
            name: a new name.
            base_url: its address; the backend's own when not given.
            api_key, api_keys: pairs as ``"ID:SECRET"`` or :class:`CredentialPair`.
            access_key_id, secret_access_key, session_token: one pair, in parts.
            **settings: what differs from the backend's settings, those of :class:`~backends.s3_kit.stores.Store`
                included.

        Raises:
            ConfigurationError: the name is taken or empty, a setting is wrong, or credentials are missing.
        """
        pairs = self._pairs(api_key, api_keys, access_key_id, secret_access_key, session_token)
        store, rest = split_settings(settings, self._stores[DEFAULT])
        if store.anonymous and pairs:
            raise errors.ConfigurationError("An anonymous endpoint takes no credentials.", provider="s3_kit")
        super().create_endpoint(name, base_url, None, pairs or None, **rest)
        self._stores[name] = store

    @staticmethod
    def read_pair(key: str | Key) -> CredentialPair:
        """Return the pair that a key given as one text (``"ID:SECRET"``) stands for; override it for another form."""
        return as_pair(key)

    def _pairs(
        self,
        api_key: str | Key | None,
        api_keys: Sequence[str | Key] | None,
        access_key_id: str | None,
        secret_access_key: str | None,
        session_token: str | None,
    ) -> tuple[CredentialPair, ...]:
        try:
            return given_pairs(api_key, api_keys, access_key_id, secret_access_key, session_token, self.read_pair)
        except errors.ConfigurationError as error:
            error.provider = "s3_kit"
            raise

    def _read_key(self, key: str | Key) -> CredentialPair:
        return self.read_pair(key)

    def _put_in_place(self, which: str, key: Key, endpoint: str | None) -> None:
        known = {held.name: held.fingerprint for held in self.endpoint(endpoint).key_status()}
        if key.fingerprint != known.get(which, which):
            super()._put_in_place(which, key, endpoint)
            return

        def exchange_secret(pool: KeyPool) -> None:
            pool.remove(which)
            pool.add(key)

        self._change_keys(endpoint, exchange_secret)

    def _site(self, name: str) -> Site:
        endpoint = self.endpoint(name)
        store = self._stores[endpoint.name]
        region = store.region
        if region is None and endpoint.base_url == self.base_url:
            region = self.credentials.value("region", variables=_REGION_VARIABLES)
        address = None if endpoint.base_url == _VENDOR else endpoint.base_url
        return Site(endpoint.name, address, region or "us-east-1", store, endpoint.settings, self._proxy(endpoint))

    def _bucket(self, bucket: str | None, options: CallOptions) -> str:
        """Return the bucket of a call: its own, or the endpoint's."""
        if bucket is None:
            name = options.get("endpoint") or DEFAULT
            store = self._stores.get(name)
            bucket = store.bucket if store is not None else None
            if bucket is None:
                bad_argument("bucket is missing: name one, or set bucket= on the backend or endpoint", "s3_kit")
        return check_bucket(bucket)

    def _options(self, given: Mapping[str, Any]) -> CallOptions:
        """Check the arguments common to all calls."""
        return split(given, Options, self.provider.name, body=False)[0] if given else {}

    # -- the way of one request ----------------------------------------------------------------------------------------

    async def _ask(
        self,
        name: str,
        bucket: str | None,
        options: CallOptions,
        job: Job[T],
        *,
        repeat: Repeat = Repeat.ALWAYS,
        bounded: bool = True,
        progress: ProgressCallback | None = None,
    ) -> T:
        """Run one S3 request through queue, breaker, keys and retries.

        Args:
            name: the capability, for counters and errors.
            bucket: for counters by bucket.
            options: checked options of the call.
            job: the boto3 call; runs once per attempt, in a thread.
            repeat: when it may run again.
            bounded: its answer is read whole and must fit into ``max_response_bytes``.
            progress: where the job's progress is told.
        """
        if self._closed:
            raise errors.ClosedError("This backend is closed; make a new one.", provider="s3_kit")
        endpoint = self.endpoint(options.get("endpoint"))
        site = self._site(endpoint.name)
        largest = endpoint.settings.max_response_bytes if bounded else None

        async def attempt(call: Call[T], key: Key | None) -> T:
            exchange = Exchange(call, self._clock.monotonic, largest=largest, progress=progress)

            def in_thread() -> T:
                return self._in_thread(site, exchange, key, job, repeat)

            return await self._threads.exchange(endpoint.name, endpoint.admission.limit, exchange, in_thread)

        call: Call[T] = self._call(name, bucket, attempt, options, endpoint)
        call.asked = {}  # a request of any kind may be charged
        return await self._run(call, endpoint)

    def _in_thread(self, site: Site, exchange: Exchange, key: Key | None, job: Job[T], repeat: Repeat) -> T:
        try:
            with exchange.active():
                client = self._clients.get(site, key if isinstance(key, CredentialPair) else None)
                return job(client, exchange)
        except AttemptFailed:
            raise
        except Aborted:
            raise AttemptFailed(
                errors.ClosedError("The backend was closed."), Blame.REQUEST, repeatable=False, kind="closed"
            ) from None
        except Exception as problem:
            if type(problem).__name__ == "NoCredentialsError":
                problem = self.credentials.missing()
            raise classify(
                problem, key, repeat, self._clock.time(), sent=exchange.sent, body=exchange.error_body
            ) from _kept(problem)

    # -- lifecycle -----------------------------------------------------------------------------------------------------

    def _abandon_wire(self) -> None:
        # Kept, not closed: collecting them would warn of sockets that are the parent's to close.
        self._left_behind.append((self._clients, self._threads))
        self._clients = Clients()
        self._threads = Threads()

    def _holds_wire(self) -> bool:
        return self._threads.started

    async def _close_wire(self) -> None:
        await self._threads.close()
        self._clients.close()


def _kept(problem: BaseException) -> BaseException | None:
    """Return the cause worth keeping: botocore's exceptions hold requests with signatures, and are not."""
    return problem.__cause__ if isinstance(problem, errors.BackendError) else None


def _checked_failover(names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not all(isinstance(name, str) and name for name in names):
        raise errors.ConfigurationError("failover must be a list of endpoint names.", provider="s3_kit")
    return tuple(names)
