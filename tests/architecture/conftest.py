"""The source as the tests of its structure see it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ("streams", "services", "schemas", "tests")
LOOSE = ("*.md", "*.toml", "*.yml", "*.lock", "Makefile", "Dockerfile", ".ci/*", ".gitignore")


@dataclass(frozen=True)
class Module:
    """A Python file: `name` is its path from the project's folder."""

    name: str
    lines: int
    tree: ast.Module

    @property
    def is_generated(self) -> bool:
        return self.name.startswith("schemas/") and self.name.count("/") == 1

    @property
    def is_test(self) -> bool:
        return self.name.startswith("tests/")

    def walk(self, *kinds):
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]


@pytest.fixture(scope="session")
def modules():
    """Every Python file of the project."""
    return [
        Module(str(path.relative_to(ROOT)), text.count("\n"), ast.parse(text))
        for folder in CODE
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (text := path.read_text(encoding="utf-8")) is not None
    ]


@pytest.fixture(scope="session")
def library(modules):
    """What is shipped: every Python file but the tests."""
    return [module for module in modules if not module.is_test]


@pytest.fixture(scope="session")
def texts():
    """Every text file of the project by its path: code, schemas, documents, build files."""
    files = [path for folder in CODE for path in (ROOT / folder).rglob("*")]
    files += [path for pattern in LOOSE for path in ROOT.glob(pattern)]
    return {
        str(path.relative_to(ROOT)): path.read_bytes().decode(errors="replace")
        for path in sorted(files)
        if path.is_file() and "__pycache__" not in path.parts
    }
