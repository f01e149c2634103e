"""Every type of the reference domain, field by field, as the definitions page states them.

Written by hand from that page and not from the .avsc files, so that neither can drift alone.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streams.topics.catalog import Catalog

LONG, INT, TEXT, DOUBLE, FLAG = "long", "int", "string", "double", "boolean"
LONGS = {"type": "array", "items": "long"}
TEXTS = {"type": "array", "items": "string"}
KIND = {
    "type": "enum",
    "name": "counters.ActorKind",
    "symbols": [
        "REGISTERED", "LIKE", "COMMENT", "FRIEND", "FOLLOWER", "FOLLOWING", "MESSAGE_SENT",
        "MESSAGE_RECEIVED",
    ],
}  # fmt: skip
REQUIRED = object()


def ids(*names):
    return dict.fromkeys(names, (LONG, REQUIRED))


def maybe(schema):
    return (["null", schema], None)


PROFILE = {
    **ids("user_id"),
    "handle": maybe(TEXT),
    "display_name": maybe(TEXT),
    "locale": maybe(TEXT),
    "time_zone": maybe(TEXT),
}
PHOTO = ids("photo_id", "owner_id")
COMMENT_LIKE = ids("user_id", "comment_id", "photo_id", "owner_id", "author_id")
REQUEST = ids("requester_id", "addressee_id")
FOLLOW = ids("follower_id", "followee_id")
TARGET = ids("user_id", "target_id")
MESSAGE = {**ids("message_id", "conversation_id", "sender_id"), "recipient_ids": (LONGS, [])}

EVENTS = {
    "social.users": {
        "UserRegistered": PROFILE,
        "UserUpdated": PROFILE,
        "UserDeleted": ids("user_id"),
    },
    "social.photos": {
        "PhotoPosted": {
            **PHOTO,
            "caption": (TEXT, ""),
            "tags": (TEXTS, []),
            "mentions": (LONGS, []),
            "media_url": maybe(TEXT),
        },
        "PhotoDeleted": PHOTO,
        "PhotoLiked": ids("user_id", "photo_id", "owner_id"),
        "PhotoUnliked": ids("user_id", "photo_id", "owner_id"),
        "PhotoShared": ids("share_id", "photo_id", "owner_id", "user_id"),
        "CommentPosted": {
            **ids("comment_id", "photo_id", "owner_id", "author_id"),
            "parent_comment_id": maybe(LONG),
            "text": (TEXT, ""),
            "mentions": (LONGS, []),
        },
        "CommentDeleted": ids("comment_id", "photo_id", "owner_id", "author_id"),
        "CommentLiked": COMMENT_LIKE,
        "CommentUnliked": COMMENT_LIKE,
    },
    "social.views": {
        "PhotoViewed": {
            **PHOTO,
            "viewer_id": maybe(LONG),
            "anonymous_id": maybe(LONG),
            "dwell_ms": (INT, 0),
            "surface": (TEXT, ""),
        },
    },
    "social.relations": {
        "FriendRequested": REQUEST,
        "FriendRequestCancelled": REQUEST,
        "FriendAccepted": REQUEST,
        "FriendDeclined": REQUEST,
        "FriendRemoved": ids("user_id", "friend_id"),
        "UserFollowed": FOLLOW,
        "UserUnfollowed": FOLLOW,
        "UserBlocked": TARGET,
        "UserUnblocked": TARGET,
        "UserMuted": TARGET,
        "UserUnmuted": TARGET,
    },
    "social.messages": {
        "MessageSent": {**MESSAGE, "text": (TEXT, "")},
        "MessageDeleted": MESSAGE,
        "MessageRead": ids("conversation_id", "user_id", "read_up_to"),
    },
    "social.feedback": {
        "ItemRated": {**ids("user_id", "item_id"), "value": (DOUBLE, REQUIRED)},
        "RatingRemoved": ids("user_id", "item_id"),
        "SuggestionShown": {
            **ids("user_id", "candidate_id"),
            "score": (DOUBLE, 0.0),
            "position": (INT, 0),
        },
        "SuggestionDismissed": ids("user_id", "candidate_id"),
    },
    "counters.contributions": {
        "ActorCounted": {
            **ids("user_id"),
            "kind": (KIND, REQUIRED),
            "delta": (LONG, REQUIRED),
        },
    },
}
"""Events and facts: fields after `event_id` and `occurred_at`, as (type, default)."""

UPSERTS = {
    "counters.contributions": {
        "PhotoContribution": ids("user_id", "photo_id", "photos", "likes", "comments"),
    },
    "counters.photos": {
        "PhotoCounters": {
            **ids("photo_id", "owner_id", "likes", "comments", "comment_likes", "shares"),
            "deleted": (FLAG, REQUIRED),
        },
    },
    "counters.users": {
        "UserCounters": ids(
            "user_id", "photos", "likes_received", "comments_received", "likes_given",
            "comments_given", "friends", "followers", "following", "messages_sent",
            "messages_received",
        ),
    },
    "counters.conversations": {
        "ConversationCounters": ids("conversation_id", "messages", "participants"),
    },
    "demo.counts": {"LikesCounted": ids("photo_id", "likes")},
}  # fmt: skip

KEYS = {
    "social.users": "user_id",
    "social.photos": "photo_id",
    "social.views": "photo_id",
    "social.messages": "conversation_id",
    "social.feedback": "user_id",
    "counters.contributions": "user_id",
    "counters.photos": "photo_id",
    "counters.users": "user_id",
    "counters.conversations": "conversation_id",
    "demo.counts": "photo_id",
}

CATALOG = Catalog.find(Path(__file__).parents[2])


def defined(table):
    return [
        pytest.param(topic, name, fields, id=name)
        for topic, types in table.items()
        for name, fields in types.items()
    ]


def written(fields):
    """The fields as Avro has them, doc apart."""
    return [
        {"name": name, "type": schema} | ({} if default is REQUIRED else {"default": default})
        for name, (schema, default) in fields.items()
    ]


@pytest.mark.parametrize(("topic", "name", "fields"), defined(EVENTS))
def test_an_event_has_its_identity_its_time_and_exactly_its_fields(topic, name, fields):
    """Services written against the definitions must find every field, its type and default."""
    event_type = CATALOG.type(name)
    area = "counters" if topic.startswith("counters") else "social"
    stamps = [
        {"name": "event_id", "type": {"type": "fixed", "name": f"{area}.EventId", "size": 16}},
        {"name": "occurred_at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ]

    schema = CATALOG.schema(event_type)

    assert f"{area}.{name}" == schema["name"]
    assert stamps + written(fields) == schema["fields"]
    assert topic == CATALOG.topic_of(event_type).name


@pytest.mark.parametrize(("topic", "name", "fields"), defined(UPSERTS))
def test_a_result_or_upsert_has_exactly_its_fields(topic, name, fields):
    """Position and cause of a result travel in headers, so it has no identity of its own."""
    result_type = CATALOG.type(name)

    schema = CATALOG.schema(result_type)

    assert written(fields) == schema["fields"]
    assert topic == CATALOG.topic_of(result_type).name


@pytest.mark.parametrize(("topic", "name", "fields"), defined(EVENTS))
def test_an_event_is_made_of_what_is_required_and_of_nothing_else(topic, name, fields):
    """Identity and time come last and have defaults, so that nobody must think of them."""
    event_type = CATALOG.type(name)
    needed = [field for field, (_, default) in fields.items() if default is REQUIRED]
    optional = [field for field in fields if field not in needed]

    event = event_type(**dict.fromkeys(needed, 7))

    assert (*needed, *optional, "event_id", "occurred_at") == event_type.__struct_fields__
    assert (bytes(16), 0) == (event.event_id, event.occurred_at)
    assert [fields[one][1] for one in optional] == [getattr(event, one) for one in optional]


def test_the_catalog_has_these_types_and_no_others():
    """A type that the definitions do not know would be nobody's to keep."""
    expected = {
        topic: {*EVENTS.get(topic, {}), *UPSERTS.get(topic, {})} for topic in (*EVENTS, *UPSERTS)
    }

    found = {
        topic.name: {name.rpartition(".")[2] for name in topic.types}
        for topic in CATALOG.topics.values()
    }

    assert expected == found


def test_topics_are_keyed_so_that_what_must_be_ordered_is_together():
    """The key decides the partition, and a partition is all the order there is."""
    found = {
        name: topic.key for name, topic in CATALOG.topics.items() if name != "social.relations"
    }

    assert KEYS == found


def test_relations_are_keyed_by_the_two_users_in_eight_partitions():
    """Both sides of a friendship act on one record of truth, whoever acts first."""
    topic = CATALOG.topic("social.relations")
    expected = {
        f"social.{name}": tuple(fields) for name, fields in EVENTS["social.relations"].items()
    }

    assert topic.is_pair
    assert topic.partitions == 8
    assert expected == dict(topic.keys)


def test_only_results_are_compacted_and_nothing_is_ever_forgotten():
    """A fold may be rebuilt from the first event; a results topic keeps one record a key."""
    compacted = {topic.name for topic in CATALOG.topics.values() if topic.is_compacted}

    assert {*UPSERTS} - {"counters.contributions"} == compacted
    assert all(topic.retention is None for topic in CATALOG.topics.values())


def test_every_schema_file_is_valid_json_of_a_documented_record():
    """The files are the truth for other languages too, without our generator."""
    files = sorted((CATALOG.folder / "avro").glob("*/*.avsc"))

    records = [json.loads(path.read_text(encoding="utf-8")) for path in files]

    assert sum(len(topic.types) for topic in CATALOG.topics.values()) == len(records)
    assert all(field["doc"] for record in records for field in [record, *record["fields"]])
