"""The program of a worker under trial: `python -m tests.faults.worker SERVICE SLOT`.

It is the product's own (`streams.engine.process`), with crash points and planted bugs installed
from outside. Nothing in `streams/` knows of them.
"""

from __future__ import annotations

import sys

from streams.engine import process

if __name__ == "__main__":
    sys.exit(process.main(sys.argv[1:]))
