"""Finds a service by its name or by `module:attribute`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from streams.errors import ConfigurationError, NotFound
from streams.fold.service import Service
from streams.topics.catalog import Catalog
from streams.topics.declared import service_targets
from streams.topics.project import find_project


def load_service(name: str) -> Service:
    """The service of an installed name, of the project's table, or at `module:attribute`.

    A `module` given by name may be a file of the working folder. Raises NotFound for an unknown
    name, ConfigurationError when the target is no Service; what the module itself raises passes.
    """
    targets = service_targets(Catalog.find(), find_project())
    target = name if ":" in name else targets.get(name)
    if target is None:
        raise NotFound(
            f"found no service {name!r}; wanted {', '.join(targets) or 'none is installed'}, or "
            "module:SERVICE"
        )
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise ConfigurationError(
            f"found the service {target!r}, wanted module:SERVICE, such as likes:SERVICE"
        )
    if ":" in name:
        _make_importable(Path.cwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and not module_name.startswith(exc.name):
            raise
        raise NotFound(f"found no module {module_name!r} for the service {name!r}") from exc
    service = getattr(module, attribute, None)
    if isinstance(service, Service):
        service.target = name
        return service
    found = type(service).__name__ if hasattr(module, attribute) else f"no {attribute}"
    others = [name for name, one in vars(module).items() if isinstance(one, Service)]
    raise ConfigurationError(
        f"{target}: found {found} in {module.__file__}, wanted a streams.Service"
        + (f": {module_name}:{others[0]}" if others else "")
    )


def _make_importable(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
