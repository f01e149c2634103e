"""Counters of photos, users and conversations.

Two stages: the folds of `photos`, `pairs`, `conversations` and `accounts` read what users did and
write facts and upserts keyed by user into `counters.contributions`; the fold of `users` sums them.
"""

from __future__ import annotations

from services.counters.accounts import ACCOUNTS
from services.counters.conversations import CONVERSATIONS
from services.counters.pairs import PAIRS
from services.counters.photos import PHOTOS
from services.counters.users import USERS
from streams.fold.service import Service

SERVICE = Service("counters", folds=[PHOTOS, PAIRS, CONVERSATIONS, ACCOUNTS, USERS])
