"""The project a command runs in: `[tool.streams]` of the nearest `pyproject.toml`.

[tool.streams]
schemas = "shop/events"        # avro/, topics.toml, lock.json and the generated modules
package = "shop.events"        # the import name of that folder

[tool.streams.services]
likes = "shop.likes:SERVICE"
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.errors import ConfigurationError

SERVICES_GROUP = "streams.services"
"""Entry points of this group name services: `counters = "services.counters:SERVICE"`."""

_OURS = "millrace"
_TAKEN = frozenset({"schemas", "services", "streams"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A folder with a `pyproject.toml` that has `[tool.streams]`.

    `schemas` and `package` are None in a project that has services but no schemas of its own.
    `services` holds `module:attribute` by name: the project's entry points, then its table.
    """

    root: Path
    schemas: Path | None = None
    package: str | None = None
    services: Mapping[str, str] = field(default_factory=dict)

    @property
    def import_root(self) -> Path:
        """The folder that must be on `sys.path` for `package` to be importable."""
        if self.schemas is None or self.package is None:
            return self.root
        return self.schemas.parents[self.package.count(".")]

    def make_importable(self) -> None:
        """Put the project's own code on `sys.path`, so that it need not be installed."""
        for folder in {self.root: None, self.import_root: None}:
            if str(folder) not in sys.path:
                sys.path.insert(0, str(folder))


def find_project(start: Path | None = None) -> Project | None:
    """The project around `start` (default: the working folder); None if there is none."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            project = _read(file)
            if project is not None:
                return project
    return None


def check_names(folder: str, package: str) -> None:
    """ConfigurationError for names that `[tool.streams]` of a new project may not have."""
    _refuse_taken(package, {})
    _refuse_mismatch(folder, package)


def _read(file: Path) -> Project | None:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{file}: {exc}") from exc
    table = content.get("tool", {}).get("streams")
    if table is None:
        return None
    metadata = content.get("project", {})
    points = metadata.get("entry-points", {}).get(SERVICES_GROUP, {})
    services = {**points, **table.get("services", {})}
    try:
        if metadata.get("name") != _OURS:
            _refuse_taken(table.get("package"), services)
        return _project(file.parent, table, services)
    except ConfigurationError as exc:
        raise ConfigurationError(f"{file}: [tool.streams]: {exc}") from None


def _project(root: Path, table: Mapping[str, Any], services: Mapping[str, str]) -> Project:
    unknown = table.keys() - {"schemas", "package", "services"}
    if unknown:
        raise ConfigurationError(
            f"found {', '.join(sorted(unknown))}, wanted schemas, package and services"
        )
    folder, package = table.get("schemas"), table.get("package")
    if folder is None and package is None:
        return Project(root=root, services=services)
    if not isinstance(folder, str) or not isinstance(package, str):
        raise ConfigurationError(
            f"found schemas = {folder!r} and package = {package!r}, wanted both: a folder such as "
            '"shop/events" and its import name, "shop.events"'
        )
    _refuse_mismatch(folder, package)
    return Project(root=root, schemas=root / folder, package=package, services=services)


def _refuse_mismatch(folder: str, package: str) -> None:
    parts = tuple(package.split("."))
    if Path(folder).parts[-len(parts) :] != parts or not all(map(str.isidentifier, parts)):
        raise ConfigurationError(
            f"found schemas = {folder!r} and package = {package!r}, wanted an import name and a "
            f"folder that ends with it, such as shop.events and {'/'.join(parts)}"
        )


def _refuse_taken(package: object, services: Mapping[str, str]) -> None:
    """Top-level names of our wheel would hide, or be hidden by, the project's own."""
    for name in (package, *services.values()):
        top = str(name).partition(":")[0].partition(".")[0]
        if top in _TAKEN:
            raise ConfigurationError(
                f"found {name!r}, but the import name {top!r} is the library's own; wanted another "
                'one, such as "shop.events"; rename the package'
            )
