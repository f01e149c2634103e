"""Finding a service: what is said of a name, a target or a module that is wrong."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from streams.cli import main
from streams.engine.services import load_service
from streams.errors import ConfigurationError

SERVICE = """
from services.counters.accounts import ACCOUNTS
from streams import Service
MINE = Service("mine", folds=[ACCOUNTS])
NUMBER = 3
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module into the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return tmp_path / f"{name}.py"

    return write


@pytest.mark.parametrize("target", ["found_services:", ":MINE", ":"])
def test_half_a_target_is_refused(target):
    """The message shows a whole one."""
    with pytest.raises(ConfigurationError, match="wanted module:SERVICE, such as likes:SERVICE"):
        load_service(target)


@pytest.mark.parametrize(
    ("attribute", "found"), [("NUMBER", "found int"), ("SERVICE", "found no SERVICE")]
)
def test_a_target_without_a_service_is_answered_with_the_one_there_is(module, attribute, found):
    """Most often it has another name."""
    module("found_services", SERVICE)

    with pytest.raises(ConfigurationError, match=r"wanted a streams\.Service: found_services:MINE"):
        load_service(f"found_services:{attribute}")
    with pytest.raises(ConfigurationError, match=found):
        load_service(f"found_services:{attribute}")


@pytest.mark.parametrize(
    ("name", "text", "line", "message"),
    [
        ("bad_syntax", "x = 1\ny = 1 +\n", 2, "SyntaxError: invalid syntax"),
        ("bad_import", "import surely_not_there\n", 1, "No module named 'surely_not_there'"),
        ("bad_code", "def f():\n    return 1 / 0\nf()\n", 2, "ZeroDivisionError: division by"),
        ("bad_use", "from streams import Fold\n\nFold(3)\n", 3, "TypeError"),
    ],
)
def test_an_error_in_the_users_module_names_its_line(module, name, text, line, message):
    """It is no fault of the library, which 70 would say."""
    file = module(name, text)

    shown = CliRunner().invoke(main.app, ["run", f"{name}:SERVICE"])

    assert shown.exit_code == 2
    assert f"cannot import {file}:{line}: " in shown.stderr
    assert message in shown.stderr
    assert shown.stderr.count("\n") == 1
