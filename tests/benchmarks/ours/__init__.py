"""Programs of ours under measurement; each takes one JSON object and prints `start` and `end`."""
