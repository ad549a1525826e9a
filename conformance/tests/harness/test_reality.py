"""Static analysis on small sources: what is real, partial, mock or local, and why."""

# ruff: noqa: E501 - small sources read best on one line
from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent, indent

import pytest

from conformance.reality import Analysis, analyse, analyse_modules, as_json, as_text


def _judged(tmp_path: Path, body: str, head: str = "import httpx") -> Analysis:
    path = tmp_path / "backend.py"
    path.write_text(f"{head}\n\nclass Backend:\n{indent(dedent(body), '    ')}\n", encoding="utf-8")
    return analyse(path)


REAL = {
    "a call of a library": "def chat(self, m):\n    return httpx.post(self.url, json=m).json()",
    "through a client": "def __init__(self):\n    self.client = httpx.Client()\ndef chat(self, m):\n    return self.client.post('/x', json=m)",
    "through a helper": "def chat(self, m):\n    return self._go(m)\ndef _go(self, m):\n    return httpx.post('/x', json=m)",
    "asynchronous": "async def chat(self, m):\n    async with httpx.AsyncClient() as c:\n        return (await c.post('/x', json=m)).json()",
    "a handler that raises": "def chat(self, m):\n    try:\n        return httpx.post('/x')\n    except Exception as error:\n        raise ValueError from error",
    "a narrow handler": "def chat(self, m):\n    try:\n        return httpx.post('/x')\n    except KeyError:\n        return None",
    "our own path": "async def achat(self, m, **o):\n    return await self._perform(op(m), o)\nchat = blocking(achat)",
}
FAKE = {
    "the body is empty": "def chat(self, m):\n    '''Chat.'''\n    pass",
    "it only raises NotImplementedError": "def chat(self, m):\n    raise NotImplementedError('soon')",
    "it only returns None": "def embed(self, t):\n    return None",
    "every answer is a constant": "def chat(self, m):\n    return {'text': f'You said {m}'}",
    "no path to the wire": "def chat(self, m):\n    self.count += 1\n    return self.table[m]",
    "its name says so": "def mock_chat(self, m):\n    return self.table[m]",
    "it uses MagicMock": "def chat(self, m):\n    return MagicMock(m)",
    "it says": "def chat(self, m):\n    return self.wrap('Simulated response from the model')",
}
HALF = {
    "every error is swallowed": "def chat(self, m):\n    try:\n        return httpx.post('/x')\n    except Exception:\n        return {}",
    "every error becomes an answer": "def chat(self, m):\n    try:\n        return httpx.post('/x')\n    except Exception as e:\n        return str(e)",
    "a branch that never runs": "def chat(self, m):\n    if False:\n        return httpx.post('/x')\n    return httpx.post('/y')",
    "statements that never run": "def chat(self, m):\n    return httpx.post('/x')\n    print(m)",
    "it uses fake_answer": "def chat(self, m):\n    return httpx.post('/x') or fake_answer(m)",
}


@pytest.mark.parametrize("name", REAL)
def test_real(tmp_path: Path, name: str) -> None:
    analysis = _judged(tmp_path, REAL[name])
    assert (analysis.kind, analysis.reasons) == ("real", ())


@pytest.mark.parametrize("reason", FAKE)
def test_mock(tmp_path: Path, reason: str) -> None:
    analysis = _judged(tmp_path, FAKE[reason])
    assert analysis.kind == "mock"
    assert any(reason in found for found in analysis.reasons)


@pytest.mark.parametrize("reason", HALF)
def test_partial(tmp_path: Path, reason: str) -> None:
    analysis = _judged(tmp_path, HALF[reason])
    assert analysis.kind == "partial"
    assert any(reason in found for found in analysis.reasons)


def test_one_stub_among_real_calls_is_partial(tmp_path: Path) -> None:
    analysis = _judged(tmp_path, REAL["a call of a library"] + "\n" + FAKE["it only returns None"])
    assert analysis.kind == "partial"


def test_honest_local_work_counts_neither_way(tmp_path: Path) -> None:
    analysis = _judged(tmp_path, REAL["a call of a library"] + "\ndef reset(self):\n    self.count = 0\n")
    assert {method.name: method.kind for method in analysis.methods} == {
        "Backend.chat": "real",
        "Backend.reset": "local",
    }
    assert analysis.kind == "real"


def test_a_declared_refusal_is_honest(tmp_path: Path) -> None:
    body = REAL["a call of a library"] + "\ndef embed(self, t):\n    del t\n    raise self.refuse('embed')"
    assert _judged(tmp_path, body).kind == "real"


def test_a_module_of_functions_is_judged_by_them(tmp_path: Path) -> None:
    path = tmp_path / "functions.py"
    path.write_text("def complete(prompt):\n    return 'Lorem ipsum'\n", encoding="utf-8")
    assert analyse(path).kind == "mock"


def test_a_file_that_cannot_be_parsed_is_a_problem_and_never_real(tmp_path: Path) -> None:
    (tmp_path / "good.py").write_text("import httpx\nclass B:\n    def chat(self):\n        return httpx.get('/x')\n")
    (tmp_path / "bad.py").write_text("def broken(:\n")
    analysis = analyse(tmp_path)
    assert analysis.kind == "partial"
    assert analysis.problems == ("bad.py: cannot be parsed (SyntaxError)",)


def test_hostile_source_is_only_read(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "evil.py").write_text(
        f"open({str(mark)!r}, 'w').close()\nclass B:\n    def chat(self):\n        return 1\n"
    )
    (tmp_path / "deep.py").write_text("x = " + "(" * 5_000 + ")" * 5_000 + "\n")
    (tmp_path / "null.py").write_bytes(b"x = 1\0\n")
    assert analyse(tmp_path).kind in ("mock", "partial")
    assert not mark.exists()


def test_text_and_json_say_the_same(tmp_path: Path) -> None:
    analysis = _judged(tmp_path, FAKE["every answer is a constant"])
    assert as_text(analysis).splitlines()[-1] == "MOCK: 0 real, 0 partial, 1 mock, 0 local"
    assert json.loads(as_json(analysis))["methods"][0]["reasons"] == ["every answer is a constant"]


def test_modules_are_found_without_importing_them() -> None:
    assert analyse_modules([f"{__package__}.parrot"]).kind == "real"
    with pytest.raises(ValueError, match="there is no module"):
        analyse_modules(["no_such_module_anywhere"])
