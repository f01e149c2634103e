"""What no file of the project may contain."""

import re

REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted\.org|maven\.(apache\.)?org|docker\.io|quay\.io|ghcr\.io|npmjs\.(org|com)"
    r"|--(extra-)?index-url[ =]"
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$}-])/(root|work|home/\w+|Users/\w+)/")


def lines_with(pattern, texts):
    return [
        f"{name}:{number}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry(texts):
    """Each machine has its own mirror; a pinned address breaks behind another."""
    assert [] == lines_with(REGISTRIES, texts)


def test_no_file_names_a_folder_of_one_machine(texts):
    """It would work for its writer only."""
    assert [] == lines_with(MACHINE_PATHS, texts)


def test_the_lock_pins_the_kafka_client_that_was_tested(texts):
    """librdkafka's transactions and groups differ from version to version."""
    assert "confluent-kafka==2.16.0 " in texts["requirements.lock"]
