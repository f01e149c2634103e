"""What generators note is what the checker reads."""

from __future__ import annotations

from schemas.social import PhotoLiked
from tests.faults.history import Answer, History, digest_of, read_history

LIKED = PhotoLiked(user_id=3, photo_id=5, owner_id=9)


def test_each_answer_finds_its_event(tmp_path):
    """Answers come in any order, long after, or never."""
    ids = [bytes([number]) * 16 for number in range(4)]
    with History(tmp_path / "history.jsonl") as history:
        for number, one in enumerate(ids):
            history.invoke(one, topic="social.photos", key="5", sequence=number, digest=number)
        history.unknown(ids[2], "timed out")
        history.ok(ids[0], 1, 17)
        history.fail(ids[1], "too large")

    found = read_history(tmp_path / "history.jsonl")

    assert ids == list(found)
    assert [0, 1, 2, 3] == [one.sequence for one in found.values()]
    assert [Answer.OK, Answer.FAIL, Answer.UNKNOWN, Answer.INVOKED] == [
        one.answer for one in found.values()
    ]
    assert (1, 17) == (found[ids[0]].partition, found[ids[0]].offset)


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    """A process that is killed leaves half a line."""
    file = tmp_path / "history.jsonl"
    with History(file) as history:
        history.invoke(b"a" * 16, topic="social.photos", key="5", sequence=0, digest=0)
    with file.open("a", encoding="utf-8") as cut:
        cut.write('["ok", "61')

    assert Answer.INVOKED is read_history(file)[b"a" * 16].answer


def test_stamps_are_not_what_an_event_says():
    """The client stamps it on its way."""
    stamped = PhotoLiked(user_id=3, photo_id=5, owner_id=9, event_id=b"x" * 16, occurred_at=7)

    assert digest_of(LIKED) == digest_of(stamped)
    assert digest_of(LIKED) != digest_of(PhotoLiked(user_id=4, photo_id=5, owner_id=9))
