"""Log lines about what was decided."""

from __future__ import annotations

import shlex
from typing import Any, Final, NamedTuple

from streams.engine.decisions import Decision, DecisionKind
from streams.logs import get_logger
from streams.topics.keys import key_text

_TOLD_OF_ERROR: Final = 200  # characters; the text is the user's and may quote an event


class _Notice(NamedTuple):
    level: str
    text: str
    verb: str


_NOTICES: Final = {
    DecisionKind.PARKED: _Notice("error", "{} raised; its key is parked", "parked"),
    DecisionKind.RETRIED: _Notice("info", "a parked key was folded after all", "parked"),
    DecisionKind.RETRY_FAILED: _Notice("error", "a key failed again and stays parked", "parked"),
    DecisionKind.REDRIVEN: _Notice("info", "a record was folded after all", "quarantine"),
    DecisionKind.REDRIVE_FAILED: _Notice(
        "warning", "a record failed again and stays in quarantine", "quarantine"
    ),
}


def tell(service: str, decision: Decision) -> None:
    """One line, with the command that shows more."""
    notice = _NOTICES[decision.kind]
    about: dict[str, Any] = {"fold": decision.fold, "key": key_text(decision.fold_key)}
    shown = about["key"]
    if not decision.fold:
        shown = f"{decision.source}/{decision.original}"
        about = {"record": shown}
    if decision.reason:
        about["error"] = f"{decision.reason}: {decision.detail}"[:_TOLD_OF_ERROR]
        about["where"] = decision.where
    getattr(get_logger(), notice.level)(
        notice.text.format(decision.raised_by),
        action=decision.kind.value,
        topic=decision.topic,
        partition=decision.partition,
        offset=decision.at,
        see=f"streams {notice.verb} show {service} {shlex.quote(shown)}",
        **about,
    )
