"""What a user would pick instead of us: one program a peer, each run in an environment of its own.

A program is started with one argument, a JSON object:

| field | what it is |
|---|---|
| `bootstrap` | the broker, host:port |
| `source` | topic to read, 4 partitions, filled without transactions |
| `events` | how many records that are |
| `into` | topic to write, 4 partitions |
| `group` | a unique name: consumer group, application id, transactional id |
| `job` | `members`, `count` or `emit` |
| `schemas` | writer schemas of `PhotoLiked` and `PhotoUnliked` by Confluent id as text |
| `result_id` | the Confluent id of `LikesCounted` |
| `state` | a folder of its own for local state |

and the settings of the peer, named in the docstring of its program. It prints the line `start` with
the first record it handles and the line `end` once the outputs and the offsets of the last record
are committed; then it may print one line of JSON facts, and exits with 0. A job that it cannot do
is refused: one line on stderr, and another exit code. It holds no clock but the one of its commits:
all measuring is done from outside.

Topics that a library makes for itself have `group` in their names and are left for the harness to
delete.
"""
