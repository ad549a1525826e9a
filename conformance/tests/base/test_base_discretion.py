"""What an error may carry: no secret in its texts, no frame that holds one."""

from __future__ import annotations

import asyncio
import base64
import json
import pickle
import pprint
import reprlib
import traceback
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from base_bench import Body, parrot

from backends import create, errors
from backends.discretion import bare, discreet, redact
from backends.key_sources import ClientCredentials
from backends.secret import Key, SecretText

SECRET = "sk-planted/7Hq2+Zr9Lw4=Tn6Xb1"
KEY = Key(SECRET)
MASK = repr(KEY)


def with_locals(error: BaseException) -> str:
    """What an error tracker sends: frames with their variables, causes and contexts."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(shown.format())


def test_secret_text_shows_a_mask_and_is_whole() -> None:
    """To whoever shows values it is a mask, at any depth and cut to any length; to the wire it is the text."""
    text = "Bearer " + SecretText(SECRET) + "."
    assert type(text) is SecretText
    for shown in (
        repr(text), f"{text!r}", repr([(b"x", text)]), pprint.pformat({"h": [text]}), reprlib.repr([text]), repr(text[:12]),
    ):  # fmt: skip
        assert "****" in shown
        assert "planted" not in shown
    assert str(text) == f"Bearer {SECRET}."
    assert text.encode() == f"Bearer {SECRET}.".encode()
    assert json.dumps({"h": text}) == json.dumps({"h": f"Bearer {SECRET}."})
    assert text == f"Bearer {SECRET}."
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps([text])


FORMS = {
    "as it is": SECRET,
    "in capitals": SECRET.upper(),
    "percent-encoded": quote(SECRET, safe=""),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for addresses": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "cut short": SECRET[:20],
    "twice": SECRET + SECRET,
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_server_says_of_a_key_is_hidden(form: str) -> None:
    """The rest of the text stays as it is."""
    hidden = KEY.hide(f"no <{FORMS[form]}> here")
    assert hidden.startswith("no <" + MASK)
    assert hidden.endswith("> here")
    for part in ("7Hq2", "7HQ2", FORMS[form][8:20]):
        assert part not in hidden


@pytest.mark.parametrize("user", ["", "a:", "ab:", "abc:", "user:"])
def test_a_key_inside_basic_authentication_is_hidden(user: str) -> None:
    """At each of the three places of a group at which it may begin: what is left tells at most its ends."""
    hidden = KEY.hide(base64.b64encode(f"{user}{SECRET}".encode()).decode())
    assert MASK in hidden
    left = base64.b64encode(SECRET.encode()).decode()
    assert not any(left[place : place + 8] in hidden for place in range(len(left) - 8))


def test_a_text_without_the_key_is_the_same() -> None:
    """Nothing is copied or changed."""
    text = "a key begins with sk-plan, and ends"
    assert KEY.hide(text) is text


@pytest.mark.parametrize(
    ("key", "said", "expected"), [("abc", "abc", "abc"), ("abcd", "ABCD abcd", "ABCD ****"), ("none", "nonE", "nonE")]
)
def test_short_keys_are_words(key: str, said: str, expected: str) -> None:
    """Fewer than four characters hide nothing, fewer than eight only themselves."""
    assert Key(key).hide(said).replace(repr(Key(key)), "****") == expected


def test_every_text_of_an_error_and_its_causes_is_redacted() -> None:
    """Whatever type they have; the pickle included."""
    cause = errors.ServerError(f"no {SECRET}", code=SECRET, partial=f"{SECRET}".encode())
    error = errors.StreamInterruptedError(
        f"no {SECRET}", code=SECRET, provider_request_id=SECRET, partial=f"so far: {SECRET}", suggestions=(SECRET, "x")
    )
    error.__cause__ = cause
    assert redact(error, [Key("another-key"), KEY]) is error
    for link in (error, cause):
        assert SECRET not in f"{link} {link!r} {link.args} {vars(link)}"
        assert SECRET.encode() not in pickle.dumps(link)
    assert error.partial == f"so far: {MASK}"
    assert cause.partial == MASK.encode()
    assert error.suggestions == (MASK, "x")
    assert error.args == (error.message,)


def test_what_is_no_text_stays_as_it_is() -> None:
    """None, numbers, structures."""
    error = errors.ServerError("no", partial=[SECRET])
    redact(error, [KEY])
    assert (error.code, error.partial) == (None, [SECRET])


@discreet
def guarded(secret: str, fail: type[Exception]) -> str:
    """Fails, or returns what it was given."""
    if fail is KeyError:
        return {}[secret]
    raise fail(f"cannot take {len(secret)} characters")


@pytest.mark.parametrize("kind", [errors.ConfigurationError, errors.InvalidRequestError, TypeError])
def test_a_guarded_function_leaves_no_frames(kind: type[Exception]) -> None:
    """The error is the same, its frames are gone; name and documentation are the function's."""
    held = [SECRET]

    def call() -> None:
        guarded(held.pop(), kind)

    with pytest.raises(kind, match="cannot take") as caught:
        call()
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    assert "call" in names
    assert "guarded" in names
    assert SECRET not in with_locals(caught.value)
    assert (guarded.__name__, guarded.__doc__) == ("guarded", "Fails, or returns what it was given.")


def test_a_bug_keeps_its_frames() -> None:
    """Only what the library raises on purpose, and arguments that do not fit, are cut."""
    with pytest.raises(KeyError) as caught:
        guarded("plain", KeyError)
    assert [frame.f_code.co_name for frame, _ in traceback.walk_tb(caught.value.__traceback__)][-1] == "guarded"


def test_bare_takes_frames_and_context() -> None:
    """The cause stays."""
    error = ValueError("outer")
    error.__cause__, error.__context__ = LookupError("cause"), KeyError("inner")
    with pytest.raises(ValueError, match="outer"):
        raise error
    assert bare(error) is error
    assert (error.__traceback__, error.__context__) == (None, None)
    assert isinstance(error.__cause__, LookupError)


def test_the_one_function_that_makes_any_backend_is_guarded() -> None:
    """Neither the arguments nor the frames of any constructor are in its errors."""
    held: dict[str, Any] = {"api_key": SECRET, "jitter": 7}
    with pytest.raises(errors.ConfigurationError, match="jitter") as caught:
        create("openai", **held)
    held.clear()
    assert SECRET not in with_locals(caught.value)


async def test_what_came_of_a_stream_is_redacted_and_held_by_no_frame() -> None:
    """A server that writes the key as an answer and then breaks off: the partial answer has a mask, no variable the text."""
    words = [b"so\n", f"{SECRET}\n".encode(), b"far\n"]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Body(words)))
    backend = parrot(transport, api_key=SECRET, max_retries=0)
    stream = backend.astream_say()
    with pytest.raises(errors.StreamInterruptedError) as caught:
        await stream.collect()
    await backend.aclose()
    assert caught.value.partial == f"so{MASK}far"
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [frame for frame in frames if frame.f_globals["__name__"].startswith("backends")]
    assert ours
    assert SECRET not in "".join(repr(frame.f_locals) for frame in ours)


async def test_a_cancelled_call_holds_its_headers_masked() -> None:
    """Its traceback leads through every frame down to the wire, whose variables are the headers."""
    began = asyncio.Event()

    async def hang(request: httpx.Request) -> httpx.Response:
        began.set()
        await asyncio.Event().wait()
        raise AssertionError

    backend = parrot(httpx.MockTransport(hang), api_key=SECRET)
    task = asyncio.create_task(backend.asay(extra_headers={"x-team-token": Key("tt-planted-91f3c2d7e5")}))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    await backend.aclose()
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    shown = "".join(repr(frame.f_locals) for frame in frames if frame.f_globals["__name__"].startswith("backends"))
    assert "****" in shown
    assert SECRET not in shown
    assert "tt-planted" not in shown


async def test_a_header_of_the_callers_own_is_masked_in_errors() -> None:
    """One given as a key, and one whose name says what it is; what is no credential is left in the server's words."""
    secrets = {
        "x-team-token": Key("tt-planted-91f3c2d7e5"),
        "cookie": "session=ck-planted-5d0e8b7a",
        "x-note": "an ordinary note",
    }

    def echo(request: httpx.Request) -> httpx.Response:
        said = " ".join(request.headers[name] for name in secrets)
        return httpx.Response(400, json={"error": {"message": said}})

    backend = parrot(httpx.MockTransport(echo))
    with pytest.raises(errors.InvalidRequestError) as caught:
        await backend.asay(extra_headers=secrets)
    await backend.aclose()
    assert "planted" not in caught.value.message
    assert caught.value.message.count("****") == 2
    assert caught.value.message.endswith("an ordinary note")


async def test_a_token_service_that_quotes_the_secret_is_not_quoted() -> None:
    """Neither what it was sent nor what it answered is in the error of a call that got no key from it."""
    service = httpx.MockTransport(lambda _: httpx.Response(401, json={"error": "invalid_client", "told": SECRET}))
    source = ClientCredentials("https://tokens.invalid/", "us", SECRET, transport=service)
    backend = parrot(api_keys=None, key_source=source, max_retries=0)
    with pytest.raises(errors.AuthenticationError, match="invalid_client") as caught:
        await backend.asay()
    await backend.aclose()
    assert SECRET not in with_locals(caught.value)
