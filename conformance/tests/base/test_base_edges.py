"""Proxies, certificates and sources of keys: what they take, what they refuse, what they show; when keys are fetched."""

from __future__ import annotations

import asyncio
import pickle
import ssl
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backends import LLVM, OpenAI, S3Kit, errors
from backends.key_sources import CallableSource, ClientCredentials, FileSource, Issued
from backends.resilience.freshness import Freshness, Standing
from backends.s3_kit.credentials import CredentialPair
from backends.secret import Key
from backends.settings import Settings
from backends.wire.route import Proxy, proxy_for

# -- proxies -----------------------------------------------------------------------------------------------------------


def test_a_proxy_shows_no_password() -> None:
    proxy = Proxy("http://us%40er:pass%2Fword@proxy.example.com:3128/")
    assert proxy.address == "http://proxy.example.com:3128"
    assert proxy.credentials() == ("us@er", "pass/word")
    assert proxy.url() == "http://us%40er:pass%2Fword@proxy.example.com:3128"
    assert "word" not in repr(proxy) + repr(Settings(proxy=proxy.url()))
    with pytest.raises(TypeError):
        pickle.dumps(proxy)


@pytest.mark.parametrize(
    ("address", "environ", "expected"),
    [
        ("https://api.example.com", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://api.example.com", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://api.example.com", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://api.example.com", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://api.example.com", {"ALL_PROXY": "http://p:2"}, "http://p:2"),
        ("https://api.example.com", {"HTTPS_PROXY": " ", "ALL_PROXY": "http://p:2"}, "http://p:2"),
        ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, None),
        ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*.example.com"}, None),
        ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "a, .example.com"}, None),
        ("https://api.example.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://badexample.com", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "http://p:1"),
        ("https://api.example.com:8443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example.com:8443"}, None),
        ("https://api.example.com:8443", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "api.example.com:1"}, "http://p:1"),
        ("https://api.example.com", {}, None),
    ],
)
def test_what_the_environment_says_of_proxies(address: str, environ: dict[str, str], expected: str | None) -> None:
    found = proxy_for(address, environ)
    assert (found.address if found is not None else None) == expected


def test_a_wrong_variable_is_named_without_its_value() -> None:
    with pytest.raises(ValueError, match="HTTPS_PROXY") as caught:
        proxy_for("https://x.example.com", {"HTTPS_PROXY": "socks5://user:word@p:1"})
    assert "word" not in str(caught.value)
    backend = OpenAI(api_key="sk-a", proxy="environment", environ={"HTTPS_PROXY": "ftp://p:1"})
    with pytest.raises(errors.ConfigurationError, match="HTTPS_PROXY"):
        backend.chat([{"role": "user", "content": "hello"}])
    backend.close()


def test_connections_that_are_not_ours_take_no_settings() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200))
    for settings in ({"proxy": "http://p:1"}, {"client_certificate": "client.pem"}):
        with pytest.raises(errors.ConfigurationError, match="transport of your own"):
            OpenAI(api_key="sk-a", transport=transport, **settings)
        with pytest.raises(errors.ConfigurationError, match=next(iter(settings))):
            LLVM(**settings)
    context = ssl.create_default_context()
    with pytest.raises(errors.ConfigurationError, match="context that is given as verify"):
        Settings(verify=context, client_certificate="client.pem")


# -- when keys are fetched ---------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 100)),
        st.tuples(st.just("ask"), st.just(0.0)),
        st.tuples(st.just("came"), st.floats(0.001, 200)),
        st.tuples(st.just("failed"), st.floats(0, 20)),
        st.tuples(st.just("given up"), st.just(0.0)),
        st.tuples(st.just("refused"), st.just(0.0)),
    ),
    max_size=40,
)


@given(STEPS)
def test_one_fetches_and_nobody_uses_what_has_ended(steps: list[tuple[str, float]]) -> None:
    freshness, now, fetching, ends = Freshness(), 0.0, False, float("-inf")
    for step, amount in steps:
        if step == "pass":
            now += amount
        elif step == "ask":
            standing = freshness.standing(now)
            if standing.do == "go":
                assert now < ends
            elif standing.do == "fetch":
                assert not fetching
                fetching = True
            else:
                assert now >= ends
                assert fetching if standing.until is None else standing.until > now
        elif step == "refused":
            if freshness.refused(now) and not fetching:
                ends = float("-inf")
        elif fetching:
            fetching = False
            if step == "came":
                freshness.came(now, amount, None)
                ends = now + amount
            elif step == "failed":
                assert freshness.failed(now, amount) == (now < ends)
            else:
                freshness.given_up()
    now += 1000.0
    if not fetching:
        assert freshness.standing(now).do == "fetch"


def test_keys_are_fetched_before_they_end() -> None:
    freshness = Freshness()
    assert freshness.standing(0.0).do == "fetch"
    freshness.came(0.0, 3600.0, None)
    assert freshness.standing(3539.0).do == "go"
    assert freshness.standing(3541.0).do == "fetch"
    assert freshness.standing(3542.0).do == "go"
    assert freshness.standing(3600.0).do == "wait"


def test_keys_of_a_short_life_are_fetched_when_a_tenth_of_it_is_left() -> None:
    """Or when the source says; until then everybody goes on."""
    freshness = Freshness()
    freshness.standing(0.0)
    freshness.came(100.0, 50.0, None)
    assert freshness.standing(144.9).do == "go"
    assert freshness.standing(145.0).do == "fetch"
    freshness.came(145.0, 50.0, 10.0)
    assert freshness.standing(154.9).do == "go"
    assert freshness.standing(155.0).do == "fetch"
    freshness.came(155.0, None, None)
    assert freshness.standing(1e12).do == "go"
    assert freshness.fetched == 3


def test_a_failed_fetch_is_tried_again_at_its_time() -> None:
    """Whoever asks before learns when to come back; keys that are still good go on."""
    freshness = Freshness()
    freshness.standing(0.0)
    assert not freshness.failed(0.0, 4.0)
    assert freshness.standing(3.9) == Standing("wait", 4.0)
    assert freshness.standing(4.0) == Standing("fetch")
    assert freshness.standing(4.0) == Standing("wait")
    freshness.given_up()
    assert freshness.standing(4.0) == Standing("fetch")
    assert not freshness.failed(5.0, 1.0)
    assert (freshness.fetched, freshness.failures) == (0, 2)
    freshness.standing(6.0)
    freshness.came(6.0, 10.0, 1.0)
    assert (freshness.fetched, freshness.failures) == (1, 0)
    freshness.standing(7.0)
    assert freshness.failed(15.0, 4.0)
    assert freshness.standing(15.9).do == "go"
    freshness.standing(19.0)
    assert not freshness.failed(19.0, 1.0)


def test_a_refusal_asks_for_other_keys_unless_these_have_just_come() -> None:
    freshness = Freshness()
    freshness.standing(0.0)
    freshness.came(0.0, None, None)
    assert not freshness.refused(0.9)
    assert freshness.standing(0.9).do == "go"
    assert freshness.refused(1.0)
    assert freshness.standing(1.0).do == "fetch"
    assert freshness.refused(1.0)
    assert freshness.standing(1.0) == Standing("wait")


# -- sources -----------------------------------------------------------------------------------------------------------


async def test_a_file_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# of the vault\nsk-a\n\n  sk-b  \n")
    issued = await FileSource(path, every=5.0).fetch()
    assert issued.keys == (Key("sk-a"), Key("sk-b"))
    assert issued.again_after == 5.0
    for content, says in ((b"# none\n", "gave no key"), (b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "too large")):
        path.write_bytes(content)
        with pytest.raises(errors.ConfigurationError, match=says):
            await FileSource(path).fetch()
    with pytest.raises(errors.ConfigurationError, match="cannot be read"):
        await FileSource(tmp_path / "nowhere").fetch()


class _Vault:
    """Asynchronous by its ``__call__``: it must be asked on the loop, where its connections live."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()

    async def __call__(self) -> str:
        return "sk-a" if threading.current_thread() is self.thread else "sk-from-a-thread"


async def test_a_function_of_keys() -> None:
    async def later() -> list[str]:
        return ["sk-a", "sk-b"]

    assert (await CallableSource(lambda: "sk-a").fetch()).keys == (Key("sk-a"),)
    assert (await CallableSource(later, every=7.0).fetch()).again_after == 7.0
    assert (await CallableSource(lambda: Issued((Key("sk-a"),), good_for=3.0)).fetch()).good_for == 3.0
    assert (await CallableSource(_Vault()).fetch()).keys == (Key("sk-a"),)
    with pytest.raises(errors.ConfigurationError, match="gave no key"):
        await CallableSource(list).fetch()
    with pytest.raises(errors.TransportError, match="KeyError") as caught:
        await CallableSource(lambda: {}["sk-secret"]).fetch()
    assert "sk-secret" not in str(caught.value)
    assert "sk-secret" not in repr(caught.value.__cause__)


async def test_a_slow_function_is_not_waited_for() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    with pytest.raises(errors.TransportError, match="nothing within"):
        await CallableSource(never, within=0.01).fetch()


def service(status: int, body: Any) -> ClientCredentials:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, **({"content": body} if isinstance(body, bytes) else {"json": body}))

    return ClientCredentials(
        "https://login.example.com/token",
        "id",
        "client-secret",
        authentication="body",
        transport=httpx.MockTransport(answer),
    )


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": "invalid_scope"}, errors.AuthenticationError),
        (401, {"error": "client-secret"}, errors.AuthenticationError),
        (429, {}, errors.RateLimitError),
        (503, b"<html>", errors.ServerError),
        (200, {}, errors.ResponseFormatError),
        (200, b"[]", errors.ResponseFormatError),
        (200, b"not json", errors.ResponseFormatError),
        (200, {"access_token": "a", "token_type": "mac"}, errors.ResponseFormatError),
        (200, {"access_token": "a\nb"}, errors.ConfigurationError),
        (200, b"x" * 300_000, errors.TransportError),
    ],
)
async def test_what_a_token_service_may_answer(status: int, body: Any, kind: type[errors.BackendError]) -> None:
    with pytest.raises(kind) as caught:
        await service(status, body).fetch()
    assert "client-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60, 60.0), ("60", 60.0), (0, 300.0), (-5, 300.0), (1e300, 300.0), ("soon", 300.0), (None, 300.0), (True, 300.0)],
)
async def test_how_long_a_token_is_good_for(seconds: Any, expected: float) -> None:
    issued = await service(200, {"access_token": "a", "token_type": "bearer", "expires_in": seconds}).fetch()
    assert issued.good_for == expected


def test_bad_sources_are_refused_by_name() -> None:
    for make, names in (
        (lambda: FileSource("x", every=0), "every"),
        (lambda: CallableSource("no function"), "function"),
        (lambda: CallableSource(list, within=-1), "within"),
        (lambda: ClientCredentials("http://login.example.com", "id", "s"), "token_url"),
        (lambda: ClientCredentials("login", "id", "s"), "token_url"),
        (lambda: ClientCredentials("https://login.example.com", "", "s"), "client_id"),
        (lambda: ClientCredentials("https://login.example.com", "id", "s", authentication="none"), "authentication"),
        (lambda: OpenAI(api_key="sk-a", key_source=FileSource("x")), "key_source"),
        (lambda: LLVM(key_source=FileSource("x")), "key_source"),
        (lambda: S3Kit(api_key="a:b", key_source=FileSource("x")), "key_source"),
    ):
        with pytest.raises(errors.ConfigurationError, match=names):
            make()


async def test_a_source_of_pairs() -> None:
    backend = S3Kit(key_source=CallableSource(lambda: "AKID:secret:token"))
    endpoint = backend.endpoint()
    assert endpoint.supply is not None
    issued = await endpoint.supply.source.fetch()
    assert isinstance(issued.keys[0], CredentialPair)
    await backend.aclose()


async def test_an_endpoint_has_a_source_of_its_own() -> None:
    sent: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers["authorization"])
        return httpx.Response(500, json={"error": {"message": "no"}})

    backend = OpenAI(api_key="sk-main", transport=httpx.MockTransport(answer), max_retries=0)
    backend.create_endpoint("gateway", base_url="https://gw.example.com", key_source=CallableSource(lambda: "sk-gw"))
    for endpoint in (None, "gateway"):
        with pytest.raises(errors.ServerError):
            await backend.achat([{"role": "user", "content": "hello"}], endpoint=endpoint)
    assert sent == ["Bearer sk-main", "Bearer sk-gw"]
    await backend.aclose()


async def test_a_tenant_has_a_budget() -> None:
    backend = OpenAI(
        api_key="sk-a", max_cost_per_tenant=0.0, prices={"gpt-6-luna": {"input": 1.0, "output": 1.0}}, max_retries=0
    )
    with pytest.raises(errors.BudgetExceededError, match="tenant 'north'"):
        await backend.achat([{"role": "user", "content": "hello"}], model="gpt-6-luna", tenant="north")
    await backend.aclose()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a%2Fb:p%2Fw@proxy.example.com", "Proxy('http://proxy.example.com:80', with credentials)"),
        ("http://:word@[::1]:3128", "Proxy('http://[::1]:3128', with credentials)"),
        ("http://proxy.example.com:3128/", "Proxy('http://proxy.example.com:3128')"),
    ],
)
def test_a_proxys_address_is_read_back_as_it_was(url: str, shown: str) -> None:
    """With the port that HTTP has when none is named, and with what must be escaped escaped."""
    proxy = Proxy(url)
    assert repr(proxy) == shown
    assert Proxy(proxy.url()) == proxy
    assert hash(Proxy(proxy.url())) == hash(proxy)
    assert Proxy("http://other.example.com") != proxy


@pytest.mark.parametrize(
    "url",
    [
        "https://p:1",
        "http://",
        "http://p:1/path",
        "http://p:1?query",
        "http://p:1#part",
        "http://p:port",
        "http://u%0A:p:port@p:1",
        7,
    ],
)
def test_what_is_no_proxy(url: Any) -> None:
    with pytest.raises(ValueError, match=r"must be|holds control characters") as caught:
        Proxy(url)
    assert "p:port" not in str(caught.value)
