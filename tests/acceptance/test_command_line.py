"""The newcomer's path through the command line, as real processes: formats and exit codes."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from streams.settings import KafkaSettings
from tests.acceptance.home import Home

LINES = """{"type":"PhotoPosted","photo_id":5,"owner_id":9,"tags":["sea"]}

{"type":"PhotoLiked","user_id":3,"photo_id":5,"owner_id":9}
{"type":"social.PhotoLiked","user_id":4,"photo_id":5,"owner_id":9,"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","occurred_at":"2026-03-01T12:00:00+01:00"}
{"type":"PhotoLiked","user_id":4,"photo_id":5,"owner_id":9,"occurred_at":1700000000000000}
{"type":"PhotoLiked","user_id":3,"photo_id":10,"owner_id":9}
{"type":"PhotoLiked","user_id":3,"photo_id":9,"owner_id":9}
"""
PHOTO = (
    '{"type":"PhotoCounters","photo_id":5,"owner_id":9,"likes":2,"comments":0,"comment_likes":0,'
    '"shares":0,"deleted":false}\n'
)
LIKE = '{"type":"PhotoLiked","user_id":3,"photo_id":5,"owner_id":9}'

pytestmark = [pytest.mark.kafka, pytest.mark.slow]


def test_from_lines_on_standard_input_to_every_way_of_reading(home):
    """Blank lines, full names, stamps of the emitter's own; then get, dump, top and lag."""
    sent = json.loads(home.done("emit", "-", "--json", stdin=LINES))
    ran = home.streams("run", "counters", "--until-caught-up")
    dumped = [json.loads(line) for line in home.done("dump", "counters.photos").splitlines()]
    placed = home.done("dump", "counters.photos", "--with-position").splitlines()
    best = home.done("top", "counters.photos", "likes", "-n", "3", "--json").splitlines()
    lags = [json.loads(line) for line in home.done("lag", "counters", "--json").splitlines()]

    assert {"events": 6, "topics": {"social.photos": 6}} == sent
    assert (0, "caught up: ") == (ran.returncode, ran.stdout[:11])
    assert PHOTO == home.done("get", "counters.photos", "5", "--json")
    assert {5, 9, 10} == {row["photo_id"] for row in dumped}
    assert PHOTO in [json.dumps(row, separators=(",", ":")) + "\n" for row in dumped]
    assert {"_topic", "_partition", "_offset"} <= json.loads(placed[0]).keys()
    assert [5, 9, 10] == [json.loads(line)["photo_id"] for line in best]
    assert {0} == {row["records"] for row in lags}


SMALL = """
from schemas.demo import LikesCounted
from schemas.social import PhotoLiked
from streams import Fold, Members, Service

LIKES = Fold("likes", reads="social.photos", key="photo_id", state=Members, version=1)

@LIKES.on(PhotoLiked)
def liked(fans: Members, event: PhotoLiked) -> None:
    if event.photo_id == 9:
        raise ValueError("nine")
    fans.add(event.user_id)

@LIKES.result(into="demo.counts")
def count(photo_id: int, fans: Members) -> LikesCounted:
    return LikesCounted(photo_id=photo_id, likes=len(fans))

SERVICE = Service("small", folds=[LIKES])
"""


def test_caught_up_is_said_only_of_partitions_that_were_opened(home, tmp_path):
    """With nothing left to read, a changed fold would else pass the check of a deployment."""
    small = replace(home, cwd=tmp_path)
    (tmp_path / "small.py").write_text(SMALL, encoding="utf-8")
    small.done("topics", "apply", "small:SERVICE")
    small.done("emit", "-", stdin="".join(LINES.splitlines(keepends=True)[2:]))

    first = small.done("run", "small:SERVICE", "--until-caught-up", "--timeout", "60")
    second = small.done("run", "small:SERVICE", "--until-caught-up", "--timeout", "60")
    (tmp_path / "small.py").write_text(SMALL.replace("version=1", "version=2"), encoding="utf-8")
    changed = small.streams("run", "small:SERVICE", "--until-caught-up", "--timeout", "60")

    parked = "1 key parked (%s new): streams parked list small"
    assert f"caught up: 5 records folded; {parked % 1}\n" == first
    assert f"caught up: 0 records folded; {parked % 0}\n" == second
    assert (1, "") == (changed.returncode, changed.stdout)
    assert "has version 2, not 1" in changed.stderr


def test_no_kafka_ends_a_run_only_at_its_timeout(home):
    """A worker waits for Kafka, and says so; a script may not want to."""
    nowhere = replace(home, kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"))

    ended = nowhere.streams("run", "counters", "--until-caught-up", "--timeout", "8")

    assert 3 == ended.returncode
    assert "waiting for Kafka" in ended.stderr


BAD = [
    ("{", ""),
    ("[]", ""),
    ('{"user_id":3}', "type"),
    ('{"type":"PhotoBought"}', "PhotoBought"),
    (LIKE.replace("3", "3.0"), "user_id: found 3.0"),
    (LIKE.replace("3", '"3"'), 'user_id: found "3"'),
    (LIKE.replace("3", "true"), "user_id: found true"),
    (LIKE.replace("3", "9223372036854775808"), "user_id: found 9223372036854775808"),
    (LIKE.replace('"user_id":3,', ""), "user_id"),
    (LIKE.replace("}", ',"colour":1}'), "colour"),
    (LIKE.replace("}", ',"occurred_at":"2026-03-01T12:00:00"}'), "occurred_at"),
    (LIKE.replace("}", ',"event_id":"5"}'), "event_id"),
]


def test_every_bad_line_is_named_with_its_field(tmp_path):
    """Exit code 2 promises that nothing was sent, so no broker is asked; here there is none."""
    home = Home(KafkaSettings(bootstrap_servers="127.0.0.1:1"), tmp_path)
    lines = [LIKE, *(line for line, _ in BAD), LIKE]

    refused = home.streams("emit", "-", stdin="\n".join(lines))

    told = dict(re.findall(r"line (\d+): (.*)", refused.stderr))
    assert (2, "") == (refused.returncode, refused.stdout)
    assert {str(number) for number in range(2, len(BAD) + 2)} == told.keys()
    assert [] == [
        (words, told[str(number)])
        for number, (_, words) in enumerate(BAD, 2)
        if words not in told[str(number)]
    ]


def test_exit_codes_tell_scripts_what_to_do(home):
    """2 is the caller's, 3 is worth another try, 4 means there is no such thing."""
    nowhere = replace(home, kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"))
    unapplied = replace(home, kafka=home.kafka.model_copy(update={"namespace": "nothing-here."}))
    codes = {
        "no key": home.streams("get", "counters.photos", "5").returncode,
        "no topic": home.streams("dump", "counters.nothing").returncode,
        "no service": home.streams("run", "nothing").returncode,
        "no verb": home.streams("nothing").returncode,
        "no field": home.streams("top", "counters.photos", "nothing").returncode,
        "no broker to read": nowhere.streams("get", "counters.photos", "5").returncode,
        "no topics": unapplied.streams("run", "counters", "--until-caught-up").returncode,
    }

    assert {
        "no key": 4,
        "no topic": 4,
        "no service": 4,
        "no verb": 2,
        "no field": 2,
        "no broker to read": 3,
        "no topics": 2,
    } == codes
