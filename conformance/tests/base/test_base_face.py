"""The public face: what it lists is what it has, and looking at it does nothing."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from base_bench import script

import backends

MODULES = ("backends", "backends.openai", "backends.ollama", "backends.s3_kit")
WATCH = """
import builtins, json, os, sys, threading

events = []
noisy = ("socket.", "subprocess.", "os.system", "os.fork", "os.exec", "shutil.", "urllib.", "tempfile.", "sqlite3.", "os.putenv")
watching = False

def hook(event, arguments):
    if not watching:
        return
    if event.startswith(noisy):
        events.append(event)
    elif event == "open":
        path, mode = str(arguments[0]), arguments[1]
        if not path.endswith((".py", ".pyc", ".so")) and "__pycache__" not in path:
            events.append(f"open {path} {mode}")

class Environment(dict):
    def _asked(self, name):
        telling = ("KEY", "TOKEN", "SECRET", "CREDENTIAL", "BASE_URL", "_HOST", "ENDPOINT")
        if watching and any(part in str(name).upper() for part in telling):
            events.append(f"environment {name}")
    def __getitem__(self, name):
        self._asked(name)
        return super().__getitem__(name)
    def get(self, name, default=None):
        self._asked(name)
        return super().get(name, default)
    def __contains__(self, name):
        self._asked(name)
        return super().__contains__(name)

os.environ = Environment(os.environ)
sys.addaudithook(hook)
for name in ("OPENAI_API_KEY", "OLLAMA_API_KEY", "OLLAMA_HOST", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
    dict.__setitem__(os.environ, name, "sk-planted")
threads = threading.active_count()
watching = True
WORK
watching = False
heavy = [name for name in ("httpx", "aiohttp", "boto3", "botocore", "tiktoken", "ollama", "openai", "httpcore") if name in sys.modules]
print(json.dumps([events, heavy, threading.active_count() - threads]))
"""


@pytest.mark.parametrize("module", MODULES)
def test_importing_does_nothing(module: str) -> None:
    """No HTTP library and no boto3, no socket, no process, no file that is not code, no key of the environment."""
    assert script(WATCH.replace("WORK", f"import importlib; importlib.import_module({module!r})")) == [[], [], 0]


def test_building_every_backend_does_nothing() -> None:
    """Nor does naming its endpoints and dropping it."""
    work = """
import backends
for name in backends.names():
    made = backends.create(name)
    made.create_endpoint("second", **({} if name != "ollama" else {"base_url": "http://127.0.0.1:9"}))
    repr(made), made.endpoints
    made.close()
"""
    assert script(WATCH.replace("WORK", work)) == [[], [], 0]


def test_the_watch_sees_what_it_is_meant_to_see() -> None:
    """A check that cannot fail shows nothing: each forbidden act is reported."""
    work = """
import socket, httpx
socket.socket().close()
open("README.md").close()
os.environ.get("OPENAI_API_KEY")
"""
    events, heavy, _ = script(WATCH.replace("WORK", work))
    assert "socket.__new__" in events
    assert "environment OPENAI_API_KEY" in events
    assert any(event.startswith("open README.md") for event in events)
    assert "httpx" in heavy


def test_all_is_the_truth() -> None:
    """Everything listed is there, once and documented; ``import *`` gives exactly that; nothing else is public."""
    assert len(backends.__all__) == len(set(backends.__all__))
    for name in backends.__all__:
        assert getattr(backends, name) is not None
        assert getattr(backends, name).__doc__
    names: dict[str, object] = {}
    exec("from backends import *", names)
    assert set(names) - {"__builtins__"} == set(backends.__all__)
    modules = {module.name for module in pkgutil.iter_modules(backends.__path__)}
    public = {name for name in vars(backends) if not name.startswith("_")}
    assert public - modules - set(backends.__all__) <= {"annotations", "importlib", "TYPE_CHECKING", "Any", "Final"}


@pytest.mark.parametrize("module", [module.name for module in pkgutil.walk_packages(backends.__path__, "backends.")])
def test_every_module_lists_only_what_it_has(module: str) -> None:
    """``__all__`` of each module names things that exist, each once; every module says what it is for."""
    loaded = importlib.import_module(module)
    assert loaded.__doc__, module
    listed = getattr(loaded, "__all__", ())
    assert len(set(listed)) == len(listed)
    for name in listed:
        assert hasattr(loaded, name), f"{module}.{name}"
