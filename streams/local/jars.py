"""The jars of the broker: resolved by Maven coordinates in pure Python, kept once a machine."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from xml.etree.ElementTree import ParseError

from streams.errors import BrokerUnavailable

KAFKA_VERSION = "4.3.1"
COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    "org.slf4j:slf4j-simple:1.7.36",  # without a binding the broker is mute
)
REQUEST_TIMEOUT_S = 30  # of each request; jgo's own 10 s is short for a slow line
_ATTEMPTS = 2


def broker_jars(downloads: Path) -> Path:
    """The folder that holds exactly the broker's jars, downloaded (44 MB) unless it is there.

    The folder appears whole or not at all, so an interrupted download leaves nothing half done
    and several processes may ask at once.
    """
    folder = jars_folder(downloads)
    for attempt in range(1, _ATTEMPTS + 1):
        if folder.is_dir():
            break
        try:
            download_jars(folder, COORDINATES, _pinned())
        except (OSError, RuntimeError, ValueError, AssertionError, ParseError) as exc:
            if attempt == _ATTEMPTS and not folder.is_dir():
                raise BrokerUnavailable(
                    f"cannot download Kafka {KAFKA_VERSION} from Maven Central into {folder} "
                    f"({type(exc).__name__}: {exc}); check the network or its proxy settings, "
                    "or set KAFKA_BOOTSTRAP_SERVERS to a Kafka that runs"
                ) from exc
    return folder


def jars_folder(downloads: Path) -> Path:
    """Where the jars lie once they are downloaded."""
    return downloads / f"kafka_2.13-{KAFKA_VERSION}"


def download_jars(folder: Path, coordinates: Sequence[str], pinned: Mapping[str, str]) -> None:
    """Make a folder of exactly the `pinned` jars (SHA-256 by file name), whole or not at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="partial-") as partial:
        complete = Path(partial) / "complete"
        complete.mkdir()
        for jar in _resolve(Path(partial) / "maven", coordinates):
            jar.rename(complete / jar.name)
        _verify(complete, pinned)
        complete.rename(folder)


def _resolve(repository: Path, coordinates: Sequence[str]) -> list[Path]:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=repository, timeout=REQUEST_TIMEOUT_S)
    wanted = [context.create_dependency(coordinate) for coordinate in coordinates]
    inputs, transitive = context.resolver.resolve(wanted)
    return [dependency.artifact.resolve() for dependency in (*inputs, *transitive)]


def _verify(folder: Path, pinned: Mapping[str, str]) -> None:
    """Wrong checksums stop us; jgo, which only knows Maven's, would warn and go on."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in folder.glob("*.jar")}
    wrong = sorted(name for name in {*found, *pinned} if found.get(name) != pinned.get(name))
    if wrong:
        raise ValueError(f"found other files than the pinned ones: {', '.join(wrong)}")


def parse_digests(text: str) -> dict[str, str]:
    """SHA-256 by file name, from the format of `sha256sum`."""
    return {name: digest for digest, name in map(str.split, text.splitlines())}


def _pinned() -> dict[str, str]:
    text = (resources.files("streams.local") / "kafka_jars.sha256").read_text(encoding="ascii")
    return parse_digests(text)
