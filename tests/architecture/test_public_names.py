"""The names that users import. Whoever adds, renames or removes one writes it here too."""

import ast
import importlib
import inspect
import pkgutil
from types import ModuleType

import pytest

import streams

PUBLIC = {
    "streams": {
        "BrokerUnavailable", "Catalog", "ClientClosed", "ConfigurationError", "Context",
        "DeliveryFailed", "Emitter", "Entries", "Event", "EventClient", "Fold", "InputError",
        "MemberSets", "Members", "Message", "NotFound", "Overloaded", "Receipt",
        "RecordingClient", "Result", "Results", "SchemaMismatch", "Service", "StreamsError",
        "TooLarge", "Unavailable", "UnknownEvent", "Worker", "WorkerStopped",
    },
    "streams.local": {"LocalKafka", "NodeStatus", "Status"},
    "streams.sdk": {"Emitter", "EventClient", "Position", "Receipt", "RecordingClient"},
    "streams.testing": {"Simulation", "SimulationFailed", "simulate"},
}  # fmt: skip

PACKAGES = ["streams"] + [
    module.name for module in pkgutil.iter_modules(streams.__path__, "streams.") if module.ispkg
]

NAMES = [(package, name) for package, names in PUBLIC.items() for name in sorted(names)]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_offers_what_is_written_above(package):
    """A name that goes, or comes by accident, is a change for whoever imports it."""
    module = importlib.import_module(package)

    shown = sorted(getattr(module, "__all__", visible(module)))

    assert sorted(PUBLIC.get(package, ())) == shown
    assert "__getattr__" in vars(module) or shown == visible(module)


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_says_what_it_is(package, name):
    """`help()` and editors show it; one that is inherited speaks of something else."""
    found = getattr(importlib.import_module(package), name)

    assert inspect.isclass(found) or inspect.isfunction(found)
    own = vars(found)["__doc__"] if inspect.isclass(found) else found.__doc__
    assert len(own.split()) > 3


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_says_what_is_in_it(package):
    """It is where a reader of the folder begins."""
    assert len(importlib.import_module(package).__doc__.split()) > 3


def visible(module):
    """What stands in a package beside its modules, unless names are loaded when first used."""
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    )


def test_type_checkers_see_what_is_loaded():
    """They read the imports that never run; programs get what the table names."""
    tree = ast.parse(inspect.getsource(streams))
    (seen,) = (node for node in tree.body if isinstance(node, ast.If))

    assert streams._HOMES == {
        alias.asname or alias.name: node.module for node in seen.body for alias in node.names
    }
