"""Running verbs in this process, and values as services write them."""

import json

from typer.testing import CliRunner

from schemas.counters import PhotoCounters
from schemas.social import PhotoLiked
from streams.cli.main import app
from streams.topics.catalog import Catalog

CATALOG = Catalog.of(PhotoCounters)


def run(*args):
    return CliRunner().invoke(app, list(args))


def objects(shown):
    return [json.loads(line) for line in shown.stdout.splitlines()]


def counted(photo_id, likes, owner_id=9):
    one = PhotoCounters(
        photo_id=photo_id, owner_id=owner_id, likes=likes, comments=0, comment_likes=0, shares=0,
        deleted=False,
    )  # fmt: skip
    return "counters.photos", str(photo_id), CATALOG.encoder(PhotoCounters).encode(one)


def liked(user_id, photo_id):
    event = PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=9, event_id=bytes(15) + b"\1")
    return "social.photos", str(photo_id), CATALOG.encoder(PhotoLiked).encode(event)
