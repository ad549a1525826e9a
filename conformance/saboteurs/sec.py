"""Saboteurs of chapter SEC: trusting strangers, letting text out of its place, executing what was received."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from backends.wire.route import Route
from conformance.saboteurs import saboteur
from conformance.saboteurs.key import follows_anywhere


@saboteur("SEC-01", "verifies no certificate", maker=True)
def trusts_everybody(make: Callable[..., Any]) -> Callable[..., Any]:
    """verify=False made the test pass."""

    def trusting(site: Any, **settings: Any) -> Any:
        return make(site, **{"verify": False, **settings})

    return trusting


@saboteur("SEC-01", "does not look at the certificate's name")
def any_name_will_do(backend: Any) -> None:
    """A certificate for anything opens every door."""
    make = backend._client

    def spoilt(endpoint: Any) -> Any:
        fresh = endpoint.name not in backend._clients
        client = make(endpoint)
        verify = endpoint.settings.verify
        if fresh and isinstance(verify, str):
            context = ssl.create_default_context(cafile=verify)
            context.check_hostname = False
            client._transport._route = Route(context)
        return client

    backend._client = spoilt


@saboteur("SEC-01", "sends keys in clear text to anybody")
def sends_in_clear_text(backend: Any) -> None:
    """The address is the caller's business."""
    backend._check_address = lambda *arguments: None


@saboteur("SEC-01", "refuses clear text even where it was asked for")
def never_in_clear_text(backend: Any) -> None:
    """The switch has no wire behind it."""
    check = backend._check_address

    def spoilt(address: str, has_keys: bool, settings: Any) -> None:
        check(address, has_keys, type(settings)())

    backend._check_address = spoilt


@saboteur("SEC-01", "follows a redirect into clear text")
def follows_into_clear_text(backend: Any) -> None:
    """https today, http tomorrow."""
    follows_anywhere(backend)


def _on_one_line(value: Any) -> Any:
    if isinstance(value, dict):
        return {_on_one_line(name): _on_one_line(inner) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    return "".join(character if character.isprintable() else "-" for character in value)


@saboteur("SEC-02", "mends headers instead of refusing them")
def mends_headers(backend: Any) -> None:
    """What arrives is not what was said, and nobody is told."""
    work = backend._work

    def mended(operation: Any, endpoint: Any, options: Any) -> Any:
        extra = "".join(map(str, _on_one_line(dict(options.get("extra_headers") or {})).values()))
        return work(operation, endpoint, {**options, "extra_headers": {"X-Mended": extra}} if extra else options)

    backend._work = mended


@saboteur("SEC-02", "lets headers through unchecked")
def unchecked_headers(backend: Any) -> None:
    """The HTTP library will see to it."""
    work = backend._work

    def unchecked(operation: Any, endpoint: Any, options: Any) -> Any:
        made = work(operation, endpoint, {**options, "extra_headers": None})
        made.headers += tuple((options.get("extra_headers") or {}).items())
        return made

    backend._work = unchecked


@saboteur("SEC-02", "takes a key with a line break", maker=True)
def joins_broken_keys(make: Callable[..., Any]) -> Callable[..., Any]:
    """Somebody copied it badly."""

    def joining(site: Any, **settings: Any) -> Any:
        return make(
            site, **{name: _on_one_line(value) if name == "api_key" else value for name, value in settings.items()}
        )

    return joining


@saboteur("SEC-02", "takes ids with control characters")
def control_characters_in_ids(backend: Any) -> None:
    """They are escaped, after all."""
    from urllib.parse import quote

    backend._segment = lambda name, value: quote(value, safe="")


@saboteur("SEC-03", "puts names into the path as they are")
def unescaped_names(backend: Any) -> None:
    """../../v1/files"""
    backend._segment = lambda name, value: value


@saboteur("SEC-03", "undoes the escapes of a name first")
def unescapes_names(backend: Any) -> None:
    """%2e%2e%2f is ../ again."""
    segment = backend._segment
    backend._segment = lambda name, value: segment(name, unquote(value))


@saboteur("SEC-03", "escapes all but the slash")
def keeps_the_slash(backend: Any) -> None:
    """quote() does that unless told otherwise."""
    segment = backend._segment
    backend._segment = lambda name, value: segment(name, value).replace("%2F", "/")


def _reading(backend: Any, read: Callable[[Any], object]) -> None:
    """Let ``read`` see what was received before the good backend reads it."""
    answer = backend._answer

    def spoilt(call: Any, response: Any, data: Any) -> Any:
        read(data)
        return answer(call, response, data)

    backend._answer = spoilt


@saboteur("SEC-05", "evaluates what it received")
def evaluates_answers(backend: Any) -> None:
    """Python literals look like JSON."""
    _reading(backend, lambda data: eval(repr(data)))  # noqa: S307 - the sin


@saboteur("SEC-05", "gives what it received to a shell")
def asks_a_shell(backend: Any) -> None:
    """jq is so convenient."""
    import os

    _reading(backend, lambda data: os.system(":"))  # noqa: S605, S607 - the sin


@saboteur("SEC-05", "unpickles what it received")
def unpickles_answers(backend: Any) -> None:
    """A cache between two processes."""
    from conformance.saboteurs import sec_pickler

    _reading(backend, lambda data: sec_pickler.copied(data))


@saboteur("SEC-05", "keeps a way to unpickle in its source")
def holds_an_unpickler(backend: Any) -> None:
    """No test ever calls it."""
    from conformance.saboteurs.sec_pickler import Restoring

    backend.__class__ = type("Restored", (Restoring, type(backend)), {"__module__": Restoring.__module__})
