"""The project around a folder: [tool.streams] of its pyproject.toml."""

from __future__ import annotations

import sys

import pytest

from streams.errors import ConfigurationError
from streams.topics.project import find_project

TABLE = '[tool.streams]\nschemas = "shop/events"\npackage = "shop.events"\n'


@pytest.fixture
def write(tmp_path):
    def write(text, folder=tmp_path):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text(text, encoding="utf-8")
        return folder

    return write


def test_the_project_is_found_from_any_folder_inside_it(write):
    """Commands are run from wherever one is."""
    root = write(TABLE)
    inside = root / "shop" / "events"
    inside.mkdir(parents=True)

    project = find_project(inside)

    assert (root, inside, "shop.events") == (project.root, project.schemas, project.package)


def test_a_project_without_the_table_is_passed_by(write):
    """A package inside a larger repository has its own pyproject.toml."""
    root = write(TABLE)
    inside = write("[project]\nname = 'part'\n", root / "part")

    assert root == find_project(inside).root


def test_services_are_the_entry_points_and_the_table(write):
    """A project need not be installed for its services to be known."""
    points = '[project.entry-points."streams.services"]\nlikes = "shop.likes:SERVICE"\n'
    root = write(points + TABLE + '[tool.streams.services]\nviews = "shop.views:SERVICE"\n')

    services = find_project(root).services

    assert {"likes": "shop.likes:SERVICE", "views": "shop.views:SERVICE"} == services


def test_a_project_may_have_services_and_no_schemas(write):
    """It works on events that another package declares."""
    project = find_project(write('[tool.streams.services]\nlikes = "shop.likes:SERVICE"\n'))

    assert project.schemas is None
    assert project.package is None


@pytest.mark.parametrize("name", ["schemas", "services", "streams", "schemas.events"])
def test_our_own_import_names_are_refused_in_other_projects(write, name):
    """Our wheel installs packages of these names; one of the two would never be imported."""
    folder = name.replace(".", "/")
    root = write(f'[tool.streams]\nschemas = "{folder}"\npackage = "{name}"\n')

    with pytest.raises(ConfigurationError, match="the library's own"):
        find_project(root)


def test_our_own_import_names_are_refused_for_services_too(write):
    """`services.likes` would be looked for in our package."""
    root = write('[tool.streams.services]\nlikes = "services.likes:SERVICE"\n')

    with pytest.raises(ConfigurationError, match=r"services\.likes:SERVICE"):
        find_project(root)


def test_our_own_import_names_are_ours(write):
    """This repository is recognised by the name of its project."""
    root = write(
        '[project]\nname = "millrace"\n[tool.streams]\nschemas = "schemas"\npackage = "schemas"\n'
    )

    assert find_project(root).package == "schemas"


WRONG = {
    "an unknown word": 'package = "a"\nschemas = "a"\nfolder = "x"\n',
    "a folder without package": 'schemas = "shop/events"\n',
    "a package without folder": 'package = "shop.events"\n',
    "a folder of another name": 'schemas = "shop/avro"\npackage = "shop.events"\n',
    "no import name": 'schemas = "my-shop"\npackage = "my-shop"\n',
}


@pytest.mark.parametrize("table", WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_refused_with_its_file(write, table):
    """The message must lead to the line that is wrong."""
    root = write(f"[tool.streams]\n{table}")

    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: \[tool\.streams\]: found"):
        find_project(root)


def test_a_file_that_is_no_toml_is_refused_with_its_name(write):
    """Python's own message does not say which file."""
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml: "):
        find_project(write("["))


def test_outside_a_project_there_is_none(tmp_path):
    """The built-in catalog is used then."""
    assert find_project(tmp_path) is None


@pytest.mark.parametrize(
    ("folder", "import_root"), [("shop/events", "."), ("src/shop/events", "src")]
)
def test_a_project_becomes_importable_also_from_a_source_folder(
    write, monkeypatch, folder, import_root
):
    """A newcomer's project is not installed."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = write(f'[tool.streams]\nschemas = "{folder}"\npackage = "shop.events"\n')

    find_project(root).make_importable()
    find_project(root).make_importable()

    assert 1 == sys.path.count(str(root / import_root))
    assert str(root) in sys.path
