"""The service under show: `streams run` as a process of its own, with its workers below it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from streams.errors import StreamsError
from streams.settings import child_environment

_STOP_S: Final = 20.0
_TAIL_LINES: Final = 15


class Supervisor:
    """`streams run <service> --workers <n>`, logging to a file in the home folder.

    It is in a session of its own, so that Ctrl-C reaches the demo alone, which stops it in order.
    """

    def __init__(self, service: str, workers: int, environment: Mapping[str, str]) -> None:
        self._log = Path(environment["STREAMS_HOME"]) / "workers.log"
        command = ["-m", "streams.cli.main", "run", service, "--workers", str(workers)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *command],
                env=child_environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._process.pid

    def check(self) -> None:
        """StreamsError with the end of its log when it has ended."""
        code = self._process.poll()
        if code is not None:
            lines = self._log.read_text("utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
            raise StreamsError(
                f"the workers ended with exit code {code}; their log ends:\n" + "\n".join(lines)
            )

    def stop(self) -> None:
        """Let the workers commit and end; by force if that takes too long. Twice is fine."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
