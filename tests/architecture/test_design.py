"""DESIGN.md against the source: its map is complete, and what it points at exists."""

import re

import pytest


@pytest.fixture
def design(texts):
    return texts["DESIGN.md"]


def test_the_file_map_names_every_module_and_no_other(design, library):
    """A map with a hole, or with a street that is gone, is worse than none."""
    shipped = {
        module.name
        for module in library
        if not module.is_generated and not module.name.endswith("__init__.py")
    }

    assert shipped == mapped(design) - {"streams/__init__.py"}


def test_every_path_in_the_text_exists(design, texts):
    """A module that was renamed must be renamed here too."""
    named = set(re.findall(r"`((?:\w+/)+\w+\.py)`", design))
    missing = [path for path in named if not any(text.endswith(path) for text in texts)]

    assert [] == missing


def test_every_function_that_the_text_names_exists(design, texts):
    """The walk of one like goes from function to function."""
    code = "\n".join(text for name, text in texts.items() if name.endswith(".py"))
    named = set(re.findall(r"`(?:\w+\.)?([A-Za-z_]\w+)(?:\(\))?`", design))
    called = set(re.findall(r"`[A-Z]\w+\.(\w+)`", design))
    missing = [name for name in called & named if not re.search(rf"\bdef {name}\b", code)]

    assert [] == missing


def mapped(design):
    """Paths of the modules in the tables below `## File map`."""
    found, folder = set(), ""
    for line in design.partition("\n## File map\n")[2].splitlines():
        if heading := re.fullmatch(r"### `(\S+)`", line):
            folder = heading[1]
        elif line.startswith("### "):
            folder = ""
        elif (row := re.match(r"\| `(\w+)` \|", line)) and folder:
            found.add(f"{folder}{row[1]}.py")
    return found
