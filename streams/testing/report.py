"""What a person reads when a simulation went wrong: what, where, when, what to do, and a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent
from typing import Final

from streams.engine.raise_place import raise_place
from streams.testing.audit import Difference
from streams.testing.audited import Audit
from streams.testing.case import Case
from streams.testing.forbidden_calls import ForbiddenCall
from streams.testing.paste import short
from streams.testing.plain_fold import Raised
from streams.testing.referee import Finding

_ADVICE: Final = (
    "either handlers disturb each other, or the engine has an error: please report this text with "
    "the folds"
)


@dataclass(frozen=True, slots=True)
class Report:
    """`text` is for a person; `test` is Python that fails in the same way."""

    text: str
    test: str


def told_audit(audit: Audit, seed: int) -> Report:
    """The report of a fold that gives two answers, or does what no fold may."""
    match audit.found:
        case Difference() as different:
            what = f"gives another answer {different.way.says}"
            details = [
                different.where,
                f"expected {different.expected}",
                f"found    {different.found}",
            ]
            advice = different.way.advice
        case ForbiddenCall() as asked:
            what = f"{asked.what} at {asked.place}"
            details = ["folded again after a crash, the same event gives another answer"]
            advice = asked.instead
        case Raised() as raised:
            what = f"raises {type(raised.cause).__name__}: {raised.cause}"
            at = raise_place(raised.cause)
            details = [f"key {raised.key!r}, offset {raised.offset}, at {at}"]
            advice = (
                "in production the key is parked, and none of its events counts from there on: "
                "mend the handler; or, if it raises on purpose, pass may_park=True"
            )
    details += [f"the global {name} changed while events were folded" for name in audit.changed]
    test = audit.case.test(seed)
    told = {
        "what was found": details,
        "what to do": [advice],
        "the events": [short(event) for event in audit.case.events],
        "the same as a test": test.splitlines(),
    }
    head = f"{audit.case.service.name}: the fold {audit.fold} {what} (seed {seed})"
    return Report(_text(head, told), test)


def told_case(case: Case, finding: Finding, place: str) -> Report:
    """The report of a schedule after which something was wrong; `place` says which it was."""
    timeline: list[str] = []
    found = case.play(timeline.append) or finding
    test = case.test()
    told = {
        "what was found": [*found.details, f"kind: {found.kind}"],
        "what to do": [_ADVICE],
        "what happened": timeline,
        "the same as a test": test.splitlines(),
    }
    head = f"{case.service.name}: {found.text} ({place})"
    return Report(_text(head, told), test)


def _text(head: str, told: Mapping[str, Sequence[str]]) -> str:
    paragraphs = [
        "\n".join([title, *(indent(line, "  ") for line in lines)]) for title, lines in told.items()
    ]
    return "\n\n".join([head, *paragraphs])
