"""Our producer side: typed events to acknowledged records, by `emit` or `emit_many`.

Options: bootstrap, namespace, events, way ("emit" or "emit_many"). The events are made before the
clock starts; ids and times are stamped by the client, as for a user.
"""

from __future__ import annotations

import json
import sys
from itertools import islice

from schemas.social import PhotoLiked
from streams import EventClient
from streams.settings import EmitSettings, KafkaSettings

_AT_ONCE = 1_000


def main() -> None:
    """Emit likes and wait until all are acknowledged."""
    options = json.loads(sys.argv[1])
    kafka = KafkaSettings(bootstrap_servers=options["bootstrap"], namespace=options["namespace"])
    likes = [
        PhotoLiked(user_id=at % 100_000, photo_id=at % 5_000, owner_id=at % 1_000)
        for at in range(options["events"])
    ]
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


if __name__ == "__main__":
    main()
