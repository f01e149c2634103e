"""Runs the field side by side on one broker and writes what was found.

    python -m tests.benchmarks                 everything, over an hour
    python -m tests.benchmarks --quick         ours and the plain ones, under three minutes
    python -m tests.benchmarks --only "members*"  jobs with such names

Exit code 1 when an answer is wrong, whatever its time; 2 when one of ours failed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from streams.kafka.config import bootstrap_servers
from streams.local.kafka import LocalKafka
from streams.settings import HomeSettings, KafkaSettings
from tests.benchmarks.field import OURS, systems
from tests.benchmarks.machine import Machine
from tests.benchmarks.picture import stacked_bar
from tests.benchmarks.programme import Programme
from tests.benchmarks.report import markdown, missed
from tests.benchmarks.trial import Place, delete_topics

_FOLDER = Path(__file__).parent


def main() -> int:
    """Run what is asked for; results.json and, for a full run, RESULTS.md are written here."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="*", help="jobs with such names, as in a shell")
    parser.add_argument("--system", default="", help="systems whose names begin so, and ours")
    parser.add_argument("--rounds", type=int, default=0, help="most runs of one trial")
    parser.add_argument("--into", type=Path, default=_FOLDER, help="folder of what is written")
    asked = parser.parse_args()
    field = [one for one in systems() if one.name.startswith((asked.system, OURS, "bare"))]
    rounds = asked.rounds or (1 if asked.quick else 3)
    place = _place()
    programme = Programme(place, field, asked.only, rounds, lambda text: print(text, flush=True))
    try:
        (programme.quick if asked.quick else programme.full)()
    except KeyboardInterrupt:
        print("interrupted; what was found so far:")
    finally:
        delete_topics(place)
    results = programme.results
    asked.into.mkdir(parents=True, exist_ok=True)
    results.write(asked.into / "results.json")
    text = markdown(results, Machine.here(), field, has_picture=bool(results.profile_s))
    if not (asked.quick or asked.only != "*" or asked.system):
        (asked.into / "RESULTS.md").write_text(text, encoding="utf-8")
    if results.profile_s:
        picture = stacked_bar(results.profile_s, "members, 5 M events: the worker's thread")
        (asked.into / "profile.svg").write_text(picture, encoding="utf-8")
    print("\n" + text)
    for line in missed(results):
        print("target missed:", line)
    for line in results.wrong:
        print("WRONG:", line)
    if results.wrong:
        return 1
    return 2 if any(OURS in failed for failed in results.failures.values()) else 0


def _place() -> Place:
    """The configured Kafka, else the local one, started if need be; it keeps running."""
    configured = KafkaSettings()
    if configured.bootstrap_servers:
        servers = bootstrap_servers(configured)
        return Place(kafka=configured, bootstrap=servers, broker_pid=None)
    status = LocalKafka(HomeSettings().home).up()
    kafka = KafkaSettings(bootstrap_servers=status.address)
    return Place(kafka=kafka, bootstrap=status.address, broker_pid=status.pid)


if __name__ == "__main__":
    sys.exit(main())
