"""Event types of the reference domain: `social` (input), `counters` and `demo` (derived).

`from schemas.social import PhotoLiked`. The modules are generated from the `.avsc` files in
`avro/`; `topics.toml` says on which topic each type is, `lock.json` holds every released version.
"""
