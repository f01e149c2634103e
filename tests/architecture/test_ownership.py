"""What only one place may do: talk to Kafka, read the environment, read time."""

import ast


def imported(module):
    """Dotted names of the modules that a file imports."""
    names = [alias.name for node in module.walk(ast.Import) for alias in node.names]
    return names + [node.module or "" for node in module.walk(ast.ImportFrom)]


def users_of(library, package):
    return sorted(
        module.name
        for module in library
        if any(name.partition(".")[0] == package for name in imported(module))
    )


def reads(library, owner, *attributes):
    """`file:line` of each `owner.attribute` in the code."""
    return [
        f"{module.name}:{node.lineno}"
        for module in library
        for node in module.walk(ast.Attribute)
        if node.attr in attributes and ast.unparse(node.value).split(".")[-1] == owner
    ]


def test_only_the_kafka_folder_imports_the_kafka_client(library):
    """Another client, or another log, replaces one folder."""
    outside = [
        name
        for name in users_of(library, "confluent_kafka")
        if not name.startswith("streams/kafka/")
    ]

    assert [] == outside


def test_only_settings_reads_the_environment(library):
    """Every setting is in the table that users see, and tests pass values instead."""
    places = reads(library, "os", "environ", "environb", "getenv", "putenv")
    places += [
        f"{module.name}:{node.lineno}"
        for module in library
        for node in module.walk(ast.ImportFrom)
        if node.module == "os" and {"environ", "getenv"} & {alias.name for alias in node.names}
    ]

    assert {"streams/settings.py"} >= {place.partition(":")[0] for place in places}, places


def test_only_the_clock_reads_time(library):
    """A fold that looked at the clock would answer differently in a replay."""
    places = users_of(library, "time")
    places += reads(library, "datetime", "now", "utcnow", "today")
    places += reads(library, "date", "today")

    assert ["streams/clock.py"] == places


def test_no_module_is_a_drawer(modules):
    """Names that say nothing collect everything."""
    drawers = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "managers"}

    found = [
        module.name
        for module in modules
        if drawers & set(module.name.removesuffix(".py").split("/"))
    ]

    assert [] == found
