"""What a module may run, by its source text alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.imports import Modules

_FILES = {
    "ours/__init__.py": "",
    "ours/leaf.py": "",
    "ours/kit/__init__.py": "from .tool import hammer\n",
    "ours/kit/tool.py": "hammer = 1\n",
    "ours/kit/near.py": "from . import tool\nfrom .. import leaf\n",
    "ours/plain.py": "import ours.leaf, json\n",
    "ours/named.py": "from ours.kit import hammer\n",
    "ours/late.py": "def f():\n    from ours import leaf\n    return leaf\n",
    "ours/typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ours.leaf import x\n",
    "ours/spoken.py": "CODE = 'from ours.leaf import main; main()'\n",
    "ours/told.py": '"""See ours.leaf."""\n',
    "ours/constant.py": "from importlib import import_module\nimport_module('ours.leaf')\nimport_module('other.thing')\n",
    "ours/computed.py": "from importlib import import_module\ndef f(name):\n    return import_module(name)\n",
    "ours/halfway.py": "from importlib import import_module\ndef f(name):\n    return import_module(f'ours.{name}')\n",
    "ours/abroad.py": "from importlib import import_module\ndef f(name):\n    return import_module(f'other.{name}')\n",
    "ours/nosy.py": "import inspect\ndef f(kind):\n    return inspect.getsource(kind)\n",
    "ours/door.py": (
        "from importlib import import_module\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from ours.leaf import Leaf\n"
        "def __getattr__(name):\n    return import_module('ours.' + name)\n"
    ),
    "ours/caller.py": "from ours.door import Leaf\n",
    "ours/passer.py": "import ours.door\n",
    "ours/round.py": "import ours.trip\n",
    "ours/trip.py": "import ours.round\n",
    "ours/tests/test_plain.py": "import ours.plain\n",
}
_EVERY = frozenset(
    name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in _FILES if "tests" not in name
)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / "ours"


def _modules(place: Path) -> Modules:
    return Modules([place], ["tests"], ["ours.door"])


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("plain", {"leaf"}),
        ("named", {"kit", "kit.tool"}),
        ("kit.near", {"kit", "kit.tool", "leaf"}),
        ("late", {"leaf"}),
        ("typed", {"leaf"}),
        ("spoken", {"leaf"}),
        ("told", set()),
        ("constant", {"leaf"}),
        ("abroad", set()),
        ("caller", {"door", "leaf"}),
        ("passer", {"door"}),
        ("round", {"trip"}),
    ],
)
def test_the_closure_of_a_module(name: str, needs: set[str], place: Path) -> None:
    expected = {"ours", f"ours.{name}", *(f"ours.{needed}" for needed in needs)}
    assert _modules(place).closure(f"ours.{name}") == expected


@pytest.mark.parametrize("name", ["computed", "halfway", "nosy"])
def test_what_no_text_tells_may_be_anything(name: str, place: Path) -> None:
    assert _modules(place).closure(f"ours.{name}") == _EVERY


def test_a_reader_of_one_package_needs_all_of_that_and_no_more(place: Path) -> None:
    modules = Modules([place], ["tests"], ["ours.door"], {"ours.nosy": "ours.kit"})
    assert modules.closure("ours.nosy") == {"ours", "ours.nosy", "ours.leaf", *modules.beneath("ours.kit")}


def test_a_digest_changes_with_whatever_may_run_and_with_nothing_else(place: Path) -> None:
    before = {name: _modules(place).digest(name) for name in sorted(_EVERY)}
    (place / "kit" / "tool.py").write_text("hammer = 2\n", encoding="utf-8")
    after = _modules(place)
    changed = {name for name in _EVERY if after.digest(name) != before[name]}
    readers = {"kit", "kit.tool", "kit.near", "named", "computed", "halfway", "nosy"}
    assert changed == {f"ours.{name}" for name in readers}


def test_the_time_of_a_file_plays_no_part(place: Path) -> None:
    before = _modules(place).digest("ours.plain")
    (place / "leaf.py").touch()
    assert _modules(place).digest("ours.plain") == before


def test_a_new_module_changes_what_may_be_anything(place: Path) -> None:
    before = _modules(place).digest("ours.nosy")
    (place / "new.py").write_text("", encoding="utf-8")
    assert _modules(place).digest("ours.nosy") != before


def test_an_unknown_module_is_an_error(place: Path) -> None:
    with pytest.raises(LookupError, match=r"no module ours\.nothing"):
        _modules(place).closure("ours.nothing")
