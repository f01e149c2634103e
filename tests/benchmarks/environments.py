"""Where the peers run: each in an environment of its own, pinned, made at its first use.

They lie in `bench` of the home folder (`STREAMS_HOME`) and are kept until their pins change. Python
peers get a virtual environment from `peers/<peer>.lock`, which `make lock` makes from the head of
`peers/<peer>.py`. Jars are those of the `.sha256` files. The Java peer is compiled by Eclipse's
compiler, because that is a jar as well and needs no JDK.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree.ElementTree import ParseError

from streams.local.jars import download_jars, parse_digests
from streams.local.java import find_java
from streams.settings import HomeSettings

PEERS = Path(__file__).parent / "peers"
JAVA_SOURCES = PEERS / "kafka_streams"
JARS = {
    "kafka_streams": ("org.apache.kafka:kafka-streams:4.3.1", "org.slf4j:slf4j-nop:1.7.36"),
    "flink_job": ("org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2",),
    "ecj": ("org.eclipse.jdt:ecj:3.43.0",),
}
COMPILER_CLASS = "org.eclipse.jdt.internal.compiler.batch.Main"
JAVA_LEVEL = "17"
JVM_FLAGS = ("-Xmx2g", "-XX:+UseG1GC", "--enable-native-access=ALL-UNNAMED")
_STAMP = "made-from.sha256"


class PeerUnavailable(RuntimeError):
    """An environment cannot be made here; the message says what failed."""


def command(peer: str) -> list[str]:
    """How to start a peer's program; its one argument is to be added."""
    if peer == JAVA_SOURCES.name:
        return java_command("KafkaStreamsPeer")
    program = [str(python_of(peer)), str(PEERS / f"{peer}.py")]
    if peer in JARS:
        (jar,) = _jars(peer).glob("*.jar")
        java_home = find_java().resolve().parents[1]
        program = ["env", f"JAVA_HOME={java_home}", f"FLINK_KAFKA_JAR={jar}", *program]
    return program


def python_of(peer: str) -> Path:
    """The Python of a peer's environment, in which exactly its locked packages are."""
    lock = PEERS / f"{peer}.lock"
    if not lock.is_file():
        raise PeerUnavailable(f"found no {lock.name} in {lock.parent}; `make lock` makes it")
    folder = _home() / peer
    python = folder / "bin" / "python"
    with _made_from(folder, platform.python_version().encode(), lock.read_bytes()) as is_made:
        if not is_made:
            _run(f"make an environment for {peer}", sys.executable, "-m", "venv", folder)
            quiet = ("--quiet", "--disable-pip-version-check", "--require-hashes")
            pip = (python, "-m", "pip", "install", *quiet, "--requirement", lock)
            _run(f"install {lock.name}", *pip)
    return python


def java_command(main_class: str) -> list[str]:
    """How to run a class of the Kafka Streams peer."""
    jars = _jars("kafka_streams")
    return [str(find_java()), *JVM_FLAGS, "-cp", f"{_classes(jars)}:{jars}/*", main_class]


def _classes(jars: Path) -> Path:
    sources = sorted(JAVA_SOURCES.glob("*.java"))
    compiler = _jars("ecj")
    folder = _home() / "kafka_streams-classes"
    pins = (PEERS / "kafka_streams.sha256", PEERS / "ecj.sha256")
    with _made_from(folder, *(path.read_bytes() for path in (*sources, *pins))) as is_made:
        if not is_made:
            java = (find_java(), "-cp", f"{compiler}/*", COMPILER_CLASS)
            level = ("-source", JAVA_LEVEL, "-target", JAVA_LEVEL, "-proc:none")
            class_path = ":".join(map(str, jars.glob("*.jar")))
            places = ("-cp", class_path, "-d", folder)
            _run("compile the Kafka Streams peer", *java, *level, *places, *sources)
    return folder


def _jars(name: str) -> Path:
    """The folder of exactly the jars that `<name>.sha256` pins."""
    pins, coordinates = PEERS / f"{name}.sha256", JARS[name]
    folder = _home() / f"{name}-jars"
    complete = folder / "complete"
    with _made_from(folder, pins.read_bytes()) as is_made:
        if not is_made:
            try:
                download_jars(complete, coordinates, parse_digests(pins.read_text("ascii")))
            except (OSError, RuntimeError, ValueError, AssertionError, ParseError) as exc:
                raise PeerUnavailable(
                    f"cannot download {', '.join(coordinates)}: {type(exc).__name__}: {exc}"
                ) from exc
    return complete


@contextmanager
def _made_from(folder: Path, *parts: bytes) -> Iterator[bool]:
    """Whether the folder was made from these parts; the body makes it when it was not.

    One process at a time; a folder half made, or made from something else, is deleted first.
    """
    wanted = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
    folder.parent.mkdir(parents=True, exist_ok=True)
    stamp = folder / _STAMP
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        is_made = stamp.is_file() and stamp.read_text("ascii") == wanted
        if not is_made:
            shutil.rmtree(folder, ignore_errors=True)
        yield is_made
        if not is_made:
            stamp.write_text(wanted, "ascii")


def _run(what: str, *command: str | Path) -> None:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        end = (run.stderr or run.stdout).strip()[-2_000:]
        raise PeerUnavailable(f"cannot {what}, it ended with {run.returncode}: {end}")


def _home() -> Path:
    return HomeSettings().home / "bench"
