"""Another program than the one that is checked out: one of its folds has another version.

Workers under trial become that program when `variables` are in their environment;
`python -m tests.faults.deployed VERB …` is its command line.
"""

from __future__ import annotations

import os

from services.counters import SERVICE

_VARIABLE = "TESTS_FAULTS_FOLD"


def variables(fold: str, version: int) -> dict[str, str]:
    """The environment of a process that is to be that program."""
    return {_VARIABLE: f"{fold} {version}"}


def deploy() -> None:
    """Make this process the program that its environment names; before any of it runs."""
    name, _, version = os.environ.get(_VARIABLE, "").partition(" ")
    for fold in SERVICE.folds:
        if fold.name == name:
            fold.version = int(version)


def main() -> None:
    """Run a verb."""
    from streams.cli.main import main as run_verb

    deploy()
    run_verb()


if __name__ == "__main__":
    main()
