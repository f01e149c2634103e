"""The table of verbs: what `streams --help` shows, and where each verb's code is.

A verb is one file in this folder. Its module is imported only when the verb is used.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Verb(NamedTuple):
    """A line of the table: `target` is `module:function` or `module:app` (a typer app)."""

    target: str
    panel: str
    summary: str
    example: str


VERBS: Final[dict[str, Verb]] = {
    "emit": Verb(
        "streams.cli.emit:emit",
        "Write",
        "Send events from a JSON-lines file or standard input.",
        """echo '{"type":"PhotoLiked","user_id":3,"photo_id":5,"owner_id":9}' | streams emit -""",
    ),
    "run": Verb(
        "streams.cli.run:run",
        "Run",
        "Run the workers of a service.",
        "streams run counters --workers 3",
    ),
    "get": Verb(
        "streams.cli.get:get",
        "Read",
        "Show the result of one key.",
        "streams get counters.photos 5",
    ),
    "dump": Verb(
        "streams.cli.dump:dump",
        "Read",
        "Write every result of a topic as JSON lines.",
        "streams dump counters.photos > photos.jsonl",
    ),
    "top": Verb(
        "streams.cli.top:top",
        "Read",
        "Rank the results of a topic by one field.",
        "streams top counters.photos likes -n 10",
    ),
    "tail": Verb(
        "streams.cli.tail:tail",
        "Read",
        "Follow a topic, decoded.",
        "streams tail social.photos -n 20 --from start",
    ),
    "lag": Verb(
        "streams.cli.lag:lag",
        "Look after",
        "How far services are behind, in records and seconds.",
        "streams lag counters",
    ),
    "quarantine": Verb(
        "streams.cli.quarantine:app",
        "Look after",
        "Records that could not be decoded: see them, fold them after all.",
        "streams quarantine list counters",
    ),
    "parked": Verb(
        "streams.cli.parked:app",
        "Look after",
        "Keys whose handler raised: see them, take them up again.",
        "streams parked list counters",
    ),
    "doctor": Verb(
        "streams.cli.doctor:doctor",
        "Look after",
        "Check the broker, the clients, the topics and this machine.",
        "streams doctor",
    ),
    "settings": Verb(
        "streams.cli.settings:settings",
        "Look after",
        "Every setting, its variable and its default.",
        "streams settings --markdown",
    ),
    "kafka": Verb(
        "streams.cli.kafka:app",
        "Set up",
        "Start and stop a real Kafka on this machine.",
        "streams kafka up",
    ),
    "topics": Verb(
        "streams.cli.topics:app",
        "Set up",
        "Compare and create the declared topics.",
        "streams topics apply",
    ),
    "schemas": Verb(
        "streams.cli.schemas:app",
        "Set up",
        "Check schemas and generate event types.",
        "streams schemas check",
    ),
    "state": Verb(
        "streams.cli.state:app",
        "Set up",
        "Reset the derived state of a service.",
        "streams state reset counters --topic counters.contributions",
    ),
    "offsets": Verb(
        "streams.cli.offsets:app",
        "Set up",
        "Restore the committed positions of a service.",
        "streams offsets restore counters",
    ),
}
