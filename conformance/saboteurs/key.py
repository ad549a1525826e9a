"""Saboteurs of chapter KEY: keys that leak, wander, rest too long or not at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from backends.errors import ConfigurationError
from backends.resilience.endpoint import Endpoint
from backends.resilience.failures import AttemptFailed, Blame
from backends.resilience.keys import KeyLease, KeyPool
from backends.secret import Key
from conformance.saboteurs import EVERY_ROW, saboteur
from conformance.saboteurs.bak import judging
from conformance.saboteurs.common import patched_endpoint, spoilt_keys


def _with_pool(backend: Any, kind: type[KeyPool]) -> None:
    def change(endpoint: Endpoint) -> None:
        settings = endpoint.settings
        endpoint.pool = kind(
            endpoint.pool.keys(), strategy=endpoint.pool.strategy, per_key_limit=settings.per_key_limit
        )

    patched_endpoint(backend, change)


@saboteur("KEY-01", "asks the environment before the arguments")
def environment_first(backend: Any) -> None:
    """What happens to be set on the machine wins."""
    chain = backend.credentials
    keys = chain.keys
    chain.keys = lambda: chain._environment_keys() or keys()


@saboteur("KEY-02", "shows the line of the file that it cannot read")
def quotes_the_file(backend: Any) -> None:
    """The parser's own message is passed on."""
    chain = backend.credentials
    keys = chain.keys

    def spoilt() -> Any:
        try:
            return keys()
        except ConfigurationError as error:
            if chain._path is None or not chain._path.exists():
                raise
            raise ConfigurationError(f"{error.message} The file says: {chain._path.read_text()}") from None

    chain.keys = spoilt


@saboteur("KEY-02", "reads a file that everybody can read")
def careless_about_modes(backend: Any) -> None:
    """The mode is not looked at."""
    chain = backend.credentials
    keys = chain.keys

    def spoilt() -> Any:
        path = chain._path
        if path is not None and path.exists():
            path.chmod(0o600)
        return keys()

    chain.keys = spoilt


@saboteur("KEY-03", "calls without a key and lets the server complain")
def calls_without_a_key(backend: Any) -> None:
    """The 401 comes from the network."""
    chain = backend.credentials
    keys = chain.keys

    def spoilt() -> Any:
        try:
            return keys()
        except ConfigurationError:
            return ()

    chain.keys = spoilt


@saboteur("KEY-04", "always takes the first key")
def first_key_always(backend: Any) -> None:
    """The others are for show."""

    class First(KeyPool):
        def _lease(self, entry: Any, demand: Any, now: float) -> KeyLease:
            lease = super()._lease(entry, demand, now)
            self._cursor = 0
            return lease

    _with_pool(backend, First)


@saboteur("KEY-04", "counts load by a number that nobody lowers")
def load_that_only_grows(backend: Any) -> None:
    """Least-loaded pins the key that failed least (litellm#39322)."""

    class Growing(KeyPool):
        def release(self, lease: KeyLease) -> bool:
            released = super().release(lease)
            if lease.entry.totals.requests % 2:
                lease.entry.in_flight += 1
            return released

    _with_pool(backend, Growing)


@saboteur("KEY-05", "rests every key after one 429")
def rests_them_all(backend: Any) -> None:
    """One tired key stops the fleet."""

    class Together(KeyPool):
        def cool(self, lease: KeyLease, until: float) -> None:
            for entry in self._entries:
                entry.cooling_until = max(entry.cooling_until, until)

    _with_pool(backend, Together)


@saboteur("KEY-05", "never rests a key", subjects=EVERY_ROW)
def never_rests(backend: Any) -> None:
    """The next request meets the same 429."""

    class Restless(KeyPool):
        def cool(self, lease: KeyLease, until: float) -> None:
            del lease, until

    _with_pool(backend, Restless)


@saboteur("KEY-06", "spends a retry, with its sleep, on each dead key")
def sleeps_on_dead_keys(backend: Any) -> None:
    """Seven dead keys and three retries: the request fails (bifrost#5876)."""

    def change(failure: AttemptFailed) -> None:
        if failure.blame is Blame.KEY_REFUSED:
            failure.blame = Blame.CONTENTION

    judging(backend, change)


@saboteur("KEY-06", "keeps using refused keys")
def forgives_refused_keys(backend: Any) -> None:
    """Every third request walks past the dead keys again."""

    class Forgiving(KeyPool):
        def retire(self, lease: KeyLease, reason: str) -> None:
            del lease, reason

    _with_pool(backend, Forgiving)


@saboteur("KEY-07", "does not count what failed", subjects=EVERY_ROW)
def forgets_failures(backend: Any) -> None:
    """The usage per key is smaller than the bill."""

    class Rosy(KeyPool):
        def record(self, lease: KeyLease, usage: Any, failed: bool) -> None:
            if not failed:
                super().record(lease, usage, failed)

    _with_pool(backend, Rosy)


@saboteur("KEY-07", "loses a key's count in flight on errors")
def leaks_leases(backend: Any) -> None:
    """Nobody decrements on error."""

    class Leaking(KeyPool):
        failed = False

        def record(self, lease: KeyLease, usage: Any, failed: bool) -> None:
            super().record(lease, usage, failed)
            type(self).failed = failed

        def release(self, lease: KeyLease) -> bool:
            return False if type(self).failed else super().release(lease)

    _with_pool(backend, Leaking)


@saboteur("KEY-08", "goes on with a key that was rotated out")
def keeps_rotated_keys(backend: Any) -> None:
    """Rotation adds the new key and forgets to take the old one out."""

    class Hoarding(KeyPool):
        def rotate(self, which: str, new_key: Key) -> None:
            del which
            self.add(new_key)

    _with_pool(backend, Hoarding)


@saboteur("KEY-09", "sends the default key to every endpoint")
def one_key_for_all(backend: Any) -> None:
    """Endpoints differ in their address only."""
    first = backend.credentials.keys()

    def change(endpoint: Endpoint) -> None:
        endpoint.pool = KeyPool(first)

    patched_endpoint(backend, change)


@saboteur("KEY-09", "follows redirects with the key")
def follows_anywhere(backend: Any) -> None:
    """The key goes where the answer points."""
    from backends.wire.values import Failure, WireError

    make = backend._client

    def spoilt(endpoint: Any) -> Any:
        client = make(endpoint)
        if "open" in vars(client):
            return client
        whole = client.open
        redirected: list[str] = []
        once = client._once

        async def noting(*arguments: Any) -> Any:
            response = await once(*arguments)
            redirected.append(response.headers.get("location", ""))
            return response

        async def followed(request: Any) -> Any:
            try:
                return await whole(request)
            except WireError as problem:
                if problem.failure is not Failure.REDIRECT:
                    raise
                return await whole(replace(request, url=redirected[-1]))

        client._once = noting
        client.open = followed
        return client

    backend._client = spoilt


@saboteur("KEY-10", "shows the provider's message as it is")
def repeats_the_message(backend: Any) -> None:
    """Providers quote the key in their errors."""
    spoilt_keys(backend, hide=lambda key, text: text)


@saboteur("KEY-10", "puts the key into the address")
def key_in_the_address(backend: Any) -> None:
    """?key=... reaches every log on the way (litellm#24902)."""
    send = backend._send

    async def spoilt(work: Any, call: Any, key: Any) -> Any:
        path = work.path
        work.path = f"{path}?key={key.reveal()}" if key is not None and "?" not in path else path
        try:
            return await send(work, call, key)
        finally:
            work.path = path

    backend._send = spoilt


@saboteur("KEY-11", "spreads calls with one beginning over all keys")
def no_affinity(backend: Any) -> None:
    """Round robin defeats the provider's prompt cache (GoModel#516)."""

    class Scattered(KeyPool):
        def acquire(
            self,
            now: float,
            *,
            tried: Collection[str] = (),
            affinity: bytes | None = None,
            only: str | None = None,
            demand: Any = None,
        ) -> Any:
            del affinity
            return super().acquire(now, tried=tried, only=only, demand=demand)

    _with_pool(backend, Scattered)


@saboteur("KEY-12", "ignores the limit per key")
def no_limit_per_key(backend: Any) -> None:
    """The setting is accepted and inert."""

    def change(endpoint: Endpoint) -> None:
        endpoint.pool = KeyPool(endpoint.pool.keys(), strategy=endpoint.pool.strategy)

    patched_endpoint(backend, change)
