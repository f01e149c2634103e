"""`streams topics`: what a person and a script see, and exit codes."""

from __future__ import annotations

import json
import sys

import pytest
from typer.testing import CliRunner

from streams.cli import main, topics
from tests.unit.cluster import Cluster, Found
from tests.unit.shop import TOPICS, Shop


@pytest.fixture
def cluster(monkeypatch):
    cluster = Cluster()
    monkeypatch.setattr(topics, "KafkaAdmin", lambda _settings: cluster)
    return cluster


def run(*args):
    return CliRunner().invoke(main.app, ["topics", *args])


def test_list_shows_every_declared_topic_without_a_broker():
    """It answers on a train."""
    shown = run("list")

    rows = [line.split()[0] for line in shown.stdout.splitlines()]
    assert shown.exit_code == 0
    assert {"social.photos", "counters.photos", "counters.quarantine"} <= set(rows)


def test_list_prints_objects_for_scripts():
    """One a line, with the types as a list."""
    rows = {row["topic"]: row for row in map(json.loads, run("list", "--json").stdout.splitlines())}

    assert rows["social.relations"]["key"] == "pair"
    assert rows["social.relations"]["partitions"] == 8
    assert "social.PhotoLiked" in rows["social.photos"]["types"]


def test_diff_is_1_until_apply_was_run(cluster):
    """A deployment asks diff whether it must apply."""
    before = run("diff")
    applied = run("apply")
    after = run("diff")

    assert (1, 0, 0) == (before.exit_code, applied.exit_code, after.exit_code)
    assert before.stdout.startswith("create ")
    assert "social.photos" in cluster.found


def test_an_undeclared_topic_is_shown_but_is_nothing_to_mend(cluster):
    """It may be another program's."""
    run("apply")
    cluster.create_topic("other.topic", 1, {}, replication=1)

    shown = run("diff", "--json")

    (row,) = map(json.loads, shown.stdout.splitlines())
    assert shown.exit_code == 0
    assert ("other.topic", "undeclared") == (row["topic"], row["change"])


def test_undeclared_topics_are_counted_unless_they_are_asked_for(cluster):
    """A shared broker has hundreds, and the answer stands below them."""
    run("apply")
    for number in range(3):
        cluster.create_topic(f"other.{number}", 1, {}, replication=1)

    short, full = run("diff"), run("diff", "--all")

    assert (0, 0) == (short.exit_code, full.exit_code)
    assert "undeclared   3 topics (--all lists them)" == short.stdout.splitlines()[0]
    assert "declared topics are as declared" in short.stdout.splitlines()[1]
    assert ["other.0", "other.1", "other.2"] == [
        line.split()[1].rstrip(":") for line in full.stdout.splitlines()[:3]
    ]


def test_apply_refuses_another_partition_count_with_exit_code_2(cluster):
    """The way out is in the message."""
    cluster.found["social.photos"] = Found("social.photos", 16)

    refused = run("apply")

    assert refused.exit_code == 2
    assert "social.photos: found 16 partitions, wanted 4" in refused.stderr
    assert {"social.photos"} == set(cluster.found)


@pytest.fixture
def expiring(tmp_path, monkeypatch):
    """Makes a project whose topic shop.orders expires, with a service of the given source."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def make(name, source):
        shop = Shop(tmp_path, f"shop_{name}")
        shop.topics(TOPICS.replace('"forever"', '"7d"', 1))
        (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
        with (tmp_path / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'[tool.streams.services]\norders = "{name}:SERVICE"\n')
        monkeypatch.chdir(tmp_path)
        CliRunner().invoke(main.app, ["schemas", "generate"])

    return make


@pytest.mark.parametrize(
    ("module", "cure"),
    [("polars.no_such", "pip install 'millrace[engine]'"), ("no_such_module", "mend that")],
)
def test_apply_says_which_service_it_could_not_ask_what_it_reads(cluster, expiring, module, cure):
    """An emit-only machine may make topics, but must not stay silent about what it left out."""
    name = f"unasked_{module.partition('.')[0]}"
    expiring(name, f"import {module}\n")

    applied = run("apply")

    assert applied.exit_code == 0
    assert "shop.orders" in cluster.found
    assert f"cannot import the service orders ({name}:SERVICE): No module" in applied.stderr
    assert "whether its folds read shop.orders, whose records expire" in applied.stderr
    assert cure in applied.stderr


def test_apply_asks_the_services_what_they_read_before_it_lets_a_log_expire(cluster, expiring):
    """The topics themselves do not know who folds them."""
    expiring(
        "expiring_service",
        "from types import SimpleNamespace\nSERVICE = SimpleNamespace(inputs=['shop.orders'])\n",
    )

    refused = run("apply")

    assert refused.exit_code == 2
    assert "shop.orders: found retention of 7 days" in refused.stderr
    assert cluster.found == {}


def test_apply_makes_the_topics_of_a_service_that_no_table_names(cluster, tmp_path, monkeypatch):
    """`streams run likes:SERVICE` starts from one file, which only its caller knows."""
    (tmp_path / "unlisted_likes.py").write_text(
        "from services.counters.accounts import ACCOUNTS\n"
        "from streams import Service\n"
        'SERVICE = Service("unlisted", folds=[ACCOUNTS])\n',
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))

    applied = run("apply", "unlisted_likes:SERVICE")

    assert applied.exit_code == 0
    assert {"unlisted.quarantine", "unlisted.decisions"} <= cluster.found.keys()
