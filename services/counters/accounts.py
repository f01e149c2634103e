"""Registrations: a user who did nothing yet has a row of zeros."""

from __future__ import annotations

import msgspec

from schemas.counters import ActorCounted, ActorKind
from schemas.social import UserRegistered
from streams.fold.context import Context
from streams.fold.declaration import Fold


class Account(msgspec.Struct):
    """One user."""

    is_registered: bool = False


ACCOUNTS = Fold(
    "accounts", reads="social.users", key="user_id", state=Account, emits=[ActorCounted]
)


@ACCOUNTS.on(UserRegistered)
def registered(account: Account, event: UserRegistered, ctx: Context) -> None:
    """The first registration makes the row; it changes no count."""
    if not account.is_registered:
        account.is_registered = True
        ctx.emit(ActorCounted(user_id=event.user_id, kind=ActorKind.REGISTERED, delta=0))
