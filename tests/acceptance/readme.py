"""The README as a reader follows it: sections with files to write and commands to run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from streams.settings import KafkaSettings, child_environment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
LONGEST_S = 120

_BLOCK = re.compile(r"(?P<before>(?:[^\n]+\n)*)\n```(?P<language>\w+)\n(?P<text>.*?)```", re.DOTALL)
_FILE = re.compile(r"`([\w./]+\.(?:py|jsonl|toml|avsc))`")
_PROGRAMS = {
    "python": "",
    "streams": '-P -c "from streams.cli.main import main; main()"',
}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `file` is what it is written to, empty for commands and mere examples."""

    language: str
    text: str
    file: str
    is_addition: bool


def blocks(title: str) -> list[Block]:
    """The blocks below a heading and above the next one of its level."""
    level = "#" * (3 if f"\n### {title}\n" in TEXT else 2)
    section = TEXT.partition(f"\n{level} {title}\n")[2]
    section = re.split(rf"\n#{{2,{len(level)}}} ", section)[0]
    return [_block(match) for match in _BLOCK.finditer(section)]


def _block(match: re.Match[str]) -> Block:
    before, language = match["before"], match["language"]
    files = _FILE.findall(before) if language not in {"sh", "console"} else []
    return Block(language, match["text"], files[-1] if files else "", "Add to" in before)


class Reader:
    """Somebody with a shell in an empty folder, who does what a section says, in order."""

    def __init__(self, folder: Path, kafka: KafkaSettings) -> None:
        self.folder = folder / "empty"
        self.folder.mkdir()
        self._environment = child_environment(
            {
                "PATH": f"{_programs(folder / 'bin')}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "STREAMS_NAMESPACE": kafka.namespace,
                "STREAMS_HOME": str(folder / "home"),
            }
        )

    def follow(self, title: str) -> str:
        """Write the files and run the commands of a section; returns what was printed."""
        return "".join(map(self._do, blocks(title)))

    def run(self, commands: str) -> str:
        """Run commands as a shell does, up to the first that fails; returns standard output."""
        done = subprocess.run(
            ["sh", "-e", "-c", commands],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _do(self, block: Block) -> str:
        if block.language == "sh":
            return self.run(block.text)
        if block.file:
            path = self.folder / block.file
            before = path.read_text(encoding="utf-8") + "\n" if block.is_addition else ""
            path.write_text(before + block.text, encoding="utf-8")
        return ""


def _programs(folder: Path) -> Path:
    """A folder with the commands of an installation: these of the tests' own Python."""
    folder.mkdir()
    for name, arguments in _PROGRAMS.items():
        program = folder / name
        text = f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n'
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
    return folder
