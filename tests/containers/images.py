"""The images under test: the public ones where they can be had, else made of what is here.

An image made here has the digest of what it is made of in its tag, so it is made once.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from jgo.maven import MavenContext

from streams.local.jars import KAFKA_VERSION, broker_jars
from streams.local.java import find_java
from streams.settings import HomeSettings

REPOSITORY = Path(__file__).parents[2]
KAFKA = f"apache/kafka:{KAFKA_VERSION}"
SERVICE = "millrace-test/service:latest"

_KAFKA_FOLDER = Path(__file__).parent / "kafka"
_TOOLS = f"org.apache.kafka:kafka-tools:{KAFKA_VERSION}"
_TOOLS_SHA256 = "62f3c5dd7aa3442d4c5bc6a95f86e2502178ea09de8e27f74d9563bf955e253c"
_PACKAGES = "python3,python3-pip,ca-certificates"
_DOWNLOADED_ON_THIS_MACHINE = ("etc/pip.conf", "etc/ssl/certs/ca-certificates.crt")
_BOOTSTRAP_S = 300
_PIECE_BYTES = 1 << 20

Image = str


class CannotMake(Exception):
    """Neither can an image be pulled nor can it be made here; the text says why."""


def kafka_image(engine: docker.DockerClient) -> Image:
    """Kafka in the layout of the public image."""
    return _public(engine, KAFKA) or _made(engine, "kafka", _kafka_digest(), _make_kafka)


def service_image(engine: docker.DockerClient) -> Image:
    """The image of our `Dockerfile`; its layers are made anew only when what is in them changed."""
    text = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8")
    (public,) = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE))
    base = _public(engine, public)
    with tempfile.NamedTemporaryFile("w", suffix=".Dockerfile", encoding="utf-8") as file:
        file.write(text if base else text.replace(public, _python(engine)))
        file.flush()
        _build(engine, SERVICE, path=str(REPOSITORY), dockerfile=file.name)
    return SERVICE


def _public(engine: docker.DockerClient, name: Image) -> Image | None:
    """The image if it is here or can be pulled."""
    try:
        engine.images.get(name)
    except ImageNotFound:
        try:
            engine.images.pull(name)
        except DockerException:
            return None
    return name


def _made(
    engine: docker.DockerClient,
    what: str,
    digest: str,
    make: Callable[[docker.DockerClient, Image], None],
) -> Image:
    name = f"millrace-test/{what}:{digest[:16]}"
    try:
        engine.images.get(name)
    except ImageNotFound:
        make(engine, name)
    return name


def _python(engine: docker.DockerClient) -> Image:
    """Debian with its own Python, where the public image would be."""
    digest = hashlib.sha256(_PACKAGES.encode())
    for file in _taken_along():
        digest.update(file.read_bytes())
    return _made(engine, "python", digest.hexdigest(), _make_python)


def _make_python(engine: docker.DockerClient, name: Image) -> None:
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        raise CannotMake("no image can be pulled, and without root and debootstrap none be made")
    with tempfile.TemporaryDirectory(prefix="image-") as folder:
        root = Path(folder)
        ended = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", root],
            capture_output=True,
            text=True,
            timeout=_BOOTSTRAP_S,
            check=False,
        )
        if ended.returncode != 0:
            raise CannotMake(f"debootstrap failed: {ended.stdout[-500:]}{ended.stderr[-500:]}")
        (root / "usr/bin/python").symlink_to("python3")
        for marker in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
            marker.unlink()  # the public image's pip installs into the system, too
        for file in _taken_along():
            shutil.copyfile(file, root / file.relative_to("/"))
        _import(engine, root, name)


def _taken_along() -> list[Path]:
    """How this machine reaches what pip downloads."""
    return [file for one in _DOWNLOADED_ON_THIS_MACHINE if (file := Path("/", one)).is_file()]


def _import(engine: docker.DockerClient, root: Path, name: Image) -> None:
    skipped = {"./dev", "./proc", "./sys", "./var/cache/apt/archives", "./var/lib/apt/lists"}
    with tempfile.TemporaryFile() as packed:
        with tarfile.open(fileobj=packed, mode="w") as archive:
            archive.add(root, ".", filter=lambda one: None if one.name in skipped else one)
        packed.seek(0)
        repository, tag = name.split(":")
        pieces = iter(lambda: packed.read(_PIECE_BYTES), b"")
        engine.api.import_image_from_stream(pieces, repository=repository, tag=tag)


def _kafka_digest() -> str:
    digest = hashlib.sha256(_TOOLS_SHA256.encode())
    for file in sorted(_KAFKA_FOLDER.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(_KAFKA_FOLDER)).encode() + file.read_bytes())
    digest.update((find_java().parents[1] / "release").read_bytes())
    return digest.hexdigest()


def _make_kafka(engine: docker.DockerClient, name: Image) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(_KAFKA_FOLDER, ".")
        archive.add(find_java().parents[1], "java")
        archive.add(broker_jars(HomeSettings().downloads), "libs")
        tools = _tools_jar()
        archive.add(tools, f"libs/{tools.name}")
    packed.seek(0)
    _build(engine, name, fileobj=packed, custom_context=True, buildargs={"BASE": _python(engine)})


def _tools_jar() -> Path:
    """What the health check of the compose file runs; the broker itself does without."""
    context = MavenContext(repo_cache=HomeSettings().downloads / "maven")
    jar: Path = context.create_dependency(_TOOLS).artifact.resolve()
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != _TOOLS_SHA256:
        raise CannotMake(f"found a {jar.name} with the digest {found}, wanted {_TOOLS_SHA256}")
    return jar


def _build(engine: docker.DockerClient, name: Image, **context: object) -> None:
    """Build with the machine's own network: one of Docker's may lead nowhere."""
    engine.images.build(tag=name, rm=True, network_mode="host", **context)
