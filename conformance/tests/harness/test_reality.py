"""Static analysis on small sources: what is real, partial, mock, refusal or local, and why."""

# ruff: noqa: E501 - small sources read best on one line
from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from textwrap import dedent, indent

import jsonschema
import pytest

from conformance.reality import Analysis, analyse, analyse_modules, as_json, as_text
from conformance.reality.facts import SIGNS

POST = "httpx.post('/x', json=m)"


def _judged(tmp_path: Path, body: str, head: str = "import httpx", bases: str = "") -> Analysis:
    path = tmp_path / "backend.py"
    path.write_text(f"{head}\n\nclass Backend{bases}:\n{indent(dedent(body), '    ')}\n", encoding="utf-8")
    return analyse(path)


REAL = {
    "a call of a library": f"def chat(self, m):\n    return {POST}.json()",
    "through a client": "def __init__(self):\n    self.client = httpx.Client()\ndef chat(self, m):\n    return self.client.post('/x', json=m)",
    "through a helper": f"def chat(self, m):\n    return self._go(m)\ndef _go(self, m):\n    return {POST}",
    "asynchronous": "async def chat(self, m):\n    async with httpx.AsyncClient() as c:\n        return (await c.post('/x', json=m)).json()",
    "a handler that raises": f"def chat(self, m):\n    try:\n        return {POST}\n    except Exception as error:\n        raise ValueError from error",
    "a narrow handler": f"def chat(self, m):\n    try:\n        return {POST}\n    except KeyError:\n        return None",
    "a handler that tries again": f"def chat(self, m):\n    for _ in range(3):\n        try:\n            return {POST}\n        except httpx.HTTPError as error:\n            last = error\n    raise last",
    "a handler that asks another": f"def chat(self, m):\n    try:\n        return {POST}\n    except httpx.HTTPError:\n        return httpx.post('/y', json=m).json()",
    "handed in": "def __init__(self, client):\n    self._client = client\ndef chat(self, m):\n    return self._client.chat.create(m)",
    "a nested function": f"def chat(self, m):\n    def ask():\n        return {POST}\n    return self._often(ask)\ndef _often(self, ask):\n    return ask()",
    "a lambda": f"def chat(self, m):\n    return self._often(lambda: {POST})\ndef _often(self, ask):\n    return ask()",
    "another name": f"def _chat(self, m):\n    return {POST}\nchat = _chat",
    "a property": "@property\ndef _wire(self):\n    return httpx.Client()\ndef chat(self, m):\n    return self._wire.post('/x', json=m)",
    "a computed name": f"def chat(self, m):\n    return getattr(self, '_' + 'ask')(m)\ndef _ask(self, m):\n    return {POST}",
    "nothing was asked for": f"def embed(self, m):\n    if not m:\n        return [[0.0, 1.0]]\n    return {POST}",
    "one particular status": f"def chat(self, m):\n    answer = {POST}\n    if answer.status_code == 404:\n        return None\n    return answer.json()",
    "an acknowledgement": "def upload(self, m):\n    httpx.put('/x', content=m)\n    return 'uploaded ' + m",
    "a queue": f"def __init__(self, queue):\n    self.queue = queue\ndef chat(self, m):\n    self.queue.put(m)\n    return m.future.result()\ndef _work(self):\n    m = self.queue.get()\n    m.future.set_result({POST})",
    "estimates that say so": "def chat(self, m):\n    return dict(text=httpx.post('/x').text, prompt_tokens=len(m) // 4, estimated=True)",
}
MOCK = {
    "the body is empty": "def chat(self, m):\n    '''Chat.'''\n    pass",
    "it only raises NotImplementedError": "def chat(self, m):\n    raise NotImplementedError('soon')",
    "it only returns None": "def embed(self, t):\n    return None",
    "every answer is a constant": "def chat(self, m):\n    return {'text': 'Hello!'}",
    "every answer is made from the arguments": "def chat(self, m):\n    return {'text': f'You said {m}'}",
    "every answer is random": "def embed(self, m):\n    import random\n    return [random.random() for _ in m]",
    "every answer is made of a digest": "def embed(self, m):\n    import hashlib\n    return list(hashlib.md5(m).digest())",
    "every answer is read from a file": "def chat(self, m):\n    return open('answers.txt').read()",
    "every answer is a test double's": "def __init__(self):\n    from unittest.mock import MagicMock\n    self.c = MagicMock()\ndef chat(self, m):\n    return self.c.chat(m)",
    "no path to the wire": "def chat(self, m):\n    self.count += 1\n    return self.table[m]",
    "its name says so": "def mock_chat(self, m):\n    return self.table[m]",
    "it uses MagicMock": "def chat(self, m):\n    return MagicMock(m)",
    "it says": "def chat(self, m):\n    return self.wrap('Simulated response from the model')",
    "it sleeps instead of working": "def chat(self, m):\n    import time\n    time.sleep(1)\n    return 'Hello!'",
    "the server's answer is thrown away and another one returned": f"def chat(self, m):\n    {POST}\n    return 'Hello!'",
    "the server's answer is thrown away": f"def chat(self, m):\n    {POST}",
    "a branch that never runs": f"def chat(self, m):\n    if 0:\n        return {POST}\n    return 'Hello!'",
    "statements that never run": f"def chat(self, m):\n    return 'Hello!'\n    return {POST}",
}
PARTIAL = {
    "every error is swallowed": f"def chat(self, m):\n    try:\n        return {POST}\n    except Exception:\n        return {{}}",
    "every error becomes an answer": f"def chat(self, m):\n    try:\n        return {POST}\n    except Exception as e:\n        return str(e)",
    "an error becomes an answer": f"def chat(self, m):\n    text = ''\n    try:\n        text = {POST}.text\n    except Exception as e:\n        text = str(e)\n    return text",
    "a failure is answered as if it were none": f"def chat(self, m):\n    answer = {POST}\n    if answer.status_code != 200:\n        return ''\n    return answer.json()",
    "a return in finally": f"def chat(self, m):\n    answer = None\n    try:\n        answer = {POST}\n    finally:\n        return answer",
    "a branch that never runs": f"def chat(self, m):\n    if False:\n        return {POST}\n    return httpx.post('/y')",
    "statements that never run": f"def chat(self, m):\n    return {POST}\n    print(m)",
    "it uses fake_answer": f"def chat(self, m):\n    return {POST} or fake_answer(m)",
    "an answer without the server: it is a constant": f"def chat(self, m):\n    if self.offline:\n        return 'Hello!'\n    return {POST}",
    "an answer without the server: it is made from the arguments": f"def chat(self, m):\n    text = m if self.echo else {POST}\n    return 'Answer: ' + text",
    "total_tokens is made up here": "def chat(self, m):\n    return dict(text=httpx.post('/x').text, total_tokens=len(m.split()))",
    "line 6: every error is swallowed": f"def chat(self, m):\n    import contextlib\n    with contextlib.suppress(Exception):\n        return {POST}",
    "line 9: every error is swallowed": f"def chat(self, m):\n    return self._quiet(m)\ndef _quiet(self, m):\n    try:\n        return {POST}\n    except Exception:\n        print('oh')",
}


@pytest.mark.parametrize("name", REAL)
def test_real(tmp_path: Path, name: str) -> None:
    analysis = _judged(tmp_path, REAL[name])
    assert (analysis.kind, analysis.reasons) == ("real", ())


@pytest.mark.parametrize("reason", MOCK)
def test_mock(tmp_path: Path, reason: str) -> None:
    analysis = _judged(tmp_path, MOCK[reason])
    assert analysis.kind == "mock"
    assert any(reason in found for found in analysis.reasons), analysis.reasons


@pytest.mark.parametrize("reason", PARTIAL)
def test_partial(tmp_path: Path, reason: str) -> None:
    analysis = _judged(tmp_path, PARTIAL[reason])
    assert analysis.kind == "partial"
    assert any(reason in found for found in analysis.reasons), analysis.reasons


def test_every_kind_of_sign_is_given_somewhere_here(tmp_path: Path) -> None:
    bodies = [*MOCK.values(), *PARTIAL.values()]
    given = {sign.kind for body in bodies for method in _judged(tmp_path, body).methods for sign in method.signs}
    assert given == set(SIGNS)


def test_one_stub_among_real_calls_is_partial(tmp_path: Path) -> None:
    analysis = _judged(tmp_path, REAL["a call of a library"] + "\n" + MOCK["it only returns None"])
    assert analysis.kind == "partial"


def test_honest_local_work_counts_neither_way(tmp_path: Path) -> None:
    body = REAL["a call of a library"] + "\ndef reset(self):\n    self.count = 0\ndef on_end(self):\n    pass\n"
    analysis = _judged(tmp_path, body)
    assert {method.title: method.kind for method in analysis.methods} == {
        "Backend.chat": "real",
        "Backend.reset": "local",
        "Backend.on_end": "local",
    }
    assert analysis.kind == "real"


@pytest.mark.parametrize(
    "body",
    [
        "del t\n    raise self.refuse('embed')",
        "raise UnsupportedError('embed')",
        "raise NotImplementedError('This provider has no embeddings.')",
        "message = 'Embeddings are not supported'\n    raise ValueError(message)",
    ],
)
def test_a_declared_refusal_is_honest(tmp_path: Path, body: str) -> None:
    analysis = _judged(tmp_path, REAL["a call of a library"] + f"\ndef embed(self, t):\n    {body}")
    assert [method.kind for method in analysis.methods] == ["real", "refusal"]
    assert analysis.kind == "real"


def test_what_is_inherited_from_a_class_that_is_not_here_has_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    body = "async def achat(self, m, **o):\n    return await self._perform(op(m), o)\nchat = blocking(achat)"
    head = "from elsewhere import HTTPBackend, blocking"
    assert _judged(tmp_path, body, head, "(HTTPBackend)").kind == "real"
    assert _judged(tmp_path, body, head).kind == "mock"


OVERRIDING = f"""
import httpx
class Base:
    def chat(self, m):
        return self._send(m)
    def _send(self, m):
        return {POST}
class Quick(Base):
    def _send(self, m):
        return "Hello!"
class Other(Base):
    pass
"""


def test_a_subclass_is_judged_by_what_it_overrides(tmp_path: Path) -> None:
    (tmp_path / "classes.py").write_text(OVERRIDING)
    analysis = analyse(tmp_path)
    assert {verdict.name: verdict.kind for verdict in analysis.classes} == {
        "Base": "real",
        "Quick": "mock",
        "Other": "real",
    }
    (listed,) = next(verdict for verdict in analysis.classes if verdict.name == "Quick").methods
    assert (listed.title, listed.inherited, listed.line) == ("Quick.chat", True, 4)


def test_calls_are_followed_between_files_and_an_abstract_method_to_those_who_fill_it_in(tmp_path: Path) -> None:
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("from .api import *\n")
    (package / "api.py").write_text(f"import httpx\ndef ask(m):\n    return {POST}\n")
    base = "class Base:\n    def chat(self, m):\n        return self._ask(m)\n    def _ask(self, m):\n        raise NotImplementedError\n"
    (package / "base.py").write_text(base)
    (package / "one.py").write_text(
        "import pack\nfrom .base import Base\nclass One(Base):\n    def _ask(self, m):\n        return pack.ask(m)\n"
    )
    assert analyse(tmp_path).kind == "real"
    assert analyse(package / "one.py").kind == "real"


def test_a_module_of_functions_is_judged_by_them(tmp_path: Path) -> None:
    path = tmp_path / "functions.py"
    path.write_text("def complete(prompt):\n    return 'Lorem ipsum'\ndef complete_url(base):\n    return base\n")
    analysis = analyse(path)
    assert analysis.kind == "mock"
    assert [method.title for method in analysis.methods] == ["complete"]


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    analysis = _judged(tmp_path, MOCK["every answer is a constant"])
    assert as_text(analysis).splitlines() == [
        "mock     class Backend  (backend.py:3)",
        "  mock     Backend.chat  (backend.py:4)",
        "           - every answer is a constant",
        "           - no path to the wire",
        "MOCK: 0 real, 0 partial, 1 mock, 0 refusal, 0 local",
    ]
    (method,) = json.loads(as_json(analysis))["classes"][0]["methods"]
    assert method["reasons"][0] == {
        "sign": "constant-answer",
        "file": "backend.py",
        "line": 4,
        "text": "every answer is a constant",
    }


def test_json_obeys_its_schema(tmp_path: Path) -> None:
    schema = json.loads(files("conformance").joinpath("schemas/reality.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["reason"]["properties"]["sign"]["enum"] == list(SIGNS)
    for body in (*REAL.values(), *MOCK.values(), *PARTIAL.values()):
        jsonschema.validate(json.loads(as_json(_judged(tmp_path, body))), schema)
    (tmp_path / "broken.py").write_text("def broken(:\n")
    (tmp_path / "test_it.py").write_text("")
    document = json.loads(as_json(analyse(tmp_path)))
    jsonschema.validate(document, schema)
    assert (len(document["problems"]), document["test_files_left_out"]) == (1, 1)


def test_modules_are_found_without_importing_them() -> None:
    assert analyse_modules([f"{__package__}.parrot"]).kind == "real"
    with pytest.raises(ValueError, match="there is no module"):
        analyse_modules(["no_such_module_anywhere"])
