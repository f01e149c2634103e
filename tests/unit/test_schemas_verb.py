"""`streams schemas`: from an empty folder to generated types, and what a script sees."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from streams.cli import main
from streams.topics.catalog import Catalog
from tests.unit.shop import Shop, field


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command inside an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return lambda *args: CliRunner().invoke(main.app, ["schemas", *args])


def test_a_newcomer_gets_types_in_two_commands(run, tmp_path):
    """init writes a first event that passes every rule, generate the class for it."""
    made = run("init", "newshop/events")
    generated = run("generate")
    checked = run("check")

    assert (0, 0, 0) == (made.exit_code, generated.exit_code, checked.exit_code), checked.output
    catalog = Catalog.find(tmp_path)
    placed = catalog.type("OrderPlaced")
    assert placed.__module__ == "newshop.events.orders"
    assert catalog.key_of(placed)(placed(customer_id=3, order_id=5)) == 3


def test_scripts_read_which_files_were_written(run):
    """To add them to a commit, for instance."""
    made = run("init", "newshop/events", "--json")
    generated = run("generate", "--json")
    again = run("generate", "--json")

    def paths(shown):
        return {json.loads(line)["wrote"] for line in shown.stdout.splitlines()}

    assert "newshop/events/topics.toml" in paths(made)
    assert paths(generated) >= {"newshop/events/lock.json", "newshop/events/orders.py"}
    assert (again.exit_code, again.stdout) == (0, "")


def test_init_keeps_what_is_in_pyproject(run, tmp_path):
    """Most projects have one already."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "other"\n', encoding="utf-8")

    assert run("init", "src/othershop", "--package", "othershop").exit_code == 0

    text = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    assert text.startswith('[project]\nname = "other"\n\n[tool.streams]\nschemas = "src/othershop"')


@pytest.mark.parametrize("folder", ["schemas", "services/events", "my-shop"])
def test_init_refuses_a_package_that_could_not_be_imported(run, tmp_path, folder):
    """Nothing is written then."""
    refused = run("init", folder)

    assert refused.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_init_overwrites_nothing(run, tmp_path):
    """It may be run in the wrong folder."""
    run("init", "newshop")
    before = (tmp_path / "newshop/topics.toml").read_text(encoding="utf-8")

    refused = run("init", "newshop")

    assert refused.exit_code == 2
    assert before == (tmp_path / "newshop/topics.toml").read_text(encoding="utf-8")


def test_generate_refuses_to_write_what_check_would_refuse(run, tmp_path):
    """Exit code 2, and the path of the field on standard error."""
    Shop(tmp_path).place({"name": "note", "type": "string"})

    refused = run("generate")

    assert refused.exit_code == 2
    assert "shop/avro/shop/OrderPlaced.avsc: shop.OrderPlaced.note: found no doc" in refused.stderr
    assert not (tmp_path / "shop/shop.py").exists()


def test_generate_outside_a_project_names_the_command_that_makes_one(run):
    """It must never write into the installed library."""
    refused = run("generate")

    assert refused.exit_code == 2
    assert "streams schemas init" in refused.stderr


def test_check_prints_one_line_a_problem(run, tmp_path):
    """Exit code 1; a person reads the first lines, a script counts them."""
    Shop(tmp_path).place(field("note", "text"), field("class"))

    shown = run("check")

    assert shown.exit_code == 1
    assert 2 == len(shown.stdout.splitlines())
    assert "shop.OrderPlaced.class" in shown.stdout


def test_check_prints_objects_for_scripts(run, tmp_path):
    """`--json`: the same, one object a line, and nothing else."""
    Shop(tmp_path).place(field("note", "text"))

    shown = run("check", "--json")

    (problem,) = map(json.loads, shown.stdout.splitlines())
    assert {"file", "path", "message"} == problem.keys()
    assert problem["path"] == "shop.OrderPlaced.note"


def test_check_outside_a_project_checks_the_built_in_schemas(run):
    """They are released with the library and must agree."""
    shown = run("check", "--json")

    assert (0, "") == (shown.exit_code, shown.stdout)
