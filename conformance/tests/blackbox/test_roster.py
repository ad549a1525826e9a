"""The subjects that come with the contract, and their environments, made by a stand-in for the installers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from conformance.blackbox import roster
from conformance.command_line import main

TOML = """
title = "Acme"
providers = ["openai"]
command = ["{environment}/bin/python", "{folder}/adapter.py"]
build = [["{python}", "-m", "venv", "{environment}"], ["{environment}/bin/pip", "-r", "{folder}/requirements.txt"]]
"""


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "subject.toml").write_text(TOML)
    (folder / "requirements.txt").write_text("acme==1.0\n")
    return folder


class Installer:
    """Notes what it is told to run; the commands after ``good`` fail."""

    def __init__(self, good: int = 100) -> None:
        self.ran: list[list[str]] = []
        self.good = good

    def __call__(self, command: list[str]) -> tuple[int, str]:
        self.ran.append(command)
        return (0, "") if len(self.ran) <= self.good else (1, "no such\nrelease")


def test_an_environment_is_made_once_by_its_commands_and_then_the_subject_starts(acme, tmp_path):
    listed = roster.read(acme, environments=tmp_path / "cache")
    with pytest.raises(roster.NotReadyError, match="conformance subjects --prepare acme"):
        listed.started_with()
    installer = Installer()
    roster.prepare(listed, install=installer)
    place = str(listed.environment)
    assert installer.ran == [
        [sys.executable, "-m", "venv", place],
        [f"{place}/bin/pip", "-r", f"{acme}/requirements.txt"],
    ]
    assert listed.started_with() == [f"{place}/bin/python", f"{acme}/adapter.py"]
    assert Path(place).parent == tmp_path / "cache"


def test_what_is_half_made_is_no_environment(acme, tmp_path):
    listed = roster.read(acme, environments=tmp_path)
    with pytest.raises(
        roster.PreparationError, match=r"acme could not be made: .* ended with status 1: no such release"
    ):
        roster.prepare(listed, install=Installer(good=1))
    assert not listed.ready
    assert not listed.environment.exists()


def test_another_pin_is_another_environment_and_another_adapter_is_not(acme, tmp_path):
    before = roster.read(acme, environments=tmp_path).environment
    (acme / "adapter.py").write_text("print()\n")
    assert roster.read(acme, environments=tmp_path).environment == before
    (acme / "requirements.txt").write_text("acme==1.1\n")
    assert roster.read(acme, environments=tmp_path).environment != before


def test_subjects_that_are_made_alike_share_an_environment():
    assert roster.find("litellm").environment == roster.find("litellm_router").environment


def test_a_subject_without_commands_to_build_it_is_ready(acme, tmp_path):
    (acme / "subject.toml").write_text(TOML.split("build")[0])
    listed = roster.read(acme, environments=tmp_path)
    roster.prepare(listed, install=Installer(good=0))
    assert listed.ready


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ("title = 7", "title must be a text"),
        ("providers = []", "providers must be a list of texts"),
        ("command = 'run'", "command must be a list of texts"),
        ("command = ['{home}/run']", "command has no place {home}; it has python, folder and environment"),
        ("build = 'make'", "build must be a list of commands"),
        ("build = [[1]]", "build must be a list of texts"),
        ("facts = 3", "facts must be texts by requirement"),
        ("build = [", "subject.toml"),
    ],
)
def test_a_damaged_description_is_told_with_its_file_and_field(acme, field, says):
    name = field.split(" ")[0]
    others = [line for line in TOML.splitlines() if not line.startswith(name)]
    (acme / "subject.toml").write_text("\n".join([*others, field]))
    with pytest.raises(roster.DescriptionError) as caught:
        roster.read(acme)
    assert str(acme / "subject.toml") in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"CONFORMANCE_ENVIRONMENTS": "/own", "XDG_CACHE_HOME": "/cache"}, "/own"),
        ({"XDG_CACHE_HOME": "/cache", "HOME": "/home/me"}, "/cache/conformance/environments"),
        ({"HOME": "/home/me"}, "/home/me/.cache/conformance/environments"),
    ],
)
def test_environments_lie_in_the_cache_of_the_user(variables, place):
    assert roster.cache(variables) == Path(place)


def test_the_command_lists_every_subject_and_how_to_make_it_ready(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CONFORMANCE_ENVIRONMENTS", str(tmp_path))
    assert main(["subjects"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == roster.names()
    assert any(line.startswith("backends ") and " ready " in line for line in lines)
    assert any(line.endswith("conformance subjects --prepare openai_node") for line in lines)


def test_the_command_makes_what_it_is_asked_for_and_tells_what_went_wrong(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("CONFORMANCE_ENVIRONMENTS", str(tmp_path))
    monkeypatch.setattr(roster, "_run", Installer())
    assert main(["subjects", "--prepare", "groq_python"]) == 0
    assert roster.find("groq_python").ready
    monkeypatch.setattr(roster, "_run", Installer(good=0))
    assert main(["subjects", "--prepare", "any_llm"]) == 2
    assert "the environment of any_llm could not be made" in capsys.readouterr().err
    assert main(["subjects", "--prepare", "opnai_python"]) == 2
    assert "did you mean openai_python?" in capsys.readouterr().err
