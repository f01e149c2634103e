"""Our producer side: typed events to acknowledged records, by `emit` or `emit_many`.

Options: bootstrap, namespace, events, way ("emit" or "emit_many"), is_stamped. The events are made
before the clock starts. They come with ids and times, as the peer's do, if `is_stamped`; else the
client gives them both, as it does for most users.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import islice

from schemas.social import PhotoLiked
from streams import EventClient
from streams.settings import EmitSettings, KafkaSettings

_AT_ONCE = 1_000
_BEGIN_US = 1_700_000_000_000_000


def main() -> None:
    """Emit likes and wait until all are acknowledged."""
    options = json.loads(sys.argv[1])
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    likes = [_like(at, is_stamped=options["is_stamped"]) for at in range(options["events"])]
    with EventClient(kafka, EmitSettings()) as client:
        client.ready(PhotoLiked)
        print("start", flush=True)
        if options["way"] == "emit":
            for like in likes:
                last = client.emit(like)
        else:
            rest = iter(likes)
            while some := list(islice(rest, _AT_ONCE)):
                last = client.emit_many(some)[-1]
        client.flush()
        last.result()
        print("end", flush=True)


def _like(at: int, *, is_stamped: bool) -> PhotoLiked:
    user_id, photo_id, owner_id = at % 100_000, at % 5_000, at % 1_000
    if not is_stamped:
        return PhotoLiked(user_id=user_id, photo_id=photo_id, owner_id=owner_id)
    return PhotoLiked(
        user_id=user_id,
        photo_id=photo_id,
        owner_id=owner_id,
        event_id=os.urandom(16),
        occurred_at=_BEGIN_US + at,
    )


if __name__ == "__main__":
    main()
